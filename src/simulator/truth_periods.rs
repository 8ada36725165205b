//! From half-months of agency rows to all periods of all scopes.

use std::collections::BTreeMap;

use crate::simulator::Province;
use crate::simulator::truth_counts::{COUNTED, Count, Counts, INDICATORS, TruthFigure, TruthScope, count};

/// Counts of "có phát sinh": dossiers of procedures that have a dossier of a kind, province-wide, from 1 January to the
/// end of the period.
#[derive(Debug, Default)]
pub(super) struct HavingCounts {
    /// By row of the agency, half-month and group of the procedure.
    counts: BTreeMap<(usize, i32, usize), Count>,
    /// By year and group: the first half-month with a dossier of the kind, and with one that may be.
    first: [BTreeMap<(i32, usize), i32>; 2],
}

impl HavingCounts {
    /// `hit`: whether the dossier is of the kind; `None` if that is not known.
    pub(super) fn add(&mut self, row: usize, half: i32, group: usize, hit: Option<bool>) {
        count(std::slice::from_mut(self.counts.entry((row, half, group)).or_default()), 0, hit);
        if hit != Some(false) {
            let first = self.first[usize::from(hit.is_none())].entry((year_of(half), group)).or_insert(half);
            *first = half.min(*first);
        }
    }

    /// What a period counts of a row that ends with half-month `last`.
    fn until(&self, last: i32, half: i32, group: usize, counts: &Count) -> Count {
        let [certain, possible] = self.first.each_ref().map(|first| first.get(&(year_of(half), group)));
        if certain.is_some_and(|first| *first <= last) {
            *counts
        } else if possible.is_some_and(|first| *first <= last) {
            Count { undecided: counts.denominator, ..Count::default() }
        } else {
            Count::default()
        }
    }
}

impl Province {
    /// Sums half-months of agency rows into all periods of all scopes. `having`: counts that depend on how far a period
    /// reaches, each with the position of its indicator.
    pub(super) fn roll_up(
        &self,
        halves: &BTreeMap<(usize, i32), Counts>,
        having: &[(usize, HavingCounts)],
    ) -> Vec<TruthFigure> {
        let mut sums: BTreeMap<(TruthScope, String), Counts> = BTreeMap::new();
        for (&(row, half), counts) in halves {
            for (period, _) in periods_of(half) {
                for scope in self.scopes(row) {
                    let sum = sums.entry((scope, period.clone())).or_default();
                    for (total, count) in sum.iter_mut().zip(counts) {
                        total.add(count);
                    }
                }
            }
        }
        for (indicator, having) in having {
            for (&(row, half, group), counts) in &having.counts {
                for (period, last) in periods_of(half) {
                    let counts = having.until(last, half, group, counts);
                    for scope in self.scopes(row) {
                        sums.entry((scope, period.clone())).or_default()[*indicator].add(&counts);
                    }
                }
            }
        }
        let mut figures = Vec::new();
        for (at, indicator) in INDICATORS.into_iter().take(COUNTED).enumerate() {
            for ((scope, period), counts) in &sums {
                let Count { numerator, denominator, unknown, undecided } = counts[at];
                if denominator > 0 || undecided > 0 {
                    let (scope, period) = (scope.clone(), period.clone());
                    figures.push(TruthFigure { indicator, scope, period, numerator, denominator, unknown, undecided });
                }
            }
        }
        figures
    }

    fn scopes(&self, row: usize) -> [TruthScope; 3] {
        let agency = &self.registry.agencies[row];
        [TruthScope::Province, TruthScope::Tier(agency.tier.name()), TruthScope::Agency(agency.code.clone())]
    }
}

/// The year of a half-month.
fn year_of(half: i32) -> i32 {
    half.div_euclid(24)
}

/// Name and last half-month of each period that contains a half-month.
fn periods_of(half: i32) -> Vec<(String, i32)> {
    let mut periods: Vec<(String, i32)> = Vec::new();
    // The calendar's months end with their second half; from the 15th on a day belongs to the next month's statutory
    // period, which ends with a first half.
    for (month, end, last_half) in [(half.div_euclid(2), "", 1), ((half + 1).div_euclid(2), "s", 0)] {
        let (year, number) = (month.div_euclid(12), month.rem_euclid(12));
        let mut add = |name: String, last: i32| periods.push((name, (year * 12 + last) * 2 + last_half));
        add(format!("{year}-{:02}{end}", number + 1), number);
        add(format!("{year}-Q{}{end}", number / 3 + 1), number / 3 * 3 + 2);
        add(format!("{year}-H{}{end}", number / 6 + 1), number / 6 * 6 + 5);
        add(format!("{year}{end}"), 11);
        if number < 9 {
            add(format!("{year}-9M{end}"), 8);
        }
    }
    periods
}
