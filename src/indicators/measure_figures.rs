//! Figures over measures: counts that an agency or the province states itself for a period.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::{Agencies, NO_AGENCY, WHOLE_PROVINCE, agencies_of};
use crate::indicators::facts::flag;
use crate::indicators::figures::{FigureBuilder, FigureScope};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::local_time::micros;
use crate::indicators::periods::Periods;
use crate::indicators::rows::FigureCounts;
use crate::model::figure::Figure;
use crate::model::period::{Period, PeriodKind};
use crate::model::rules::RuleSet;
use crate::model::text::name_key;

/// Key of a measure: position of the indicator, number of the agency (`None` for the province), period.
type MeasureKey = (usize, Option<u32>, Period);

/// The numbers of a measure.
#[derive(Debug, Clone, Copy)]
struct StatedCounts {
    numerator: u64,
    /// 0 if none is stated.
    denominator: u64,
}

/// The figures of indicators over measures.
///
/// A figure uses only measures that are stated for its very period: months do not add up to quarters, because results
/// of surveys cannot be added over time. If the province states no measure of its own, its figure is the sum of the
/// agencies.
pub(super) fn figures(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    indicators: &[ComputedIndicator<'_>],
) -> Result<Vec<Figure>, IndicatorError> {
    let table = inputs.measures.clone().filter(flag("deleted").not());
    let agencies = agencies_of(inputs, table.clone(), coalesce(&[col("agency"), lit(NO_AGENCY)]))?;
    let measures = read(inputs, table, &agencies, indicators)?;
    let halves = measures.keys().filter_map(|(.., period)| period.half_months());
    let range = halves.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
    let periods = match (inputs.period, range) {
        (Some(period), _) => Periods::only(period),
        (None, Some((first, last))) => Periods::named(first, last),
        (None, None) => return Ok(Vec::new()),
    };
    let builder = FigureBuilder {
        agencies: &agencies,
        periods: &periods,
        with_dossiers: &[],
        rules: rules.id.as_str().into(),
        now: inputs.now,
    };
    let index_of = |period: Period| periods.all.binary_search(&period).expect("the range covers its half-months");
    let counts = |period_index: usize, stated: StatedCounts| {
        let StatedCounts { numerator, denominator } = stated;
        // Until a period is over, its measure can still be replaced by a higher one.
        let reachable = if builder.is_over(period_index) { numerator } else { numerator.max(denominator) };
        FigureCounts { reachable, ..FigureCounts::settled(numerator, denominator) }
    };
    let mut figures: BTreeMap<(usize, FigureScope, usize), FigureCounts> = BTreeMap::new();
    let (of_province, of_agencies): (Vec<_>, Vec<_>) =
        measures.into_iter().partition(|((_, agency, _), _)| agency.is_none());
    // The province's own measures come last, because they replace the sums of the agencies.
    for ((indicator, agency, period), stated) in of_agencies.into_iter().chain(of_province) {
        let period_index = index_of(period);
        match agency {
            Some(agency) => {
                for scope in builder.scopes_of(agency) {
                    figures.entry((indicator, scope, period_index)).or_default().add(&counts(period_index, stated));
                }
            }
            None => {
                figures.insert((indicator, FigureScope::Province, period_index), counts(period_index, stated));
            }
        }
    }
    let figures = figures.iter().map(|((indicator, scope, period_index), counts)| {
        builder.figure(&indicators[*indicator], scope, *period_index, *counts)
    });
    Ok(figures.collect())
}

/// The measures that count, by key: of several with the same key the one entered last.
fn read(
    inputs: &FigureInputs<'_>,
    table: LazyFrame,
    agencies: &Agencies,
    indicators: &[ComputedIndicator<'_>],
) -> Result<BTreeMap<MeasureKey, StatedCounts>, IndicatorError> {
    let latest_first = SortMultipleOptions::default().with_order_descending_multi([true, true, false, false]);
    let rows = table
        .filter(micros("entered_at").lt_eq(lit(inputs.now)).fill_null(lit(true)))
        .with_column(micros("entered_at").alias("entered"))
        .sort(["entered", "run", "source", "source_key"], latest_first.with_nulls_last(true))
        .select([cols(["indicator", "agency", "period", "numerator", "denominator"]).as_expr()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let text = |name: &str| rows.column(name).and_then(|column| column.str());
    let number = |name: &str| rows.column(name).and_then(|column| column.i64());
    let (indicator, agency, period) = (text("indicator")?, text("agency")?, text("period")?);
    let (numerator, denominator) = (number("numerator")?, number("denominator")?);
    let (mut measures, mut unknown, mut replaced, mut without_period) = (BTreeMap::new(), 0_u64, 0_u64, 0_u64);
    for row in 0..rows.height() {
        let Some(period) = period.get(row).and_then(Period::parse) else {
            without_period += 1;
            continue;
        };
        let is_wanted = match inputs.period {
            Some(wanted) => wanted == period,
            None => PeriodKind::NAMED.contains(&period.kind()),
        };
        let position = indicators.iter().position(|known| indicator.get(row) == Some(&*known.id));
        unknown += u64::from(!inputs.indicators.iter().any(|(known, _)| indicator.get(row) == Some(known.id.as_str())));
        let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        let (Some(position), true, Some(numerator)) = (position, is_wanted, count(numerator.get(row))) else {
            continue;
        };
        let text = agency.get(row).unwrap_or(NO_AGENCY);
        let agency = (name_key(text) != name_key(WHOLE_PROVINCE)).then(|| agencies.number(text, period.end()));
        match measures.entry((position, agency, period)) {
            Entry::Vacant(entry) => {
                entry.insert(StatedCounts { numerator, denominator: count(denominator.get(row)).unwrap_or(0) });
            }
            Entry::Occupied(_) => replaced += 1,
        }
    }
    // Only a night computes every indicator. If one period is asked for, the other indicators may just not be asked
    // for.
    if unknown > 0 && inputs.period.is_none() {
        tracing::warn!(measures = unknown, "measures of unknown indicators are not used in any figure");
    }
    // An older motcua accepted periods of any year.
    if without_period > 0 {
        tracing::warn!(measures = without_period, "measures of years outside 1990 to 2099 are not used in any figure");
    }
    if replaced > 0 {
        tracing::warn!(measures = replaced, "measures stated more than once: the one entered last is used");
    }
    Ok(measures)
}
