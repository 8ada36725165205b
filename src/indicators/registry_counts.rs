//! Figures that count rows of the registries: procedures on offer and agencies that exist.
//!
//! A procedure that many agencies offer counts once for the province. These figures therefore do not add up: each scope
//! is counted by itself.

use std::collections::{BTreeMap, HashMap};

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
use crate::model::indicator::{CountedUnit, IndicatorKind};
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
    /// the numerator. There is one for every period with dossiers. For an agency only the days on which it exists
    /// count: what its tier offers before or after them does not belong to it. An agency has a count only if it is above 0.
    pub(super) fn registry_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        agencies: &[Agency],
    ) -> Vec<Figure> {
        let is_count = indicator.definition.kind == IndicatorKind::Count;
        let is_over_agencies = indicator.definition.over == CountedUnit::Agencies;
        let mut figures = Vec::new();
        for scope in FigureScope::of_registry(self.agencies) {
            let is_agency = matches!(scope, FigureScope::Agency(..));
            let rows = registry.of_scope(&scope, self.agencies, agencies);
            for period_index in self.periods_with_dossiers() {
                let period = if is_over_agencies {
                    Period::Day(self.last_day(period_index))
                } else {
                    self.periods.all[period_index]
                };
                let Some([all, outside]) = rows.in_period(period) else { continue };
                let (denominator, outside) = (all.count(), outside.count());
                let numerator = if is_count { denominator } else { denominator - outside };
                // A scope without rows has no share. The province and its tiers have a count, which is 0; agencies are
                // listed with what they have.
                if denominator > 0 || (is_count && !is_agency) {
                    let counts = FigureCounts::settled(numerator, denominator);
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }

    /// Of the procedures on offer, those that have a dossier in the numerator; for every period with dossiers and every
    /// scope that offers any procedure. `sides`: the group-bys that give the dossiers, each by a date of its own. A
    /// procedure that has none is unknown if one of its dossiers is.
    pub(super) fn procedure_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        sides: &[(SumPositions, &GroupRows)],
        (agencies, procedures): (&[Agency], &[String]),
    ) -> Vec<Figure> {
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
        let mut figures = Vec::new();
        for scope in FigureScope::of_registry(self.agencies) {
            let (rows, found) = (registry.of_scope(&scope, self.agencies, agencies), found.get(&scope));
            for period_index in (0..with_dossiers.len()).filter(|index| with_dossiers[*index]) {
                let Some([offered, _]) = rows.in_period(self.periods.all[period_index]) else { continue };
                let [numerator, unknown] = found.map_or([0; 2], |found| {
                    let [with, maybe_with] = &found[period_index];
                    let with_any = offered.count_common(&with.united(maybe_with));
                    let with = offered.count_common(with);
                    [with, with_any - with]
                });
                let denominator = offered.count();
                // Until the period is over, any procedure can still have its first dossier.
                let reachable = if self.is_over(period_index) { numerator } else { denominator };
                if denominator > 0 {
                    let counts = FigureCounts { reachable, unknown, ..FigureCounts::settled(numerator, denominator) };
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }

    /// Of the agencies that exist on the period's last day (or now, if that is earlier), those whose latest dossier in
    /// the numerator was received within the last `within_working_days` up to that day.
    pub(super) fn agency_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        positions: &SumPositions,
        rows: &GroupRows,
        inputs: &FigureInputs<'_>,
    ) -> Vec<Figure> {
        let working_days = indicator.definition.within_working_days.expect("the configuration has checked it");
        let latest = rows.days(positions.last_day.expect("indicators over agencies have it"));
        let last_day = |period_index: usize| self.last_day(period_index);
        let since: Vec<i32> = (0..self.periods.all.len())
            .map(|index| day_number(inputs.calendar.back_working_days(last_day(index), working_days)))
            .collect();
        // By agency and period: whether the agency has such a dossier.
        let mut connected: HashMap<&str, Vec<bool>> = HashMap::new();
        for (row, key) in rows.keys().enumerate() {
            let Some(day) = latest[row] else { continue };
            // The agency at the time: rows of the registry are not attributed to successors.
            let agency = &self.agencies.known[key.agency as usize];
            let table = connected.entry(&agency.code).or_insert_with(|| vec![false; self.periods.all.len()]);
            for (index, is_connected) in table.iter_mut().enumerate() {
                *is_connected |= since[index] <= day && day <= day_number(last_day(index));
            }
        }
        let mut figures = Vec::new();
        let codes: HashMap<usize, &str> =
            registry.numbers.iter().map(|(code, number)| (*number, code.as_str())).collect();
        for scope in FigureScope::of_registry(self.agencies) {
            let rows = registry.of_scope(&scope, self.agencies, inputs.agencies);
            for period_index in self.periods_with_dossiers() {
                let Some([existing, _]) = rows.in_period(Period::Day(last_day(period_index))) else { continue };
                let is_connected =
                    |number: &usize| connected.get(codes[number]).is_some_and(|table| table[period_index]);
                let numbers = || (0..registry.numbers.len()).filter(|number| existing.contains(*number));
                let denominator = numbers().count() as u64;
                let numerator = numbers().filter(is_connected).count() as u64;
                let reachable = if self.is_over(period_index) { numerator } else { denominator };
                if denominator > 0 {
                    let counts = FigureCounts { reachable, ..FigureCounts::settled(numerator, denominator) };
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }
}
