//! Figures over feedback (phản ánh, kiến nghị): few rows, a plan of their own.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::compute::{Inputs, agencies_of, half, measures};
use crate::indicators::facts::{flag, left};
use crate::indicators::figures::{Assembly, Group, Shape};
use crate::indicators::registered::Registered;
use crate::indicators::registers;
use crate::indicators::states::{end_of_due, local_day, micros};
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, PeriodColumn, RuleSet};

/// The figures of indicators over feedback. What is not yet handled or published still can be: all of the whole is
/// reachable.
pub(super) fn figures(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    indicators: &[&(&Definition, &str)],
) -> Result<Vec<Figure>, IndicatorError> {
    let agency_text = || coalesce(&[col("agency"), lit(NO_AGENCY)]).alias("agency_text");
    let agencies = agencies_of(inputs, inputs.feedback.clone(), agency_text())?;
    let is_known = |date: &str| micros(date).lt_eq(lit(inputs.now)).fill_null(lit(false));
    let facts = inputs.feedback.clone().with_columns([
        agency_text(),
        local_day(micros("received_at")).alias("day"),
        flag("deleted").not().and(is_known("received_at")).alias("is_received"),
        is_known("handled_at").or(col("handled_at").is_null().and(col("outcome").is_not_null())).alias("is_handled"),
        is_known("handled_at")
            .and(micros("handled_at").lt_eq(end_of_due(micros("due_at"))).fill_null(lit(false)))
            .alias("is_handled_in_time"),
        is_known("answered_at").alias("is_answered"),
        is_known("published_at").alias("is_published"),
    ]);
    let facts = facts.drop(cols(["agency"]));
    let facts = left(facts, registers::days(inputs.calendar, inputs.offers, &agencies)?, &["day"]);
    let facts = left(facts, registers::agency_meanings(&agencies)?, &["agency_text", "agency_epoch"]);
    let facts = facts.with_columns([
        flag("agency_vertical"),
        flag("agency_known"),
        when(col("is_received")).then(col("day")).otherwise(lit(NULL)).alias("received_day"),
    ]);
    let mut columns = Vec::new();
    for (index, (definition, _)) in indicators.iter().enumerate() {
        columns.extend(measures(index, definition, rules, Shape::Plain, false)?);
    }
    let reachable = (0..indicators.len()).map(|index| col(format!("whole{index}")).alias(format!("reachable{index}")));
    let facts = facts
        .with_columns([half("received_day").alias("received_half")])
        .with_columns(columns)
        .with_columns(reachable.collect::<Vec<_>>());
    let group =
        Group { period: PeriodColumn::ReceivedAt, shape: Shape::Plain, indicators: (0..indicators.len()).collect() };
    let table = group.query(facts, inputs.period).collect_with_engine(Engine::Streaming)?.unwrap_single();
    let registered = Registered::default();
    let mut assembly = Assembly::new(&agencies, indicators, &rules.id, inputs.period, inputs.now, &registered);
    assembly.add(&group, &table)?;
    Ok(assembly.figures())
}
