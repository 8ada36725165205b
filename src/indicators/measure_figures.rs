//! Figures over measures: counts that an agency or the province states itself for a period.

use std::collections::{BTreeMap, HashSet};

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
use crate::model::list::ListCell;
use crate::model::period::{Period, PeriodKind};
use crate::model::rules::RuleSet;
use crate::model::text::name_key;

/// Key of a measure: position of the indicator, number of the agency (`None` for the province), period.
type MeasureKey = (usize, Option<u32>, Period);

/// The numbers of a measure.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatedCounts {
    pub(super) numerator: u64,
    /// 0 if none is stated.
    pub(super) denominator: u64,
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
    let StatedMeasures { agencies, measures, .. } = StatedMeasures::read(inputs, indicators)?;
    let measures: BTreeMap<MeasureKey, StatedCounts> = measures
        .into_iter()
        .filter(|one| !one.is_replaced)
        .map(|one| ((one.indicator, one.agency, one.period), one.counts))
        .collect();
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

/// A measure of a wanted indicator and period.
#[derive(Debug)]
pub(super) struct StatedMeasure {
    /// Position of its indicator.
    indicator: usize,
    /// Number of its agency; `None`: it is of the whole province.
    pub(super) agency: Option<u32>,
    period: Period,
    pub(super) counts: StatedCounts,
    /// Another one with the same indicator, agency and period was entered later, and counts.
    pub(super) is_replaced: bool,
    /// Its row in the table.
    row: usize,
}

/// The measures of wanted indicators, and the rows that state them.
pub(super) struct StatedMeasures {
    pub(super) agencies: Agencies,
    pub(super) measures: Vec<StatedMeasure>,
    rows: DataFrame,
}

impl StatedMeasures {
    /// Reads the measures of the inputs: of several with the same key the one entered last counts.
    pub(super) fn read(
        inputs: &FigureInputs<'_>,
        indicators: &[ComputedIndicator<'_>],
    ) -> Result<Self, IndicatorError> {
        let table = inputs.measures.clone().filter(flag("deleted").not());
        let agencies = agencies_of(inputs, table.clone(), coalesce(&[col("agency"), lit(NO_AGENCY)]))?;
        let latest_first = SortMultipleOptions::default().with_order_descending_multi([true, true, false, false]);
        let rows = table
            .filter(micros("entered_at").lt_eq(lit(inputs.now)).fill_null(lit(true)))
            .with_column(micros("entered_at").alias("entered"))
            .sort(["entered", "run", "source", "source_key"], latest_first.with_nulls_last(true))
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let measures = read_measures(inputs, &rows, &agencies, indicators)?;
        Ok(Self { agencies, measures, rows })
    }

    /// Its document, and when it was entered.
    pub(super) fn document_and_moment(&self, one: &StatedMeasure) -> [ListCell; 2] {
        [self.text(one, "document"), ListCell::of(self.number(one, "entered"), ListCell::Instant)]
    }

    /// Its source, its key there, and the run, page and row that brought it.
    pub(super) fn position(&self, one: &StatedMeasure) -> [ListCell; 5] {
        let number = |name: &str| ListCell::of(self.number(one, name), ListCell::Number);
        [self.text(one, "source"), self.text(one, "source_key"), number("run"), number("page"), number("row")]
    }

    fn text(&self, one: &StatedMeasure, name: &str) -> ListCell {
        let column = self.rows.column(name).and_then(|column| column.str());
        ListCell::of(column.ok().and_then(|column| column.get(one.row)), ListCell::text)
    }

    fn number(&self, one: &StatedMeasure, name: &str) -> Option<i64> {
        let column = self.rows.column(name).and_then(|column| column.cast(&DataType::Int64)).ok()?;
        column.i64().ok()?.get(one.row)
    }
}

fn read_measures(
    inputs: &FigureInputs<'_>,
    rows: &DataFrame,
    agencies: &Agencies,
    indicators: &[ComputedIndicator<'_>],
) -> Result<Vec<StatedMeasure>, IndicatorError> {
    let text = |name: &str| rows.column(name).and_then(|column| column.str());
    let number = |name: &str| rows.column(name).and_then(|column| column.i64());
    let (indicator, agency, period) = (text("indicator")?, text("agency")?, text("period")?);
    let (numerator, denominator) = (number("numerator")?, number("denominator")?);
    let (mut measures, mut known) = (Vec::new(), HashSet::new());
    let (mut unknown, mut replaced, mut without_period) = (0_u64, 0_u64, 0_u64);
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
        let is_replaced = !known.insert((position, agency, period));
        replaced += u64::from(is_replaced);
        let counts = StatedCounts { numerator, denominator: count(denominator.get(row)).unwrap_or(0) };
        measures.push(StatedMeasure { indicator: position, agency, period, counts, is_replaced, row });
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
