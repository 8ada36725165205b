//! How the ratios of on time stand, and what they can still become if the dossiers of a worklist are left alone.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::explain::FigureOf;
use crate::indicators::groups::{between, day_column};
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::micros;
use crate::indicators::polars_expressions::predicate;
use crate::indicators::scan::facts_of;
use crate::indicators::sums::IndicatorPredicates;
use crate::model::indicator::IndicatorDefinition;
use crate::model::instant::{from_local, local};
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// A ratio of this year, now and at best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatioStanding {
    pub indicator: String,
    pub numerator: u64,
    pub denominator: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator.
    pub unknown: u64,
    /// The numerator if every dossier that is open in time ends on time.
    pub reachable: u64,
    /// The same without the dossiers of the worklist.
    pub reachable_without: u64,
}

/// The ratios whose denominator is not 0.
pub(super) fn standings(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    indicators: &[&IndicatorDefinition],
    is_listed: &Expr,
    of: &FigureOf,
) -> Result<Vec<RatioStanding>, IndicatorError> {
    let year = Period::Year { year: local(inputs.now).date().year() };
    let start = from_local(year.start().into());
    let found = facts_of(inputs, rules, Some(micros("received_at").gt_eq(lit(start))))?;
    let was_received = col("awaits_acceptance").not();
    let facts =
        found.facts.filter(col("agency").is_not_null().and(was_received)).filter(of.is_of_agency(&found.agencies));
    let mut selected = Vec::new();
    for (number, definition) in indicators.iter().enumerate() {
        let [denominator, numerator, unknown, reachable] = IndicatorPredicates::read(definition, rules)?.standing();
        let in_year = between(day_column(definition.period), year.start(), year.end()).is_true();
        let counted = |expression| predicate(&in_year.clone().and(expression)).fill_null(lit(false));
        let reachable = counted(reachable);
        let sums = [
            counted(numerator),
            counted(denominator),
            counted(unknown),
            reachable.clone(),
            reachable.and(is_listed.clone().not().or(col("is_ended"))),
        ];
        let names = (0..sums.len()).map(|place| format!("{number} {place}"));
        selected.extend(sums.into_iter().zip(names).map(|(sum, name)| sum.sum().cast(DataType::UInt64).alias(name)));
    }
    if selected.is_empty() {
        return Ok(Vec::new());
    }
    let frame = facts.select(selected).collect_with_engine(Engine::Streaming)?.unwrap_single();
    let mut standings = Vec::new();
    for (number, definition) in indicators.iter().enumerate() {
        let sum = |place: usize| -> PolarsResult<u64> {
            Ok(frame.column(&format!("{number} {place}"))?.u64()?.get(0).unwrap_or(0))
        };
        let standing = RatioStanding {
            indicator: definition.id.clone(),
            numerator: sum(0)?,
            denominator: sum(1)?,
            unknown: sum(2)?,
            reachable: sum(3)?,
            reachable_without: sum(4)?,
        };
        if standing.denominator > 0 {
            standings.push(standing);
        }
    }
    Ok(standings)
}
