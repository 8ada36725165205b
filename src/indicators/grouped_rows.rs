//! The small tables beside the dossiers, one row per dossier: the notes (cause of delay, apology) and the postal items.

use std::sync::Arc;

use polars::prelude::*;

use crate::expressions::{
    GroupedTable, JoinedRows, SettingValue, Settings, dossier_facts, fold, notes_by_dossier, post_by_dossier,
};
use crate::indicators::local_time::micros;
use crate::indicators::lookups::{RowsByText, value_at};
use crate::indicators::polars_expressions::{FactRenderer, null_of, predicate};
use crate::model::instant::{DAY_MICROS, offset_micros};

/// The facts of the groups of a table, by dossier code.
#[derive(Debug)]
struct GroupedRows {
    codes: RowsByText,
    values: DataFrame,
}

impl GroupedRows {
    /// Reads the rows known at `now`. `beside`: further columns of each group.
    fn read(
        rows: LazyFrame,
        grouped: &GroupedTable,
        now: i64,
        beside: Vec<Expr>,
        engine: Engine,
    ) -> PolarsResult<Self> {
        let settings = Settings::default().with("night.now", SettingValue::Number(now));
        let renderer = FactRenderer {
            table: &grouped.facts,
            days: None,
            lookup: &|name| unreachable!("a group looks nothing up: `{name}`"),
            order: &grouped.order,
        };
        let rows = match &grouped.joined {
            Some(joined) => join_rows(rows, joined, &settings),
            None => rows,
        };
        let facts = renderer.of_groups(&settings);
        let values = rows
            .filter(renderer.expression(&fold(&grouped.only, &settings)))
            .group_by([col(grouped.by.as_str())])
            .agg(facts.into_iter().chain(beside).collect::<Vec<_>>())
            .collect_with_engine(engine)?
            .unwrap_single();
        let codes = RowsByText::new(values.column(&grouped.by)?.str()?.iter());
        Ok(Self { codes, values })
    }

    /// The value of a column for a dossier's row in this table.
    fn value(&self, row: &str, column: &str, name: &str) -> Expr {
        if self.codes.is_empty() {
            return null_of(dossier_facts(), name);
        }
        value_at(col(row), self.values.column(column).expect("it was just aggregated").clone())
    }
}

/// One row for the rows that are one thing.
fn join_rows(rows: LazyFrame, joined: &JoinedRows, settings: &Settings) -> LazyFrame {
    let renderer = FactRenderer {
        table: &joined.facts,
        days: None,
        lookup: &|name| unreachable!("rows that are joined look nothing up: `{name}`"),
        order: &[],
    };
    let lacks_key = || joined.by.iter().map(|name| col(name.as_str()).is_null()).reduce(Expr::or).unwrap_or(lit(true));
    let alone = |name: &str| when(lacks_key()).then(col(name)).otherwise(lit(NULL)).alias(format!("{name}_alone"));
    let keys = joined.by.iter().map(|name| col(name.as_str())).chain(["source", "source_key"].map(alone));
    rows.filter(renderer.expression(&fold(&joined.only, settings)))
        .group_by(keys.collect::<Vec<_>>())
        .agg(renderer.of_groups(settings))
}

/// The postal items that the post had accepted by `now`, one row for each, as [`PostLookup`] reads them: `dossier_code`,
/// `item_code`, `is_submission`, `is_return`, `taken_at`, `arrived_at`.
pub(super) fn joined_items(items: LazyFrame, now: i64) -> LazyFrame {
    let grouped = post_by_dossier();
    let joined = grouped.joined.as_ref().expect("the rows of items are joined");
    let settings = Settings::default().with("night.now", SettingValue::Number(now));
    let is_taken = predicate(&fold(&grouped.only, &settings));
    join_rows(items, joined, &settings).filter(is_taken)
}

/// The dossier notes.
#[derive(Debug)]
pub(super) struct NoteLookup {
    rows: GroupedRows,
    promises: Promises,
}

impl NoteLookup {
    /// Reads the notes known at `now`.
    pub(super) fn read(notes: LazyFrame, now: i64) -> PolarsResult<Self> {
        let promises = micros("apology_new_due_at").drop_nulls().alias("promises");
        let mut rows = GroupedRows::read(notes, notes_by_dossier(), now, vec![promises], Engine::InMemory)?;
        let promises = Promises::read(&rows.values.drop_in_place("promises")?)?;
        Ok(Self { rows, promises })
    }

    /// The dossier's row in this table, which [`NoteLookup::value`] needs.
    pub(super) fn row(&self) -> Option<Expr> {
        (!self.rows.codes.is_empty()).then(|| self.rows.codes.row(col("dossier_code")).alias("note"))
    }

    /// `note.…` and `promise.new_due_at`.
    pub(super) fn value(&self, name: &str) -> Expr {
        match name.strip_prefix("note.") {
            Some(column) => self.rows.value("note", column, name),
            None => self.promises.kept().unwrap_or_else(|| null_of(dossier_facts(), name)),
        }
    }
}

/// The postal items.
#[derive(Debug)]
pub(super) struct PostLookup(GroupedRows);

impl PostLookup {
    /// Reads the items that the post had accepted by `now`.
    pub(super) fn read(items: LazyFrame, now: i64) -> PolarsResult<Self> {
        Ok(Self(GroupedRows::read(items, post_by_dossier(), now, Vec::new(), Engine::Streaming)?))
    }

    /// Whether there are no items at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.codes.is_empty()
    }

    /// The dossier's rows in this table, by its own and by its national code. [`PostLookup::value`] needs them.
    pub(super) fn rows(&self) -> Vec<Expr> {
        let rows = [("dossier_code", "own_item"), ("national_code", "national_item")];
        let rows = rows.iter().filter(|_| !self.is_empty());
        rows.map(|(code, row)| self.0.codes.row(col(*code)).alias(*row)).collect()
    }

    /// `own_item.…` and `national_item.…`.
    pub(super) fn value(&self, name: &str) -> Expr {
        let (row, column) = name.split_once('.').expect("a column of a look-up");
        self.0.value(row, column, name)
    }
}

/// The new due dates that the notes of a dossier promise, for dossiers of which several notes promise different ones.
#[derive(Debug)]
struct Promises(Arc<PlHashMap<IdxSize, Vec<i64>>>);

impl Promises {
    /// Reads one list of instants for each row of the table of notes.
    fn read(lists: &Column) -> PolarsResult<Self> {
        let mut promises = PlHashMap::new();
        for (row, list) in (0..).zip(lists.list()?.series_iter()) {
            let Some(list) = list else { continue };
            let mut instants: Vec<i64> = list.i64()?.iter().flatten().collect();
            instants.sort_unstable();
            if instants.first() != instants.last() {
                promises.insert(row, instants);
            }
        }
        Ok(Self(Arc::new(promises)))
    }

    /// The promise that is the dossier's due date, the earliest if several are; `None` if no dossier has several.
    ///
    /// A due date that any of the apologies gave is not the one that the office had to keep.
    fn kept(&self) -> Option<Expr> {
        if self.0.is_empty() {
            return None;
        }
        let promises = Arc::clone(&self.0);
        let choose = move |columns: &mut [Column]| -> PolarsResult<Column> {
            let (notes, dues) = (columns[0].idx()?, columns[1].i64()?);
            let promise_of_due = |(note, due): (Option<IdxSize>, Option<i64>)| {
                let due = due?;
                promises.get(&note?)?.iter().copied().find(|promise| is_same_date(due, *promise))
            };
            let chosen: Int64Chunked = notes.iter().zip(dues.iter()).map(promise_of_due).collect();
            Ok(chosen.with_name(columns[0].name().clone()).into_column())
        };
        Some(col("note").map_many(choose, &[micros("due_at")], |_, fields| {
            Ok(Field::new(fields[0].name().clone(), DataType::Int64))
        }))
    }
}

/// Whether two due dates are the same. Midnight stands for a date without a time of day, which is compared by its day.
fn is_same_date(due: i64, promise: i64) -> bool {
    let offset = offset_micros();
    let local = |instant: i64| instant + offset;
    let is_date = |instant: i64| local(instant).rem_euclid(DAY_MICROS) == 0;
    let day = |instant: i64| local(instant).div_euclid(DAY_MICROS);
    due == promise || (is_date(due) || is_date(promise)) && day(due) == day(promise)
}
