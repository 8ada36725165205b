//! Rows of one key beyond the number that can be merged.
#![expect(clippy::disallowed_methods, reason = "tests write the folder that is read")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::*;
use crate::model::folder::ContentRef;
use crate::model::pull::{Outcome, PullCounts};
use crate::run::data_folder::DataFolder;
use crate::run::settling::folder::property_tests::{Cut, configured_as, night};
use crate::run::settling::folder::reading_of_change_times;

const CONNECTOR: &str = r#"
[decode]
type = "json"
records = "rows"
[map.dossier_code]
from = "code"
type = "dossier_code"
required = true
[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd"]
required = true
[partial]
field = "step_at"
[partial.map.dossier_code]
from = "code"
type = "dossier_code"
required = true
[partial.map.source_updated_at]
from = "step_at"
type = "instant"
formats = ["yyyy-MM-dd"]
required = true
[partial.map.completed_at]
from = "step_at"
type = "instant"
formats = ["yyyy-MM-dd"]
[identity]
key = ["dossier_code"]
[contract]
least_of_usual = 0.0
most_of_usual = 0.0
"#;

/// Writes a file of an earlier time than all steps: a whole row has the moment of its file.
fn write(root: &Path, name: &str, rows: &[String]) {
    let path = root.join("inbox").join(name);
    std::fs::write(&path, format!(r#"{{"rows":[{}]}}"#, rows.join(","))).expect("the folder can be written");
    let written = std::fs::File::options().write(true).open(&path).expect("the file is there");
    written.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("the time can be set");
}

#[test]
fn rows_of_a_key_are_counted_by_themselves() {
    use Place::{Listed, Merged, Unlisted};
    let mut counts = KeyCounts { rows: HashMap::new(), most: [2, 1] };
    let places = [7, 8, 7, 8, 9, 7, 9, 7, 8].map(|key| counts.place(key));
    assert_eq!(places, [Merged, Merged, Merged, Merged, Merged, Listed, Merged, Unlisted, Listed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_key_that_are_too_many_cost_themselves_and_the_others_are_merged() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configured_as(root.path(), "*.json", "append", CONNECTOR);
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    // One key for everything that the source does: 28 steps, of which the last 5 are merged. Beside it a dossier with a step.
    let steps = (1..=28).map(|day| format!(r#"{{"code":"HS-7","step_at":"2024-02-{day:02}"}}"#));
    let others = [r#"{"code":"HS-8","received":"2023-11-01"}"#, r#"{"code":"HS-8","step_at":"2024-02-03"}"#];
    let rows: Vec<String> = steps.chain(others.map(str::to_owned)).collect();
    write(root.path(), "a.json", &rows);
    let pull = night(&data, 1, 1_790_000_000_000_000, Cut::Never, false).await.expect("it is not cut");
    let PullCounts { received, accepted, quarantined, .. } = pull.counts;
    // Too many of the rows are rejected for a good night, and all the same the rest counts.
    assert_eq!((pull.outcome, received, accepted, quarantined), (Some(Outcome::Degraded), 30, 7, 23), "{pull:?}");
    let open = data.ledger.file_rejections(&config.connectors[0].name, 2, &[]).await.expect("the ledger can be read");
    // All are counted, and ten are listed.
    assert_eq!(open.len(), 10);

    // The next night reads on.
    write(root.path(), "b.json", &[r#"{"code":"HS-9","received":"2023-11-01"}"#.to_owned()]);
    let pull = night(&data, 2, 1_790_086_400_000_000, Cut::Never, false).await.expect("it is not cut");
    assert_eq!((pull.outcome, pull.counts.accepted), (Some(Outcome::Complete), 1), "{pull:?}");
}

/// Executes SQL in the ledger.
async fn execute(data: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(data.join("ledger.sqlite"));
    let mut ledger = SqliteConnection::connect_with(&options).await.expect("the ledger is there");
    sqlx::raw_sql(sql).execute(&mut ledger).await.expect("the statements are SQL");
    ledger.close().await.expect("it was opened");
}

/// A part that is older than the whole row of another file changes nothing, however the ledger knows that file.
#[tokio::test(flavor = "multi_thread")]
async fn files_without_indexed_keys_are_looked_at_and_indexed() {
    for lost in [
        "SELECT 1",
        // As a ledger from before the index has them.
        "DELETE FROM file_key_index; UPDATE file_keys SET indexed = 0, change_times = NULL",
        "DELETE FROM file_key_index; DELETE FROM file_keys",
    ] {
        let root = tempfile::tempdir().expect("a scratch folder");
        let path = root.path().join("data");
        let config = configured_as(root.path(), "*.json", "append", CONNECTOR);
        let data = DataFolder::open(&config, &path, "test", 0).await.expect("a data folder");
        // The moment of the whole row is that of its file: 14 November 2023.
        write(root.path(), "a.json", &[r#"{"code":"HS-1","received":"2023-11-01"}"#.to_owned()]);
        night(&data, 1, 1_790_000_000_000_000, Cut::Never, false).await.expect("it is not cut");
        execute(&path, lost).await;
        write(root.path(), "b.json", &[r#"{"code":"HS-1","step_at":"2023-11-05"}"#.to_owned()]);
        let pull = night(&data, 2, 1_790_086_400_000_000, Cut::Never, false).await.expect("it is not cut");
        let PullCounts { received, superseded, .. } = pull.counts;
        assert_eq!((received, superseded), (1, 1), "{lost}: {pull:?}");

        // The next pull finds both files by their keys only.
        let reading = reading_of_change_times(&config.connectors[0]);
        let indexed = data.ledger.indexed_contents("notes", 3, reading).await.expect("the ledger can be read");
        let landed_by: HashSet<i64> = indexed.into_iter().map(|ContentRef { landed_by, .. }| landed_by).collect();
        assert_eq!(landed_by, HashSet::from([1, 2]), "{lost}");
        let other = data.ledger.contents_with("notes", &[key_hash("HS-2")]).await.expect("the ledger can be read");
        let own = data.ledger.contents_with("notes", &[key_hash("HS-1")]).await.expect("the ledger can be read");
        assert_eq!((other.len(), own.len()), (0, 1), "{lost}");
    }
}
