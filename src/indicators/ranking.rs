//! The order of agencies by a ratio, a mean or a median: exact fractions, ties share a rank, tiers are never mixed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{Better, Definition, IndicatorKind, Over};
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

/// How agencies are ranked by an indicator.
#[derive(Debug, Clone, Copy)]
pub struct Contest {
    pub better: Better,
    /// Fewer than these are unranked.
    pub least: u64,
}

impl Contest {
    /// How an indicator ranks; `None` where an agency is only there or not.
    #[must_use]
    pub fn of(definition: &Definition) -> Option<Self> {
        let least = match definition.over {
            Over::Dossiers => LEAST_RANKED,
            // Procedures, feedback and answers are no dossiers: few of them are all there are.
            Over::Procedures | Over::Feedback | Over::Measures => 1,
            Over::Agencies => return None,
        };
        Some(Self { better: definition.better, least })
    }
}

/// A rank for each figure, in the order given; `None` for what is no agency of a tier and for counts.
#[must_use]
pub fn rank(figures: &[&Figure], contest: impl Fn(&str) -> Option<Contest>) -> Vec<Option<Rank>> {
    let mut ranks = vec![None; figures.len()];
    let mut races: BTreeMap<(&str, &str, Period, Tier), Vec<usize>> = BTreeMap::new();
    for (index, figure) in figures.iter().enumerate() {
        let (Some(_), Some(tier), Some(denominator)) = (&figure.agency, figure.tier, figure.denominator) else {
            continue;
        };
        let Some(Contest { least, .. }) = contest(&figure.indicator) else { continue };
        match denominator {
            0 => ranks[index] = Some(Rank::Nothing),
            few if few < least => ranks[index] = Some(Rank::TooFew),
            _ => races.entry((&figure.indicator, &figure.rules, figure.period, tier)).or_default().push(index),
        }
    }
    for ((indicator, ..), mut runners) in races {
        let better = contest(indicator).map_or(Better::default(), |contest| contest.better);
        let ahead = |left: usize, right: usize| match better {
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

/// Compares two fractions exactly; a median is an amount already.
fn fraction(left: &Figure, right: &Figure) -> Ordering {
    if left.kind == IndicatorKind::Median {
        return left.numerator.cmp(&right.numerator);
    }
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
            kind: IndicatorKind::Ratio,
            indicator: "x".into(),
            definition: "".into(),
            rules: "".into(),
            agency: Some(agency.into()),
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
        let by = |better| move |_: &str| Some(Contest { better, least: LEAST_RANKED });
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
        assert_eq!(rank(&figures, by(Better::Higher)), higher);
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
        assert_eq!(rank(&figures, by(Better::Lower)), lower);
    }
}
