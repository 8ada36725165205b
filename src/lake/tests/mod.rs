//! The lake against a simple model in memory: both must hold the same rows.
#![expect(clippy::disallowed_methods, reason = "tests damage files of a temporary folder")]

mod damage;
mod due_dates;
mod groups;
mod images;
mod logs;
mod model;

use std::collections::BTreeMap;

use polars::prelude::*;
use tempfile::TempDir;

use super::error::blocking;
use super::rows::collect;
use super::{Lake, LakeError};
use crate::model::record::{Record, Value};
use crate::model::table::RecordKind;

const KIND: RecordKind = RecordKind::Dossiers;

/// The compared values of a row: status, source_updated_at, run, page, row, part.
type Row = (Option<String>, Option<i64>, i64, i64, i64, String);

fn folder() -> TempDir {
    tempfile::tempdir().expect("the temporary folder is writable")
}

async fn open(folder: &TempDir) -> Lake {
    Lake::open(&folder.path().join("lake")).await.expect("the lake opens")
}

/// A dossier with a key, a status, a change time, and its page and row.
fn dossier(key: &str, status: &str, updated: Option<i64>, page: u32, row: u32) -> Record {
    let mut values = vec![Value::Null; KIND.columns().len()];
    let mut set = |name: &str, value| values[KIND.column_index(name).expect("the column exists")] = value;
    set("source_key", Value::Text(key.into()));
    set("status", Value::Text(status.into()));
    set("received_at", Value::Instant(1_000_000 * i64::from(row + 1)));
    set("certification", Value::Flag(row.is_multiple_of(2)));
    if let Some(updated) = updated {
        set("source_updated_at", Value::Instant(updated));
    }
    Record { values, digest: u128::from(page) << 64 | u128::from(row), page, row, issues: Vec::new(), row_hash: None }
}

async fn pull(lake: &Lake, source: &str, run: i64, records: &[(Record, String)]) -> Result<u64, LakeError> {
    let mut writer = lake.version_writer(KIND, source, run);
    writer.write(records)?;
    writer.commit().await
}

/// Rows by source and key. Fails if a key is in the table twice.
async fn rows(scan: Result<LazyFrame, LakeError>) -> BTreeMap<(String, String), Row> {
    let scan = scan.expect("the table can be scanned");
    let frame = blocking("test", move || collect("test", scan)).await.expect("the rows can be read");
    let text = |name: &str| frame.column(name).expect("the column exists").str().expect("it is text").clone();
    let long = |name: &str| {
        let column = frame.column(name).expect("the column exists").cast(&DataType::Int64).expect("it is a number");
        column.i64().expect("it was cast").clone()
    };
    let (sources, keys, statuses, parts) = (text("source"), text("source_key"), text("status"), text("part"));
    let (updated, runs, pages, places) = (long("source_updated_at"), long("run"), long("page"), long("row"));
    let mut rows = BTreeMap::new();
    for at in 0..frame.height() {
        let own = |column: &StringChunked| column.get(at).expect("the cell is filled").to_owned();
        let number = |column: &Int64Chunked| column.get(at).expect("the cell is filled");
        let row = (
            statuses.get(at).map(str::to_owned),
            updated.get(at),
            number(&runs),
            number(&pages),
            number(&places),
            own(&parts),
        );
        assert!(rows.insert((own(&sources), own(&keys)), row).is_none(), "a key is in the table twice");
    }
    rows
}

async fn image(lake: &Lake) -> BTreeMap<(String, String), Row> {
    rows(lake.scan_image(KIND).await).await
}
