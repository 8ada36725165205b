//! Rewriting the parts of an image that new versions touch.
//!
//! A key keeps the part that the image files it under, whatever its new versions say; a version older than
//! the image's is left out. Parts are taken in groups of at most [`GROUP_LIMIT`] new rows, which are read
//! once and held; a part with more streams through. Parts without new rows are not read, but for the columns
//! that show where the image files the new keys.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::error::{LakeError, rows_error};
use super::layout::{Layout, PART};
use super::rows::{KEY, ORDER, collect, columns, newest, scan, sink};
use super::table::{DataFile, Table, Written};

/// New rows that are held at once: about 0.6 KB each. Tests hold few, so that they take every way.
const GROUP_LIMIT: u64 = if cfg!(test) { 4 } else { 60_000 };

/// The new pulls, at most one a source, and the files to read.
pub(super) struct Batch {
    pub(super) versions: Layout,
    pub(super) image: Table,
    pub(super) version_files: Vec<DataFile>,
    pub(super) image_files: Vec<DataFile>,
    /// Run by source.
    pub(super) pulls: BTreeMap<String, i64>,
    /// Sources of which the image may hold keys already.
    pub(super) imaged: BTreeSet<String>,
    /// Names the new files.
    pub(super) stem: String,
}

/// Files to take from the image and files to put in their place.
#[derive(Default)]
pub(super) struct Rewritten {
    pub(super) replaced: Vec<DataFile>,
    pub(super) written: Vec<Written>,
}

/// Writes the touched parts anew. Blocks.
pub(super) fn rewrite(batch: &Batch) -> Result<Rewritten, LakeError> {
    let mut rewritten = Rewritten::default();
    let Some(fresh) = fresh(batch)? else { return Ok(rewritten) };
    let mut counts = counts(batch, &fresh)?;
    let settled = settled(batch, &fresh, &counts)?;
    if let Some(settled) = &settled {
        let moved =
            settled.column("part").and_then(|part| part.str()).map_err(rows_error("read", batch.versions.name))?;
        for part in moved.iter().flatten() {
            *counts.entry(part.to_owned()).or_default() += 1;
        }
    }
    for group in groups(&counts) {
        let mut rows = in_group(&fresh, settled.as_ref(), &group).map_err(rows_error("read", batch.versions.name))?;
        if group.rows <= GROUP_LIMIT {
            rows = collect(batch.versions.name, rows)?.lazy();
        }
        for part in group.parts {
            let own = rows.clone().filter(col(PART).eq(lit(part.clone()))).drop(by_name([PART], true, false));
            rewrite_part(batch, own, part, &mut rewritten)?;
        }
    }
    Ok(rewritten)
}

fn rewrite_part(batch: &Batch, own: LazyFrame, part: String, into: &mut Rewritten) -> Result<(), LakeError> {
    let layout = &batch.image.layout;
    let keys = collect(layout.name, own.clone().select(columns(KEY.into_iter().chain(ORDER))))?;
    let newest_keys = collect(layout.name, newest(keys.clone().lazy()))?;
    if newest_keys.height() == 0 {
        return Ok(());
    }
    let mut query = own;
    if newest_keys.height() < keys.height() {
        // A key twice in one pull.
        let place = columns(["source", "run", "page", "row"]);
        query = query.join(newest_keys.clone().lazy(), place.clone(), place, JoinArgs::new(JoinType::Semi));
    }
    let old: Vec<DataFile> =
        batch.image_files.iter().filter(|file| file.part.as_ref() == Some(&part)).cloned().collect();
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
    let folder = batch.image.folder.join(format!("{PART}={part}"));
    into.written.push(sink(layout, query, &folder, &batch.stem, Some(part))?);
    into.replaced.extend(old);
    Ok(())
}

/// The rows of the new pulls; `None` where there is no pull.
fn fresh(batch: &Batch) -> Result<Option<LazyFrame>, LakeError> {
    let of_pull = |(source, run): (&String, &i64)| col("source").eq(lit(source.clone())).and(col("run").eq(lit(*run)));
    let Some(wanted) = batch.pulls.iter().map(of_pull).reduce(Expr::or) else { return Ok(None) };
    Ok(Some(scan(&batch.versions, &batch.version_files)?.filter(wanted)))
}

/// New rows by the part that they name.
fn counts(batch: &Batch, fresh: &LazyFrame) -> Result<BTreeMap<String, u64>, LakeError> {
    let name = batch.versions.name;
    let counted = collect(name, fresh.clone().group_by([col(PART)]).agg([len().cast(DataType::Int64).alias("rows")]))?;
    let read = || -> PolarsResult<BTreeMap<String, u64>> {
        let rows = counted.column("rows")?.i64()?.iter().map(|rows| rows.unwrap_or_default().unsigned_abs());
        let parts = counted.column(PART)?.str()?.iter();
        Ok(parts.zip(rows).filter_map(|(part, rows)| Some((part?.to_owned(), rows))).collect())
    };
    read().map_err(rows_error("read", name))
}

/// Parts in order that are read together.
struct Group {
    parts: Vec<String>,
    rows: u64,
}

fn groups(counts: &BTreeMap<String, u64>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (part, rows) in counts {
        match groups.last_mut() {
            Some(group) if group.rows + rows <= GROUP_LIMIT => {
                group.parts.push(part.clone());
                group.rows += rows;
            }
            _ => groups.push(Group { parts: vec![part.clone()], rows: *rows }),
        }
    }
    groups
}

fn between(group: &Group) -> Expr {
    let ends = group.parts.first().zip(group.parts.last());
    ends.map_or_else(
        || lit(false),
        |(first, last)| col(PART).gt_eq(lit(first.clone())).and(col(PART).lt_eq(lit(last.clone()))),
    )
}

/// The new rows of a group, filed where the image files their keys.
fn in_group(fresh: &LazyFrame, settled: Option<&DataFrame>, group: &Group) -> PolarsResult<LazyFrame> {
    let named = fresh.clone().filter(between(group));
    let Some(settled) = settled else { return Ok(named) };
    let settled = settled.clone().lazy();
    let unmoved =
        named.join(settled.clone().select(columns(KEY)), columns(KEY), columns(KEY), JoinArgs::new(JoinType::Anti));
    let targets = settled.filter(between(group)).select(columns(KEY.into_iter().chain([PART])));
    let moved = fresh.clone().drop(by_name([PART], true, false)).join(
        targets,
        columns(KEY),
        columns(KEY),
        JoinArgs::new(JoinType::Inner),
    );
    concat([unmoved, moved], UnionArgs::default())
}

/// Keys of the new rows that do not go where their rows say: `part` is the image's, or null where the
/// image's version is the newer one. `None` where there are none.
fn settled(batch: &Batch, fresh: &LazyFrame, counts: &BTreeMap<String, u64>) -> Result<Option<DataFrame>, LakeError> {
    let layout = &batch.image.layout;
    let of_source = |source: &String| col("source").eq(lit(source.clone()));
    let Some(imaged) = batch.imaged.iter().map(of_source).reduce(Expr::or) else { return Ok(None) };
    let placed = || columns(KEY.into_iter().chain(ORDER).chain([PART]));
    let mut settled: Option<DataFrame> = None;
    for group in groups(counts) {
        let new = newest(fresh.clone().filter(between(&group).and(imaged.clone())).select(placed()));
        let old = scan(layout, &batch.image_files)?.filter(imaged.clone()).select(placed());
        let arguments = JoinArgs::new(JoinType::Inner).with_suffix(Some("_new".into()));
        let part = when(newer_than_new()).then(lit(NULL)).otherwise(col(PART)).alias(PART);
        let met = old
            .join(new, columns(KEY), columns(KEY), arguments)
            .filter(col(PART).neq(col("part_new")).or(newer_than_new()))
            .select([col(KEY[0]), col(KEY[1]), part]);
        let met = collect(layout.name, met)?;
        match &mut settled {
            _ if met.height() == 0 => {}
            Some(settled) => {
                settled.vstack_mut(&met).map_err(rows_error("read", layout.name))?;
            }
            None => settled = Some(met),
        }
    }
    Ok(settled)
}

/// Whether the image's version of a key comes after the new one.
fn newer_than_new() -> Expr {
    let old = |name: &str| col(name).cast(DataType::Int64).fill_null(lit(i64::MIN));
    let new = |name: &str| col(format!("{name}_new")).cast(DataType::Int64).fill_null(lit(i64::MIN));
    let later = |name: &str, otherwise: Expr| old(name).gt(new(name)).or(old(name).eq(new(name)).and(otherwise));
    ORDER.into_iter().rev().fold(lit(false), |rest, name| later(name, rest))
}
