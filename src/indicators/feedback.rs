//! Figures over feedback (phản ánh, kiến nghị): few rows, a plan of their own.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::compute::{Inputs, agencies_of, periods};
use crate::indicators::facts::flag;
use crate::indicators::figures::{Assembly, Indicator, Rows};
use crate::indicators::groups::plan;
use crate::indicators::measures::Open;
use crate::indicators::registers::{AgencyRegister, Halves, day_row};
use crate::indicators::states::{end_of_due, local_day, micros};
use crate::model::figure::Figure;
use crate::model::rules::RuleSet;

/// The figures of indicators over feedback. What is not yet handled or published still can be: all of the whole is
/// reachable.
pub(super) fn figures(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    indicators: &[Indicator<'_>],
) -> Result<Vec<Figure>, IndicatorError> {
    let agency_text = || coalesce(&[col("agency"), lit(NO_AGENCY)]).alias("agency_text");
    let agencies = agencies_of(inputs, inputs.feedback.clone(), agency_text())?;
    let is_known = |date: &str| micros(date).lt_eq(lit(inputs.now)).fill_null(lit(false));
    let facts = inputs.feedback.clone().with_columns([
        agency_text(),
        local_day(micros("received_at")).alias("day"),
        day_row(local_day(micros("received_at"))).alias("day_row"),
        flag("deleted").not().and(is_known("received_at")).alias("is_received"),
        is_known("handled_at").or(col("handled_at").is_null().and(col("outcome").is_not_null())).alias("is_handled"),
        is_known("handled_at")
            .and(micros("handled_at").lt_eq(end_of_due(micros("due_at"))).fill_null(lit(false)))
            .alias("is_handled_in_time"),
        col("due_at").is_not_null().alias("has_due_date"),
        is_known("answered_at").alias("is_answered"),
        is_known("published_at").alias("is_published"),
    ]);
    let facts = AgencyRegister::new(&agencies).join(facts.drop(cols(["agency"])), col("agency_text"));
    let facts =
        facts.with_columns([when(col("is_received")).then(col("day")).otherwise(lit(NULL)).alias("received_day")]);
    let halves = Halves::new();
    let mut figures = Vec::new();
    for group in plan(indicators, rules, inputs.period, Open::All)? {
        let query = group.query(facts.clone(), &halves, inputs.period);
        let mut rows = Rows::of(&group);
        rows.add(&query.collect_with_engine(Engine::Streaming)?.unwrap_single())?;
        let periods = periods(inputs, std::slice::from_ref(&rows));
        let assembly = Assembly {
            agencies: &agencies,
            periods: &periods,
            with_dossiers: &[],
            rules: rules.id.as_str().into(),
            now: inputs.now,
        };
        for (index, measured) in &group.members {
            figures.extend(assembly.additive(&indicators[*index], measured, &rows, None));
        }
    }
    Ok(figures)
}
