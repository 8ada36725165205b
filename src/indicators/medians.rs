//! Medians of an amount in whole units, found by counting how often each amount occurs.
//!
//! The median is the smallest amount that at least half of the dossiers do not exceed (the lower median). It is
//! therefore the amount of a real dossier.

use std::collections::BTreeMap;

use crate::indicators::figures::{FigureBuilder, FigureScope};
use crate::indicators::inputs::ComputedIndicator;
use crate::indicators::rows::{FigureCounts, GroupRows};
use crate::indicators::sums::SumPositions;
use crate::model::figure::Figure;

/// How often each amount occurs in each period.
#[derive(Debug, Clone)]
struct Histogram {
    /// How many amounts are counted: 0 to `amounts` − 1.
    amounts: usize,
    /// At period index × `amounts` + amount.
    counts: Vec<u32>,
    /// Dossiers of each period whose amount is not known, and those that may or may not count.
    not_known: Vec<[u64; 2]>,
}

impl Histogram {
    fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count);
        for (sum, count) in self.not_known.iter_mut().zip(&other.not_known) {
            *sum = [sum[0] + count[0], sum[1] + count[1]];
        }
    }

    /// The median of a period as numerator, the number of dossiers as denominator; `None` if there are no dossiers.
    fn median(&self, period_index: usize) -> Option<FigureCounts> {
        let of_period = &self.counts[period_index * self.amounts..(period_index + 1) * self.amounts];
        let dossiers: u64 = of_period.iter().map(|count| u64::from(*count)).sum();
        let mut passed = 0;
        let median = of_period.iter().position(|count| {
            passed += u64::from(*count);
            passed * 2 >= dossiers && dossiers > 0
        })? as u64;
        Some(FigureCounts::settled(median, dossiers))
    }
}

impl FigureBuilder<'_> {
    /// The medians of every scope, from its first to its last period with dossiers ("không phát sinh" for those
    /// without).
    pub(super) fn median_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        positions: &SumPositions,
        rows: &GroupRows,
    ) -> Vec<Figure> {
        let highest = rows.keys().map(|key| key.amount).max().unwrap_or(0);
        let amounts = usize::try_from(highest).expect("amounts are capped") + 1;
        let mut rows_by_agency: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (row, key) in rows.keys().enumerate() {
            rows_by_agency.entry(key.agency).or_default().push(row);
        }
        // Histograms are large. Agency by agency, one that is complete is replaced by its medians, so that few are
        // held.
        let mut histograms: BTreeMap<FigureScope, Histogram> = BTreeMap::new();
        let mut tables: BTreeMap<FigureScope, Vec<FigureCounts>> = BTreeMap::new();
        let medians = |histogram: &Histogram| -> Vec<FigureCounts> {
            let counts = |index: usize| {
                let [unknown, undecided] = histogram.not_known[index];
                FigureCounts { unknown, undecided, ..histogram.median(index).unwrap_or_default() }
            };
            (0..self.periods.all.len()).map(counts).collect()
        };
        for (agency, rows_of_agency) in rows_by_agency {
            let mut histogram = Histogram {
                amounts,
                counts: vec![0; amounts * self.periods.all.len()],
                not_known: vec![[0; 2]; self.periods.all.len()],
            };
            for row in rows_of_agency {
                let key = rows.key(row);
                let amount = usize::try_from(key.amount).expect("amounts are capped");
                let FigureCounts { denominator, unknown, undecided, .. } = rows.figure_counts(positions, row);
                let known = u32::try_from(denominator).expect("dossiers of a group are below four billion");
                for &period_index in self.periods.containing(key.start) {
                    histogram.counts[period_index * amounts + amount] += known;
                    let [unknown_before, undecided_before] = histogram.not_known[period_index];
                    histogram.not_known[period_index] = [unknown_before + unknown, undecided_before + undecided];
                }
            }
            for scope in self.scopes_of(agency) {
                match histograms.get_mut(&scope) {
                    Some(sum) => sum.add(&histogram),
                    None => {
                        histograms.insert(scope, histogram.clone());
                    }
                }
            }
            // Only under today's successors can dossiers of another agency still be added to this agency's.
            if self.agencies.each_counts_for_itself() {
                let is_agency = |scope: &FigureScope| matches!(scope, FigureScope::Agency(..));
                let complete: Vec<FigureScope> = histograms.keys().filter(|scope| is_agency(scope)).cloned().collect();
                for scope in complete {
                    let histogram = histograms.remove(&scope).expect("the scope was just listed");
                    tables.insert(scope, medians(&histogram));
                }
            }
        }
        tables.extend(histograms.iter().map(|(scope, histogram)| (scope.clone(), medians(histogram))));
        self.figures_between_touched(indicator, &tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_dossier_or_the_lower_of_two() {
        for (row, expected) in [
            (vec![0, 1, 0, 0], Some((1, 1))),
            (vec![1, 0, 0, 1], Some((0, 2))),
            (vec![1, 1, 0, 1], Some((1, 3))),
            (vec![2, 0, 1, 3], Some((2, 6))),
            (vec![0, 0, 0, 0], None),
        ] {
            let histogram = Histogram { amounts: 4, counts: row.clone(), not_known: Vec::new() };
            let found = histogram.median(0).map(|counts| (counts.numerator, counts.denominator));
            assert_eq!(found, expected, "{row:?}");
        }
    }
}
