//! The order of agencies by a ratio: exact fractions, ties share a rank, tiers are never mixed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::Better;
use crate::model::period::Period;

/// Fewer dossiers than these say too little for a rank.
pub const LEAST_RANKED: u64 = 30;

/// Where an agency stands among those of its tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// From 1; agencies with the same fraction share it, and the next rank counts them all.
    Place(usize),
    /// Ít hồ sơ: fewer than [`LEAST_RANKED`].
    TooFew,
    /// Không phát sinh hồ sơ.
    Nothing,
}

/// A rank for each figure, in the order given; `None` for what is no agency of a tier and for counts.
#[must_use]
pub fn rank(figures: &[&Figure], better: impl Fn(&str) -> Better) -> Vec<Option<Rank>> {
    let mut ranks = vec![None; figures.len()];
    let mut races: BTreeMap<(&str, &str, Period, Tier), Vec<usize>> = BTreeMap::new();
    for (index, figure) in figures.iter().enumerate() {
        let (Some(_), Some(tier), Some(denominator)) = (&figure.agency, figure.tier, figure.denominator) else {
            continue;
        };
        match denominator {
            0 => ranks[index] = Some(Rank::Nothing),
            few if few < LEAST_RANKED => ranks[index] = Some(Rank::TooFew),
            _ => races.entry((&figure.indicator, &figure.rules, figure.period, tier)).or_default().push(index),
        }
    }
    for ((indicator, ..), mut runners) in races {
        let ahead = |left: usize, right: usize| match better(indicator) {
            Better::Higher => fraction(figures[right], figures[left]),
            Better::Lower => fraction(figures[left], figures[right]),
        };
        runners.sort_by(|&left, &right| ahead(left, right));
        let mut place = 1;
        for (position, &runner) in runners.iter().enumerate() {
            if position > 0 && ahead(runners[position - 1], runner) == Ordering::Less {
                place = position + 1;
            }
            ranks[runner] = Some(Rank::Place(place));
        }
    }
    ranks
}

/// Compares two fractions exactly.
fn fraction(left: &Figure, right: &Figure) -> Ordering {
    let cross = |one: &Figure, other: &Figure| {
        u128::from(one.numerator) * u128::from(other.denominator.expect("only ratios are ranked"))
    };
    cross(left, right).cmp(&cross(right, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(agency: &str, tier: Tier, numerator: u64, denominator: u64) -> Figure {
        Figure {
            indicator: "x".to_owned(),
            definition: String::new(),
            rules: String::new(),
            agency: Some(agency.to_owned()),
            agency_name: None,
            tier: Some(tier),
            period: Period::Year { year: 2026 },
            numerator,
            denominator: Some(denominator),
            reachable: numerator,
            one_sided: None,
            target: None,
        }
    }

    #[test]
    fn exact_fractions_share_ranks_within_a_tier() {
        let figures = [
            figure("a", Tier::Commune, 9_999_999_999_999_998, 9_999_999_999_999_999),
            figure("b", Tier::Commune, 9_999_999_999_999_999, 10_000_000_000_000_000),
            figure("c", Tier::Commune, 30, 40),
            figure("d", Tier::Commune, 75, 100),
            figure("e", Tier::Commune, 31, 62),
            figure("f", Tier::Commune, 29, 29),
            figure("g", Tier::Commune, 0, 0),
            figure("h", Tier::Province, 15, 30),
            Figure { tier: None, ..figure("i", Tier::Commune, 50, 50) },
            Figure { denominator: None, ..figure("j", Tier::Commune, 50, 50) },
        ];
        let figures: Vec<&Figure> = figures.iter().collect();
        let place = |place| Some(Rank::Place(place));
        // b is ahead of a by one part in 10^32; c and d are both three quarters.
        let higher = [
            place(2),
            place(1),
            place(3),
            place(3),
            place(5),
            Some(Rank::TooFew),
            Some(Rank::Nothing),
            place(1),
            None,
            None,
        ];
        assert_eq!(rank(&figures, |_| Better::Higher), higher);
        let lower = [
            place(4),
            place(5),
            place(2),
            place(2),
            place(1),
            Some(Rank::TooFew),
            Some(Rank::Nothing),
            place(1),
            None,
            None,
        ];
        assert_eq!(rank(&figures, |_| Better::Lower), lower);
    }
}
