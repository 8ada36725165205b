//! Pulls of a folder.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::fields::Readers;
use crate::model::connector::{Connector, ConnectorFile};
use crate::model::folder::{ContentRef, FileTime, KnownFile, NoteKind};
use crate::model::pull::Cursor;
use crate::model::values::PlaceholderValues;
use crate::sources::{ErrorKind, PullStart, SourceError, SourceReader, exact_name_digest, name_digest, open};

const CONNECTOR: &str = r#"
    [connector]
    version = 1
    title = "Post"
    kind = "postal_items"
    system = "BCCI"
    contact = "post"
    [access]
    type = "files"
    folder = "{env:INBOX}"
    glob = "*.csv"
    settle_secs = 0
    [decode]
    type = "csv"
    header = "Mã vận đơn"
    [map.item_code]
    from = "Mã vận đơn"
    type = "item_code"
    required = true
"#;

async fn open_folder(folder: &str, cursor: Cursor) -> Result<SourceReader, SourceError> {
    open_connector(CONNECTOR, folder, cursor).await
}

async fn open_connector(text: &str, folder: &str, cursor: Cursor) -> Result<SourceReader, SourceError> {
    open_with_start(text, folder, PullStart { now: 7, cursor, ..PullStart::default() }).await
}

async fn open_with_start(text: &str, folder: &str, start: PullStart) -> Result<SourceReader, SourceError> {
    let file: ConnectorFile = toml::from_str(text).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "post".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: std::sync::Arc::default(),
    };
    let mut values = PlaceholderValues::default();
    values.set_variable("INBOX", folder);
    open(&connector, &readers, &values, start).await
}

async fn read_all(reader: &mut SourceReader) -> (Vec<String>, Option<SourceError>) {
    let mut origins = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(page)) => origins.push(page.origin),
            Ok(None) => return (origins, None),
            Err(error) => return (origins, Some(error)),
        }
    }
}

fn export(rows: usize) -> String {
    let mut text = "STT;Mã vận đơn\n".to_owned();
    for row in 0..rows {
        writeln!(text, "{row};EP{row}").expect("a string takes all");
    }
    text
}

#[tokio::test]
async fn files_with_the_same_content_are_read_once() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: String| {
        let path = inbox.path().join(name);
        async move { tokio::fs::write(path, text).await.expect("the folder can be written") }
    };
    put("a.CSV", export(5_001)).await;
    put("b.csv", export(2)).await;
    put("copy of b.csv", export(2)).await;
    put("empty.csv", export(0)).await;
    put(".part.csv", export(3)).await;
    put("notes.txt", export(3)).await;
    let folder = inbox.path().to_str().expect("the path is UTF-8").to_owned();
    let mut first = open_folder(&folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = read_all(&mut first).await;
    assert_eq!(error, None);
    assert_eq!(origins, ["a.CSV rows 2-5001", "a.CSV rows 5002-5002", "b.csv rows 2-3", "empty.csv no rows"]);
    let cursor = first.cursor();
    assert_eq!((cursor.read_until, cursor.files.len()), (Some(7), 3));
    let start = PullStart { cursor: cursor.clone(), known_files: known(&first), ..PullStart::default() };
    let mut second = open_with_start(CONNECTOR, &folder, start).await.expect("the folder is there");
    assert_eq!(read_all(&mut second).await, (Vec::new(), None));
    assert_eq!((second.cursor().files, second.file_notes()), (cursor.files, Vec::new()));
}

/// The files that a reader noted, as a ledger stores them.
fn known(reader: &SourceReader) -> Vec<KnownFile> {
    reader.file_notes().iter().map(|note| KnownFile::of_note(note, 1)).collect()
}

/// Kind, landing run and first letter of the content's digest of each note, by file name.
fn noted<'n>(reader: &SourceReader, names: &[&'n str]) -> Vec<(&'n str, NoteKind, bool)> {
    let notes = reader.file_notes();
    let of = |name: &&'n str| {
        let digest = name_digest(name);
        let of_name: Vec<_> = notes.iter().filter(|note| note.name == digest).collect();
        of_name.into_iter().map(|note| (*name, note.kind, note.landed_by.is_none())).collect::<Vec<_>>()
    };
    names.iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_content_is_read_if_it_is_new_for_its_name() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, rows: usize, seconds: u64| {
        let path = inbox.path().join(name);
        async move {
            tokio::fs::write(&path, export(rows)).await.expect("the folder can be written");
            age(&path, seconds);
        }
    };
    put("a.csv", 1, 90).await;
    put("b.csv", 2, 80).await;
    let folder = inbox.path().to_str().expect("the path is UTF-8").to_owned();
    let mut first = open_folder(&folder, Cursor::default()).await.expect("the folder is there");
    read_all(&mut first).await;
    let names = ["a.csv", "b.csv", "c.csv"];
    assert_eq!(noted(&first, &names), [("a.csv", NoteKind::Holds, true), ("b.csv", NoteKind::Holds, true)]);
    let start = |known_files, are_imported| PullStart {
        cursor: first.cursor(),
        known_files,
        are_imported,
        ..PullStart::default()
    };

    // `a` was put back to a content that was read before, but that it does not hold now.
    let mut held: Vec<KnownFile> = known(&first);
    held.iter_mut()
        .filter(|file| file.name == name_digest("a.csv"))
        .for_each(|file| file.content.digest = "B".to_owned());
    let mut reverted = open_with_start(CONNECTOR, &folder, start(held, false)).await.expect("the folder is there");
    assert_eq!(read_all(&mut reverted).await.0, ["a.csv rows 2-2"]);

    // `b` is renamed, and `a` is touched: nothing is read, the changes are noted.
    let (old, new) = (inbox.path().join("b.csv"), inbox.path().join("c.csv"));
    tokio::fs::rename(old, new).await.expect("it can be renamed");
    put("a.csv", 1, 10).await;
    let mut renamed =
        open_with_start(CONNECTOR, &folder, start(known(&first), false)).await.expect("the folder is there");
    assert_eq!(read_all(&mut renamed).await, (Vec::new(), None));
    let expected =
        [("a.csv", NoteKind::Holds, false), ("b.csv", NoteKind::Forgotten, false), ("c.csv", NoteKind::Holds, false)];
    assert_eq!(noted(&renamed, &names), expected);

    // Files that an older version read are taken over.
    let mut imported =
        open_with_start(CONNECTOR, &folder, start(known(&first), true)).await.expect("the folder is there");
    assert_eq!(read_all(&mut imported).await, (Vec::new(), None));
    assert_eq!(
        noted(&imported, &["b.csv"]),
        [("b.csv", NoteKind::Imported, false), ("b.csv", NoteKind::Forgotten, false)]
    );
}

#[tokio::test]
async fn a_name_in_another_unicode_form_or_letter_case_is_the_same_unless_both_lie_in_the_folder() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let folder = inbox.path().to_str().expect("the path is UTF-8").to_owned();
    let put = |name: &str, rows: usize| {
        let path = inbox.path().join(name);
        async move {
            tokio::fs::write(&path, export(rows)).await.expect("the folder can be written");
            age(&path, 90);
        }
    };
    let remove = async |name: &str| tokio::fs::remove_file(inbox.path().join(name)).await.expect("it is there");
    let read = async |known_files: Vec<KnownFile>| {
        let start = PullStart { known_files, ..PullStart::default() };
        let mut reader = open_with_start(CONNECTOR, &folder, start).await.expect("the folder is there");
        read_all(&mut reader).await;
        reader.file_notes().into_iter().map(|note| (note.name, note.kind)).collect::<Vec<_>>()
    };
    let (composed, decomposed) = ("Th\u{e1}ng 3.csv", "Tha\u{301}ng 3.csv");
    let of_older = |name: &str| KnownFile {
        name: exact_name_digest(name),
        content: ContentRef { digest: "0".to_owned(), landed_by: 1 },
        time: FileTime::default(),
        former: Vec::new(),
    };
    let one_name = vec![(name_digest("th\u{e1}ng 3.csv"), NoteKind::Holds)];
    for name in [composed, decomposed, "TH\u{c1}NG 3.CSV"] {
        put(name, 1).await;
        assert_eq!(read(Vec::new()).await, one_name, "{name}");
        // An older version stored the name as it was written.
        let stored = vec![(exact_name_digest(name), NoteKind::Holds)];
        assert_eq!(read(vec![of_older(name)]).await, stored, "{name}");
        remove(name).await;
    }
    put(decomposed, 1).await;
    assert_eq!(read(vec![of_older(composed)]).await, [(exact_name_digest(composed), NoteKind::Holds)]);
    remove(decomposed).await;
    put(composed, 1).await;
    assert_eq!(read(vec![of_older(decomposed)]).await, [(exact_name_digest(decomposed), NoteKind::Holds)]);
    remove(composed).await;

    put("A.csv", 1).await;
    put("a.csv", 2).await;
    let mut both = read(Vec::new()).await;
    both.sort_by_key(|(name, _)| name.clone());
    let mut expected = [exact_name_digest("A.csv"), exact_name_digest("a.csv")].map(|name| (name, NoteKind::Holds));
    expected.sort_by_key(|(name, _)| name.clone());
    assert_eq!(both, expected);
}

#[tokio::test]
async fn names_that_differ_only_in_bytes_that_are_no_utf8_are_two_files() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    // Tone marks of CP1258.
    for (name, rows, seconds) in [(&b"so \xcca.csv"[..], 1, 90), (&b"so \xeca.csv"[..], 2, 80)] {
        let path = inbox.path().join(std::ffi::OsStr::from_bytes(name));
        tokio::fs::write(&path, export(rows)).await.expect("the folder can be written");
        age(&path, seconds);
    }
    let mut first = open_folder(folder, Cursor::default()).await.expect("the folder is there");
    let origins = ["so \\xCCa.csv rows 2-2".to_owned(), "so \\xECa.csv rows 2-3".to_owned()];
    assert_eq!(read_all(&mut first).await, (origins.to_vec(), None));
    let noted = first.file_notes();
    assert_eq!(noted.len(), 2);
    assert_ne!(noted[0].name, noted[1].name);
    let start = PullStart { cursor: first.cursor(), known_files: known(&first), ..PullStart::default() };
    let mut second = open_with_start(CONNECTOR, folder, start).await.expect("the folder is there");
    assert_eq!((read_all(&mut second).await, second.file_notes()), ((Vec::new(), None), Vec::new()));
}

#[tokio::test]
async fn the_date_in_a_name_orders_files_and_of_whole_lists_only_the_newest_is_read() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    // The file without a date is ordered by its modification time: 15 December 2026.
    for (name, rows, modified) in
        [("so 31.10.2026.csv", 1, 1_797_400_000), ("so 30.11.2026.csv", 2, 1_797_300_000), ("so.csv", 3, 1_797_292_800)]
    {
        let path = inbox.path().join(name);
        tokio::fs::write(&path, export(rows)).await.expect("the folder can be written");
        let file = std::fs::File::options().write(true).open(&path).expect("the file is there");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(modified);
        file.set_modified(time).expect("the time can be set");
    }
    let dated = CONNECTOR.replace("settle_secs = 0", "settle_secs = 0\norder = { name = \"dd.MM.yyyy\" }");
    let whole = dated.replace("order =", "content = \"whole\"\norder =");
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut dated = open_with_start(&dated, folder, PullStart::default()).await.expect("the folder is there");
    let origins = read_all(&mut dated).await.0;
    assert_eq!(origins, ["so 31.10.2026.csv rows 2-2", "so 30.11.2026.csv rows 2-3", "so.csv rows 2-4"]);
    let mut whole = open_with_start(&whole, folder, PullStart::default()).await.expect("the folder is there");
    assert_eq!(read_all(&mut whole).await.0, ["so.csv rows 2-4"]);
}

#[tokio::test]
async fn an_unreadable_file_leaves_the_others_readable_and_the_cursor_unchanged() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let files = [("a.csv", "x;y\n1;2\n".to_owned()), ("b.csv", export(1)), ("~$b.csv", "x".to_owned())];
    for (name, text) in files {
        tokio::fs::write(inbox.path().join(name), text).await.expect("the folder can be written");
    }
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reader = open_folder(folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = read_all(&mut reader).await;
    assert_eq!(origins, ["b.csv rows 2-2"]);
    let error = error.expect("a file has no header");
    assert_eq!(error.kind, ErrorKind::HeaderNotFound);
    assert_eq!(error.message, "connector `post`: file `a.csv`: no row has the column `Mã vận đơn`");
    assert_eq!(reader.cursor(), Cursor::default());
    assert!(reader.has_good_file(), "the pull is incomplete");
    tokio::fs::remove_file(inbox.path().join("b.csv")).await.expect("the folder can be written");
    let mut reader = open_folder(folder, Cursor::default()).await.expect("the folder is there");
    let (_, error) = read_all(&mut reader).await;
    assert_eq!((error.map(|error| error.kind), reader.has_good_file()), (Some(ErrorKind::HeaderNotFound), false));
}

/// Sets a file's modification time to `seconds` before its present one.
fn age(path: &std::path::Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).expect("the file is there");
    let now = file.metadata().expect("the file is there").modified().expect("a time");
    file.set_modified(now - std::time::Duration::from_secs(seconds)).expect("the time can be set");
}

#[tokio::test]
async fn files_are_read_in_order_of_modification() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    for (name, rows, seconds) in [("a.csv", 1, 10), ("b.csv", 2, 30), ("c.csv", 3, 20)] {
        let path = inbox.path().join(name);
        tokio::fs::write(&path, export(rows)).await.expect("the folder can be written");
        age(&path, seconds);
    }
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reader = open_folder(folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = read_all(&mut reader).await;
    assert_eq!(
        (origins, error),
        (["b.csv rows 2-3", "c.csv rows 2-4", "a.csv rows 2-2"].map(str::to_owned).to_vec(), None)
    );
}

#[tokio::test]
async fn a_growing_file_is_skipped_and_a_recent_one_is_read_after_settle_secs() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let settled = CONNECTOR.replace("settle_secs = 0", "settle_secs = 1");
    for name in ["done.csv", "growing.csv"] {
        tokio::fs::write(inbox.path().join(name), export(name.len())).await.expect("the folder can be written");
    }
    age(&inbox.path().join("growing.csv"), 0);
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reader = open_connector(&settled, folder, Cursor::default()).await.expect("the folder is there");
    let growing = inbox.path().join("growing.csv");
    let writer = tokio::spawn(async move {
        for rows in 10..40 {
            tokio::fs::write(&growing, export(rows)).await.expect("the folder can be written");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    let (origins, error) = read_all(&mut reader).await;
    writer.abort();
    assert_eq!((origins, error), (vec!["done.csv rows 2-9".to_owned()], None));
    assert_eq!(reader.growing_files(), ["growing.csv"]);
    assert_eq!(reader.cursor().files.len(), 1);
}

#[tokio::test]
async fn every_failed_file_is_named() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("a.csv", "x;y\n".to_owned()), ("b.csv", export(1)), ("c.csv", format!("{}3;\"", export(1)))] {
        tokio::fs::write(inbox.path().join(name), text).await.expect("the folder can be written");
    }
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reader = open_folder(folder, Cursor::default()).await.expect("the folder is there");
    let (_, error) = read_all(&mut reader).await;
    let message = error.expect("two files failed").message;
    assert!(
        message
            .ends_with("file `a.csv`: no row has the column `Mã vận đơn`; other files failed: `c.csv` unclosed_quote"),
        "{message}"
    );
}

#[tokio::test]
async fn csv_files_and_workbooks_are_read_from_one_folder() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let both = CONNECTOR.replace("*.csv", "*.{csv,xlsx,csv.gz}").replace("type = \"csv\"", "type = \"spreadsheet\"");
    let rows: Vec<String> = (0..5_001).map(|row| format!("EP{row}")).collect();
    let rows: Vec<Vec<&str>> = rows.iter().map(|code| vec![code.as_str()]).collect();
    let book = crate::sources::decode::xlsx::test_workbook::workbook(&[(
        "Tháng 10",
        &[&[vec!["Mã vận đơn"]], rows.as_slice()].concat(),
    )]);
    tokio::fs::write(inbox.path().join("a.xlsx"), &book).await.expect("the folder can be written");
    tokio::fs::write(inbox.path().join("b.xlsx"), &book[..book.len() / 2]).await.expect("the folder can be written");
    tokio::fs::write(inbox.path().join("c.csv"), export(1)).await.expect("the folder can be written");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, export(2).as_bytes()).expect("memory takes all");
    tokio::fs::write(inbox.path().join("d.csv.gz"), packed.finish().expect("memory takes all"))
        .await
        .expect("writable");
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reader = open_connector(&both, folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = read_all(&mut reader).await;
    let expected = [
        "a.xlsx sheet `Tháng 10` rows 2-5001",
        "a.xlsx sheet `Tháng 10` rows 5002-5002",
        "c.csv rows 2-2",
        "d.csv.gz rows 2-3",
    ];
    assert_eq!(origins, expected);
    assert_eq!(error.map(|error| error.kind), Some(ErrorKind::BodyCutShort));
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let gone = inbox.path().join("gone");
    let error = open_folder(gone.to_str().expect("UTF-8"), Cursor::default()).await.expect_err("no such folder");
    assert_eq!(error.kind, ErrorKind::FolderMissing);
}
