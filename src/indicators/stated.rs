//! Figures over measures: counts that come from no dossier, as an agency or the province stated them for a period.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::{Agencies, NO_AGENCY, match_key};
use crate::indicators::compute::{Inputs, agencies_of};
use crate::indicators::facts::flag;
use crate::indicators::figures::{Assembly, Counts, Indicator, Scope};
use crate::indicators::periods::Periods;
use crate::indicators::states::micros;
use crate::model::figure::Figure;
use crate::model::period::{Period, PeriodKind};
use crate::model::rules::RuleSet;

/// The agency of a measure that is the province's own, in any case.
const WHOLE_PROVINCE: &str = "toàn tỉnh";

/// One measure: which indicator, whose (`None`: the province's), when.
type Key = (usize, Option<u32>, Period);

/// The figures of indicators over measures. A period's figure is what was stated for that very period: months are not added up
/// to quarters, since surveys cannot be. Of several statements the one entered last counts. A province that stated nothing
/// has the sum of its agencies.
pub(super) fn figures(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    indicators: &[Indicator<'_>],
) -> Result<Vec<Figure>, IndicatorError> {
    let named = inputs.measures.clone().filter(flag("deleted").not());
    let agencies = agencies_of(inputs, named.clone(), coalesce(&[col("agency"), lit(NO_AGENCY)]).alias("agency_text"))?;
    let measures = read(inputs, named, &agencies, indicators)?;
    let halves = measures.keys().filter_map(|(.., period)| period.halves());
    let range = halves.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
    let periods = match (inputs.period, range) {
        (Some(period), _) => Periods::only(period),
        (None, Some((first, last))) => Periods::named(first, last),
        (None, None) => return Ok(Vec::new()),
    };
    let assembly = Assembly {
        agencies: &agencies,
        periods: &periods,
        with_dossiers: &[],
        rules: rules.id.as_str().into(),
        now: inputs.now,
    };
    let place = |period: Period| periods.all.binary_search(&period).expect("its halves lie in the range");
    // Until a period is over more may be stated.
    let counts = |place: usize, [part, whole]: [u64; 2]| {
        let reachable = if assembly.is_over(place) { part } else { part.max(whole) };
        Counts { whole, part, reachable, one_sided: 0 }
    };
    let mut figures: BTreeMap<(usize, Scope, usize), Counts> = BTreeMap::new();
    // The province's own statement comes after the sums that it replaces.
    let (own, of_agencies): (Vec<_>, Vec<_>) = measures.into_iter().partition(|((_, agency, _), _)| agency.is_none());
    for ((index, agency, period), stated) in of_agencies.into_iter().chain(own) {
        let place = place(period);
        match agency {
            Some(agency) => {
                for scope in assembly.scopes_of(agency) {
                    figures.entry((index, scope, place)).or_default().add(&counts(place, stated));
                }
            }
            None => {
                figures.insert((index, Scope::Province, place), counts(place, stated));
            }
        }
    }
    let made = figures
        .iter()
        .map(|((index, scope, place), counts)| assembly.figure(&indicators[*index], scope, *place, *counts));
    Ok(made.collect())
}

/// The counts that stand, by key.
fn read(
    inputs: &Inputs<'_>,
    named: LazyFrame,
    agencies: &Agencies,
    indicators: &[Indicator<'_>],
) -> Result<BTreeMap<Key, [u64; 2]>, IndicatorError> {
    let latest_first = SortMultipleOptions::default().with_order_descending_multi([true, true, false, false]);
    let rows = named
        .filter(micros("entered_at").lt_eq(lit(inputs.now)).fill_null(lit(true)))
        .with_column(micros("entered_at").alias("entered"))
        .sort(["entered", "run", "source", "source_key"], latest_first.with_nulls_last(true))
        .select([cols(["indicator", "agency", "period", "numerator", "denominator"]).as_expr()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let text = |name: &str| rows.column(name).and_then(|column| column.str());
    let number = |name: &str| rows.column(name).and_then(|column| column.i64());
    let (indicator, agency, period) = (text("indicator")?, text("agency")?, text("period")?);
    let (part, whole) = (number("numerator")?, number("denominator")?);
    let (mut found, mut unknown, mut stated_again) = (BTreeMap::new(), 0_u64, 0_u64);
    for row in 0..rows.height() {
        let Some(period) = period.get(row).and_then(Period::parse) else { continue };
        let is_asked = match inputs.period {
            Some(asked) => asked == period,
            None => PeriodKind::NAMED.contains(&period.kind()),
        };
        let index = indicators.iter().position(|entry| indicator.get(row) == Some(&*entry.id));
        unknown += u64::from(!inputs.indicators.iter().any(|(one, _)| indicator.get(row) == Some(one.id.as_str())));
        let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        let (Some(index), true, Some(part)) = (index, is_asked, count(part.get(row))) else { continue };
        let text = agency.get(row).unwrap_or(NO_AGENCY);
        let agency = (match_key(text) != match_key(WHOLE_PROVINCE)).then(|| agencies.number(text, period.end()));
        match found.entry((index, agency, period)) {
            Entry::Vacant(place) => {
                place.insert([part, count(whole.get(row)).unwrap_or(0)]);
            }
            Entry::Occupied(_) => stated_again += 1,
        }
    }
    // Only a night computes every indicator: one that is asked for alone says nothing of the others.
    if unknown > 0 && inputs.period.is_none() {
        tracing::warn!(measures = unknown, "measures whose indicator is not among those computed count in no figure");
    }
    if stated_again > 0 {
        tracing::warn!(measures = stated_again, "measures stated again under another key: the one entered last counts");
    }
    Ok(found)
}
