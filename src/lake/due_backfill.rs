//! Adds the history of due dates to an image that an older motcua wrote, once.
//!
//! The versions hold everything that the history follows from, so nothing is lost. Every partition is rewritten, in one
//! commit: a process that is killed before it leaves the image as it was.

use std::collections::BTreeMap;

use deltalake_core::kernel::Transaction;
use polars::prelude::*;

use super::data_files::{DataFile, UncommittedFile};
use super::due_columns;
use super::error::{LakeError, blocking};
use super::image::{self, is_contained};
use super::layout::{Layout, PART};
use super::rebuild::replace;
use super::rows::{KEY, collect, columns, scan, sink};
use super::table::Table;
use super::transactions::DUE_HISTORY;
use super::verification::VerifiedFiles;
use crate::model::table::DUE_HISTORY as HISTORY_COLUMNS;

/// Rows of the partitions that are filled together: the stated values of their versions are held in memory. Tests hold
/// few, so that they also fill several groups.
const GROUP_ROWS: u64 = if cfg!(test) { 4 } else { 1_000_000 };

/// Fills the columns of the history if the image has rows that were written without them.
pub(super) async fn fill(versions: &Table, image: &Table) -> Result<(), LakeError> {
    if !due_columns::are_in(&image.layout) {
        return Ok(());
    }
    let table = image.load().await?;
    let old = image.files(&table)?;
    if old.is_empty() || image.last_number(&table, DUE_HISTORY).await?.is_some() {
        return Ok(());
    }
    tracing::info!(table = image.layout.name, "adds the history of due dates to every row, once");
    let from = versions.load().await?;
    let reached = image::reached(versions, &from, image, &table).await?;
    let version_files = versions.verified(versions.files(&from)?).await?;
    let image_files = image.verified(old.clone()).await?;
    let stem = format!("history-{:08}", table.version().unwrap_or_default());
    let (to, layout) = (image.clone(), versions.layout.clone());
    let written = blocking(image.layout.name, move || {
        let mut written = Vec::new();
        for group in groups(image_files.clone().into_files()) {
            let files = image_files.filtered(|file| file.part.as_ref().is_some_and(|part| group.contains(part)));
            let contained = scan(&layout, &version_files)?.filter(is_contained(&reached));
            written.extend(filled(&to, &files, &group, contained, &stem)?);
        }
        Ok(written)
    })
    .await?;
    replace(image, &table, old, &written, vec![Transaction::new(DUE_HISTORY, 1)]).await
}

/// The partitions of files in groups of at most [`GROUP_ROWS`] rows, unless a single partition has more.
fn groups(files: Vec<DataFile>) -> Vec<Vec<String>> {
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for file in files {
        *rows.entry(file.part.unwrap_or_default()).or_default() += file.rows.unwrap_or(GROUP_ROWS);
    }
    let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
    for (part, rows) in rows {
        match groups.last_mut() {
            Some((sum, parts)) if *sum + rows <= GROUP_ROWS => {
                *sum += rows;
                parts.push(part);
            }
            _ => groups.push((rows, vec![part])),
        }
    }
    groups.into_iter().map(|(_, parts)| parts).collect()
}

/// Writes the partitions of a group again, with the history. `contained`: the versions that the image contains.
fn filled(
    image: &Table,
    files: &VerifiedFiles,
    parts: &[String],
    contained: LazyFrame,
    stem: &str,
) -> Result<Vec<UncommittedFile>, LakeError> {
    let layout: &Layout = &image.layout;
    let keys = collect(layout.name, scan(layout, files)?.select(columns(KEY)))?.lazy();
    let own = contained.join(keys, columns(KEY), columns(KEY), JoinArgs::new(JoinType::Semi));
    let stated = collect(layout.name, own.select(due_columns::stated()))?;
    let mut written = Vec::new();
    for part in parts {
        let of_part = files.filtered(|file| file.part.as_ref() == Some(part));
        let absent = by_name(HISTORY_COLUMNS.iter().map(|(name, _)| *name).chain([PART]), true, false);
        let rows = due_columns::add_to(layout, scan(layout, &of_part)?.drop(absent), stated.clone().lazy())?;
        let folder = image.folder.join(format!("{PART}={part}"));
        written.push(sink(layout, rows, &folder, stem, Some(part.clone()))?);
    }
    Ok(written)
}
