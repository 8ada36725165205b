//! Landed pages of a folder that are gone: its files are read again, and rows that nobody knows any more fail the pull.
#![expect(clippy::disallowed_methods, reason = "tests remove what is stored")]

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::model::instant::DAY_MICROS;
use crate::model::pull::Outcome;
use crate::run::data_folder::DataFolder;
use crate::run::ledger::Pull;
use crate::run::settling::folder::property_tests::{Cut, Desk, Rows, configuration, night, table};

const START: i64 = 1_790_000_000_000_000;

async fn next(data: &DataFolder<'_>, run: i64) -> Pull {
    night(data, run, START + run * DAY_MICROS, Cut::Never, false).await.expect("it is not cut")
}

/// Key → index of its cause.
fn rows<const N: usize>(rows: [(u64, usize); N]) -> Rows {
    Rows::from(rows)
}

async fn delete_stored_keys(data: &Path) {
    let options = SqliteConnectOptions::new().filename(data.join("ledger.sqlite"));
    let mut ledger = SqliteConnection::connect_with(&options).await.expect("the ledger is there");
    sqlx::query("DELETE FROM file_keys").execute(&mut ledger).await.expect("it can be written");
    ledger.close().await.expect("it was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_landed_pages_are_read_again_and_unknown_rows_are_not_guessed() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configuration(root.path(), "lists");
    let path = root.path().join("data");
    let data = DataFolder::open(&config, &path, "test", 0).await.expect("a data folder");
    let mut desk = Desk::new(root.path(), String::new());
    desk.write("older.csv", rows([(1, 0), (2, 0), (3, 0), (4, 0)]), true);
    desk.write("newer.csv", rows([(1, 1), (2, 1), (5, 1), (6, 1)]), false);
    assert_eq!(next(&data, 1).await.outcome, Some(Outcome::Complete));
    let whole = rows([(1, 1), (2, 1), (3, 0), (4, 0), (5, 1), (6, 1)]);
    assert_eq!(table(&data).await, whole);

    std::fs::remove_dir_all(path.join("landing")).expect("it is there");
    let again = next(&data, 2).await;
    assert_eq!((again.outcome, again.counts.received, again.counts.accepted), (Some(Outcome::Complete), 8, 0));
    assert_eq!(next(&data, 3).await.counts.received, 0, "once is enough");

    // The newer file loses two rows: they have the values of the older one again, from the pages landed by run 2.
    desk.write("newer.csv", rows([(5, 1), (6, 1)]), false);
    let restored = next(&data, 4).await;
    assert_eq!((restored.outcome, restored.findings.restored), (Some(Outcome::Complete), 2));
    let whole = rows([(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (6, 1)]);
    assert_eq!(table(&data).await, whole);

    // The older file leaves, and what it had is lost in both places. Whether it has the row that goes is unknown.
    std::fs::remove_file(root.path().join("inbox/older.csv")).expect("it is there");
    std::fs::remove_dir_all(path.join("landing")).expect("it is there");
    delete_stored_keys(&path).await;
    desk.write("newer.csv", rows([(5, 1)]), false);
    let failed = next(&data, 5).await;
    assert_eq!(failed.outcome, Some(Outcome::Failed), "{failed:?}");
    assert!(failed.message.as_deref().is_some_and(|message| message.contains("from a backup")), "{failed:?}");
    assert_eq!(table(&data).await, whole, "nothing is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_an_older_list_loses_needs_no_landed_pages_of_the_newer_one() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configuration(root.path(), "lists");
    let path = root.path().join("data");
    let data = DataFolder::open(&config, &path, "test", 0).await.expect("a data folder");
    let mut desk = Desk::new(root.path(), String::new());
    desk.write("older.csv", rows([(1, 0), (2, 0), (3, 0)]), true);
    desk.write("newer.csv", rows([(1, 1), (2, 1)]), false);
    assert_eq!(next(&data, 1).await.outcome, Some(Outcome::Complete));

    // The newer list was moved away, and its landed pages were removed since.
    std::fs::remove_file(root.path().join("inbox/newer.csv")).expect("it is there");
    std::fs::remove_dir_all(path.join("landing")).expect("it is there");
    desk.write("older.csv", rows([(2, 0), (3, 0)]), true);
    let pull = next(&data, 2).await;
    assert_eq!((pull.outcome, pull.findings.restored), (Some(Outcome::Complete), 0), "{pull:?}");
    assert_eq!(table(&data).await, rows([(1, 1), (2, 1), (3, 0)]));
}
