//! Groups of dossiers against a simple model: pulls of three sources with versions, deletions and restorations.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{GROUP_TABLE, GroupedRow, files};
use super::*;
use crate::model::source_order::SourceOrder;

const SOURCES: [&str; 3] = ["ministry", "portal", "registry"];

/// Source, key, and whether it counts.
type Member = (String, String, bool);

fn code(number: u32) -> String {
    format!("H61.14-260105-{:04}", number + 1)
}

/// A version of a dossier with codes.
fn coded(key: &str, codes: &[u32], deleted: bool, row: u32) -> (Record, String) {
    let mut record = dossier(key, "received", None, 0, row);
    let mut set = |name: &str, value| record.values[KIND.column_index(name).expect("the column exists")] = value;
    set("deleted", Value::Flag(deleted));
    if let Some((first, others)) = codes.split_first() {
        set("dossier_code", Value::Text(code(*first).into()));
        let others: Vec<String> = others.iter().map(|other| code(*other)).collect();
        set("other_codes", Value::Text(others.join(";").into()));
    }
    (record, "2026-01".to_owned())
}

async fn stored(lake: &Lake) -> Vec<GroupedRow> {
    let rows = Lake::read_groups(lake.root()).await.expect("they can be read");
    rows.into_iter().map(|(row, _)| row).collect()
}

fn members(rows: &[GroupedRow]) -> BTreeSet<Member> {
    rows.iter().map(|row| (row.source.clone(), row.source_key.clone(), row.counts)).collect()
}

async fn members_as_of(lake: &Lake, run: i64, order: &SourceOrder) -> BTreeSet<Member> {
    let scan = Lake::groups_as_of(lake.root(), run, order).await.expect("they can be computed");
    let frame = blocking("test", move || collect("test", scan)).await.expect("the rows can be read");
    let text = |name: &str| frame.column(name).expect("the column exists").str().expect("it is text").clone();
    let (sources, keys) = (text("source"), text("source_key"));
    let counts = frame.column("counts").expect("the column exists").bool().expect("it is a flag").clone();
    let own = |column: &StringChunked, at: usize| column.get(at).expect("the cell is filled").to_owned();
    (0..frame.height()).map(|at| (own(&sources, at), own(&keys, at), counts.get(at) == Some(true))).collect()
}

/// The newest version of a key in the model: codes, run, row.
#[derive(Debug, Clone)]
struct Held {
    codes: Vec<u32>,
    deleted: bool,
    run: i64,
    row: u32,
}

/// Members by labels: rows that share a code with a row of another source take the smaller label, until nothing changes.
fn expected(held: &BTreeMap<(String, String), Held>, order: &[&str]) -> BTreeSet<Member> {
    let rows: Vec<_> = held.iter().filter(|(_, held)| !held.deleted).collect();
    let mut labels: Vec<usize> = (0..rows.len()).collect();
    loop {
        let before = labels.clone();
        for left in 0..rows.len() {
            for right in 0..rows.len() {
                let shares = rows[left].1.codes.iter().any(|code| rows[right].1.codes.contains(code));
                if shares && rows[left].0.0 != rows[right].0.0 {
                    labels[left] = labels[left].min(labels[right]);
                }
            }
        }
        if labels == before {
            break;
        }
    }
    let mut found = BTreeSet::new();
    for label in 0..rows.len() {
        let mut group: Vec<usize> = (0..rows.len()).filter(|row| labels[*row] == label).collect();
        let place = |source: &str| order.iter().position(|name| *name == source);
        group.sort_by_key(|row| (place(&rows[*row].0.0), -rows[*row].1.run, std::cmp::Reverse(rows[*row].1.row)));
        if group.len() > 1 {
            found.extend(group.iter().enumerate().map(|(number, row)| {
                let (source, key) = rows[*row].0.clone();
                (source, key, number == 0 || group.len() > 20)
            }));
        }
    }
    found
}

/// Rows whose code another row of their source has: source, code, key.
fn sharing(held: &BTreeMap<(String, String), Held>) -> Vec<(String, String, String)> {
    let code_of = |held: &Held| held.codes.first().copied().filter(|_| !held.deleted);
    let mut found = Vec::new();
    for ((source, key), own) in held {
        let Some(own) = code_of(own) else { continue };
        let alike = held.iter().filter(|((other, _), held)| other == source && code_of(held) == Some(own));
        if alike.count() > 1 {
            found.push((source.clone(), code(own), key.clone()));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn groups_are_those_of_the_newest_versions_on_every_night() {
    let folder = folder();
    let lake = open(&folder).await;
    let mut random = ChaCha8Rng::seed_from_u64(766);
    let mut held: BTreeMap<(String, String), Held> = BTreeMap::new();
    let mut nights = Vec::new();
    let standard = SourceOrder::default();
    for run in 1..=4_i64 {
        for source in SOURCES {
            let mut records = Vec::new();
            for row in 0..random.random_range(0..8_u32) {
                let key = format!("k{}", random.random_range(0..9));
                let codes: Vec<u32> = (0..random.random_range(0..3)).map(|_| random.random_range(0..14)).collect();
                let deleted = random.random_bool(0.3);
                records.push(coded(&key, &codes, deleted, row));
                held.insert((source.to_owned(), key), Held { codes, deleted, run, row });
            }
            pull(&lake, source, run, &records).await.expect("committed");
            if run == 1 && source == SOURCES[0] {
                lake.update_image(KIND).await.expect("the image is updated");
                lake.update_groups(&standard).await.expect("there is nothing to do");
                assert!(!lake.root().join(GROUP_TABLE).exists(), "one source needs no table");
            }
        }
        lake.update_image(KIND).await.expect("the image is updated");
        // A process that died between image and groups: the next one opens the lake again.
        let lake = if run % 2 == 0 { open(&folder).await } else { lake.clone() };
        let counts = lake.update_groups(&standard).await.expect("the groups are updated");
        let found = members(&stored(&lake).await);
        assert_eq!(found, expected(&held, &["portal", "ministry", "registry"]), "after run {run}");
        let elsewhere: u64 = counts.elsewhere.values().sum();
        assert_eq!(elsewhere, found.iter().filter(|(.., counts)| !counts).count() as u64);
        assert_eq!(lake.update_groups(&standard).await.expect("nothing is left to do"), counts);
        let listed = Lake::read_shared_codes(lake.root()).await.expect("they can be read");
        let listed: Vec<_> = listed.into_iter().map(|row| (row.source, row.dossier_code, row.source_key)).collect();
        assert_eq!(listed, sharing(&held), "after run {run}");
        for source in SOURCES {
            let expected = listed.iter().filter(|(name, ..)| name == source).count() as u64;
            assert_eq!(
                lake.shared_codes(source).await.expect("they can be read"),
                expected,
                "{source} after run {run}"
            );
        }
        nights.push((run, found));
    }
    assert!(nights.iter().any(|(_, found)| found.len() > 6), "the codes overlap");
    for (run, found) in nights {
        assert_eq!(members_as_of(&lake, run, &standard).await, found, "as of run {run}");
    }
    let order = SourceOrder::new(vec!["registry".to_owned(), "ministry".to_owned()]);
    let name = |row: GroupedRow| ((row.source, row.source_key), row.group_key);
    let names: BTreeMap<_, _> = stored(&lake).await.into_iter().map(name).collect();
    lake.update_groups(&order).await.expect("another source comes first");
    lake.update_groups(&standard).await.expect("the first one again, from the same image");
    assert_eq!(members(&stored(&lake).await), expected(&held, &["portal", "ministry", "registry"]));
    lake.update_groups(&order).await.expect("another source comes first");
    let rows = stored(&lake).await;
    assert_eq!(members(&rows), expected(&held, &["registry", "ministry", "portal"]));
    let again: BTreeMap<_, _> = rows.into_iter().map(name).collect();
    assert_eq!(again, names, "the names of groups stay");
}

/// Three pulls: the ministry's row is the portal's dossier.
async fn filled(folder: &TempDir) -> Lake {
    let lake = open(folder).await;
    pull(&lake, "portal", 1, &[coded("a", &[1], false, 0), coded("b", &[2], false, 1)]).await.expect("committed");
    pull(&lake, "ministry", 1, &[coded("m", &[9, 1], false, 0)]).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    lake.update_groups(&SourceOrder::default()).await.expect("the groups are updated");
    lake
}

/// The newest data file of the groups, and the newest entry of their log.
fn newest_files(lake: &Lake) -> [PathBuf; 2] {
    let table = lake.root().join(GROUP_TABLE);
    let mut data = files::data_files(&table).expect("the folder can be listed");
    let log = table.join("_delta_log");
    let entries = std::fs::read_dir(&log).expect("the folder can be listed");
    let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_entry = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let newest = entries.filter(is_entry).max().expect("a log has entries");
    [data.pop().expect("a table has a file").path, newest]
}

#[tokio::test]
async fn damaged_groups_are_computed_again() {
    let folder = folder();
    let before = stored(&filled(&folder).await).await;
    assert_eq!(before.len(), 2);
    for is_log in [false, true] {
        for is_removed in [false, true] {
            let path = newest_files(&open(&folder).await)[usize::from(is_log)].clone();
            let mut bytes = std::fs::read(&path).expect("the file can be read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            if is_removed {
                std::fs::remove_file(&path).expect("it can be removed");
            } else {
                std::fs::write(&path, bytes).expect("it can be written");
            }
            let found = Lake::read_groups(&folder.path().join("lake")).await;
            assert!(found.is_err(), "{}: {found:?}", path.display());
            let lake = open(&folder).await;
            lake.highest_run().await.expect("the tables can be read");
            lake.update_groups(&SourceOrder::default()).await.expect("the groups are made again");
            assert_eq!(stored(&lake).await, before, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn groups_follow_an_image_that_was_made_again() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = stored(&lake).await;
    pull(&lake, "ministry", 2, &[coded("m", &[9, 1], true, 0), coded("n", &[2], false, 1)]).await.expect("committed");
    // The old image is lost, and the new one reaches a version of the old one with other rows.
    std::fs::remove_dir_all(lake.root().join(KIND.image_name())).expect("the folder is ours");
    std::fs::remove_file(lake.root().join("digests").join(format!("{}.json", KIND.image_name()))).expect("it is ours");
    let lake = open(&folder).await;
    lake.update_image(KIND).await.expect("the image is made again");
    lake.update_groups(&SourceOrder::default()).await.expect("the groups are updated");
    let after = stored(&lake).await;
    assert_ne!(after, before);
    let kept = |key: &str, counts| ("portal".to_owned(), key.to_owned(), counts);
    assert_eq!(members(&after), BTreeSet::from([("ministry".to_owned(), "n".to_owned(), false), kept("b", true)]));
}
