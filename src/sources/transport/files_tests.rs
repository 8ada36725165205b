//! Listing and reading the files of a folder.

use super::*;

const LIMITS: FileLimits =
    FileLimits { max_bytes: 10, max_expanded_bytes: 10, settle: Duration::ZERO, silence: Duration::from_secs(20) };

#[test]
fn lock_files_and_unfinished_transfers_are_no_deliveries() {
    for name in
        ["~$a.xlsx", "a.csv.part", "A.TMP", "~WRL0001.tmp", "a.csv~", ".~lock.a.ods#", "Thumbs.db", "a.filepart"]
    {
        assert!(!is_delivery(name), "{name}");
    }
    for name in ["a.csv", "~a.csv", "$a.xlsx", "part.csv", "tmp.xlsx", "a.tmp.csv", "Danh sách ~ tháng 10.xlsx"] {
        assert!(is_delivery(name), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_readable_file_is_listed_and_reported_without_waiting() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("mkfifo").arg(at("pipe.csv")).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe can be made");
    std::fs::create_dir(at("folder.csv")).expect("writable");
    for (link, target) in
        [("gone.csv", "nowhere"), ("null.csv", "/dev/null"), ("good.csv", "target"), ("loop.csv", "loop.csv")]
    {
        std::os::unix::fs::symlink(target, at(link)).expect("writable");
    }
    for (name, text) in [("target", "text"), ("empty.csv", ""), ("long.csv", "0123456789x")] {
        std::fs::write(at(name), text).expect("writable");
    }
    let found = list(folder.path().to_str().expect("UTF-8"), "*.csv", LIMITS.silence).await.expect("a folder");
    let mut results = Vec::new();
    for file in &found {
        let result = read(file, LIMITS).await.map(|content| content.map(|content| content.bytes.len()));
        results.push((file.name.as_str(), result.map_err(|error| (error.kind, error.message))));
    }
    results.sort_by_key(|(name, _)| *name);
    let unreadable = |message: &str| Err((ErrorKind::FileUnreadable, message.to_owned()));
    let expected = [
        ("empty.csv", Err((ErrorKind::FileEmpty, "the file has 0 bytes".to_owned()))),
        ("gone.csv", unreadable("a link to a file that does not exist")),
        ("good.csv", Ok(Some(4))),
        ("long.csv", Err((ErrorKind::BodyTooLarge, "the file is longer than 10 bytes".to_owned()))),
        ("loop.csv", unreadable("filesystem loop or indirection limit (e.g. symlink loop)")),
        ("null.csv", unreadable("a pipe, device or socket, not a file")),
        ("pipe.csv", unreadable("a pipe, device or socket, not a file")),
    ];
    assert_eq!(results, expected);
    // Also if it became a pipe after its metadata were read.
    let error = read_bytes(&at("pipe.csv"), LIMITS, &AtomicU64::new(0)).expect_err("a pipe is no file");
    assert_eq!(error.kind, ErrorKind::FileUnreadable);
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_its_time_limit_and_one_that_gets_on_does_not() {
    let (never_sent, hang) = std::sync::mpsc::channel::<()>();
    let hanging = answer_within(Duration::from_millis(20), move |_| {
        let _ = hang.recv();
        Ok(())
    });
    assert_eq!(hanging.await.map_err(|error| error.kind), Err(ErrorKind::Timeout));
    drop(never_sent);
    let slow = answer_within(Duration::from_millis(100), |counter| {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(15));
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    assert_eq!(slow.await, Ok(()));
    let panicking = answer_within::<()>(LIMITS.silence, |_| panic!("in a call"));
    assert_eq!(panicking.await.map_err(|error| error.kind), Err(ErrorKind::FileUnreadable));
}

#[test]
fn names_that_differ_only_in_bytes_that_are_no_utf8_stay_apart() {
    let [upper, lower, utf8, escape] =
        [&b"so \xcca.csv"[..], &b"so \xeca.csv"[..], "số.csv".as_bytes(), &b"so \\xCCa.csv"[..]]
            .map(|name| FoundFile::remote(name.to_vec(), RemoteStamp::default()));
    assert_eq!(upper.name, lower.name, "patterns and dates are searched in the same text");
    assert_eq!((upper.shown(), lower.shown()), ("so \\xCCa.csv".to_owned(), "so \\xECa.csv".to_owned()));
    assert_eq!((upper.name_bytes(), upper.utf8_name()), (&b"so \xcca.csv"[..], None));
    assert_eq!((utf8.utf8_name(), utf8.shown()), (Some("số.csv"), "số.csv".to_owned()));
    assert_ne!(upper.name_bytes(), escape.name_bytes());
    // Whether a name is withheld is decided without the escapes, which would hide the word.
    let person = FoundFile::remote(b"\x96nguyen van canari.csv".to_vec(), RemoteStamp::default());
    assert!(!person.shown().contains("canari"), "{}", person.shown());
}
