//! Logs: entries cut by a power failure, checkpoints, tables of older versions, figure tables.

use deltalake_core::kernel::{Action, Transaction};

use super::super::rows::{scan, sink};
use super::super::{FigureTable, StoredType};
use super::*;

const FILE_1: &str = "dossier_versions/_delta_log/00000000000000000001.json";

fn one(key: &str) -> [(Record, String); 1] {
    [(dossier(key, "received", None, 0, 0), "2026-03".to_owned())]
}

#[tokio::test]
async fn a_newest_entry_that_does_not_parse_is_moved_aside() {
    for damage in [&b""[..], b"{\"add\":{\"path\":\"x", b"\0\0\0\0"] {
        let folder = folder();
        let lake = open(&folder).await;
        let digests = lake.root().join("digests/dossier_versions.json");
        let before = std::fs::read(&digests).expect("the digests are stored");
        pull(&lake, "portal", 1, &one("a")).await.expect("committed");
        // The power fails during the commit: the entry is cut, and has no digest yet.
        std::fs::write(&digests, before).expect("the folder is writable");
        std::fs::write(lake.root().join(FILE_1), damage).expect("the log is writable");

        let lake = open(&folder).await;
        assert_eq!(lake.last_run(KIND, "portal").await.expect("the log can be read"), None);
        assert!(lake.root().join("damaged/dossier_versions/00000000000000000001.json.0").exists());
        pull(&lake, "portal", 1, &one("b")).await.expect("committed");
        lake.update_image(KIND).await.expect("the image is updated");
        assert_eq!(image(&lake).await.into_keys().collect::<Vec<_>>(), [("portal".to_owned(), "b".to_owned())]);
    }
}

#[tokio::test]
async fn a_table_whose_first_entry_was_cut_is_created_again() {
    let folder = folder();
    let lake = open(&folder).await;
    std::fs::write(lake.root().join("dossiers/_delta_log/00000000000000000000.json"), b"")
        .expect("the log is writable");
    std::fs::remove_file(lake.root().join("digests/dossiers.json")).expect("the digests are stored");
    let lake = open(&folder).await;
    pull(&lake, "portal", 1, &one("a")).await.expect("committed");
    assert_eq!(lake.update_image(KIND).await.expect("the image is updated"), Some(1));
}

#[tokio::test]
async fn a_checkpoint_keeps_the_pulls_and_a_damaged_one_is_moved_aside() {
    let folder = folder();
    let lake = open(&folder).await;
    pull(&lake, "portal", 7, &one("a")).await.expect("committed");
    let table = lake.tables(KIND).versions.load().await.expect("the table loads");
    deltalake_core::checkpoints::create_checkpoint(&table, None).await.expect("the checkpoint is written");
    let log = lake.root().join("dossier_versions/_delta_log");
    let first = log.join("00000000000000000000.json");
    let kept = std::fs::read(&first).expect("the entry exists");
    std::fs::remove_file(&first).expect("the log is writable");
    assert_eq!(lake.highest_run().await.expect("the checkpoint can be read"), 7);
    pull(&lake, "portal", 8, &one("b")).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    assert_eq!(image(&lake).await.len(), 2);

    std::fs::write(&first, kept).expect("the log is writable");
    std::fs::write(log.join("00000000000000000001.checkpoint.parquet"), b"PAR1 cut").expect("the log is writable");
    let lake = open(&folder).await;
    assert_eq!(lake.highest_run().await.expect("the log can be read"), 8);
}

#[tokio::test]
async fn figures_are_appended_once_and_columns_grow() {
    let folder = folder();
    let root = folder.path().join("lake");
    let old = [("indicator", StoredType::Text), ("numerator", StoredType::Integer), ("run", StoredType::Integer)];
    let new = [old[0], old[1], old[2], ("ratio", StoredType::Float), ("computed_at", StoredType::Instant)];
    let night = |run: i64| {
        df!("indicator" => ["par-3.4.1"], "numerator" => [3_i64], "run" => [run])
            .expect("the columns are of one length")
    };
    let table = FigureTable::open(&root, "figure_versions", &old).await.expect("the table opens");
    assert_eq!(table.append(night(1), 1).await.expect("committed"), 1);
    assert_eq!(table.append(night(1), 1).await.expect("nothing is committed"), 1);
    assert_eq!(table.append(night(3), 3).await.expect("committed"), 2);
    assert_eq!(table.append(night(1), 1).await.expect("nothing is committed"), 2);
    let refused = table.append(night(2), 2).await;
    assert!(matches!(refused, Err(LakeError::Overtaken { run: 2, committed: 3, .. })), "{refused:?}");
    assert_eq!(table.append(night(2).clear(), 2).await.expect("nothing is committed"), 2);
    assert_eq!(table.last_run().await.expect("the log can be read"), Some(3));

    let table = FigureTable::open(&root, "figure_versions", &new).await.expect("the table is widened");
    let refused = table.append(night(4), 4).await;
    assert!(matches!(refused, Err(LakeError::Column { column: "ratio", .. })), "{refused:?}");
    let scan = table.scan().await.expect("the table can be scanned");
    let frame = blocking("test", move || collect("test", scan)).await.expect("the rows can be read");
    assert_eq!(frame.shape(), (2, 5));
    assert_eq!(frame.column("ratio").expect("the column is inserted").null_count(), 2);
    let lake = open(&folder).await;
    // Two commits of figures, one that adds columns, and one that completes the statistics.
    assert_eq!(lake.table_versions().await.expect("the logs can be read")["figure_versions"], 4);
    let log = root.join("figure_versions/_delta_log/00000000000000000004.json");
    let entry = std::fs::read_to_string(log).expect("the entry is there");
    let adds: Vec<serde_json::Value> = entry.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let adds: Vec<_> = adds.iter().filter_map(|action| action.get("add")).collect();
    assert_eq!(adds.len(), 2);
    for add in adds {
        let stats: serde_json::Value = serde_json::from_str(add["stats"].as_str().expect("a text")).expect("JSON");
        assert_eq!(add["dataChange"], false, "{add}");
        assert_eq!(stats["nullCount"]["ratio"], stats["numRecords"], "{add}");
        assert!(add["tags"]["motcua.digest"].is_string(), "{add}");
    }
    FigureTable::open(&root, "figure_versions", &new).await.expect("nothing is left to do");
    assert_eq!(lake.table_versions().await.expect("the logs can be read")["figure_versions"], 4);
    assert_eq!(lake.highest_run().await.expect("the logs can be read"), 3);
}

#[tokio::test]
async fn a_commit_whose_number_is_in_the_log_succeeds_although_it_returned_an_error() {
    let folder = folder();
    let lake = open(&folder).await;
    let table = &lake.tables(KIND).versions;
    let stale = table.load().await.expect("the table loads");
    let number = |number| vec![Transaction::new("pull/portal", number)];
    assert_eq!(table.commit(&stale, Vec::new(), number(1)).await.expect("committed"), 1);
    assert_eq!(table.commit(&stale, Vec::new(), number(1)).await.expect("the number is committed"), 1);
    let refused = table.commit(&stale, Vec::new(), number(2)).await;
    assert!(matches!(refused, Err(LakeError::Log { attempted: "commit to", .. })), "{refused:?}");
    let nameless = table.commit(&stale, Vec::new(), Vec::new()).await;
    assert!(nameless.is_err(), "without a number the log cannot be asked: {nameless:?}");
    assert_eq!(lake.last_run(KIND, "portal").await.expect("the log can be read"), Some(1));
}

#[tokio::test]
async fn the_pulls_of_compacted_files_are_found_by_scanning_them() {
    let folder = folder();
    let lake = open(&folder).await;
    pull(&lake, "portal", 1, &one("a")).await.expect("committed");
    pull(&lake, "post", 2, &one("b")).await.expect("committed");
    let table = lake.tables(KIND).versions.clone();
    let loaded = table.load().await.expect("the table loads");
    let files = table.verified_files(&loaded).await.expect("the files are whole");
    let rows = scan(&table.layout, &files).expect("the table can be scanned");
    let (layout, to) = (table.layout.clone(), table.folder.clone());
    let written = blocking("test", move || sink(&layout, rows, &to, "compacted", None)).await.expect("written");
    let mut actions: Vec<Action> = files.into_files().into_iter().map(|file| Action::Remove(file.remove)).collect();
    actions.push(Action::Add(table.add(&written).expect("the file exists")));
    table.commit(&loaded, actions, Vec::new()).await.expect("committed");

    assert_eq!(lake.highest_run().await.expect("the log can be read"), 2);
    lake.update_image(KIND).await.expect("the image is updated");
    assert_eq!(image(&lake).await.len(), 2);
    assert_eq!(lake.update_image(KIND).await.expect("the image is up to date"), None);
}
