//! Rewrites the partitions of an image that new versions touch.
//!
//! A partition is rewritten as the anti-join of its old rows with the new keys, plus the newest new version of each
//! key. A key stays in the partition in which the image has it, whatever partition its new versions name. New versions
//! that are older than the image's are left out. Partitions are processed in groups of at most [`GROUP_LIMIT`] new
//! rows, which are held in memory; a larger partition is streamed. Of partitions without new rows, only the key, order
//! and partition columns are read.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::data_files::{DataFile, UncommittedFile};
use super::due_columns;
use super::error::{LakeError, rows_error};
use super::layout::{Layout, PART};
use super::repeated_keys::check_keys;
use super::rows::{KEY, VERSION_ORDER, collect, columns, newest_per_key, scan, sink};
use super::table::Table;
use super::verification::VerifiedFiles;

/// New rows that are held in memory at once, about 0.6 KB each. Tests hold few, so that they also stream.
const GROUP_LIMIT: u64 = if cfg!(test) { 4 } else { 60_000 };

/// Source whose pulls make the rewriting panic, and one whose pulls make Polars refuse it.
#[cfg(test)]
pub(crate) const PANICS: &str = "panics";
#[cfg(test)]
pub(crate) const REFUSED: &str = "refused";

#[cfg(test)]
fn planted_fault(input: &RewriteInput) -> Result<(), LakeError> {
    assert!(!input.pulls.contains_key(PANICS), "a panic that a test planted");
    if input.pulls.contains_key(REFUSED) {
        let refused = polars::prelude::PolarsError::ComputeError("an error that a test planted".into());
        return Err(rows_error("rewrite", input.image.layout.name)(refused));
    }
    Ok(())
}

/// The new pulls, at most one per source, and the files to read.
pub(super) struct RewriteInput {
    pub(super) versions: Layout,
    pub(super) image: Table,
    pub(super) version_files: VerifiedFiles,
    pub(super) image_files: VerifiedFiles,
    /// Run by source.
    pub(super) pulls: BTreeMap<String, i64>,
    /// Sources that the image may already hold keys of.
    pub(super) imaged: BTreeSet<String>,
    /// Stem of the names of the new files.
    pub(super) stem: String,
}

/// Files that leave the image and files that replace them.
#[derive(Default)]
pub(super) struct Rewritten {
    pub(super) replaced: Vec<DataFile>,
    pub(super) written: Vec<UncommittedFile>,
}

/// Rewrites the touched partitions. Blocks the thread.
pub(super) fn rewrite(input: &RewriteInput) -> Result<Rewritten, LakeError> {
    #[cfg(test)]
    planted_fault(input)?;
    let mut rewritten = Rewritten::default();
    let Some(new_rows) = new_rows(input)? else { return Ok(rewritten) };
    let mut counts = rows_per_part(input, &new_rows)?;
    let moved = moved_keys(input, &new_rows, &counts)?;
    if let Some(moved) = &moved {
        let parts = moved.column(PART).and_then(|part| part.str()).map_err(rows_error("read", input.versions.name))?;
        for part in parts.iter().flatten() {
            *counts.entry(part.to_owned()).or_default() += 1;
        }
    }
    for group in part_groups(&counts) {
        let mut rows =
            group_rows(&new_rows, moved.as_ref(), &group).map_err(rows_error("read", input.versions.name))?;
        if group.rows <= GROUP_LIMIT {
            rows = collect(input.versions.name, rows)?.lazy();
        }
        for part in group.parts {
            let own = rows.clone().filter(col(PART).eq(lit(part.clone()))).drop(by_name([PART], true, false));
            rewrite_part(input, own, part, &mut rewritten)?;
        }
    }
    Ok(rewritten)
}

/// Rewrites one partition. `own`: the new rows of its keys.
fn rewrite_part(input: &RewriteInput, own: LazyFrame, part: String, into: &mut Rewritten) -> Result<(), LakeError> {
    let layout = &input.image.layout;
    let has_due_history = due_columns::are_in(layout);
    let wanted = if has_due_history { due_columns::stated() } else { columns(KEY.into_iter().chain(VERSION_ORDER)) };
    let keys = collect(layout.name, own.clone().select(wanted))?;
    let order = columns(KEY.into_iter().chain(VERSION_ORDER));
    let newest_keys = collect(layout.name, newest_per_key(keys.clone().lazy().select(order)))?;
    if newest_keys.height() == 0 {
        return Ok(());
    }
    let mut query = own;
    if newest_keys.height() < keys.height() {
        // A pull has several versions of a key: only the newest goes into the image.
        // With the key: rows that no page of the pull has share the place 0, 0.
        let place = columns(KEY.into_iter().chain(["run", "page", "row"]));
        query = query.join(newest_keys.clone().lazy(), place.clone(), place, JoinArgs::new(JoinType::Semi));
    }
    let old = input.image_files.filtered(|file| file.part.as_ref() == Some(&part));
    if has_due_history {
        query = due_columns::add_to_new(layout, query, &keys, &old)?;
    }
    if !old.is_empty() {
        let kept = scan(layout, &old)?.drop(by_name([PART], true, false)).join(
            newest_keys.lazy().select(columns(KEY)),
            columns(KEY),
            columns(KEY),
            JoinArgs::new(JoinType::Anti),
        );
        let union = UnionArgs { maintain_order: false, ..UnionArgs::default() };
        query = concat([kept, query], union).map_err(rows_error("write", layout.name))?;
    }
    let folder = input.image.folder.join(format!("{PART}={part}"));
    let written = sink(layout, query, &folder, &input.stem, Some(part))?;
    check_keys(layout, &written)?;
    into.written.push(written);
    into.replaced.extend(old.into_files());
    Ok(())
}

/// The rows of the new pulls; `None` if there is no pull.
fn new_rows(input: &RewriteInput) -> Result<Option<LazyFrame>, LakeError> {
    let of_pull = |(source, run): (&String, &i64)| col("source").eq(lit(source.clone())).and(col("run").eq(lit(*run)));
    let Some(wanted) = input.pulls.iter().map(of_pull).reduce(Expr::or) else { return Ok(None) };
    Ok(Some(scan(&input.versions, &input.version_files)?.filter(wanted)))
}

/// Number of new rows by the partition that they name.
fn rows_per_part(input: &RewriteInput, new_rows: &LazyFrame) -> Result<BTreeMap<String, u64>, LakeError> {
    let name = input.versions.name;
    let counted =
        collect(name, new_rows.clone().group_by([col(PART)]).agg([len().cast(DataType::Int64).alias("rows")]))?;
    let read = || -> PolarsResult<BTreeMap<String, u64>> {
        let rows = counted.column("rows")?.i64()?.iter().map(|rows| rows.unwrap_or_default().unsigned_abs());
        let parts = counted.column(PART)?.str()?.iter();
        Ok(parts.zip(rows).filter_map(|(part, rows)| Some((part?.to_owned(), rows))).collect())
    };
    read().map_err(rows_error("read", name))
}

/// Consecutive partitions whose new rows are read together.
struct PartGroup {
    parts: Vec<String>,
    rows: u64,
}

/// Groups partitions in order, each group with at most [`GROUP_LIMIT`] rows unless a single partition has more.
fn part_groups(counts: &BTreeMap<String, u64>) -> Vec<PartGroup> {
    let mut groups: Vec<PartGroup> = Vec::new();
    for (part, rows) in counts {
        match groups.last_mut() {
            Some(group) if group.rows + rows <= GROUP_LIMIT => {
                group.parts.push(part.clone());
                group.rows += rows;
            }
            _ => groups.push(PartGroup { parts: vec![part.clone()], rows: *rows }),
        }
    }
    groups
}

/// Whether a row's partition lies between the first and the last of a group.
fn is_in(group: &PartGroup) -> Expr {
    let ends = group.parts.first().zip(group.parts.last());
    ends.map_or_else(
        || lit(false),
        |(first, last)| col(PART).gt_eq(lit(first.clone())).and(col(PART).lt_eq(lit(last.clone()))),
    )
}

/// The new rows of a group, each in the partition in which the image has its key. `moved`: see [`moved_keys`].
fn group_rows(new_rows: &LazyFrame, moved: Option<&DataFrame>, group: &PartGroup) -> PolarsResult<LazyFrame> {
    let named = new_rows.clone().filter(is_in(group));
    let Some(moved) = moved else { return Ok(named) };
    let moved = moved.clone().lazy();
    let unmoved =
        named.join(moved.clone().select(columns(KEY)), columns(KEY), columns(KEY), JoinArgs::new(JoinType::Anti));
    let targets = moved.filter(is_in(group)).select(columns(KEY.into_iter().chain([PART])));
    let moved = new_rows.clone().drop(by_name([PART], true, false)).join(
        targets,
        columns(KEY),
        columns(KEY),
        JoinArgs::new(JoinType::Inner),
    );
    concat([unmoved, moved], UnionArgs::default())
}

/// Keys of the new rows that do not go into the partition that their rows name. `part` is the partition in which the
/// image has the key, or null if the image's version is the newer one. `None` if there are no such keys.
fn moved_keys(
    input: &RewriteInput,
    new_rows: &LazyFrame,
    counts: &BTreeMap<String, u64>,
) -> Result<Option<DataFrame>, LakeError> {
    let layout = &input.image.layout;
    let of_source = |source: &String| col("source").eq(lit(source.clone()));
    let Some(imaged) = input.imaged.iter().map(of_source).reduce(Expr::or) else { return Ok(None) };
    let compared = || columns(KEY.into_iter().chain(VERSION_ORDER).chain([PART]));
    let mut moved: Option<DataFrame> = None;
    for group in part_groups(counts) {
        let new = newest_per_key(new_rows.clone().filter(is_in(&group).and(imaged.clone())).select(compared()));
        let old = scan(layout, &input.image_files)?.filter(imaged.clone()).select(compared());
        let arguments = JoinArgs::new(JoinType::Inner).with_suffix(Some("_new".into()));
        let part = when(is_newer_than_new()).then(lit(NULL)).otherwise(col(PART)).alias(PART);
        let found = old
            .join(new, columns(KEY), columns(KEY), arguments)
            .filter(col(PART).neq(col("part_new")).or(is_newer_than_new()))
            .select([col(KEY[0]), col(KEY[1]), part]);
        let found = collect(layout.name, found)?;
        match &mut moved {
            _ if found.height() == 0 => {}
            Some(moved) => {
                moved.vstack_mut(&found).map_err(rows_error("read", layout.name))?;
            }
            None => moved = Some(found),
        }
    }
    Ok(moved)
}

/// Whether the image's version of a key is newer than the new one. Null orders first.
fn is_newer_than_new() -> Expr {
    let old = |name: &str| col(name).cast(DataType::Int64).fill_null(lit(i64::MIN));
    let new = |name: &str| col(format!("{name}_new")).cast(DataType::Int64).fill_null(lit(i64::MIN));
    let later = |name: &str, otherwise: Expr| old(name).gt(new(name)).or(old(name).eq(new(name)).and(otherwise));
    VERSION_ORDER.into_iter().rev().fold(lit(false), |rest, name| later(name, rest))
}
