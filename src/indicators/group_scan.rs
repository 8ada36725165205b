//! Counts the rows of a table by the keys of many group-bys, in one pass over the table.
//!
//! The plan computes one column per key and one per sum, each once however many group-bys need it. Batches of its rows are
//! added up here and not by a group-by of Polars: that would hash each key and buffer the rows once per group-by, and turn
//! each flag into numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::*;

use crate::expressions::{FactTable, Settings, Stage};
use crate::indicators::groups::{GroupKind, GroupQuery, KeyPart};
use crate::indicators::polars_expressions::FactRenderer;
use crate::indicators::registry_lookups::HalfMonthLookup;
use crate::indicators::rows::{GroupRows, GroupSums, KeyRows};
use crate::indicators::shared_columns::{Names, SharedColumns};
use crate::model::period::Period;

/// The group-bys of one pass.
#[derive(Debug)]
pub(super) struct GroupScan<'a> {
    half_months: &'a HalfMonthLookup,
    period: Option<Period>,
    columns: SharedColumns,
    /// The days whose half-months the keys have.
    days: BTreeSet<PlSmallStr>,
    /// Keys by what they are packed from: group-bys with the same one share its rows.
    keys: BTreeMap<(GroupKind, Vec<PlSmallStr>), usize>,
    key_exprs: Vec<Expr>,
    rows: Vec<KeyRows>,
    groups: Vec<GroupSums>,
}

impl<'a> GroupScan<'a> {
    /// `period`: the only one that is counted; `None` for all.
    pub(super) fn new(half_months: &'a HalfMonthLookup, period: Option<Period>) -> Self {
        Self {
            half_months,
            period,
            columns: SharedColumns::default(),
            days: BTreeSet::new(),
            keys: BTreeMap::new(),
            key_exprs: Vec::new(),
            rows: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// The facts that settings decide, and the column that has the agency, as names for [`GroupScan::add`].
    pub(super) fn names(&mut self, table: &FactTable, settings: &Settings, agency: &str) -> Names {
        let mut names = Names::default();
        self.columns.add_facts(table, Stage::Rules, settings, &mut names);
        self.columns.rename("agency", agency, &mut names);
        names
    }

    /// Adds a group-by.
    pub(super) fn add(&mut self, group: &GroupQuery, names: &Names) {
        let is_grouped = self.columns.want(&group.is_grouped(self.period), names);
        let mut packed_from = vec![is_grouped.clone()];
        let mut key: Option<Expr> = None;
        for part in group.key_parts(self.period) {
            let column = self.columns.want(part.expression(), names);
            packed_from.push(column.clone());
            let column = match part {
                KeyPart::HalfMonth(_) | KeyPart::HalfMonthOrNone(_) => {
                    let half = half_month_name(&column);
                    self.days.insert(column);
                    half
                }
                _ => column,
            };
            let (bits, number) = (part.bits(), part.number(col(column)));
            key = Some(match key {
                Some(above) => above * lit(1_u64 << bits) + number,
                None => number,
            });
        }
        let key = key.expect("every key has an agency");
        let next = self.rows.len();
        let place = *self.keys.entry((group.kind, packed_from)).or_insert(next);
        if place == next {
            let key = when(col(is_grouped)).then(key).otherwise(lit(NULL));
            self.key_exprs.push(key.alias(key_name(place)));
            self.rows.push(KeyRows::new(group.kind));
        }
        let sums = group.expressions().map(|expression| self.columns.want(expression, names));
        self.groups.push(GroupSums::new(place, group, sums));
    }

    /// Reads the rows once; the counts of the group-bys in the order in which they were added.
    ///
    /// # Errors
    /// What Polars does not accept, or a table that cannot be read.
    pub(super) fn run(self, rows: LazyFrame, renderer: &FactRenderer<'_>) -> PolarsResult<Vec<GroupRows>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let halves =
            self.days.iter().map(|day| self.half_months.half_month(col(day.clone())).alias(half_month_name(day)));
        let sums: BTreeSet<&PlSmallStr> = self.groups.iter().flat_map(GroupSums::columns).collect();
        let sums = sums.into_iter().map(|name| col(name.clone()));
        let plan = self.columns.plan(rows, renderer).with_columns(halves.collect::<Vec<_>>());
        let plan = plan.select(self.key_exprs.iter().cloned().chain(sums).collect::<Vec<_>>());
        let counted = Arc::new(Mutex::new((self.rows, self.groups)));
        let of_sink = Arc::clone(&counted);
        let add = move |batch: DataFrame| -> PolarsResult<bool> {
            let (rows, groups) = &mut *of_sink.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, rows) in rows.iter_mut().enumerate() {
                rows.add(&batch, &key_name(place))?;
            }
            for group in groups {
                group.add(&batch, &rows[group.key])?;
            }
            Ok(false)
        };
        plan.sink_batches(PlanCallback::new(add), false, None)?.collect_with_engine(Engine::Streaming)?;
        let (rows, groups) = std::mem::take(&mut *counted.lock().unwrap_or_else(PoisonError::into_inner));
        let rows: Vec<Arc<KeyRows>> = rows.into_iter().map(|rows| Arc::new(rows.complete())).collect();
        let complete = |group: GroupSums| {
            let rows = &rows[group.key];
            group.complete(rows)
        };
        Ok(groups.into_iter().map(complete).collect())
    }
}

fn key_name(place: usize) -> PlSmallStr {
    format!("key{place}").into()
}

fn half_month_name(day: &PlSmallStr) -> PlSmallStr {
    format!("{day} half").into()
}
