//! Figures that count rows of the registries: procedures on offer and agencies that exist.
//!
//! A procedure that many agencies offer counts once for the province. These figures therefore do not add up: each scope
//! is counted by itself.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::IdxSize;

use crate::calendar::day_number;
use crate::indicators::figures::{FigureBuilder, FigureScope};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::number_set::NumberSet;
use crate::indicators::registry_rows::RegistryRows;
use crate::indicators::rows::{FigureCounts, GroupRows};
use crate::indicators::sums::SumPositions;
use crate::model::agency::Agency;
use crate::model::figure::Figure;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::instant::local;
use crate::model::period::Period;

impl FigureBuilder<'_> {
    fn periods_with_dossiers(&self) -> impl Iterator<Item = usize> {
        self.with_dossiers.iter().enumerate().filter(|(_, with)| **with).map(|(period_index, _)| period_index)
    }

    /// The day as of which agencies are counted: the period's last, or today.
    fn last_day(&self, period_index: usize) -> Date {
        self.periods.all[period_index].end().min(local(self.now).date())
    }

    /// Figures that the registry alone decides: how many procedures or agencies there are, or what share of them is in
    /// the numerator. There is one for every period with dossiers. An agency has a count only if it is above 0.
    pub(super) fn registry_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        agencies: &[Agency],
    ) -> Vec<Figure> {
        let is_count = indicator.definition.kind == IndicatorKind::Count;
        let mut figures = Vec::new();
        self.registry_sets(indicator.definition, registry, agencies, &mut |scope, period_index, sets| {
            let (denominator, numerator) = (sets.all.count(), sets.with.count());
            let is_agency = matches!(scope, FigureScope::Agency(..));
            // A scope without rows has no share. The province and its tiers have a count, which is 0; agencies are
            // listed with what they have.
            if denominator > 0 || (is_count && !is_agency) {
                let counts = FigureCounts::settled(numerator, denominator);
                figures.push(self.figure(indicator, scope, period_index, counts));
            }
        });
        figures
    }

    /// What [`FigureBuilder::registry_figures`] counts. For an agency only the days on which it exists count: what its tier
    /// offers before or after them does not belong to it.
    pub(super) fn registry_sets(
        &self,
        definition: &IndicatorDefinition,
        registry: &RegistryRows,
        agencies: &[Agency],
        each: EachScope<'_>,
    ) {
        let is_count = definition.kind == IndicatorKind::Count;
        for scope in FigureScope::of_registry(self.agencies) {
            let rows = registry.of_scope(&scope, self.agencies, agencies);
            for period_index in self.periods_with_dossiers() {
                let period = if definition.over == CountedUnit::Agencies {
                    Period::Day(self.last_day(period_index))
                } else {
                    self.periods.all[period_index]
                };
                let Some([all, outside]) = rows.in_period(period) else { continue };
                let with = if is_count { all.clone() } else { all.without(&outside) };
                each(&scope, period_index, CountedSets { maybe: with.clone(), with, all });
            }
        }
    }

    /// Of the procedures on offer, those that have a dossier in the numerator; for every period with dossiers and every
    /// scope that offers any procedure.
    pub(super) fn procedure_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        sides: &[(SumPositions, &GroupRows)],
        registries: (&[Agency], &[String]),
    ) -> Vec<Figure> {
        let mut figures = Vec::new();
        self.procedure_sets(registry, sides, registries, &mut |scope, period_index, sets| {
            let (denominator, numerator) = (sets.all.count(), sets.all.count_common(&sets.with));
            let unknown = sets.all.count_common(&sets.maybe) - numerator;
            // Until the period is over, any procedure can still have its first dossier.
            let reachable = if self.is_over(period_index) { numerator } else { denominator };
            if denominator > 0 {
                let counts = FigureCounts { reachable, unknown, ..FigureCounts::settled(numerator, denominator) };
                figures.push(self.figure(indicator, scope, period_index, counts));
            }
        });
        figures
    }

    /// What [`FigureBuilder::procedure_figures`] counts. `sides`: the group-bys that give the dossiers, each by a date of its
    /// own. A procedure that has none may be in the numerator if one of its dossiers may be.
    pub(super) fn procedure_sets(
        &self,
        registry: &RegistryRows,
        sides: &[(SumPositions, &GroupRows)],
        (agencies, procedures): (&[Agency], &[String]),
        each: EachScope<'_>,
    ) {
        let number_of = |procedure: IdxSize| registry.numbers.get(procedures.get(procedure as usize)?).copied();
        // By agency and period: the procedures that have such dossiers, and those that may have some.
        let mut found: BTreeMap<u32, Vec<[NumberSet; 2]>> = BTreeMap::new();
        let mut with_dossiers = self.with_dossiers.to_vec();
        for (positions, rows) in sides {
            for (row, key) in rows.keys().enumerate() {
                let FigureCounts { numerator, unknown, undecided, .. } = rows.figure_counts(positions, row);
                let place = match (numerator, unknown + undecided) {
                    (0, 0) => continue,
                    (0, _) => 1,
                    _ => 0,
                };
                let periods = self.periods.containing(key.start);
                if numerator > 0 {
                    for index in periods {
                        with_dossiers[*index] = true;
                    }
                }
                let Some(number) = key.procedure.and_then(number_of) else { continue };
                let table = found.entry(key.agency).or_insert_with(|| vec![Default::default(); self.periods.all.len()]);
                for index in periods {
                    table[*index][place].insert(number);
                }
            }
        }
        let found = self.tables_by_scope(found, |sum, more| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| sum.unite(more));
        });
        for scope in FigureScope::of_registry(self.agencies) {
            let (rows, found) = (registry.of_scope(&scope, self.agencies, agencies), found.get(&scope));
            for period_index in (0..with_dossiers.len()).filter(|index| with_dossiers[*index]) {
                let Some([all, _]) = rows.in_period(self.periods.all[period_index]) else { continue };
                let [with, maybe] = found.map(|found| found[period_index].clone()).unwrap_or_default();
                each(&scope, period_index, CountedSets { maybe: with.united(&maybe), with, all });
            }
        }
    }

    /// Of the agencies that exist on the period's last day (or now, if that is earlier), those whose latest dossier in
    /// the numerator was received within the last `within_working_days` up to that day.
    pub(super) fn agency_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        latest: &[(&str, i32)],
        inputs: &FigureInputs<'_>,
    ) -> Vec<Figure> {
        let mut figures = Vec::new();
        self.agency_sets(indicator.definition, registry, latest, inputs, &mut |scope, period_index, sets| {
            let (denominator, numerator) = (sets.all.count(), sets.all.count_common(&sets.with));
            let reachable = if self.is_over(period_index) { numerator } else { denominator };
            if denominator > 0 {
                let counts = FigureCounts { reachable, ..FigureCounts::settled(numerator, denominator) };
                figures.push(self.figure(indicator, scope, period_index, counts));
            }
        });
        figures
    }

    /// What [`FigureBuilder::agency_figures`] counts. `latest`: days of dossiers in the numerator, by code of the agency.
    pub(super) fn agency_sets(
        &self,
        definition: &IndicatorDefinition,
        registry: &RegistryRows,
        latest: &[(&str, i32)],
        inputs: &FigureInputs<'_>,
        each: EachScope<'_>,
    ) {
        let working_days = definition.within_working_days.expect("the configuration has checked it");
        // By period: the agencies that have such a dossier.
        let connected: Vec<NumberSet> = (0..self.periods.all.len())
            .map(|period_index| {
                let last_day = self.last_day(period_index);
                let days = day_number(inputs.calendar.back_working_days(last_day, working_days))..=day_number(last_day);
                let mut with = NumberSet::default();
                let in_time = latest.iter().filter(|(_, day)| days.contains(day));
                in_time.filter_map(|(code, _)| registry.numbers.get(*code)).for_each(|number| with.insert(*number));
                with
            })
            .collect();
        for scope in FigureScope::of_registry(self.agencies) {
            let rows = registry.of_scope(&scope, self.agencies, inputs.agencies);
            for period_index in self.periods_with_dossiers() {
                let Some([all, _]) = rows.in_period(Period::Day(self.last_day(period_index))) else { continue };
                let with = connected[period_index].clone();
                each(&scope, period_index, CountedSets { maybe: with.clone(), with, all });
            }
        }
    }

    /// The latest days of the dossiers in the numerator of an indicator over agencies, by code of the agency at the time: rows
    /// of the registry are not attributed to successors.
    pub(super) fn latest_days(&self, positions: &SumPositions, rows: &GroupRows) -> Vec<(&str, i32)> {
        let latest = rows.days(positions.last_day.expect("indicators over agencies have it"));
        let of_agency = rows.keys().zip(latest);
        of_agency.filter_map(|(key, day)| Some((&*self.agencies.known[key.agency as usize].code, day?))).collect()
    }
}

/// The procedures or agencies behind a figure, by their numbers in the registry.
#[derive(Debug, Clone, Default)]
pub(super) struct CountedSets {
    /// Those of the denominator.
    pub(super) all: NumberSet,
    /// Those of the numerator, among others.
    pub(super) with: NumberSet,
    /// Those that are or may be in the numerator, among others.
    pub(super) maybe: NumberSet,
}

/// What is done with the sets of each scope and period.
type EachScope<'a> = &'a mut dyn FnMut(&FigureScope, usize, CountedSets);
