//! Medians: of an amount in whole units, by counting how often each value stands.
//!
//! The value for which at least half of the dossiers took no more (the lower median), so that it is one that a dossier had.

use std::collections::BTreeMap;

use crate::indicators::figures::{Assembly, Counts, Indicator, Rows, Scope};
use crate::model::figure::Figure;

/// How often each amount stands in each period: one table after the other.
#[derive(Debug, Clone)]
struct Histogram {
    amounts: usize,
    counts: Vec<u32>,
}

impl Histogram {
    fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(held, count)| *held += count);
    }

    /// The lower median of a period and how many it is of; none of nothing.
    fn median(&self, place: usize) -> Option<Counts> {
        let row = &self.counts[place * self.amounts..(place + 1) * self.amounts];
        let whole: u64 = row.iter().map(|count| u64::from(*count)).sum();
        let mut passed = 0;
        let middle = row.iter().position(|count| {
            passed += u64::from(*count);
            passed * 2 >= whole && whole > 0
        })?;
        let part = middle as u64;
        Some(Counts { whole, part, reachable: part, one_sided: 0 })
    }
}

impl Assembly<'_> {
    /// The medians of every scope in the periods that have any dossier; between them "không phát sinh".
    pub(super) fn medians(&self, entry: &Indicator<'_>, rows: &Rows) -> Vec<Figure> {
        let highest = rows.keys().map(|key| key.amount).max().unwrap_or(0);
        let amounts = usize::try_from(highest).expect("amounts are bounded") + 1;
        let mut by_agency: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (row, key) in rows.keys().enumerate() {
            by_agency.entry(key.agency).or_default().push(row);
        }
        // One table an agency at a time: with the tiers' and the province's few are held at once.
        let mut together: BTreeMap<Scope, Histogram> = BTreeMap::new();
        let mut counts: BTreeMap<Scope, Vec<Counts>> = BTreeMap::new();
        let medians = |histogram: &Histogram| -> Vec<Counts> {
            (0..self.periods.all.len()).map(|place| histogram.median(place).unwrap_or_default()).collect()
        };
        for (agency, of_agency) in by_agency {
            let mut histogram = Histogram { amounts, counts: vec![0; amounts * self.periods.all.len()] };
            for row in of_agency {
                let key = rows.key(row);
                let amount = usize::try_from(key.amount).expect("amounts are bounded");
                let count = rows.counts[row];
                for place in self.periods.holding(key.start) {
                    histogram.counts[place * amounts + amount] += count;
                }
            }
            for scope in self.scopes_of(agency) {
                match together.get_mut(&scope) {
                    Some(held) => held.add(&histogram),
                    None => {
                        together.insert(scope, histogram.clone());
                    }
                }
            }
            // Nobody else's dossiers stand in the row of an agency, but under today's map.
            if self.agencies.rows_are_own() {
                let own = |scope: &Scope| matches!(scope, Scope::Agency(..));
                let done: Vec<Scope> = together.keys().filter(|scope| own(scope)).cloned().collect();
                for scope in done {
                    let histogram = together.remove(&scope).expect("it was just named");
                    counts.insert(scope, medians(&histogram));
                }
            }
        }
        counts.extend(together.iter().map(|(scope, histogram)| (scope.clone(), medians(histogram))));
        self.figures(entry, &counts, |table: &[Counts], place| table[place].whole > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_dossier_or_the_lower_of_two() {
        for (row, expected) in [
            (vec![0, 1, 0, 0], Some((1, 1))),
            (vec![1, 0, 0, 1], Some((0, 2))),
            (vec![1, 1, 0, 1], Some((1, 3))),
            (vec![2, 0, 1, 3], Some((2, 6))),
            (vec![0, 0, 0, 0], None),
        ] {
            let histogram = Histogram { amounts: 4, counts: row.clone() };
            let found = histogram.median(0).map(|counts| (counts.part, counts.whole));
            assert_eq!(found, expected, "{row:?}");
        }
    }
}
