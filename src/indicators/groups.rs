//! The group-bys of a scan: which indicators go into which, and what their keys say.
//!
//! A key is one whole number: an agency, and half-months or a procedure. One number is grouped several times faster than as
//! many columns.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::*;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::figures::Indicator;
use crate::indicators::measures::{Measured, Open, Predicates, Sums, amount_of};
use crate::indicators::registers::{self, Halves};
use crate::model::indicator::{Definition, IndicatorKind, Over, PeriodColumn};
use crate::model::period::{Half, Period};
use crate::model::predicate::speaks_of_state;
use crate::model::rules::{AsOf, RuleSet};

/// What a group-by is by, besides agency and half-month of the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Nothing: dossiers stand in the state of the rule set's moment.
    Plain,
    /// The half-months in which it ended and from which on it is overdue: each period reads the state at its own end.
    ByEnd,
    /// Procedure, for indicators of procedures that have dossiers of a kind.
    ByProcedure,
    /// The amount, for medians.
    ByAmount,
    /// Nothing, whatever came before the period's end: for the latest dossier of an agency.
    Latest,
}

/// One group-by of the scan.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) period: PeriodColumn,
    pub(super) shape: Shape,
    /// Positions of its indicators, each with its sums.
    pub(super) members: Vec<(usize, Measured)>,
    sums: Sums,
    /// Rows that are read at all, where that is fewer than have a day.
    only: Option<Expr>,
    amount: Option<Expr>,
}

/// Key of a row of a group-by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) agency: u32,
    pub(super) start: Half,
    /// Half-months, by [`Shape::ByEnd`].
    pub(super) ended: Option<Half>,
    pub(super) overdue: Option<Half>,
    /// By [`Shape::ByProcedure`]: its number, `None` where the dossier names none.
    pub(super) procedure: Option<IdxSize>,
    /// By [`Shape::ByAmount`].
    pub(super) amount: u64,
}

/// Bits of a half-month, of an agency and of an amount in a key.
const HALF_BITS: u32 = 12;
const AGENCY_BITS: u32 = 28;
const NO_HALF: u64 = (1 << HALF_BITS) - 1;
/// Amounts above it count as it: a median beyond five hundred working days says what it has to.
pub(super) const HIGHEST_AMOUNT: i64 = (1 << HALF_BITS) - 1;

fn shifted(number: Expr, bits: u32) -> Expr {
    number.cast(DataType::UInt64) * lit(1_u64 << bits)
}

impl Shape {
    /// What a key says.
    pub(super) fn read_key(self, key: u64) -> Key {
        let half = |bits: u32| key >> bits & NO_HALF;
        let known = |half: u64| (half != NO_HALF).then(|| registers::half_at(half));
        let agency = |bits: u32| u32::try_from(key >> bits & ((1 << AGENCY_BITS) - 1)).expect("28 bits");
        let of = |bits: u32| Key {
            agency: agency(bits + HALF_BITS),
            start: registers::half_at(half(bits)),
            ended: None,
            overdue: None,
            procedure: None,
            amount: 0,
        };
        match self {
            Self::Plain | Self::Latest => of(0),
            Self::ByEnd => Key { ended: known(half(HALF_BITS)), overdue: known(half(0)), ..of(2 * HALF_BITS) },
            Self::ByProcedure => {
                let number = key >> (AGENCY_BITS + HALF_BITS);
                let procedure = number.checked_sub(1).and_then(|number| IdxSize::try_from(number).ok());
                Key { procedure, ..of(0) }
            }
            Self::ByAmount => Key { amount: half(0), ..of(HALF_BITS) },
        }
    }
}

impl Group {
    /// How many columns of sums it has.
    pub(super) fn width(&self) -> usize {
        self.sums.columns().len()
    }

    fn key(&self, halves: &Halves, period: Option<Period>) -> Expr {
        let half_of = |day: Expr| halves.half(day).cast(DataType::UInt64);
        let agency_and_start = shifted(col("agency"), HALF_BITS) + half_of(col(day_column(self.period)));
        let or_none = |day: &str| {
            // What comes after the period asked for has not come.
            let come = period.map_or(lit(true), |period| col(day).lt_eq(lit(day_number(period.end()))));
            half_of(when(come).then(col(day)).otherwise(lit(NULL))).fill_null(lit(NO_HALF))
        };
        match (self.shape, &self.amount) {
            (Shape::Plain | Shape::Latest, _) => agency_and_start,
            (Shape::ByEnd, _) => {
                shifted(agency_and_start, 2 * HALF_BITS)
                    + shifted(or_none("ended_day"), HALF_BITS)
                    + or_none("overdue_day")
            }
            (Shape::ByProcedure, _) => {
                let number = (col("procedure").cast(DataType::UInt64) + lit(1_u64)).fill_null(lit(0_u64));
                shifted(number, AGENCY_BITS + HALF_BITS) + agency_and_start
            }
            (Shape::ByAmount, Some(amount)) => {
                shifted(agency_and_start, HALF_BITS)
                    + amount.clone().clip(lit(0_i64), lit(HIGHEST_AMOUNT)).cast(DataType::UInt64)
            }
            (Shape::ByAmount, None) => unreachable!("a median is one of something"),
        }
    }

    /// One row a key: `key`, `count` and the sums.
    pub(super) fn query(&self, facts: LazyFrame, halves: &Halves, period: Option<Period>) -> LazyFrame {
        let day = day_column(self.period);
        let counted = match (period, self.shape) {
            (None, _) => col(day).is_not_null(),
            // Whether a procedure has such dossiers is asked of the calendar year.
            (Some(period), Shape::ByProcedure) => {
                between(day, period.start().first_of_year(), period.end().last_of_year())
            }
            // What is open at the end, or the latest before it, was received whenever.
            (Some(period), Shape::ByEnd | Shape::Latest) => col(day).lt_eq(lit(day_number(period.end()))),
            (Some(period), _) => between(day, period.start(), period.end()),
        };
        let counted = counted.and(col("agency").is_not_null());
        let counted = self.only.iter().fold(counted, |counted, only| counted.and(only.clone()));
        // Not a filter: plans that start with different ones would each read the table by themselves.
        let key = when(counted).then(self.key(halves, period)).otherwise(lit(NULL)).alias("key");
        let columns = [vec![key], self.sums.columns()].concat();
        let aggregates = [vec![len().alias("count")], self.sums.aggregates()].concat();
        facts.select(columns).group_by([col("key")]).agg(aggregates).filter(col("key").is_not_null())
    }
}

/// The column of the day that files a dossier under a period.
pub(super) fn day_column(period: PeriodColumn) -> &'static str {
    match period {
        PeriodColumn::ReceivedAt => "received_day",
        PeriodColumn::ReturnedAt => "returned_day",
        PeriodColumn::EndedAt => "ended_day",
        PeriodColumn::Stated => unreachable!("what is stated is not filed by a day"),
    }
}

/// Whether a day lies between two, both inclusive.
pub(super) fn between(day: &str, first: Date, last: Date) -> Expr {
    let number = |day| lit(day_number(day));
    col(day).gt_eq(number(first)).and(col(day).lt_eq(number(last)))
}

/// The group-bys that a set of indicators needs.
pub(super) fn plan(
    indicators: &[Indicator<'_>],
    rules: &RuleSet,
    period: Option<Period>,
    open: Open,
) -> Result<Vec<Group>, IndicatorError> {
    let mut groups: BTreeMap<(PeriodColumn, Shape, usize), Group> = BTreeMap::new();
    let new =
        |period, shape| Group { period, shape, members: Vec::new(), sums: Sums::default(), only: None, amount: None };
    for (index, definition) in indicators.iter().map(|entry| entry.definition).enumerate() {
        let shape = shape_of(definition, rules, period);
        if matches!(shape, None | Some(Shape::Latest)) {
            // What the registries hold is told of the periods that have dossiers.
            let key = (PeriodColumn::ReceivedAt, Shape::Plain, 0);
            groups.entry(key).or_insert_with(|| new(PeriodColumn::ReceivedAt, Shape::Plain));
        }
        let Some(shape) = shape else { continue };
        let alone = if shape == Shape::ByAmount { index + 1 } else { 0 };
        let group = groups.entry((definition.period, shape, alone)).or_insert_with(|| new(definition.period, shape));
        let predicates = Predicates::read(definition, rules)?;
        let inside = period.filter(|_| shape == Shape::ByProcedure);
        let inside = inside.map(|period| between(day_column(definition.period), period.start(), period.end()));
        let measured = match shape {
            Shape::ByEnd => predicates.sum_by_state(&mut group.sums),
            _ => predicates.sum_now(&mut group.sums, open, inside.as_ref())?,
        };
        if shape == Shape::ByAmount {
            let [.., part] = predicates.now();
            group.amount = definition.of.map(amount_of);
            group.only = group.amount.as_ref().map(|amount| part.and(amount.clone().is_not_null()));
        }
        group.members.push((index, measured));
    }
    Ok(groups.into_values().collect())
}

/// How an indicator is grouped; `None` where the registries alone decide it.
fn shape_of(definition: &Definition, rules: &RuleSet, period: Option<Period>) -> Option<Shape> {
    if definition.is_of_registry() {
        return None;
    }
    if definition.kind == IndicatorKind::Stock {
        return Some(Shape::ByEnd);
    }
    if definition.kind == IndicatorKind::Median {
        return Some(Shape::ByAmount);
    }
    let predicates = [Some(&definition.population), Some(&definition.numerator), definition.denominator.as_ref()];
    let speaks = predicates.into_iter().flatten().any(|text| speaks_of_state(text));
    // What ended in a period had ended at its end.
    let at_ends = rules.as_of == AsOf::PeriodEnd && definition.period != PeriodColumn::EndedAt;
    Some(match (definition.over, &definition.having) {
        (Over::Agencies, _) => Shape::Latest,
        (Over::Procedures, _) | (_, Some(_)) => Shape::ByProcedure,
        (_, None) if speaks && at_ends && period.is_none() => Shape::ByEnd,
        _ => Shape::Plain,
    })
}
