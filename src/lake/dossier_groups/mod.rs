//! Groups: rows of different sources that are one dossier. Table `dossier_groups` beside the image of dossiers.
//!
//! | column | meaning |
//! |---|---|
//! | `source`, `source_key` | key of a row of `dossiers` |
//! | `group_key` | name of the group; the same in later nights as long as one of its rows stays |
//! | `counts` | whether the row stands for the dossier; false: figures leave it out |
//! | `not_merged` | `too_many`: more rows share codes than one dossier can have, so all of them count; else null |
//!
//! The table holds rows of groups of two or more only, and is computed from the image and the order of sources. A commit
//! carries a digest of both ([`basis`]), so an update that has nothing to do is found without reading a row of the image.
//! While a single source has dossiers, the table does not exist.

mod coded_rows;
mod grouped_rows;
mod grouping;

use std::collections::HashMap;
use std::path::Path;

use deltalake_core::DeltaTable;
use deltalake_core::kernel::{Action, Transaction};
use polars::prelude::*;
use sha2::{Digest, Sha256};

pub use self::grouped_rows::{GROUP_TABLE, GroupCounts, GroupedRow};

pub(super) use self::grouped_rows::none;

use self::coded_rows::coded_rows;
use self::grouped_rows::{dossier_codes, frame, layout, rows_of};
use self::grouping::{RowKey, group};
use super::error::{LakeError, blocking, log_error, rows_error};
use super::layout::Layout;
use super::rows::{KEY, collect, columns, newest_per_key, scan, sink};
use super::table::Table;
use super::verification::VerifiedFiles;
use super::{files, image, open_derived, read};
use crate::model::source_order::SourceOrder;

/// Increased when the same rows would give other groups.
const RULES_VERSION: u32 = 1;

/// Application of the transactions that state a [`basis`].
const BASIS: &str = "basis";

/// What groups are computed from, as the number of a transaction: a digest of the image, its version, the order of sources
/// and the rules.
fn basis(image: &DeltaTable, order: &SourceOrder) -> Result<i64, LakeError> {
    // An image that was made again has an id of its own, and its versions begin again.
    let id = image.snapshot().map_err(log_error("read", GROUP_TABLE))?.metadata().id().to_owned();
    let version = image.version().unwrap_or_default();
    let digest = Sha256::digest(format!("{id}\n{version}\n{RULES_VERSION}\n{}", order.to_text()).as_bytes());
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    Ok(i64::from_be_bytes(*first) & i64::MAX)
}

/// Brings the groups up to the image and the order of sources. Returns what they leave out. `root`: the lake's folder.
pub(super) async fn update(
    root: &Path,
    versions: &Table,
    dossiers: &Table,
    order: &SourceOrder,
) -> Result<GroupCounts, LakeError> {
    if !files::has_table(root, GROUP_TABLE)? && !has_several_sources(versions, i64::MAX).await? {
        return Ok(GroupCounts::default());
    }
    let table = open_derived(root, layout()).await?;
    let image = dossiers.load().await?;
    let basis = basis(&image, order)?;
    let loaded = table.load().await?;
    let files = table.files(&loaded)?;
    let (whole, damaged) = table.sorted(files.clone()).await?;
    let stored = stored_rows(&table.layout, whole).await?;
    let is_current = table.last_number(&loaded, BASIS).await? == Some(basis);
    if is_current && damaged.is_empty() {
        return Ok(GroupCounts::of(&stored));
    }
    for (_, file) in &damaged {
        tracing::warn!(
            table = GROUP_TABLE,
            path = %file.path.display(),
            "a file of the groups {}: they are computed again from the image. Check the health of the disk",
            file.damage.what()
        );
    }
    let rows = image_groups(dossiers, &image, order, &stored).await?;
    let mut actions = Vec::new();
    if rows != stored || !damaged.is_empty() {
        actions.extend(files.into_iter().map(|file| Action::Remove(file.remove)));
        if !rows.is_empty() {
            let (layout, folder, frame) = (table.layout.clone(), table.folder.clone(), frame(&rows));
            // Of a table version: a name that the log knows is not used again, even if its file is lost.
            let stem = format!("groups-{:08}", loaded.version().unwrap_or_default() + 1);
            let written = blocking(GROUP_TABLE, move || {
                sink(&layout, frame.map_err(rows_error("write", GROUP_TABLE))?.lazy(), &folder, &stem, None)
            })
            .await?;
            actions.push(Action::Add(table.add(&written)?));
        }
    }
    table.commit(&loaded, actions, vec![Transaction::new(BASIS, basis)]).await?;
    let counts = GroupCounts::of(&rows);
    let not_merged: u64 = counts.not_merged.values().sum();
    if not_merged > 0 {
        tracing::warn!(
            table = GROUP_TABLE,
            rows = not_merged,
            "dossiers share codes with more than {} others: they are not merged, and each counts",
            grouping::MOST_ROWS - 1
        );
    }
    Ok(counts)
}

/// Opens the table, if it exists, so that a damaged log is moved aside before anything reads it.
pub(super) async fn mend_log(root: &Path) -> Result<(), LakeError> {
    if files::has_table(root, GROUP_TABLE)? {
        open_derived(root, layout()).await?;
    }
    Ok(())
}

/// Whether several sources have versions of runs up to `run`.
async fn has_several_sources(versions: &Table, run: i64) -> Result<bool, LakeError> {
    let mut pulls = image::pulls(versions, &versions.load().await?).await?;
    pulls.retain(|_, runs| runs.first().is_some_and(|first| *first <= run));
    Ok(pulls.len() > 1)
}

async fn image_groups(
    image: &Table,
    loaded: &DeltaTable,
    order: &SourceOrder,
    stored: &[GroupedRow],
) -> Result<Vec<GroupedRow>, LakeError> {
    let files = image.verified_files(loaded).await?;
    let (layout, order) = (image.layout.clone(), order.clone());
    let name_of = |row: &GroupedRow| ((row.source.clone(), row.source_key.clone()), row.group_key.clone());
    let known: HashMap<RowKey, String> = stored.iter().map(name_of).collect();
    blocking(layout.name, move || groups_of(layout.name, &scan(&layout, &files)?, &order, &known)).await
}

/// Groups of the given rows of dossiers. Blocks the thread.
fn groups_of(
    table: &'static str,
    dossiers: &LazyFrame,
    order: &SourceOrder,
    known: &HashMap<RowKey, String>,
) -> Result<Vec<GroupedRow>, LakeError> {
    let members = group(&coded_rows(table, dossiers)?, order, known);
    Ok(members.into_iter().map(GroupedRow::from).collect())
}

/// Scans the stored groups, from the table under `root`; none if it does not exist. Nothing is repaired or written.
pub(super) async fn scan_stored(root: &Path) -> Result<LazyFrame, LakeError> {
    if !files::has_table(root, GROUP_TABLE)? {
        return Ok(none());
    }
    let table = Table::existing(root, layout());
    scan(&table.layout, &table.verified_files(&table.load().await?).await?)
}

/// The stored groups under `root`, by source and key. Nothing is repaired or written.
pub(super) async fn read_stored(root: &Path) -> Result<Vec<GroupedRow>, LakeError> {
    let stored = scan_stored(root).await?;
    blocking(GROUP_TABLE, move || sorted_rows(stored)).await
}

/// The groups as of `run`, from the versions of dossiers, or from the image if it is the same. Names of groups are those of groups that were never named
/// before. Nothing is written.
pub(super) async fn as_of(
    versions: &Table,
    image: Option<LazyFrame>,
    run: i64,
    order: &SourceOrder,
) -> Result<LazyFrame, LakeError> {
    if !has_several_sources(versions, run).await? {
        return Ok(none());
    }
    let known = match image {
        Some(image) => image,
        None => newest_per_key(read::scan_versions(versions, run).await?.select(columns(coded_rows::READ))),
    };
    let (name, order) = (versions.layout.name, order.clone());
    blocking(name, move || {
        // Once: the newest version per key is found by sorting all versions.
        let dossiers = collect(name, known.select(columns(coded_rows::READ)))?.lazy();
        let rows = groups_of(name, &dossiers, &order, &HashMap::new())?;
        Ok(frame(&rows).map_err(rows_error("read", name))?.lazy())
    })
    .await
}

/// The rows of groups, by group, each with the dossier code that `image` has for it.
pub(super) async fn with_codes(
    image: &Table,
    mut rows: Vec<GroupedRow>,
) -> Result<Vec<(GroupedRow, Option<String>)>, LakeError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let files = image.verified_files(&image.load().await?).await?;
    let layout = image.layout.clone();
    blocking(layout.name, move || {
        let failed = || rows_error("read", layout.name);
        let wanted = frame(&rows).map_err(failed())?.lazy().select(columns(KEY));
        let codes = scan(&layout, &files)?.select(columns(["source", "source_key", "dossier_code"]));
        let found = codes.join(wanted, columns(KEY), columns(KEY), JoinArgs::new(JoinType::Semi));
        let mut codes = dossier_codes(&collect(layout.name, found)?).map_err(failed())?;
        rows.sort_by(|left, right| (&left.group_key, !left.counts).cmp(&(&right.group_key, !right.counts)));
        let with_code = |row: GroupedRow| {
            let code = codes.remove(&(row.source.clone(), row.source_key.clone()));
            (row, code)
        };
        Ok(rows.into_iter().map(with_code).collect())
    })
    .await
}

async fn stored_rows(layout: &Layout, files: VerifiedFiles) -> Result<Vec<GroupedRow>, LakeError> {
    let stored = scan(layout, &files)?;
    blocking(GROUP_TABLE, move || sorted_rows(stored)).await
}

fn sorted_rows(stored: LazyFrame) -> Result<Vec<GroupedRow>, LakeError> {
    let mut rows = rows_of(&collect(GROUP_TABLE, stored)?).map_err(rows_error("read", GROUP_TABLE))?;
    rows.sort_by(|left, right| (&left.source, &left.source_key).cmp(&(&right.source, &right.source_key)));
    Ok(rows)
}
