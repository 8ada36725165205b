//! Ranks of agencies by a ratio, a mean or a median. Fractions are compared exactly, equal ones share a rank, and each
//! tier is ranked by itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{Better, CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::period::Period;

/// The least number of dossiers for which an agency gets a rank.
pub const MIN_RANKED_DOSSIERS: u64 = 30;

/// The rank of an agency within its tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// From 1. Agencies with the same fraction share a place, and the next place counts them all: 1, 2, 2, 4.
    Place(usize),
    /// Fewer dossiers than the indicator's minimum (ít hồ sơ).
    TooFew,
    /// The denominator is 0 (không phát sinh hồ sơ).
    NoDossiers,
    /// All of the denominator is unknown (không có dữ liệu).
    NoData,
}

/// How agencies are ranked by an indicator.
#[derive(Debug, Clone, Copy)]
pub struct RankingRule {
    pub better: Better,
    /// Agencies with a smaller denominator get no place.
    pub min_denominator: u64,
}

impl RankingRule {
    /// The rule of an indicator; `None` for indicators over agencies, where a single agency only counts or does not.
    #[must_use]
    pub fn of(definition: &IndicatorDefinition) -> Option<Self> {
        let min_denominator = match definition.over {
            CountedUnit::Dossiers => MIN_RANKED_DOSSIERS,
            // Procedures, feedback and measures are few by nature, so that few of them are enough.
            CountedUnit::Procedures | CountedUnit::Feedback | CountedUnit::Measures => 1,
            CountedUnit::Agencies => return None,
        };
        Some(Self { better: definition.better, min_denominator })
    }
}

/// The rank of each figure, in the order given; `None` for counts, and for figures that are not about an agency of a
/// tier. `rule_of`: the ranking rule of an indicator, by its identifier.
#[must_use]
pub fn rank(figures: &[&Figure], rule_of: impl Fn(&str) -> Option<RankingRule>) -> Vec<Option<Rank>> {
    let mut ranks = vec![None; figures.len()];
    let mut competing: BTreeMap<(&str, &str, Period, Tier), Vec<usize>> = BTreeMap::new();
    for (index, figure) in figures.iter().enumerate() {
        let (Some(_), Some(tier), Some(denominator)) = (&figure.agency, figure.tier, figure.denominator) else {
            continue;
        };
        let Some(RankingRule { min_denominator, .. }) = rule_of(&figure.indicator) else { continue };
        match denominator {
            _ if figure.lacks_data() => ranks[index] = Some(Rank::NoData),
            0 => ranks[index] = Some(Rank::NoDossiers),
            few if few < min_denominator => ranks[index] = Some(Rank::TooFew),
            _ => competing.entry((&figure.indicator, &figure.rules, figure.period, tier)).or_default().push(index),
        }
    }
    for ((indicator, ..), mut indexes) in competing {
        let better = rule_of(indicator).map_or(Better::default(), |rule| rule.better);
        let compare = |left: usize, right: usize| match better {
            Better::Higher => compare_fractions(figures[right], figures[left]),
            Better::Lower => compare_fractions(figures[left], figures[right]),
        };
        indexes.sort_by(|&left, &right| compare(left, right));
        let mut place = 1;
        for (position, &index) in indexes.iter().enumerate() {
            if position > 0 && compare(indexes[position - 1], index) == Ordering::Less {
                place = position + 1;
            }
            ranks[index] = Some(Rank::Place(place));
        }
    }
    ranks
}

/// Compares two fractions exactly. Medians are compared by their amount, which is the numerator.
fn compare_fractions(left: &Figure, right: &Figure) -> Ordering {
    if left.kind == IndicatorKind::Median {
        return left.numerator.cmp(&right.numerator);
    }
    let cross = |one: &Figure, other: &Figure| {
        u128::from(one.numerator) * u128::from(other.denominator.expect("figures without denominator are not ranked"))
    };
    cross(left, right).cmp(&cross(right, left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::indicator::TargetPeriods;

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
            unknown: Some(0),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
        }
    }

    #[test]
    fn equal_fractions_share_a_place_within_a_tier() {
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
        let by = |better| move |_: &str| Some(RankingRule { better, min_denominator: MIN_RANKED_DOSSIERS });
        // b is higher than a by one part in 10^32; c and d are both three quarters.
        let higher = [
            place(2),
            place(1),
            place(3),
            place(3),
            place(5),
            Some(Rank::TooFew),
            Some(Rank::NoDossiers),
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
            Some(Rank::NoDossiers),
            place(1),
            None,
            None,
        ];
        assert_eq!(rank(&figures, by(Better::Lower)), lower);
    }
}
