use super::*;

/// A server whose list and whose looks differ for every file: the times are of two time zones.
struct TwoZones;

impl RemoteServer for TwoZones {
    fn list<'a>(&'a self, _: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<ListedFile>, SourceError>> {
        Box::pin(async { Ok((0..FILES).map(|number| (vec![b'a' + number], stamp(Some(1_000)))).collect()) })
    }

    fn stat<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<Option<RemoteStamp>, SourceError>> {
        Box::pin(async { Ok(Some(stamp(Some(26_200)))) })
    }

    fn read<'a>(&'a self, _: &'a [u8], _: u64) -> BoxFuture<'a, Result<Vec<u8>, SourceError>> {
        Box::pin(async { Ok(b"x".to_vec()) })
    }
}

const FILES: u8 = 8;
const SETTLE: Duration = Duration::from_millis(500);

fn stamp(modified: Option<i64>) -> RemoteStamp {
    RemoteStamp { bytes: 1, modified, ..RemoteStamp::default() }
}

fn undescribed() -> RemoteStamp {
    RemoteStamp { tag: NOT_DESCRIBED.to_owned(), ..RemoteStamp::default() }
}

fn folder() -> RemoteFolder {
    let limits = FileLimits { max_bytes: 10, max_expanded_bytes: 10, settle: SETTLE, silence: Duration::from_secs(20) };
    RemoteFolder {
        server: Box::new(TwoZones),
        shown: "ftp://h/".to_owned(),
        retry: Retry::default(),
        retries: AtomicU32::new(0),
        limits,
        listed_at: Instant::now(),
        first_looks: FirstLooks::default(),
        is_whole: false,
        is_by_time: false,
    }
}

#[tokio::test]
async fn files_that_are_described_otherwise_than_listed_settle_in_one_wait() {
    let mut folder = folder();
    let found = folder.list("*", &FileOrder::Modified).await.expect("a list");
    assert_eq!(found.len(), usize::from(FILES));
    let began = Instant::now();
    for file in &found {
        let (name, listed) = file.remote_place().expect("a file on a server");
        assert!(folder.read(name, listed).await.expect("a file").is_some(), "{}", file.name);
    }
    assert!(began.elapsed() >= SETTLE);
    assert!(began.elapsed() < SETTLE * u32::from(FILES) / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_file_that_was_listed_without_its_time_is_left_for_the_next_run() {
    let mut folder = folder();
    folder.list("*", &FileOrder::Modified).await.expect("a list");
    assert!(folder.read(b"a", &undescribed()).await.expect("no error").is_none());
    folder.list("*", &FileOrder::Name("yyyy".to_owned())).await.expect("a list");
    assert!(folder.read(b"a", &undescribed()).await.expect("no error").is_some());
}

#[test]
fn the_newest_file_is_not_chosen_past_one_without_a_time() {
    let found = |stamps: &[RemoteStamp]| -> Vec<FoundFile> {
        stamps.iter().map(|stamp| FoundFile::remote(b"a.csv".to_vec(), stamp.clone())).collect()
    };
    let dated = || stamp(Some(1_000));
    for (stamps, whole, lists) in [
        (vec![dated(), dated()], None, None),
        (vec![dated(), undescribed()], Some(ErrorKind::FileUnreadable), None),
        (vec![undescribed()], Some(ErrorKind::FileUnreadable), None),
        (vec![dated(), stamp(None)], Some(ErrorKind::Misconfigured), Some(ErrorKind::Misconfigured)),
        (vec![stamp(None)], None, None),
    ] {
        let kind = |is_whole| check_times(&found(&stamps), is_whole).err().map(|error| error.kind);
        assert_eq!((kind(true), kind(false)), (whole, lists), "{stamps:?}");
    }
    let error = check_times(&found(&[undescribed(), dated()]), true).expect_err("no time");
    assert!(error.is_retryable() && error.message.contains("1 of 2 files, such as `a.csv`"), "{error}");
}
