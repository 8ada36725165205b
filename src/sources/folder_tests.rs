//! Pulls of a folder.

use std::fmt::Write as _;

use crate::model::connector::{Connector, ConnectorFile};
use crate::model::field::Readers;
use crate::model::pull::Cursor;
use crate::model::values::Values;
use crate::sources::{ErrorKind, PullStart, Reading, SourceError, open};

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
    [decode]
    type = "csv"
    header = "Mã vận đơn"
    [map.item_code]
    from = "Mã vận đơn"
    type = "item_code"
    required = true
"#;

async fn reading(folder: &str, cursor: Cursor) -> Result<Reading, SourceError> {
    let file: ConnectorFile = toml::from_str(CONNECTOR).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector { name: "post".to_owned(), file, digest: String::new() };
    let mut values = Values::default();
    values.set_variable("INBOX", folder);
    open(&connector, &readers, &values, PullStart { now: 7, cursor, ..PullStart::default() }).await
}

async fn run(reading: &mut Reading) -> (Vec<String>, Option<SourceError>) {
    let mut origins = Vec::new();
    loop {
        match reading.next().await {
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
async fn takes_each_content_once() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: String| {
        let path = inbox.path().join(name);
        async move { tokio::fs::write(path, text).await.expect("the folder can be written") }
    };
    put("b.csv", export(2)).await;
    put("a.CSV", export(5_001)).await;
    put("copy of b.csv", export(2)).await;
    put("empty.csv", export(0)).await;
    put(".part.csv", export(3)).await;
    put("notes.txt", export(3)).await;
    let folder = inbox.path().to_str().expect("the path is UTF-8").to_owned();
    let mut first = reading(&folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = run(&mut first).await;
    assert_eq!(error, None);
    assert_eq!(origins, ["a.CSV rows 2-5001", "a.CSV rows 5002-5002", "b.csv rows 2-3", "empty.csv no rows"]);
    let cursor = first.cursor();
    assert_eq!((cursor.read_until, cursor.files.len()), (Some(7), 3));
    let mut second = reading(&folder, cursor.clone()).await.expect("the folder is there");
    assert_eq!(run(&mut second).await, (Vec::new(), None));
    assert_eq!(second.cursor(), cursor);
}

#[tokio::test]
async fn a_bad_file_stops_no_other_and_proves_nothing() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("a.csv", "x;y\n1;2\n".to_owned()), ("b.csv", export(1))] {
        tokio::fs::write(inbox.path().join(name), text).await.expect("the folder can be written");
    }
    let folder = inbox.path().to_str().expect("the path is UTF-8");
    let mut reading = reading(folder, Cursor::default()).await.expect("the folder is there");
    let (origins, error) = run(&mut reading).await;
    assert_eq!(origins, ["b.csv rows 2-2"]);
    let error = error.expect("a file has no header");
    assert_eq!(error.kind, ErrorKind::HeaderNotFound);
    assert_eq!(error.message, "connector `post`: file `a.csv`: no row has the column `mã vận đơn`");
    assert_eq!(reading.cursor(), Cursor::default());
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let inbox = tempfile::tempdir().expect("a temporary folder");
    let gone = inbox.path().join("gone");
    let error = reading(gone.to_str().expect("UTF-8"), Cursor::default()).await.expect_err("no such folder");
    assert_eq!(error.kind, ErrorKind::FolderMissing);
}
