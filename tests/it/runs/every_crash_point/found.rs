//! What a reader finds in a data folder, and which durable writes lie in it.

use std::collections::BTreeSet;
use std::path::Path;

use motcua::run::Ledger;
use serde_json::Value;

use crate::desk;
use crate::office::{Figures, figures, files, frames, rows};

/// What a reader finds, without anything that depends on the number of a run.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) now: FoundNow,
    versions: Vec<Vec<(String, String)>>,
    changes: Vec<[String; 3]>,
}

/// What a reader finds, without the way to it.
#[derive(Debug, PartialEq)]
pub(super) struct FoundNow {
    pub(super) figures: Figures,
    pub(super) complete: bool,
    images: Vec<Vec<(String, String)>>,
    /// Connector, field and reason of every rejected row that is open.
    quarantine: Vec<(String, Option<String>, String)>,
}

impl Found {
    pub(super) fn of(data: &Path) -> Self {
        let (figures, complete) = published(data).expect("a night was published");
        let tables = |names: [&str; 2]| names.iter().map(|table| rows(data, table)).collect();
        let mut changes = Vec::new();
        for frame in frames(data, "changes") {
            let column =
                |name: &str| frame.column(name).and_then(|column| column.str()).expect("a text column").clone();
            let columns = ["source_key", "change", "after"].map(column);
            let text = |at: usize| columns.each_ref().map(|column| column.get(at).unwrap_or_default().to_owned());
            changes.extend((0..frame.height()).map(text));
        }
        changes.sort();
        let images = tables(["dossiers", "postal_items"]);
        let now = FoundNow { figures, complete, images, quarantine: open_rejections(data) };
        Self { now, versions: tables(["dossier_versions", "postal_item_versions"]), changes }
    }
}

/// Source, key, group and whether it counts, of every row of the groups of dossiers.
pub(super) fn groups(data: &Path) -> Vec<(String, String, String, bool)> {
    let mut rows = Vec::new();
    for frame in frames(data, "dossier_groups") {
        let text = |name: &str| frame.column(name).and_then(|column| column.str()).expect("a text column").clone();
        let counts = frame.column("counts").and_then(|column| column.bool()).expect("a flag column");
        let (sources, keys, names) = (text("source"), text("source_key"), text("group_key"));
        let own = |at: usize| [&sources, &keys, &names].map(|column| column.get(at).unwrap_or_default().to_owned());
        rows.extend((0..frame.height()).map(|at| {
            let [source, key, group] = own(at);
            (source, key, group, counts.get(at) == Some(true))
        }));
    }
    rows.sort();
    rows
}

/// The newest published figures, and whether they are complete.
pub(super) fn published(data: &Path) -> Option<(Figures, bool)> {
    let text = std::fs::read(data.join("published/latest/figures.json")).ok()?;
    let rows: Vec<Value> = serde_json::from_slice(&text).expect("what is published is whole");
    Some((figures(&rows), rows.iter().all(|row| row["complete"] == true)))
}

fn open_rejections(data: &Path) -> Vec<(String, Option<String>, String)> {
    let open = desk::runtime().block_on(async {
        let ledger = Ledger::open(data).await.expect("the run left a ledger");
        let open = ledger.quarantined(None, None, true).await.expect("the ledger can be read");
        ledger.close().await;
        open
    });
    let mut open: Vec<_> = open.into_iter().map(|row| (row.connector, row.field, row.reason)).collect();
    open.sort();
    open
}

/// Whether a pull in a data folder is not done.
pub(super) fn has_unfinished_pull(data: &Path) -> bool {
    desk::runtime().block_on(async {
        let ledger = Ledger::open(data).await.expect("the run left a ledger");
        let unfinished = ledger.unfinished_pulls().await.expect("the ledger can be read");
        ledger.close().await;
        !unfinished.is_empty()
    })
}

/// Every durable write in a data folder, each with a name.
pub(super) fn durable_writes(data: &Path) -> BTreeSet<String> {
    let mut writes = BTreeSet::new();
    for file in files(data) {
        let name = file.to_string_lossy().into_owned();
        let is_whole = !name.contains(".partial");
        let counts = (name.starts_with("landing/") && is_whole)
            || name.contains("/_delta_log/")
            || name.starts_with("definitions/")
            || (name.starts_with("published/nights/") && name.ends_with("/night.json") && is_whole);
        if counts {
            writes.insert(name.clone());
        }
        if let Ok(target) = std::fs::read_link(data.join(&file))
            && is_whole
        {
            writes.insert(format!("{name} -> {}", target.display()));
        }
    }
    for number in 1..=ledger_commits(&data.join("ledger.sqlite-wal")) {
        writes.insert(format!("ledger commit {number}"));
    }
    writes
}

/// Number of transactions in SQLite's write-ahead log: frames with the salts of the log that carry the size of the
/// database (sqlite.org/fileformat2.html, "The Write-Ahead Log").
fn ledger_commits(log: &Path) -> usize {
    let Ok(bytes) = std::fs::read(log) else { return 0 };
    let Some((head, frames)) = bytes.split_at_checked(32) else { return 0 };
    let page = u32::from_be_bytes(head[8..12].try_into().expect("four bytes")) as usize;
    let is_commit = |frame: &&[u8]| frame[8..16] == head[16..24] && frame[4..8] != [0; 4];
    frames.chunks_exact(24 + page).filter(is_commit).count()
}
