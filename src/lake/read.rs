//! Queries that a night needs: the newest versions of given keys, open dossiers, the versions as of a past run.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use polars::prelude::*;

use super::due_columns;
use super::error::{LakeError, blocking, rows_error};
use super::layout::{Layout, PART};
use super::rows::{collect, columns, newest_per_key, scan};
use super::table::Table;
use super::verification::VerifiedFiles;
use super::{files, image};
use crate::model::record::{Record, Value};
use crate::model::table::{ColumnType, RecordKind, UNRESOLVED_STATUSES};

/// The newest stored version of a key: what a new version is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestVersion {
    pub digest: u128,
    /// Microseconds UTC.
    pub source_updated_at: Option<i64>,
    pub run: i64,
    pub page: i64,
    pub row: i64,
    /// Partition of the key (`yyyy-MM`), which never changes.
    pub part: String,
    /// The source no longer has it.
    pub is_deleted: bool,
}

pub(super) async fn newest_versions(
    image: &Table,
    source: &str,
    keys: &[String],
) -> Result<HashMap<String, NewestVersion>, LakeError> {
    let files = image.verified_files(&image.load().await?).await?;
    if files.is_empty() || keys.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = DataFrame::new(keys.len(), vec![Column::new("source_key".into(), keys)]);
    let (layout, source) = (image.layout.clone(), source.to_owned());
    blocking(layout.name, move || {
        let error = || rows_error("read", layout.name);
        let wanted = wanted.map_err(error())?.lazy();
        let find = |files: &VerifiedFiles, selected: &[&str]| -> Result<LazyFrame, LakeError> {
            let own = scan(&layout, files)?.filter(col("source").eq(lit(source.as_str())));
            let (key, arguments) = ([col("source_key")], JoinArgs::new(JoinType::Semi));
            Ok(own.select(columns(selected.iter().copied())).join(wanted.clone(), key.clone(), key, arguments))
        };
        // Digests do not compress, so they are read only from partitions that hold a wanted key: half the time at 5
        // million rows.
        let parts =
            find(&files, &["source_key", PART])?.select([col(PART)]).unique_generic(None, UniqueKeepStrategy::Any);
        let parts = collect(layout.name, parts)?;
        let parts: HashSet<&str> =
            parts.column(PART).and_then(|part| part.str()).map_err(error())?.iter().flatten().collect();
        let files = files.filtered(|file| file.part.as_deref().is_some_and(|part| parts.contains(part)));
        let compared = ["source_key", "digest", "source_updated_at", "run", "page", "row", PART, "deleted"];
        read_versions(&collect(layout.name, find(&files, &compared)?)?).map_err(error())
    })
    .await
}

fn read_versions(frame: &DataFrame) -> PolarsResult<HashMap<String, NewestVersion>> {
    let text = |name: &str| frame.column(name)?.str();
    let long = |name: &str| frame.column(name)?.i64();
    let updated = frame.column("source_updated_at")?.cast(&DataType::Int64)?;
    let (keys, digests, updated, parts) = (text("source_key")?, text("digest")?, updated.i64()?, text(PART)?);
    let (runs, pages, rows) = (long("run")?, long("page")?, long("row")?);
    let deleted = frame.column("deleted")?.bool()?;
    let version = |at: usize| {
        let version = NewestVersion {
            digest: u128::from_str_radix(digests.get(at)?, 16).ok()?,
            source_updated_at: updated.get(at),
            run: runs.get(at)?,
            page: pages.get(at)?,
            row: rows.get(at)?,
            part: parts.get(at)?.to_owned(),
            is_deleted: deleted.get(at).unwrap_or(false),
        };
        Some((keys.get(at)?.to_owned(), version))
    };
    Ok((0..frame.height()).filter_map(version).collect())
}

pub(super) async fn oldest_open(image: &Table, source: &str, column: &str) -> Result<Option<i64>, LakeError> {
    let files = image.verified_files(&image.load().await?).await?;
    let (layout, source, column) = (image.layout.clone(), source.to_owned(), column.to_owned());
    blocking(layout.name, move || {
        let mut open = col("source").eq(lit(source)).and(col("deleted").fill_null(lit(false)).not());
        // A dossier with status `completed` but without an end date stays open: its source may state the date later.
        for status in UNRESOLVED_STATUSES {
            open = open.and(col("status").fill_null(lit("")).neq(lit(status)));
        }
        for end in ["completed_at", "withdrawn_at", "refused_at", "stopped_at"] {
            if layout.columns.iter().any(|(name, _)| *name == end) {
                open = open.and(col(end).is_null());
            }
        }
        let earliest =
            scan(&layout, &files)?.filter(open).select([col(column).min().cast(DataType::Int64).alias("earliest")]);
        let frame = collect(layout.name, earliest)?;
        let earliest =
            frame.column("earliest").and_then(|column| column.i64()).map_err(rows_error("read", layout.name))?;
        Ok(earliest.get(0))
    })
    .await
}

/// Keys of the rows of `source` that are not deleted and for which `wanted` is true.
pub(super) async fn held_keys(image: &Table, source: &str, wanted: Expr) -> Result<Vec<String>, LakeError> {
    let files = image.verified_files(&image.load().await?).await?;
    let (layout, source) = (image.layout.clone(), source.to_owned());
    blocking(layout.name, move || {
        let held = col("source").eq(lit(source)).and(col("deleted").fill_null(lit(false)).not()).and(wanted);
        let frame = collect(layout.name, scan(&layout, &files)?.filter(held).select([col("source_key")]))?;
        let keys = frame.column("source_key").and_then(|keys| keys.str()).map_err(rows_error("read", layout.name))?;
        Ok(keys.iter().flatten().map(str::to_owned).collect())
    })
    .await
}

pub(super) async fn image_records(
    image: &Table,
    kind: RecordKind,
    source: &str,
    keys: &[String],
) -> Result<Vec<(Record, String)>, LakeError> {
    let files = image.verified_files(&image.load().await?).await?;
    if files.is_empty() || keys.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = DataFrame::new(keys.len(), vec![Column::new("source_key".into(), keys)]);
    let (layout, source) = (image.layout.clone(), source.to_owned());
    blocking(layout.name, move || {
        let error = || rows_error("read", layout.name);
        let own = scan(&layout, &files)?.filter(col("source").eq(lit(source)));
        let key = [col("source_key")];
        let rows = own.join(wanted.map_err(error())?.lazy(), key.clone(), key, JoinArgs::new(JoinType::Semi));
        records(kind, &collect(layout.name, rows)?).map_err(error())
    })
    .await
}

/// The rows of a frame as records without provenance, each with its part.
pub(super) fn records(kind: RecordKind, frame: &DataFrame) -> PolarsResult<Vec<(Record, String)>> {
    let mut rows = vec![Vec::with_capacity(kind.columns().len()); frame.height()];
    for column in kind.columns() {
        let stored = frame.column(column.name)?;
        let longs = || stored.cast(&DataType::Int64);
        match column.column_type {
            ColumnType::Text => {
                fill(&mut rows, stored.str()?.iter().map(|text| text.map(|text| Value::Text(text.into()))));
            }
            ColumnType::Instant => fill(&mut rows, longs()?.i64()?.iter().map(|at| at.map(Value::Instant))),
            ColumnType::Flag => fill(&mut rows, stored.bool()?.iter().map(|flag| flag.map(Value::Flag))),
            ColumnType::Integer => fill(&mut rows, longs()?.i64()?.iter().map(|number| number.map(Value::Integer))),
        }
    }
    let parts = frame.column(PART)?.str()?;
    let record = |values| Record { values, digest: 0, page: 0, row: 0, issues: Vec::new(), row_hash: None };
    Ok(rows
        .into_iter()
        .zip(parts.iter())
        .map(|(values, part)| (record(values), part.unwrap_or_default().to_owned()))
        .collect())
}

fn fill(rows: &mut [Vec<Value>], column: impl Iterator<Item = Option<Value>>) {
    for (row, value) in rows.iter_mut().zip(column) {
        row.push(value.unwrap_or(Value::Null));
    }
}

/// All versions up to `run`.
pub(super) async fn scan_versions(versions: &Table, run: i64) -> Result<LazyFrame, LakeError> {
    let mut files = versions.files(&versions.load().await?)?;
    files.retain(|file| file.pull.as_ref().is_none_or(|(_, pulled)| *pulled <= run));
    let files = versions.verified(files).await?;
    Ok(scan(&versions.layout, &files)?.filter(col("run").lt_eq(lit(run))))
}

/// The newest version per key as of `run`, of the tables under `root`: from the image where that is what the versions give.
pub(super) async fn as_of(root: &Path, kind: RecordKind, run: i64) -> Result<LazyFrame, LakeError> {
    // A data folder of an older motcua lacks the tables that were introduced later.
    if !files::has_table(root, kind.versions_name())? {
        return scan(&Layout::image(kind), &VerifiedFiles::default());
    }
    match image::as_of(root, kind, run).await? {
        Some(image) => Ok(image),
        None => scan_as_of(&Table::existing(root, Layout::versions(kind)), kind, run).await,
    }
}

/// The newest version per key as of `run`, with the columns of the image. Blocks no thread of the runtime.
pub(super) async fn scan_as_of(versions: &Table, kind: RecordKind, run: i64) -> Result<LazyFrame, LakeError> {
    let known = scan_versions(versions, run).await?;
    if kind.derived_columns().is_empty() {
        return Ok(newest_per_key(known));
    }
    let layout = versions.layout.clone();
    blocking(layout.name, move || due_columns::newest_with_history(&layout, known)).await
}
