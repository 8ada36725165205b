//! The group-bys over the dossiers: which indicators each of them serves, and how its keys are built and read.
//!
//! A key is one `u64` that packs the agency with half-months, a procedure or an amount. Grouping by one number is
//! several times faster than by as many columns. The parts of a key from the highest bit to the lowest, with their
//! bits:
//!
//! | kind | parts |
//! |---|---|
//! | `AtMoment`, `LatestDay` | agency 28, start 12 |
//! | `ByEnd` | agency 28, start 12, half-month of the end 12, half-month of becoming overdue 12 |
//! | `ByProcedure` | procedure + 1 (0: none), agency 28, start 12 |
//! | `ByAmount` | agency 28, start 12, amount 12 |

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::*;

use crate::calendar::day_number;
use crate::expressions::{Comparison, Expression, names_state, parse};
use crate::indicators::IndicatorError;
use crate::indicators::inputs::ComputedIndicator;
use crate::indicators::registry_lookups::half_month_at;
use crate::indicators::sums::{IndicatorPredicates, IndicatorSums, StillReachable, SumColumns, Summed, amount_of};
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind, PeriodColumn};
use crate::model::period::{HalfMonth, Period};
use crate::model::rules::{AsOf, RuleSet};

/// What a group-by has in its key besides the agency and the half-month of the period column (the start).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupKind {
    /// Nothing. The sums use the state at the rule set's moment.
    AtMoment,
    /// The half-months in which the dossier ended and became overdue, so that each period can use the state at its own
    /// end.
    ByEnd,
    /// The procedure, for indicators of procedures that have dossiers of a kind.
    ByProcedure,
    /// The amount, for medians.
    ByAmount,
    /// Nothing. Serves the latest dossier of an agency up to the period's end.
    LatestDay,
}

/// One group-by of the scan.
#[derive(Debug)]
pub(super) struct GroupQuery {
    /// The date whose half-month is the start.
    pub(super) period_column: PeriodColumn,
    pub(super) kind: GroupKind,
    /// The indicators that it serves: position in the rule set's list, and their sums.
    pub(super) members: Vec<(usize, IndicatorSums)>,
    sums: SumColumns,
    /// Condition on the dossiers that are grouped; `None` for all that have a start.
    only: Option<Expression>,
    /// The amount of [`GroupKind::ByAmount`].
    amount: Option<Expression>,
}

/// The key of a row, unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupKey {
    pub(super) agency: u32,
    pub(super) start: HalfMonth,
    /// For [`GroupKind::ByEnd`]; `None` if the dossiers have not ended.
    pub(super) ended: Option<HalfMonth>,
    /// For [`GroupKind::ByEnd`]; `None` if the dossiers have not become overdue.
    pub(super) overdue: Option<HalfMonth>,
    /// For [`GroupKind::ByProcedure`]: number of the procedure, `None` if the dossiers name none.
    pub(super) procedure: Option<IdxSize>,
    /// For [`GroupKind::ByAmount`]; 0 for dossiers whose amount is not known, which the sums distinguish.
    pub(super) amount: u64,
}

/// Bits of a half-month and of an amount in a key.
const HALF_BITS: u32 = 12;
const AGENCY_BITS: u32 = 28;
const NO_HALF: u64 = (1 << HALF_BITS) - 1;
/// Amounts are capped at 4,095 hours, which is more than five hundred working days.
pub(super) const HIGHEST_AMOUNT: i64 = (1 << HALF_BITS) - 1;

impl GroupKind {
    /// Unpacks a key that [`GroupQuery::plan`] has packed.
    pub(super) fn read_key(self, key: u64) -> GroupKey {
        let half = |bits: u32| key >> bits & NO_HALF;
        let half_month = |half: u64| (half != NO_HALF).then(|| half_month_at(half));
        let agency = |bits: u32| u32::try_from(key >> bits & ((1 << AGENCY_BITS) - 1)).expect("28 bits fit");
        // The key whose start begins at a bit, and whose agency comes above it.
        let start_at = |bits: u32| GroupKey {
            agency: agency(bits + HALF_BITS),
            start: half_month_at(half(bits)),
            ended: None,
            overdue: None,
            procedure: None,
            amount: 0,
        };
        match self {
            Self::AtMoment | Self::LatestDay => start_at(0),
            Self::ByEnd => {
                GroupKey { ended: half_month(half(HALF_BITS)), overdue: half_month(half(0)), ..start_at(2 * HALF_BITS) }
            }
            Self::ByProcedure => {
                let number = key >> (AGENCY_BITS + HALF_BITS);
                let procedure = number.checked_sub(1).and_then(|number| IdxSize::try_from(number).ok());
                GroupKey { procedure, ..start_at(0) }
            }
            Self::ByAmount => GroupKey { amount: half(0), ..start_at(HALF_BITS) },
        }
    }
}

impl GroupQuery {
    fn new(period_column: PeriodColumn, kind: GroupKind) -> Self {
        Self { period_column, kind, members: Vec::new(), sums: SumColumns::default(), only: None, amount: None }
    }

    /// The expressions that are added up, by position.
    pub(super) fn expressions(&self) -> impl ExactSizeIterator<Item = &Expression> {
        self.sums.expressions()
    }

    /// What is made of an expression's values, by position.
    pub(super) fn summed(&self, position: usize) -> Summed {
        self.sums.summed(position)
    }

    /// The condition on the dossiers that are grouped; `None` for all that have a start.
    pub(super) fn only(&self) -> Option<&Expression> {
        self.only.as_ref()
    }

    /// The amount of [`GroupKind::ByAmount`].
    pub(super) fn amount(&self) -> Option<&Expression> {
        self.amount.as_ref()
    }

    /// Which dossiers are grouped. `period`: the only one that is counted.
    pub(super) fn is_grouped(&self, period: Option<Period>) -> Expression {
        let day = day_column(self.period_column);
        let starts = match (period, self.kind) {
            (None, _) => Expression::column(day).is_null().negated(),
            // Whether a procedure has dossiers of a kind is decided from 1 January to the period's end.
            (Some(period), GroupKind::ByProcedure) => between(day, period.start().first_of_year(), period.end()),
            // Dossiers that are open at the end, or an agency's latest one, may have started before the period.
            (Some(period), GroupKind::ByEnd | GroupKind::LatestDay) => by(day, period.end()),
            (Some(period), _) => between(day, period.start(), period.end()),
        };
        let is_grouped = starts.and(Expression::column("agency").is_null().negated());
        self.only.iter().cloned().fold(is_grouped, Expression::and)
    }

    /// What the key is packed from, from its highest bits to its lowest.
    pub(super) fn key_parts(&self, period: Option<Period>) -> Vec<KeyPart> {
        let agency = KeyPart::Agency(Expression::column("agency"));
        let start = KeyPart::HalfMonth(Expression::column(day_column(self.period_column)));
        // What happens after the end of the period asked for is ignored.
        let of_day = |day: &str| match period {
            None => Expression::column(day),
            Some(period) => Expression::case(by(day, period.end()), Expression::column(day), Expression::Null),
        };
        let half_or_none = |day: &str| KeyPart::HalfMonthOrNone(of_day(day));
        match (self.kind, &self.amount) {
            (GroupKind::AtMoment | GroupKind::LatestDay, _) => vec![agency, start],
            (GroupKind::ByEnd, _) => vec![agency, start, half_or_none("ended_day"), half_or_none("overdue_day")],
            (GroupKind::ByProcedure, _) => vec![KeyPart::Procedure(Expression::column("procedure")), agency, start],
            (GroupKind::ByAmount, Some(amount)) => vec![agency, start, KeyPart::Amount(amount.clone())],
            (GroupKind::ByAmount, None) => unreachable!("the definition of a median names its amount"),
        }
    }
}

/// A part of a key, with the expression whose value it has.
#[derive(Debug, Clone)]
pub(super) enum KeyPart {
    /// The number of the agency.
    Agency(Expression),
    /// The half-month of a day.
    HalfMonth(Expression),
    /// The same, of a day that may be null.
    HalfMonthOrNone(Expression),
    /// The number of the procedure, or null.
    Procedure(Expression),
    Amount(Expression),
}

impl KeyPart {
    pub(super) fn expression(&self) -> &Expression {
        match self {
            Self::Agency(of)
            | Self::HalfMonth(of)
            | Self::HalfMonthOrNone(of)
            | Self::Procedure(of)
            | Self::Amount(of) => of,
        }
    }

    /// How many bits of the key it has; a procedure has the highest ones, whatever their number.
    pub(super) fn bits(&self) -> u32 {
        match self {
            Self::Agency(_) => AGENCY_BITS,
            Self::HalfMonth(_) | Self::HalfMonthOrNone(_) | Self::Amount(_) => HALF_BITS,
            Self::Procedure(_) => u64::BITS - AGENCY_BITS - HALF_BITS,
        }
    }

    /// Its bits of a column: of the expression's values, or of their half-months.
    pub(super) fn number(&self, column: Expr) -> Expr {
        match self {
            Self::Agency(_) | Self::HalfMonth(_) => column.cast(DataType::UInt64),
            Self::HalfMonthOrNone(_) => column.cast(DataType::UInt64).fill_null(lit(NO_HALF)),
            // 0 if there is no procedure.
            Self::Procedure(_) => (column.cast(DataType::UInt64) + lit(1_u64)).fill_null(lit(0_u64)),
            Self::Amount(_) => column.clip(lit(0_i64), lit(HIGHEST_AMOUNT)).cast(DataType::UInt64),
        }
    }
}

/// The column of the day that assigns a dossier to a period.
pub(super) fn day_column(period_column: PeriodColumn) -> &'static str {
    match period_column {
        PeriodColumn::ReceivedAt => "received_day",
        PeriodColumn::ReturnedAt => "returned_day",
        PeriodColumn::EndedAt => "ended_day",
        PeriodColumn::Stated => unreachable!("a measure names its period and has no day"),
    }
}

/// Whether a day is between two days, both included.
pub(super) fn between(day: &str, first: Date, last: Date) -> Expression {
    compared(Comparison::GreaterOrEqual, day, first).and(by(day, last))
}

/// Whether a day is not after another.
fn by(day: &str, last: Date) -> Expression {
    compared(Comparison::LessOrEqual, day, last)
}

fn compared(comparison: Comparison, day: &str, with: Date) -> Expression {
    Expression::column(day).compared(comparison, Expression::Number(day_number(with).into()))
}

/// The group-bys that a rule set's indicators need. Indicators with the same period column and kind share one.
pub(super) fn plan_groups(
    indicators: &[ComputedIndicator<'_>],
    rules: &RuleSet,
    period: Option<Period>,
    still_reachable: StillReachable,
) -> Result<Vec<GroupQuery>, IndicatorError> {
    let mut groups: BTreeMap<(PeriodColumn, GroupKind, usize), GroupQuery> = BTreeMap::new();
    for (index, definition) in indicators.iter().map(|indicator| indicator.definition).enumerate() {
        let kind = group_kind(definition, rules, period);
        if matches!(definition.over, CountedUnit::Procedures | CountedUnit::Agencies) {
            // Registries are counted in periods that have dossiers, which this group-by finds.
            let (column, kind) = (PeriodColumn::ReceivedAt, GroupKind::AtMoment);
            groups.entry((column, kind, 0)).or_insert_with(|| GroupQuery::new(column, kind));
        }
        let Some(kind) = kind else { continue };
        // Each median has a group-by of its own, because its amount is in the key.
        let own_number = if kind == GroupKind::ByAmount { index + 1 } else { 0 };
        let mut add = |column: PeriodColumn, predicates: &IndicatorPredicates<'_>| -> Result<(), IndicatorError> {
            let group = groups.entry((column, kind, own_number)).or_insert_with(|| GroupQuery::new(column, kind));
            let inside = period.filter(|_| kind == GroupKind::ByProcedure);
            let inside = inside.map(|period| between(day_column(column), period.start(), period.end()));
            let sums = match kind {
                GroupKind::ByEnd => predicates.sum_by_state(&mut group.sums),
                _ => predicates.sum_at_moment(&mut group.sums, still_reachable, inside.as_ref())?,
            };
            if kind == GroupKind::ByAmount {
                let membership = predicates.at_moment();
                group.amount =
                    definition.of.map(|amount| Expression::First(vec![amount_of(amount), Expression::Number(0)]));
                group.only = Some(membership.undecided.into_iter().fold(membership.denominator, Expression::or));
            }
            group.members.push((index, sums));
            Ok(())
        };
        add(definition.period, &IndicatorPredicates::read(definition, rules)?)?;
        if let Some(other) = &definition.also {
            add(other.period, &IndicatorPredicates::read_other(definition, other, rules)?)?;
        }
    }
    Ok(groups.into_values().collect())
}

/// The kind of group-by that an indicator needs; `None` if the registries alone decide it.
fn group_kind(definition: &IndicatorDefinition, rules: &RuleSet, period: Option<Period>) -> Option<GroupKind> {
    if definition.is_of_registry() {
        return None;
    }
    if definition.kind == IndicatorKind::Stock {
        return Some(GroupKind::ByEnd);
    }
    if definition.kind == IndicatorKind::Median {
        return Some(GroupKind::ByAmount);
    }
    let predicates = [Some(&definition.population), Some(&definition.numerator), definition.denominator.as_ref()];
    let uses_state =
        predicates.into_iter().flatten().any(|text| parse(text).is_ok_and(|predicate| names_state(&predicate)));
    // A dossier that ended in a period has also ended at the period's end, so its state needs no second look. Amounts are
    // read at the night: sums by state count dossiers.
    let at_period_end = rules.as_of == AsOf::PeriodEnd && definition.period != PeriodColumn::EndedAt;
    Some(match (definition.over, &definition.having) {
        (CountedUnit::Agencies, _) => GroupKind::LatestDay,
        (CountedUnit::Procedures, _) | (_, Some(_)) => GroupKind::ByProcedure,
        (_, None) if uses_state && at_period_end && period.is_none() && definition.of.is_none() => GroupKind::ByEnd,
        _ => GroupKind::AtMoment,
    })
}
