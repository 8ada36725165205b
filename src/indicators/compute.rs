//! Computes every figure. Dossiers are scanned once for all rule sets, indicators and group-bys.
//!
//! For named periods the group-bys count by half-month (days 1–14 and from the 15th), because every named period is a
//! union of half-months. If one period is asked for, only its days are counted. See docs/decisions/0006.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use polars::prelude::PlHashMap;

use crate::indicators::figures::{FigureBuilder, FigureScope};
use crate::indicators::groups::{GroupKind, GroupQuery, plan_groups};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::periods::Periods;
use crate::indicators::registry_counts::CountedSets;
use crate::indicators::registry_rows::RegistryRows;
use crate::indicators::rows::{GroupRows, procedures_with_since};
use crate::indicators::scan::{DossierScan, ViewLookups, moment_of};
use crate::indicators::sums::{IndicatorSums, SumPositions};
use crate::indicators::{IndicatorError, feedback, measure_figures};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::rules::RuleSet;
use crate::model::vietnamese_order::VietnameseOrder;

/// Computes every figure, in the order of [`sort_figures`].
///
/// # Errors
/// A predicate that Polars does not accept, or a table that cannot be scanned.
pub fn compute(inputs: &FigureInputs<'_>) -> Result<Vec<Figure>, IndicatorError> {
    let mut figures = Vec::new();
    let mut over_dossiers = Vec::new();
    for &rules in inputs.rules {
        let (mut of_feedback, mut of_measures, mut of_dossiers) = (Vec::new(), Vec::new(), Vec::new());
        for indicator in inputs.indicators_of(rules) {
            match indicator.definition.over {
                CountedUnit::Feedback => of_feedback.push(indicator),
                CountedUnit::Measures => of_measures.push(indicator),
                CountedUnit::Dossiers | CountedUnit::Procedures | CountedUnit::Agencies => of_dossiers.push(indicator),
            }
        }
        if !of_feedback.is_empty() {
            figures.extend(feedback::figures(inputs, rules, &of_feedback)?);
        }
        if !of_measures.is_empty() {
            figures.extend(measure_figures::figures(inputs, rules, &of_measures)?);
        }
        if !of_dossiers.is_empty() {
            over_dossiers.push((rules, of_dossiers));
        }
    }
    figures.extend(compute_over_dossiers(inputs, &over_dossiers)?);
    sort_figures(&mut figures);
    Ok(figures)
}

/// Sorts figures by indicator, then province and tiers before agencies, then period: the order in which figures are
/// computed, stored and published. Agencies of a tier stand in the order of their codes; agencies without a tier, which
/// no registry orders, in the order of the Vietnamese alphabet.
pub fn sort_figures(figures: &mut [Figure]) {
    // Texts are compared once for each indicator and scope, not for each pair of figures.
    let mut indicators: PlHashMap<Arc<str>, u32> = PlHashMap::default();
    let mut scopes: PlHashMap<Scope, u32> = PlHashMap::default();
    for figure in figures.iter() {
        if !indicators.contains_key(&figure.indicator) {
            indicators.insert(Arc::clone(&figure.indicator), 0);
        }
        scopes.entry((figure.tier, figure.agency.clone())).or_insert(0);
    }
    number_in_order(&mut indicators, Arc::clone);
    let places = places_without_tier(scopes.keys());
    number_in_order(&mut scopes, |(tier, agency)| {
        let place = agency.as_ref().filter(|_| tier.is_none()).and_then(|code| places.get(code).copied());
        (agency.is_some(), *tier, place, agency.clone())
    });
    figures.sort_by_cached_key(|figure| {
        let scope = (figure.tier, figure.agency.clone());
        (indicators[&figure.indicator], scopes[&scope], figure.period)
    });
}

/// Tier and agency of a figure.
type Scope = (Option<Tier>, Option<Arc<str>>);

/// Numbers keys in the order of what `by` gives for them.
fn number_in_order<K: Clone + Eq + Hash, O: Ord>(numbers: &mut PlHashMap<K, u32>, by: impl Fn(&K) -> O) {
    let mut keys: Vec<K> = numbers.keys().cloned().collect();
    keys.sort_by_cached_key(by);
    numbers.extend((0_u32..).zip(keys).map(|(number, key)| (key, number)));
}

/// Place in the alphabet of each agency without a tier, by its code.
fn places_without_tier<'s>(scopes: impl Iterator<Item = &'s Scope>) -> HashMap<Arc<str>, usize> {
    let codes: HashSet<Arc<str>> =
        scopes.filter(|(tier, _)| tier.is_none()).filter_map(|(_, agency)| agency.clone()).collect();
    let mut codes: Vec<Arc<str>> = codes.into_iter().collect();
    codes.sort_by_cached_key(|code| VietnameseOrder::of(code));
    codes.into_iter().enumerate().map(|(place, code)| (code, place)).collect()
}

/// The figures of all indicators that need dossiers or registries, by rule set.
fn compute_over_dossiers(
    inputs: &FigureInputs<'_>,
    rule_sets: &[(&RuleSet, Vec<ComputedIndicator<'_>>)],
) -> Result<Vec<Figure>, IndicatorError> {
    // Plan: the group-bys of each rule set, and the agencies of each view.
    let scan = DossierScan::new(inputs)?;
    let mut views: HashMap<&'static str, ViewLookups> = HashMap::new();
    let mut groups = Vec::new();
    for (rules, indicators) in rule_sets {
        groups.push(plan_groups(indicators, rules, inputs.period, moment_of(inputs, rules).1)?);
        if !views.contains_key(rules.agency.name()) {
            views.insert(rules.agency.name(), scan.view(inputs, rules.agency)?);
        }
    }
    let counted: Vec<_> = rule_sets
        .iter()
        .zip(&groups)
        .map(|((rules, _), groups)| (*rules, &views[rules.agency.name()], groups.as_slice()))
        .collect();
    let mut rows = scan.count(inputs, &counted)?.into_iter();
    // From rows to figures. The scan has numbered the procedures that it found.
    let procedures = scan.procedures.numbers.texts();
    let mut figures = Vec::new();
    for ((rules, indicators), groups) in rule_sets.iter().zip(&groups) {
        let rows: Vec<GroupRows> = rows.by_ref().take(groups.len()).collect();
        let periods = Periods::of_rows(inputs, &rows);
        let builder = FigureBuilder {
            agencies: &views[rules.agency.name()].agencies,
            periods: &periods,
            with_dossiers: &periods.with_dossiers(groups, &rows),
            rules: rules.id.as_str().into(),
            now: inputs.now,
        };
        for (index, indicator) in indicators.iter().enumerate() {
            let sides = sides_of(index, groups, &rows);
            if indicator.definition.over == CountedUnit::Procedures && !sides.is_empty() {
                let registry = RegistryRows::read(inputs, indicator.definition)?;
                figures.extend(builder.procedure_figures(indicator, &registry, &sides, (inputs.agencies, &procedures)));
            }
        }
        for (group, rows) in groups.iter().zip(&rows) {
            for (index, sums) in &group.members {
                let indicator = &indicators[*index];
                if indicator.definition.over != CountedUnit::Procedures {
                    figures.extend(figures_of_group(inputs, &builder, indicator, group, sums, rows)?);
                }
            }
        }
        for indicator in indicators.iter().filter(|indicator| indicator.definition.is_of_registry()) {
            let registry = RegistryRows::read(inputs, indicator.definition)?;
            figures.extend(builder.registry_figures(indicator, &registry, inputs.agencies));
        }
    }
    Ok(figures)
}

/// The group-bys that an indicator is a member of: positions of its sums, and the rows.
fn sides_of<'r>(index: usize, groups: &[GroupQuery], rows: &'r [GroupRows]) -> Vec<(SumPositions, &'r GroupRows)> {
    let mut sides = Vec::new();
    for (group, rows) in groups.iter().zip(rows) {
        for (member, sums) in &group.members {
            if let (true, IndicatorSums::AtMoment(positions)) = (*member == index, sums) {
                sides.push((*positions, rows));
            }
        }
    }
    sides
}

/// The figures of one indicator over dossiers or agencies from the rows of its group-by.
fn figures_of_group(
    inputs: &FigureInputs<'_>,
    builder: &FigureBuilder<'_>,
    indicator: &ComputedIndicator<'_>,
    group: &GroupQuery,
    sums: &IndicatorSums,
    rows: &GroupRows,
) -> Result<Vec<Figure>, IndicatorError> {
    let IndicatorSums::AtMoment(positions) = sums else {
        return Ok(match indicator.definition.kind {
            IndicatorKind::Stock => builder.stock_figures(indicator, sums, rows),
            _ => builder.additive_figures(indicator, sums, rows, None),
        });
    };
    Ok(match (indicator.definition.over, group.kind) {
        (CountedUnit::Agencies, _) => {
            let registry = RegistryRows::read(inputs, indicator.definition)?;
            builder.agency_figures(indicator, &registry, &builder.latest_days(positions, rows), inputs)
        }
        (_, GroupKind::ByAmount) => builder.median_figures(indicator, positions, rows),
        _ => {
            let counted_from = procedures_with_since(rows, positions);
            builder.additive_figures(indicator, sums, rows, counted_from.as_deref())
        }
    })
}

/// The procedures or agencies that one figure counts.
pub(super) struct CountedRegistry {
    /// Numbers by code of the procedure, its group, or the agency.
    pub(super) numbers: HashMap<String, usize>,
    /// Empty if the figure does not exist.
    pub(super) sets: CountedSets,
    /// Of agencies: day of the latest dossier in the numerator, by code.
    pub(super) last_days: HashMap<String, i32>,
}

/// Finds what a figure over procedures or agencies counts, in the period of the inputs. `is_scope`: whether it is of a scope.
pub(super) fn counted_registry(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    definition: &IndicatorDefinition,
    is_scope: impl Fn(&FigureScope) -> bool,
) -> Result<CountedRegistry, IndicatorError> {
    let indicator = ComputedIndicator { definition, id: definition.id.as_str().into(), digest: "".into() };
    let scan = DossierScan::new(inputs)?;
    let view = scan.view(inputs, rules.agency)?;
    let groups = plan_groups(&[indicator], rules, inputs.period, moment_of(inputs, rules).1)?;
    let rows = scan.count(inputs, &[(rules, &view, &groups)])?;
    let periods = Periods::of_rows(inputs, &rows);
    let builder = FigureBuilder {
        agencies: &view.agencies,
        periods: &periods,
        with_dossiers: &periods.with_dossiers(&groups, &rows),
        rules: rules.id.as_str().into(),
        now: inputs.now,
    };
    let registry = RegistryRows::read(inputs, definition)?;
    let sides = sides_of(0, &groups, &rows);
    let (mut sets, mut last_days) = (CountedSets::default(), HashMap::new());
    let mut take = |scope: &FigureScope, _: usize, found: CountedSets| {
        if is_scope(scope) {
            sets = found;
        }
    };
    if definition.is_of_registry() {
        builder.registry_sets(definition, &registry, inputs.agencies, &mut take);
    } else if definition.over == CountedUnit::Procedures {
        let procedures = scan.procedures.numbers.texts();
        builder.procedure_sets(&registry, &sides, (inputs.agencies, &procedures), &mut take);
    } else {
        let latest: Vec<(&str, i32)> =
            sides.iter().flat_map(|(positions, rows)| builder.latest_days(positions, rows)).collect();
        builder.agency_sets(definition, &registry, &latest, inputs, &mut take);
        for (code, day) in latest {
            let last = last_days.entry(code.to_owned()).or_insert(day);
            *last = day.max(*last);
        }
    }
    Ok(CountedRegistry { numbers: registry.numbers, sets, last_days })
}
