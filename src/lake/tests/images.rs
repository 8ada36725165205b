//! Images: one case per test.

use super::super::data_files::UncommittedFile;
use super::super::rebuild::replace;
use super::super::rows::{scan, sink};
use super::super::{ImageDifference, image_differences};
use super::super::{NewestVersion, PANICS, REFUSED};
use super::*;
use crate::model::table::DUE_HISTORY;

fn part(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn a_pull_is_stored_and_read_again() {
    let folder = folder();
    let lake = open(&folder).await;
    assert_eq!(lake.highest_run().await.expect("the log can be read"), 0);
    assert_eq!(image(&lake).await.len(), 0);
    let records = [
        (dossier("a", "received", Some(5), 0, 0), part("2026-03")),
        (dossier("b", "completed", None, 0, 1), part("2026-02")),
    ];
    pull(&lake, "portal", 4, &records).await.expect("the pull is committed");
    assert_eq!(lake.update_image(KIND).await.expect("the image is updated"), Some(1));

    let lake = open(&folder).await;
    assert_eq!(lake.last_run(KIND, "portal").await.expect("the log can be read"), Some(4));
    assert_eq!(lake.last_run(KIND, "post").await.expect("the log can be read"), None);
    assert_eq!(lake.highest_run().await.expect("the log can be read"), 4);
    let versions = lake.table_versions().await.expect("the logs can be read");
    assert_eq!((versions["dossier_versions"], versions["dossiers"], versions["postal_items"]), (1, 1, 0));
    let image = image(&lake).await;
    assert_eq!(image[&("portal".into(), "a".into())], (Some("received".into()), Some(5), 4, 0, 0, part("2026-03")));
    assert_eq!(image[&("portal".into(), "b".into())].5, "2026-02");

    let keys = ["a".to_owned(), "c".to_owned()];
    let known = lake.newest_versions(KIND, "portal", &keys).await.expect("the image can be read");
    let a = NewestVersion {
        digest: 0,
        source_updated_at: Some(5),
        run: 4,
        page: 0,
        row: 0,
        part: part("2026-03"),
        is_deleted: false,
    };
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [("a".to_owned(), a)]);
    assert!(lake.newest_versions(KIND, "post", &keys).await.expect("the image can be read").is_empty());
    let oldest = lake.oldest_open(KIND, "portal", "received_at").await.expect("the image can be read");
    assert_eq!(oldest, Some(1_000_000), "`b` has ended");
}

#[tokio::test]
async fn a_run_is_committed_once() {
    let folder = folder();
    let lake = open(&folder).await;
    let records = [(dossier("a", "received", None, 0, 0), part("2026-03"))];
    let first = pull(&lake, "portal", 1, &records).await.expect("the pull is committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let again = [(dossier("a", "completed", None, 0, 0), part("2026-03"))];
    assert_eq!(pull(&lake, "portal", 1, &again).await.expect("nothing is committed"), first);
    assert_eq!(pull(&lake, "portal", 2, &[]).await.expect("nothing is committed"), first);
    assert_eq!(lake.update_image(KIND).await.expect("the image is up to date"), None);
    assert_eq!(image(&lake).await[&("portal".into(), "a".into())].0.as_deref(), Some("received"));
    let files = std::fs::read_dir(lake.root().join("dossier_versions")).expect("the folder exists").count();
    assert_eq!(files, 2, "the log and one data file");
}

#[tokio::test]
async fn a_run_before_a_committed_one_is_an_error_that_names_both() {
    let folder = folder();
    let lake = open(&folder).await;
    let records = [(dossier("a", "received", None, 0, 0), part("2026-03"))];
    for run in [1, 4] {
        pull(&lake, "portal", run, &records).await.expect("the pull is committed");
    }
    let refused = pull(&lake, "portal", 3, &records).await.expect_err("run 4 is committed, and run 3 is not");
    assert!(refused.to_string().contains("run 3 of `pull/portal`"), "{refused}");
    assert!(refused.to_string().contains("run 4 is committed already"), "{refused}");
    // Run 1 is committed: nothing is missing.
    assert_eq!(pull(&lake, "portal", 1, &records).await.expect("nothing is committed"), 2);
    pull(&lake, "post", 3, &records).await.expect("runs of another source do not count");
    let files = std::fs::read_dir(lake.root().join("dossier_versions")).expect("the folder exists").count();
    assert_eq!(files, 4, "the log and three data files");
}

#[tokio::test]
async fn a_pull_that_makes_the_update_fail_costs_its_own_source() {
    for source in [PANICS, REFUSED] {
        fails_for_its_own_source(source).await;
    }
}

async fn fails_for_its_own_source(failing: &str) {
    let folder = folder();
    let lake = open(&folder).await;
    for (source, run) in [("desk", 1), (failing, 2), ("portal", 3), ("portal", 4)] {
        pull(&lake, source, run, &[(dossier("a", "received", None, 0, 0), part("2026-03"))]).await.expect("committed");
    }
    for _ in 0..2 {
        let failed = lake.update_image(KIND).await;
        assert!(matches!(&failed, Err(error) if error.is_of_rows()), "{failed:?}");
        let held: Vec<String> = image(&lake).await.into_keys().map(|(source, _)| source).collect();
        assert_eq!(held, ["desk", "portal"]);
        assert_eq!(lake.behind(KIND).await.expect("the logs can be read"), [failing.to_owned()].into());
        lake.check_image(KIND, "portal").await.expect("the image has its pulls");
        let behind = lake.check_image(KIND, failing).await;
        assert!(matches!(behind, Err(LakeError::ImageBehind { table: "dossiers", .. })), "{behind:?}");
    }
    // The next night goes on with the others.
    pull(&lake, "desk", 5, &[(dossier("a", "returned", None, 0, 0), part("2026-03"))]).await.expect("committed");
    assert!(lake.update_image(KIND).await.is_err());
    assert_eq!(image(&lake).await[&("desk".into(), "a".into())].0.as_deref(), Some("returned"));
}

#[tokio::test]
async fn an_older_version_is_left_out_and_a_key_keeps_its_partition() {
    let folder = folder();
    let lake = open(&folder).await;
    pull(&lake, "portal", 1, &[(dossier("a", "processing", Some(20), 0, 0), part("2026-03"))])
        .await
        .expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let older = [
        (dossier("a", "received", Some(10), 0, 0), part("2026-05")),
        (dossier("b", "received", Some(10), 0, 1), part("2026-05")),
    ];
    pull(&lake, "portal", 2, &older).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let after = image(&lake).await;
    assert_eq!(after[&("portal".into(), "a".into())], (Some("processing".into()), Some(20), 1, 0, 0, part("2026-03")));
    pull(&lake, "portal", 3, &[(dossier("a", "returned", Some(30), 0, 0), part("2026-06"))]).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let after = image(&lake).await;
    assert_eq!(after[&("portal".into(), "a".into())], (Some("returned".into()), Some(30), 3, 0, 0, part("2026-03")));
    assert_eq!(after.len(), 2);
}

#[tokio::test]
async fn an_image_catches_up_with_several_pulls() {
    let folder = folder();
    let lake = open(&folder).await;
    // Two pulls name different partitions for `a`, and the machine dies before the image is updated.
    pull(&lake, "portal", 1, &[(dossier("a", "received", None, 0, 0), part("2026-03"))]).await.expect("committed");
    pull(&lake, "portal", 2, &[(dossier("a", "processing", None, 0, 0), part("2026-04"))]).await.expect("committed");
    pull(&lake, "post", 2, &[(dossier("a", "returned", None, 0, 0), part("2026-04"))]).await.expect("committed");
    let orphans = lake.root().join("dossiers").join("part=2026-03");
    std::fs::create_dir_all(&orphans).expect("the folder is writable");
    std::fs::write(orphans.join("versions-00000003-0.parquet"), b"PAR1").expect("the folder is writable");

    let lake = open(&folder).await;
    assert!(lake.update_image(KIND).await.expect("the image is updated").is_some());
    let after = image(&lake).await;
    assert_eq!(after[&("portal".into(), "a".into())], (Some("processing".into()), None, 2, 0, 0, part("2026-03")));
    assert_eq!(after[&("post".into(), "a".into())].5, "2026-04");
    assert_eq!(lake.update_image(KIND).await.expect("the image is up to date"), None);
}

#[tokio::test]
async fn a_record_that_does_not_fit_is_refused_with_its_column() {
    let folder = folder();
    let lake = open(&folder).await;
    let mut keyless = dossier("a", "received", None, 3, 4);
    keyless.values[0] = Value::Null;
    let mut typed = dossier("a", "received", None, 3, 4);
    typed.values[1] = Value::Integer(5);
    let mut short = dossier("a", "received", None, 3, 4);
    short.values.pop();
    let placed = dossier("a", "received", None, 3, 4);
    for (record, named, expected) in [
        (keyless, "2026-03", "source_key"),
        (typed, "2026-03", "dossier_code"),
        (short, "2026-03", "source_updated_at"),
        (placed, "../../up", "part"),
    ] {
        let refused = pull(&lake, "portal", 1, &[(record, part(named))]).await;
        let Err(LakeError::Misfit { column, page: 3, row: 4, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(column, expected);
    }
}

/// Records that no page of the pull has, such as deleted ones: all have page 0 and row 0.
fn placeless(keys: std::ops::Range<u32>, status: &str) -> Vec<(Record, String)> {
    keys.map(|key| (dossier(&format!("k{key}"), status, None, 0, 0), part("2026-01"))).collect()
}

#[tokio::test]
async fn records_of_one_place_stay_one_row_each() {
    let folder = folder();
    let lake = open(&folder).await;
    let due = |record: &mut Record, name: &str, at: i64| {
        record.values[KIND.column_index(name).expect("the column exists")] = Value::Instant(at);
    };
    let mut first = placeless(0..9, "received");
    for (number, (record, _)) in (1..).zip(&mut first) {
        due(record, "due_at", number * 1_000_000_000_000);
    }
    pull(&lake, "portal", 1, &first).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    // Several of them have a former version: their histories of the due date are folded.
    pull(&lake, "portal", 2, &placeless(2..7, "completed")).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let rows = image(&lake).await;
    assert_eq!(rows.len(), 9);
    assert_eq!(rows.values().filter(|row| row.0.as_deref() == Some("completed")).count(), 5);
    let scan = lake.scan_image(KIND).await.expect("the table can be scanned");
    let scan = scan.sort(["source_key"], SortMultipleOptions::default());
    let scan = scan.select([col(DUE_HISTORY[0].0).cast(DataType::Int64)]);
    let frame = blocking("test", move || collect("test", scan)).await.expect("the rows can be read");
    let stated: Vec<Option<i64>> = frame.columns()[0].i64().expect("it was cast").iter().collect();
    let own: Vec<Option<i64>> = (1..=9).map(|number| Some(number * 1_000_000_000_000)).collect();
    assert_eq!(stated, own, "each keeps its own first due date");
}

#[tokio::test]
async fn a_part_with_repeated_keys_is_rebuilt_when_the_image_is_updated() {
    let folder = folder();
    let lake = open(&folder).await;
    pull(&lake, "portal", 1, &placeless(0..4, "received")).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    let before = image(&lake).await;
    let table = &lake.tables(KIND).image;
    let loaded = table.load().await.expect("it can be read");
    let files = table.verified_files(&loaded).await.expect("they are whole");
    // As an older motcua wrote it: a key several times, and no tag.
    let (layout, to) = (table.layout.clone(), table.folder.join("part=2026-01"));
    let old = files.clone().into_files();
    let written = blocking("test", move || {
        let rows = scan(&layout, &files)?.drop(by_name(["part"], true, false));
        let twice = concat([rows.clone(), rows], UnionArgs::default()).expect("the columns are equal");
        sink(&layout, twice, &to, "older", Some(part("2026-01")))
    })
    .await
    .expect("it is written");
    let written = UncommittedFile { shared_codes: None, ..written };
    replace(table, &loaded, old, &[written], Vec::new()).await.expect("it is committed");
    let differences = image_differences(lake.root()).await.expect("the tables can be compared");
    assert_eq!(differences, [ImageDifference { kind: KIND, surplus: 4, absent: 0 }]);
    let lake = open(&folder).await;
    lake.update_image(KIND).await.expect("the part is rebuilt");
    assert_eq!(image(&lake).await, before);
    assert_eq!(image_differences(lake.root()).await.expect("the tables can be compared"), []);
}
