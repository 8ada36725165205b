//! Adds the columns of [`DUE_HISTORY`] to rows of dossiers: the first due date, the latest one that a pause explains, and
//! whether a pause was seen.
//!
//! The history of a key with one version follows from its row: [`of_one_version`]. That of the others is folded: the
//! versions are taken one after the other, each with its key, its order and [`STATED`] only.

use std::collections::HashMap;

use polars::prelude::*;

use super::due_history::{DueHistory, DueVersion, PAUSED_STATUSES};
use super::error::{LakeError, rows_error};
use super::layout::Layout;
use super::rows::{KEY, VERSION_ORDER, collect, columns, newest_per_key, scan};
use super::verification::VerifiedFiles;
use crate::model::instant::{DAY_MICROS, offset_micros};
use crate::model::table::DUE_HISTORY;

/// The columns of a version that its due dates and pauses are read from.
const STATED: [&str; 8] = [
    "received_at",
    "due_at",
    "first_due_at",
    "status",
    "supplement_requests",
    "supplement_requested_at",
    "supplement_received_at",
    "stopped_at",
];

/// The place of a version. Only with its key it names one row: rows that no page of the pull has, such as deleted ones, have
/// page 0 and row 0.
const PLACE: [&str; 5] = ["source", "source_key", "run", "page", "row"];

/// Suffix of the folded columns in a frame that also has those of [`of_one_version`].
const FOLDED: &str = "_folded";

/// Names of the columns of the history.
fn names() -> impl Iterator<Item = &'static str> {
    DUE_HISTORY.iter().map(|(name, _)| *name)
}

/// Whether a table has the history of due dates.
pub(super) fn are_in(layout: &Layout) -> bool {
    names().all(|name| layout.has(name))
}

/// Columns of a version that the history needs: key, order and [`STATED`].
pub(super) fn stated() -> Vec<Expr> {
    columns(KEY.into_iter().chain(VERSION_ORDER).chain(STATED))
}

/// The columns of the history for a row whose key has no other version: what [`DueHistory::after`] gives for the first
/// version.
fn of_one_version() -> [Expr; 3] {
    let micros = |name: &str| col(name).cast(DataType::Int64);
    let local = |at: Expr| at + lit(offset_micros());
    let day = |at: Expr| local(at).floor_div(lit(DAY_MICROS));
    let received = || micros("received_at");
    // Not before the reception. A moment at midnight is a date: its day counts.
    let possible = |name: &str| {
        let at = || micros(name);
        let is_midnight = (local(at()) % lit(DAY_MICROS)).eq(lit(0_i64));
        let is_day_of_reception = is_midnight.and(day(at()).eq(day(received())));
        when(at().gt_eq(received()).or(is_day_of_reception)).then(col(name)).otherwise(lit(NULL))
    };
    let paused = PAUSED_STATUSES.iter().map(|status| col("status").eq(lit(*status)));
    let is_paused = paused.reduce(Expr::or).unwrap_or(lit(false)).fill_null(lit(false));
    let has_pause = is_paused
        .clone()
        .or(col("supplement_requests").gt(lit(0_i64)).fill_null(lit(false)))
        .or(col("supplement_requested_at").is_not_null())
        .or(col("supplement_received_at").is_not_null())
        .or(col("stopped_at").is_not_null());
    let first = || coalesce(&[possible("first_due_at"), possible("due_at")]);
    let is_later = possible("due_at").gt(first());
    // Whether a pause was seen since a due date was last stated. A version that states one starts again: of its own pauses
    // only one that its status shows goes on.
    let pause_seen = when(col("due_at").is_null()).then(has_pause.clone()).otherwise(is_paused);
    [
        first().alias(DUE_HISTORY[0].0),
        when(has_pause.and(is_later)).then(possible("due_at")).otherwise(first()).alias(DUE_HISTORY[1].0),
        pause_seen.alias(DUE_HISTORY[2].0),
    ]
}

/// Adds the history to the newest rows of keys of the image. `new`: [`stated`] of the new versions of the keys; `old`:
/// the image's files that may hold the keys; `rows`: one row per key, with all columns of the versions table. If any key
/// has a row in the image or a second new version, all are folded.
pub(super) fn add_to_new(
    layout: &Layout,
    rows: LazyFrame,
    new: &DataFrame,
    old: &VerifiedFiles,
) -> Result<LazyFrame, LakeError> {
    let error = || rows_error("read", layout.name);
    let keys = new.clone().lazy().select(columns(KEY)).unique_generic(None, UniqueKeepStrategy::Any);
    let keys = collect(layout.name, keys)?;
    let before = if old.is_empty() {
        None
    } else {
        let state = scan(layout, old)?.select(stated().into_iter().chain(columns(names())).collect::<Vec<_>>());
        let join = JoinArgs::new(JoinType::Semi);
        Some(collect(layout.name, state.join(keys.clone().lazy(), columns(KEY), columns(KEY), join))?)
    };
    let before = before.filter(|before| before.height() > 0);
    if before.is_none() && keys.height() == new.height() {
        return Ok(rows.with_columns(of_one_version()));
    }
    let folded = fold(layout, new, before.as_ref())?;
    let join = JoinArgs::new(JoinType::Inner);
    let wanted = columns(PLACE.into_iter().chain(names()));
    let folded = folded.select(PLACE.into_iter().chain(names()).map(str::to_owned)).map_err(error())?;
    Ok(rows.join(folded.lazy().select(wanted), columns(PLACE), columns(PLACE), join))
}

/// Adds the history to rows of an image or of newest versions, one row per key. `versions`: the versions that it is
/// folded over, with at least the columns of [`stated`].
pub(super) fn add_to(layout: &Layout, rows: LazyFrame, versions: LazyFrame) -> Result<LazyFrame, LakeError> {
    let several = versions
        .clone()
        .select(columns(KEY))
        .group_by(columns(KEY))
        .agg([len().alias("versions")])
        .filter(col("versions").gt(lit(1_u32)))
        .select(columns(KEY));
    let several = collect(layout.name, several)?;
    let rows = rows.with_columns(of_one_version());
    if several.height() == 0 {
        return Ok(rows);
    }
    let semi = JoinArgs::new(JoinType::Semi);
    let stated = versions.select(stated()).join(several.lazy(), columns(KEY), columns(KEY), semi);
    let folded = fold(layout, &collect(layout.name, stated)?, None)?.lazy();
    let folded = folded.select(
        columns(KEY)
            .into_iter()
            .chain(names().map(|name| col(name).alias(format!("{name}{FOLDED}"))))
            .collect::<Vec<_>>(),
    );
    // The caller writes the rows in slices, so their order must stay.
    let left = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    let is_folded = || col(format!("{}{FOLDED}", DUE_HISTORY[2].0)).is_not_null();
    let chosen =
        names().map(|name| when(is_folded()).then(col(format!("{name}{FOLDED}"))).otherwise(col(name)).alias(name));
    let rows = rows.join(folded, columns(KEY), columns(KEY), left).with_columns(chosen.collect::<Vec<_>>());
    let added: Vec<String> = names().map(|name| format!("{name}{FOLDED}")).collect();
    Ok(rows.drop(by_name(added, true, false)))
}

/// The history of each key after its versions. `before`: rows of the image, with their history. The rows have the key and
/// the place of the newest version.
fn fold(layout: &Layout, versions: &DataFrame, before: Option<&DataFrame>) -> Result<DataFrame, LakeError> {
    let order = columns(KEY.into_iter().chain(["run"]).chain(VERSION_ORDER.into_iter().filter(|name| *name != "run")));
    let sorted = versions.clone().lazy().sort_by_exprs(order, SortMultipleOptions::default().with_nulls_last(false));
    let sorted = collect(layout.name, sorted)?;
    fold_sorted(&sorted, before).map_err(rows_error("read", layout.name))
}

fn fold_sorted(versions: &DataFrame, before: Option<&DataFrame>) -> PolarsResult<DataFrame> {
    let mut stored: HashMap<(&str, &str), DueHistory> = HashMap::new();
    if let Some(before) = before {
        let [first, explained] = [0, 1].map(|at| longs(before, DUE_HISTORY[at].0));
        let (first, explained) = (first?, explained?);
        let seen: Vec<Option<bool>> = before.column(DUE_HISTORY[2].0)?.bool()?.iter().collect();
        for (at, (key, newest)) in read(before)?.into_iter().enumerate() {
            let history = match seen[at] {
                Some(pause_seen) => DueHistory { newest, first: first[at], explained: explained[at], pause_seen },
                // A row that was stored before the history was kept.
                None => DueHistory::default().after(newest),
            };
            stored.insert(key, history);
        }
    }
    let mut folded: Vec<((&str, &str), DueHistory)> = Vec::new();
    for (key, version) in read(versions)? {
        if folded.last().is_none_or(|(last, _)| *last != key) {
            folded.push((key, stored.remove(&key).unwrap_or_default()));
        }
        if let Some((_, history)) = folded.last_mut() {
            *history = std::mem::take(history).after(version);
        }
    }
    to_frame(&folded)
}

fn to_frame(folded: &[((&str, &str), DueHistory)]) -> PolarsResult<DataFrame> {
    let text = |name: &str, value: fn(&(&str, &str)) -> String| {
        Column::new(name.into(), folded.iter().map(|(key, _)| value(key)).collect::<Vec<_>>())
    };
    let long = |name: &str, value: fn(&DueHistory) -> Option<i64>| {
        Column::new(name.into(), folded.iter().map(|(_, history)| value(history)).collect::<Vec<_>>())
    };
    let instant = |name: &str, value: fn(&DueHistory) -> Option<i64>| {
        long(name, value).cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
    };
    let pause_seen: Vec<bool> = folded.iter().map(|(_, history)| history.pause_seen).collect();
    DataFrame::new(
        folded.len(),
        vec![
            text("source", |key| key.0.to_owned()),
            text("source_key", |key| key.1.to_owned()),
            long("run", |history| history.newest.order[1]),
            long("page", |history| history.newest.order[2]),
            long("row", |history| history.newest.order[3]),
            instant(DUE_HISTORY[0].0, |history| history.first)?,
            instant(DUE_HISTORY[1].0, |history| history.explained)?,
            Column::new(DUE_HISTORY[2].0.into(), pause_seen),
        ],
    )
}

fn longs(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<i64>>> {
    Ok(frame.column(name)?.cast(&DataType::Int64)?.i64()?.iter().collect())
}

/// A key, and what a version of it states.
type KeyedVersion<'a> = ((&'a str, &'a str), DueVersion);

/// Keys and what the versions state, in the order of the rows.
pub(super) fn read(frame: &DataFrame) -> PolarsResult<Vec<KeyedVersion<'_>>> {
    let long = |name: &str| longs(frame, name);
    let order = [long("source_updated_at")?, long("run")?, long("page")?, long("row")?];
    let (received, due, own_first) = (long("received_at")?, long("due_at")?, long("first_due_at")?);
    let (requests, requested) = (long("supplement_requests")?, long("supplement_requested_at")?);
    let (supplied, stopped) = (long("supplement_received_at")?, long("stopped_at")?);
    let text = |name: &str| frame.column(name)?.str();
    let keys = text("source")?.iter().zip(text("source_key")?.iter());
    let mut versions = Vec::with_capacity(frame.height());
    for (at, ((source, key), status)) in keys.zip(text("status")?.iter()).enumerate() {
        let (Some(source), Some(key)) = (source, key) else { continue };
        let version = DueVersion {
            order: [0, 1, 2, 3].map(|column: usize| order[column][at]),
            received: received[at],
            due: due[at],
            own_first: own_first[at],
            requests: requests[at],
            requested: requested[at],
            supplied: supplied[at],
            stopped: stopped[at],
            is_paused: status.is_some_and(|status| PAUSED_STATUSES.contains(&status)),
        };
        versions.push(((source, key), version));
    }
    Ok(versions)
}

/// The newest version of each key, with the history folded over all of them.
pub(super) fn newest_with_history(layout: &Layout, versions: LazyFrame) -> Result<LazyFrame, LakeError> {
    add_to(layout, newest_per_key(versions.clone()), versions)
}
