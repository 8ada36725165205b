//! Reads the tables of a data folder from their Delta logs, without code of motcua.
#![expect(clippy::disallowed_methods, reason = "tests read the files of an office")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, SerReader as _};
use serde_json::Value;

use super::{deep, files};

/// Number of log entries of every table in a data folder.
pub(crate) fn commits(data: &Path) -> BTreeMap<String, usize> {
    let mut commits = BTreeMap::new();
    for file in files(&data.join("lake")) {
        let table = file.iter().next().expect("a path has a part").to_string_lossy().into_owned();
        let in_log = file.parent().is_some_and(|folder| folder.ends_with("_delta_log"));
        if in_log && file.extension().is_some_and(|ending| ending == "json") {
            *commits.entry(table).or_default() += 1;
        }
    }
    commits
}

/// The data files that a table's log names, each read as one frame.
pub(crate) fn frames(data: &Path, table: &str) -> Vec<DataFrame> {
    let root = data.join("lake").join(table);
    let mut active: BTreeSet<String> = BTreeSet::new();
    let log = files(&root.join("_delta_log"));
    for entry in log.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let text = std::fs::read_to_string(root.join("_delta_log").join(entry)).expect("a log entry is text");
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).expect("a log entry is JSON lines");
            if let Some(path) = action["remove"]["path"].as_str() {
                active.remove(path);
            }
            if let Some(path) = action["add"]["path"].as_str() {
                active.insert(path.to_owned());
            }
        }
    }
    let read = |path: &String| {
        let file = std::fs::File::open(root.join(path.replace("%3D", "="))).expect("the log names files that exist");
        ParquetReader::new(file).finish().expect("data files are Parquet")
    };
    deep(|| active.iter().map(read).collect())
}

/// (`source_key`, `digest`) of every row of a table.
pub(crate) fn rows(data: &Path, table: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for frame in frames(data, table) {
        let text = |name: &str| -> Vec<String> {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.iter().map(|text| text.expect("never null").to_owned()).collect()
        };
        rows.extend(text("source_key").into_iter().zip(text("digest")));
    }
    rows.sort();
    rows
}
