//! Figures over feedback (phản ánh, kiến nghị). The table is small, so it has a plan of its own.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::{NO_AGENCY, agencies_of};
use crate::indicators::facts::flag;
use crate::indicators::figures::FigureBuilder;
use crate::indicators::groups::plan_groups;
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::local_time::{is_before_reception, local_day, micros};
use crate::indicators::periods::Periods;
use crate::indicators::registry_lookups::{AgencyLookup, HalfMonthLookup, day_row};
use crate::indicators::rows::GroupRows;
use crate::indicators::states::end_of_due;
use crate::indicators::sums::StillReachable;
use crate::model::figure::Figure;
use crate::model::rules::{LateOrUnknown, RuleSet};

/// The figures of indicators over feedback. Feedback can be handled and published at any time later, so the whole
/// denominator stays reachable.
pub(super) fn figures(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    indicators: &[ComputedIndicator<'_>],
) -> Result<Vec<Figure>, IndicatorError> {
    let agency_text = || coalesce(&[col("agency"), lit(NO_AGENCY)]).alias("agency_text");
    let agencies = agencies_of(inputs, inputs.feedback.clone(), agency_text())?;
    let is_known = |date: &str| micros(date).lt_eq(lit(inputs.now)).fill_null(lit(false));
    // Handled on a day that is not stated: in time or not.
    let is_handled_on_unknown_day = match rules.undated_end {
        LateOrUnknown::Late => lit(false),
        LateOrUnknown::Unknown => {
            col("handled_at").is_null().and(col("outcome").is_not_null()).and(col("due_at").is_not_null())
        }
    };
    let facts = inputs.feedback.clone().with_columns([
        agency_text(),
        local_day(micros("received_at")).alias("day"),
        day_row(local_day(micros("received_at"))).alias("day_row"),
        flag("deleted").not().and(is_known("received_at")).alias("is_received"),
        is_known("handled_at").or(col("handled_at").is_null().and(col("outcome").is_not_null())).alias("is_handled"),
        when(is_handled_on_unknown_day)
            .then(lit(NULL))
            .otherwise(
                is_known("handled_at")
                    .and(micros("handled_at").lt_eq(end_of_due(micros("due_at"))).fill_null(lit(false)))
                    .and(is_before_reception(micros("handled_at")).not()),
            )
            .alias("is_handled_in_time"),
        col("due_at").is_not_null().alias("has_due_date"),
        is_known("answered_at").alias("is_answered"),
        is_known("published_at").alias("is_published"),
    ]);
    let facts = AgencyLookup::new(&agencies).add_to(facts.drop(cols(["agency"])), col("agency_text"));
    let facts =
        facts.with_columns([when(col("is_received")).then(col("day")).otherwise(lit(NULL)).alias("received_day")]);
    let half_months = HalfMonthLookup::new();
    let mut figures = Vec::new();
    for group in plan_groups(indicators, rules, inputs.period, StillReachable::Everything)? {
        let plan = group.plan(facts.clone(), &half_months, inputs.period);
        let mut rows = GroupRows::of(&group);
        rows.add(&plan.collect_with_engine(Engine::Streaming)?.unwrap_single())?;
        let periods = Periods::of_rows(inputs, std::slice::from_ref(&rows));
        let builder = FigureBuilder {
            agencies: &agencies,
            periods: &periods,
            with_dossiers: &[],
            rules: rules.id.as_str().into(),
            now: inputs.now,
        };
        for (index, sums) in &group.members {
            figures.extend(builder.additive_figures(&indicators[*index], sums, &rows, None));
        }
    }
    Ok(figures)
}
