//! The versions of one key: how a record came to be what it is.

use std::path::Path;

use polars::prelude::*;

use super::error::{LakeError, blocking, rows_error};
use super::layout::Layout;
use super::rows::{VERSION_ORDER, collect};
use super::table::Table;
use super::{Lake, files, read};
use crate::model::record::Value;
use crate::model::table::RecordKind;

/// A version of a key, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    pub run: i64,
    /// Page and row of the landed record.
    pub page: u32,
    pub row: u32,
    /// The columns whose values differ from the version before; of the first version those that have a value.
    pub changed: Vec<(&'static str, Value)>,
}

impl Lake {
    /// The versions of a key that runs up to `run` brought, the oldest first, from the table under `root`. Nothing is
    /// repaired or written.
    pub async fn key_history(
        root: &Path,
        kind: RecordKind,
        (source, key): (&str, &str),
        run: i64,
    ) -> Result<Vec<KeyVersion>, LakeError> {
        if !files::has_table(root, kind.versions_name())? {
            return Ok(Vec::new());
        }
        let table = Table::existing(&files::absolute(root)?, Layout::versions(kind));
        let of_key = col("source").eq(lit(source)).and(col("source_key").eq(lit(key)));
        let versions = read::scan_versions(&table, run).await?.filter(of_key);
        let name = table.layout.name;
        blocking(name, move || {
            let sorted = versions.sort(VERSION_ORDER, SortMultipleOptions::default().with_nulls_last(false));
            read_history(kind, &collect(name, sorted)?).map_err(rows_error("read", name))
        })
        .await
    }
}

fn read_history(kind: RecordKind, frame: &DataFrame) -> PolarsResult<Vec<KeyVersion>> {
    let long = |name: &str| frame.column(name)?.i64();
    let (runs, pages, rows) = (long("run")?, long("page")?, long("row")?);
    let small = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let mut before: Vec<Value> = vec![Value::Null; kind.columns().len()];
    let mut versions = Vec::new();
    for (place, (record, _)) in read::records(kind, frame)?.into_iter().enumerate() {
        let differs = |(column, (value, old)): (_, (&Value, &Value))| -> Option<(&'static str, Value)> {
            let column: &crate::model::table::Column = column;
            (value != old).then(|| (column.name, value.clone()))
        };
        let changed = kind.columns().iter().zip(record.values.iter().zip(&before)).filter_map(differs).collect();
        versions.push(KeyVersion {
            run: runs.get(place).unwrap_or(0),
            page: small(pages.get(place)),
            row: small(rows.get(place)),
            changed,
        });
        before = record.values;
    }
    Ok(versions)
}
