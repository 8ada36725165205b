//! Figures over feedback (phản ánh, kiến nghị). The table is small, so it has a plan of its own.

use polars::prelude::*;

use crate::expressions::{Settings, Stage, feedback_facts};
use crate::indicators::IndicatorError;
use crate::indicators::agencies::{Agencies, NO_AGENCY, agencies_of};
use crate::indicators::facts::settings_of;
use crate::indicators::figures::FigureBuilder;
use crate::indicators::group_scan::GroupScan;
use crate::indicators::groups::plan_groups;
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::periods::Periods;
use crate::indicators::polars_expressions::FactRenderer;
use crate::indicators::registry_lookups::{AgencyLookup, HalfMonthLookup, day_row};
use crate::indicators::shared_columns::Names;
use crate::indicators::sums::StillReachable;
use crate::model::figure::Figure;
use crate::model::rules::RuleSet;

/// The text that names the agency, as the column `agency_text`.
pub(super) fn agency_text() -> Expr {
    coalesce(&[col("agency"), lit(NO_AGENCY)]).alias("agency_text")
}

/// Feedback with the facts of a rule set, and the agencies that it is attributed to.
pub(super) fn feedback_with_facts(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
) -> Result<(LazyFrame, Agencies), IndicatorError> {
    let agencies = agencies_of(inputs, inputs.feedback.clone(), agency_text())?;
    let lookup = AgencyLookup::new(&agencies);
    let row = day_row(local_day(micros("received_at"))).alias("day_row");
    let facts = inputs.feedback.clone().with_columns([agency_text(), row]).drop(cols(["agency"]));
    let facts = facts.with_columns([lookup.number(col("agency_text"))]);
    let value = |name: &str| lookup.value(name);
    let renderer = FactRenderer { table: feedback_facts(), days: None, lookup: &value, order: &[] };
    let facts = renderer.add_to(facts, Stage::Common, &Settings::default());
    let facts = renderer.add_to(facts, Stage::Agency, &Settings::default());
    let facts = renderer.add_to(facts, Stage::Rules, &settings_of(rules, inputs.now, inputs.now, false));
    Ok((facts, agencies))
}

/// The figures of indicators over feedback. Feedback can be handled and published at any time later, so the whole
/// denominator stays reachable.
pub(super) fn figures(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    indicators: &[ComputedIndicator<'_>],
) -> Result<Vec<Figure>, IndicatorError> {
    let (facts, agencies) = feedback_with_facts(inputs, rules)?;
    let groups = plan_groups(indicators, rules, inputs.period, StillReachable::Everything)?;
    let half_months = HalfMonthLookup::new();
    let mut scan = GroupScan::new(&half_months, inputs.period);
    for group in &groups {
        scan.add(group, &Names::default());
    }
    let no_lookup = |name: &str| unreachable!("the facts are columns already: `{name}`");
    let renderer = FactRenderer { table: feedback_facts(), days: None, lookup: &no_lookup, order: &[] };
    let mut figures = Vec::new();
    for (group, rows) in groups.iter().zip(scan.run(facts, &renderer)?) {
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
