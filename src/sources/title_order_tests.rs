//! Pulls of folders whose files are ordered by a date in their title rows.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::fields::Readers;
use crate::model::connector::{Connector, ConnectorFile};
use crate::model::folder::KnownFile;
use crate::model::instant::display;
use crate::model::values::PlaceholderValues;
use crate::sources::decode::xlsx::test_workbook::workbook;
use crate::sources::{ErrorKind, PullStart, SourceError, SourceReader, name_digest, open};

/// Lists as recorded from a post office; the headings are those of its connector.
const CSV: &[u8] = include_bytes!("../../connectors/bcci-export/cases/month-with-titles/2020-10.csv");
const XLSX: &[u8] = include_bytes!("../../connectors/bcci-export/cases/workbook-two-sheets/2025-10.xlsx");

async fn folder(root: &Path, content: &str, pattern: &str, start: PullStart) -> SourceReader {
    let text = format!(
        r#"
        [connector]
        version = 1
        title = "Post"
        kind = "postal_items"
        system = "BCCI"
        contact = "post"
        [access]
        type = "files"
        folder = "{}"
        glob = "*"
        settle_secs = 0
        content = "{content}"
        order = {{ title = "{pattern}" }}
        [decode]
        type = "spreadsheet"
        header = "Mã vận đơn"
        footers = ["Tổng cộng"]
        [map.item_code]
        from = "Mã vận đơn"
        type = "item_code"
        required = true
        "#,
        root.display()
    );
    let file: ConnectorFile = toml::from_str(&text).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "post".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: std::sync::Arc::default(),
    };
    open(&connector, &readers, &PlaceholderValues::default(), start).await.expect("the folder is there")
}

/// Day from which ages count, in days since 1970: 4 September 2026.
const LAST_DAY: u64 = 20_700;

/// Writes a file that was modified so many days before [`LAST_DAY`].
async fn put(root: &Path, name: &str, days_ago: u64, bytes: &[u8]) {
    let path = root.join(name);
    tokio::fs::write(&path, bytes).await.expect("the folder can be written");
    let file = tokio::fs::File::options().write(true).open(&path).await.expect("the file is there").into_std().await;
    let modified = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * (LAST_DAY - days_ago));
    file.set_modified(modified).expect("its time can be set");
}

/// Names of the files that were read, in their order.
async fn read(reader: &mut SourceReader) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(page) = reader.next().await.expect("every file can be read") {
        names.push(page.origin.split(' ').next().unwrap_or_default().to_owned());
    }
    names.dedup();
    names
}

/// Names of the files that were read, and the error after them.
async fn read_until_error(reader: &mut SourceReader) -> (Vec<String>, Option<SourceError>) {
    let mut names = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(page)) => names.push(page.origin.split(' ').next().unwrap_or_default().to_owned()),
            Ok(None) => return (names, None),
            Err(error) => return (names, Some(error)),
        }
    }
}

/// Start of the pull after this one.
fn after(reader: &SourceReader) -> PullStart {
    PullStart {
        cursor: reader.cursor(),
        known_files: reader.file_notes().iter().map(|note| KnownFile::of_note(note, 1)).collect(),
        ..PullStart::default()
    }
}

/// Day by which a file is ordered; `None` if nothing is noted about it.
fn day_of(reader: &SourceReader, name: &str) -> Option<String> {
    let notes = reader.file_notes();
    let note = notes.iter().find(|note| note.name == name_digest(name))?;
    let dated = note.time.ordered_at != note.time.modified_at;
    Some(if dated { display(note.time.ordered_at)[..10].to_owned() } else { "modified".to_owned() })
}

fn list(title: &str) -> String {
    format!("{title}\r\nSTT;Mã vận đơn\r\n1;EP123456785VN\r\n")
}

#[tokio::test]
async fn files_are_ordered_by_the_last_date_in_their_titles() {
    let root = tempfile::tempdir().expect("a temporary folder");
    put(root.path(), "recorded.csv", 1, CSV).await;
    put(root.path(), "recorded.xlsx", 1, XLSX).await;
    put(root.path(), "months.csv", 2, list("Tháng 09/2026;;\"và tháng 10/2026\"").as_bytes()).await;
    put(root.path(), "none.csv", 3, list("Danh sách").as_bytes()).await;
    let rows = [vec!["Ngày", "@46326"], vec!["STT", "Mã vận đơn"], vec!["=1", "EP123456799VN"]];
    put(root.path(), "cell.xlsx", 4, &workbook(&[("A", &rows)])).await;
    let names = ["recorded.csv", "recorded.xlsx", "months.csv", "none.csv", "cell.xlsx"];
    for (pattern, expected) in [
        ("MM/yyyy", ["2020-10-01", "2025-10-01", "2026-10-01", "modified", "modified"]),
        ("từ ngày {dd/MM/yyyy}", ["modified", "2025-10-01", "modified", "modified", "modified"]),
        // A cell of a date is the text that a CSV file would have.
        ("yyyy-MM-dd", ["modified", "modified", "modified", "modified", "2026-10-31"]),
    ] {
        let mut reader = folder(root.path(), "lists", pattern, PullStart::default()).await;
        assert_eq!(read(&mut reader).await.len(), 5);
        let found = names.map(|name| day_of(&reader, name).expect("it is noted"));
        assert_eq!(found, expected, "{pattern}");
        let mut undated = reader.undated_files().to_vec();
        let mut without: Vec<&str> =
            names.into_iter().zip(expected).filter(|(_, day)| *day == "modified").map(|(name, _)| name).collect();
        undated.sort();
        without.sort_unstable();
        assert_eq!(undated, without, "{pattern}");
    }
}

#[tokio::test]
async fn the_whole_list_with_the_newest_title_is_read() {
    let root = tempfile::tempdir().expect("a temporary folder");
    put(root.path(), "a.csv", 5, list("Đến ngày 31/10/2026").as_bytes()).await;
    put(root.path(), "b.csv", 1, list("Đến ngày 30/09/2026").as_bytes()).await;
    let mut reader = folder(root.path(), "whole", "dd/MM/yyyy", PullStart::default()).await;
    assert_eq!(read(&mut reader).await, ["a.csv"]);
    assert_eq!((reader.files_found(), day_of(&reader, "a.csv").as_deref()), (Some(2), Some("2026-10-31")));
    let start = PullStart { newest_only: true, ..PullStart::default() };
    assert_eq!(read(&mut folder(root.path(), "lists", "dd/MM/yyyy", start).await).await, ["a.csv"]);
    // The next night nothing is new; then an older list arrives late, and a newer one.
    let mut again = folder(root.path(), "whole", "dd/MM/yyyy", after(&reader)).await;
    assert_eq!((read(&mut again).await, again.file_notes()), (Vec::new(), Vec::new()));
    put(root.path(), "d.csv", 0, list("Đến ngày 31/08/2026").as_bytes()).await;
    assert!(read(&mut folder(root.path(), "whole", "dd/MM/yyyy", after(&reader)).await).await.is_empty());
    put(root.path(), "e.csv", 9, list("Đến ngày 30/11/2026").as_bytes()).await;
    assert_eq!(read(&mut folder(root.path(), "whole", "dd/MM/yyyy", after(&reader)).await).await, ["e.csv"]);
}

#[tokio::test]
async fn the_date_of_a_list_is_known_again_when_it_is_renamed() {
    let root = tempfile::tempdir().expect("a temporary folder");
    put(root.path(), "a.csv", 5, list("Đến ngày 31/10/2026").as_bytes()).await;
    let mut first = folder(root.path(), "lists", "dd/MM/yyyy", PullStart::default()).await;
    assert_eq!(read(&mut first).await, ["a.csv"]);
    let start = after(&first);
    tokio::fs::rename(root.path().join("a.csv"), root.path().join("b.csv")).await.expect("it can be renamed");
    let mut second = folder(root.path(), "lists", "dd/MM/yyyy", start).await;
    assert!(read(&mut second).await.is_empty());
    assert_eq!(day_of(&second, "b.csv").as_deref(), Some("2026-10-31"));
    assert!(second.undated_files().is_empty());
}

#[tokio::test]
async fn while_the_date_of_a_file_cannot_be_read_no_other_file_is_the_whole_list() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let pattern = "dd/MM/yyyy";
    put(root.path(), "a.csv", 5, list("Đến ngày 20/11/2026").as_bytes()).await;
    let mut first = folder(root.path(), "whole", pattern, PullStart::default()).await;
    assert_eq!(read(&mut first).await, ["a.csv"]);
    let newest = list("Đến ngày 30/11/2026");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, newest.as_bytes()).expect("memory takes all");
    let packed = packed.finish().expect("memory takes all");
    let rows = [vec!["Đến ngày 30/11/2026"], vec!["Mã vận đơn"], vec!["EP123456799VN"]];
    let book = workbook(&[("A", &rows)]);
    let cases: [(&[u8], Option<ErrorKind>); 5] = [
        (&[], Some(ErrorKind::FileEmpty)),
        (&packed[..packed.len() / 2], Some(ErrorKind::BodyCutShort)),
        (&book[..book.len() / 2], None),
        (b"PK\x03\x04 no workbook", None),
        ("Đến ngày 30/11/2026\r\n".as_bytes(), Some(ErrorKind::HeaderNotFound)),
    ];
    for (case, (bytes, kind)) in cases.into_iter().enumerate() {
        // By its modification time it would be older than `a.csv`.
        put(root.path(), "b.csv", 1, bytes).await;
        let mut night = folder(root.path(), "whole", pattern, after(&first)).await;
        let (names, error) = read_until_error(&mut night).await;
        let error = error.expect("the file is named");
        assert!(names.is_empty() && error.message.contains("file `b.csv`: "), "{case}: {names:?} {error}");
        assert!(kind.is_none_or(|kind| kind == error.kind), "{case}: {error}");
        assert!(night.has_good_file() && night.file_notes().is_empty(), "{case}: the pull is incomplete");
        assert_eq!(night.cursor(), first.cursor(), "{case}");
    }
    // Nor is a readable list that arrives now: which of the two is newer is not known.
    put(root.path(), "c.csv", 0, list("Đến ngày 25/11/2026").as_bytes()).await;
    let mut night = folder(root.path(), "whole", pattern, after(&first)).await;
    let (names, error) = read_until_error(&mut night).await;
    assert!(names.is_empty() && error.is_some() && night.has_good_file(), "{names:?} {error:?}");
    // If no list was read before, the pull fails.
    let mut night = folder(root.path(), "whole", pattern, PullStart::default()).await;
    let (names, error) = read_until_error(&mut night).await;
    assert!(names.is_empty() && error.is_some() && !night.has_good_file(), "{names:?} {error:?}");
    put(root.path(), "b.csv", 1, &packed).await;
    assert_eq!(read(&mut folder(root.path(), "whole", pattern, after(&first)).await).await, ["b.csv"]);
    // A pull of other lists reads every file, and reports each error then.
    put(root.path(), "b.csv", 1, &[]).await;
    let mut lists = folder(root.path(), "lists", pattern, PullStart::default()).await;
    let (names, error) = read_until_error(&mut lists).await;
    assert_eq!(
        (names.join(" "), error.map(|error| error.kind)),
        ("a.csv c.csv".to_owned(), Some(ErrorKind::FileEmpty))
    );
}

#[tokio::test]
async fn a_file_with_a_known_date_needs_no_title_rows_again() {
    let root = tempfile::tempdir().expect("a temporary folder");
    put(root.path(), "a.csv", 5, list("Đến ngày 20/11/2026").as_bytes()).await;
    let mut first = folder(root.path(), "whole", "dd/MM/yyyy", PullStart::default()).await;
    assert_eq!(read(&mut first).await, ["a.csv"]);
    // As if it had been read by a version that found more in it: now it has no header row.
    put(root.path(), "a.csv", 5, b"no table").await;
    let mut start = after(&first);
    let digest = crate::sources::decode::hex_digest(b"no table");
    for file in &mut start.known_files {
        file.content.digest.clone_from(&digest);
    }
    start.cursor.files = vec![digest];
    let mut second = folder(root.path(), "whole", "dd/MM/yyyy", start).await;
    assert_eq!((read(&mut second).await, second.file_notes()), (Vec::new(), Vec::new()));
}
