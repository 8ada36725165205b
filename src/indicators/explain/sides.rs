//! What a dossier is to a figure, as expressions over its facts.

use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::day_number;
use crate::expressions::{Comparison, Expression};
use crate::indicators::IndicatorError;
use crate::indicators::explain::Side;
use crate::indicators::groups::{between, day_column};
use crate::indicators::polars_expressions::predicate;
use crate::indicators::sums::{IndicatorPredicates, Membership, amount_of};
use crate::model::indicator::{IndicatorDefinition, IndicatorKind};
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// The procedures that have dossiers of the kind that [`IndicatorDefinition::having`] asks for, with the year of the
/// dossiers: `true` if that is certain, `false` if it is possible.
pub(super) type ProceduresHaving = PlHashMap<(Option<IdxSize>, i32), bool>;

/// Decides the side of each dossier.
pub(super) struct Sides {
    membership: Membership,
    /// For a mean, points or a median: the dossier's amount.
    amount: Option<Expression>,
    /// Whether the dossier is filed in the period.
    is_filed: Expression,
    having: Option<Arc<ProceduresHaving>>,
    /// What must be true of a dossier that counts, in the order in which it is asked. `having` and `is_filed` are the
    /// last two.
    conditions: Vec<Expression>,
    day_column: &'static str,
}

impl Sides {
    pub(super) fn new(
        definition: &IndicatorDefinition,
        rules: &RuleSet,
        period: Period,
        having: Option<ProceduresHaving>,
    ) -> Result<Self, IndicatorError> {
        let predicates = IndicatorPredicates::read(definition, rules)?;
        let membership = predicates.at_moment();
        let day_column = day_column(definition.period);
        let is_filed = match definition.kind {
            IndicatorKind::Stock => Expression::column(day_column)
                .compared(Comparison::LessOrEqual, Expression::Number(day_number(period.end()).into())),
            _ => between(day_column, period.start(), period.end()),
        };
        let amount = definition.of.map(amount_of);
        let mut conditions = Vec::new();
        for condition in predicates.conditions() {
            add_conjuncts(&condition, &mut conditions);
        }
        if amount.is_some() {
            add_conjuncts(&membership.numerator, &mut conditions);
        }
        if let Some(having) = predicates.having()? {
            conditions.push(having);
        }
        conditions.push(Expression::column(day_column).is_null().negated());
        Ok(Self { membership, amount, is_filed, having: having.map(Arc::new), conditions, day_column })
    }

    pub(super) fn conditions(&self) -> &[Expression] {
        &self.conditions
    }

    /// The conditions with those of the numerator, which leave nothing out of the denominator.
    pub(super) fn all_conditions(&self) -> Vec<Expression> {
        let mut all = self.conditions.clone();
        let filed = all.pop();
        add_conjuncts(&self.membership.numerator, &mut all);
        all.extend(filed);
        all
    }

    /// The number of the [`Side`], as the column `side`.
    pub(super) fn side(&self) -> Expr {
        let side = |side: Side| lit(side as u32);
        let in_numerator = predicate(&self.membership.numerator.clone().is_true());
        let is_unknown = predicate(&self.membership.numerator.clone().is_null());
        let of_counted = match &self.amount {
            Some(amount) => {
                let has_amount = predicate(amount).is_not_null();
                when(in_numerator.clone().and(has_amount))
                    .then(side(Side::InNumerator))
                    .when(in_numerator.or(is_unknown))
                    .then(side(Side::Unknown))
                    .otherwise(side(Side::Excluded))
            }
            None => when(in_numerator)
                .then(side(Side::InNumerator))
                .when(is_unknown)
                .then(side(Side::Unknown))
                .otherwise(side(Side::NotInNumerator)),
        };
        let [has_certain, has_possible] = match &self.having {
            Some(having) => [has(having, self.day_column, true), has(having, self.day_column, false)],
            None => [lit(true), lit(true)],
        };
        let is_undecided = match &self.membership.undecided {
            Some(undecided) => predicate(undecided),
            None => lit(false),
        };
        let is_counted = predicate(&self.membership.denominator);
        when(predicate(&self.is_filed.clone().is_true()).not())
            .then(side(Side::Excluded))
            .when(is_counted.clone().and(has_certain))
            .then(of_counted)
            .when(is_counted.or(is_undecided).and(has_possible))
            .then(side(Side::Undecided))
            .otherwise(side(Side::Excluded))
            .cast(DataType::UInt32)
            .alias("side")
    }

    /// For excluded dossiers the position of the first condition that is false, as the column `excluded_by`.
    pub(super) fn excluded_by(&self) -> Expr {
        let last = u32::try_from(self.conditions.len() - 1).expect("a predicate has few conditions");
        let having = self.having.as_ref().map(|having| (last - 1, has(having, self.day_column, false).not()));
        let is_false = |(number, condition): (u32, &Expression)| match &having {
            Some((place, is_missing)) if *place == number => (number, is_missing.clone()),
            _ => (number, predicate(&condition.clone().negated().is_true())),
        };
        let numbered = (0..last).zip(&self.conditions).map(is_false);
        let first =
            numbered.rev().fold(lit(last), |rest, (number, is_false)| when(is_false).then(lit(number)).otherwise(rest));
        when(col("side").eq(lit(Side::Excluded as u32)))
            .then(first)
            .otherwise(lit(NULL))
            .cast(DataType::UInt32)
            .alias("excluded_by")
    }
}

/// Adds the conditions that an `AND` joins.
pub(super) fn add_conjuncts(condition: &Expression, conditions: &mut Vec<Expression>) {
    match condition {
        Expression::And(left, right) => {
            add_conjuncts(left, conditions);
            add_conjuncts(right, conditions);
        }
        Expression::Flag(true) => {}
        other if conditions.contains(other) => {}
        other => conditions.push(other.clone()),
    }
}

/// Whether the dossier's procedure has, or may have, dossiers of the kind in the dossier's year.
fn has(having: &Arc<ProceduresHaving>, day_column: &str, for_certain: bool) -> Expr {
    let having = Arc::clone(having);
    let find = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let (procedures, years) = (columns[0].idx()?, columns[1].i32()?);
        let found: BooleanChunked = procedures
            .iter()
            .zip(years.iter())
            .map(|(procedure, year)| {
                year.and_then(|year| having.get(&(procedure, year))).is_some_and(|certain| *certain || !for_certain)
            })
            .collect();
        Ok(found.with_name(columns[0].name().clone()).into_column())
    };
    col("procedure")
        .map_many(find, &[year_of(day_column)], |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Boolean)))
}

/// The calendar year of a column of day numbers.
fn year_of(day_column: &str) -> Expr {
    col(day_column).cast(DataType::Date).dt().year().alias("year")
}

/// The procedures with dossiers of the kind, from 1 January of the period's first year to its end.
pub(super) fn procedures_having(
    facts: LazyFrame,
    definition: &IndicatorDefinition,
    rules: &RuleSet,
    period: Period,
) -> Result<ProceduresHaving, IndicatorError> {
    let day_column = day_column(definition.period);
    let predicates = IndicatorPredicates::read(definition, rules)?;
    let [certain, possible] = predicates.procedures_with()?;
    let or_none = |condition: Option<Expression>| condition.map_or(lit(false), |condition| predicate(&condition));
    let is_near = between(day_column, period.start().first_of_year(), period.end()).is_true();
    let found = facts
        .filter(predicate(&is_near).and(col("agency").is_not_null()))
        .select([
            col("procedure"),
            year_of(day_column),
            or_none(certain).alias("certain"),
            or_none(possible).alias("possible"),
        ])
        .group_by([col("procedure"), col("year")])
        .agg([col("certain").any(true), col("possible").any(true)])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (procedures, years) = (found.column("procedure")?.idx()?, found.column("year")?.i32()?);
    let (certain, possible) = (found.column("certain")?.bool()?, found.column("possible")?.bool()?);
    let mut having = ProceduresHaving::new();
    for row in 0..found.height() {
        let Some(year) = years.get(row) else { continue };
        let is_certain = certain.get(row) == Some(true);
        if is_certain || possible.get(row) == Some(true) {
            having.insert((procedures.get(row), year), is_certain);
        }
    }
    Ok(having)
}
