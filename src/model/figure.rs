//! Figures: the values that indicators have for a scope and a period.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::agency::Tier;
use crate::model::indicator::{IndicatorKind, TargetPeriods};
use crate::model::period::Period;

/// Hundredths of a percent in a whole: ratios and targets are rounded and compared as multiples of 1/10,000.
const SCALE: u128 = 10_000;

/// Value of one indicator for one scope (province, tier or agency) and one period.
///
/// Only counts are stored; the ratio is computed from them last. Texts are shared, because a night's million figures
/// have only a few hundred different ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub indicator: Arc<str>,
    pub kind: IndicatorKind,
    /// Digest of definition and rule set.
    pub definition: Arc<str>,
    pub rules: Arc<str>,
    /// Code of the agency; `None` for a tier or the province.
    pub agency: Option<Arc<str>>,
    pub agency_name: Option<Arc<str>>,
    /// `None` for the province, and for an agency that is not in the registry.
    pub tier: Option<Tier>,
    pub period: Period,
    /// Dossiers that count; for a mean or points the sum of the amounts, for a median the
    /// amount itself.
    pub numerator: u64,
    /// `None` for a count and a stock.
    pub denominator: Option<u64>,
    /// Numerator if every dossier that is open and not overdue ended on time.
    pub reachable: u64,
    /// Dossiers of the numerator for which only the portal or only the post has evidence; `None` if the indicator does
    /// not use postal evidence.
    pub one_sided: Option<u64>,
    /// What is in the denominator while it cannot be decided whether it is in the numerator; of a mean, points or a
    /// median the dossiers whose amount is not known, which the denominator does not have. `None`: the night did not count them.
    pub unknown: Option<u64>,
    /// What may belong to the denominator, while that cannot be decided. `None`: the night did not count them.
    pub undecided: Option<u64>,
    pub target: Option<f64>,
    /// Periods for which the target is judged.
    pub target_periods: TargetPeriods,
}

/// Whether a figure reaches its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    Yes,
    No,
    /// Not yet, but it would if every dossier that is open and not overdue ended on time.
    Open,
    /// It would be if enough of what is unknown were in the numerator; the period cannot decide it any more.
    Unknown,
}

/// Share between 0 and 1, rounded half up to four decimals. `None` if the denominator is 0; never 1 if the numerator is
/// smaller than the denominator.
#[must_use]
pub fn ratio(numerator: u64, denominator: u64) -> Option<f64> {
    if denominator == 0 {
        return None;
    }
    let (numerator, denominator) = (u128::from(numerator), u128::from(denominator));
    let rounded = (numerator * SCALE * 2 + denominator) / (denominator * 2);
    let rounded = if numerator < denominator { rounded.min(SCALE - 1) } else { rounded };
    let hundredths = u32::try_from(rounded).unwrap_or(u32::MAX);
    Some(f64::from(hundredths) / 10_000.0)
}

impl Figure {
    /// The [`ratio`] of the counts; `None` if the denominator is 0 ("không phát sinh"), if all of it is unknown
    /// ("không có dữ liệu"), or if the indicator is not a ratio.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        if self.kind != IndicatorKind::Ratio || self.lacks_data() {
            return None;
        }
        ratio(self.numerator, self.denominator?)
    }

    /// The least and the most that the ratio can be: without and with all that is unknown. `None` if the denominator is
    /// 0, if the night did not count the unknown, or if the indicator is not a ratio.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 2]> {
        if self.kind != IndicatorKind::Ratio {
            return None;
        }
        let (whole, most) = (self.denominator?, self.numerator + self.unknown?);
        Some([ratio(self.numerator, whole)?, ratio(most.min(whole), whole)?])
    }

    /// Whether the figure has something to count, but no fact that decides any of it ("không có dữ liệu").
    #[must_use]
    pub fn lacks_data(&self) -> bool {
        let (unknown, undecided) = (self.unknown.unwrap_or(0), self.undecided.unwrap_or(0));
        match (self.kind, self.denominator) {
            (IndicatorKind::Ratio, Some(whole)) if whole > 0 => unknown == whole,
            (_, Some(0)) => unknown > 0 || undecided > 0,
            _ => false,
        }
    }

    /// The number to show: the ratio, the count, the mean (rounded half up to two decimals) or the median; `None` if
    /// the denominator is 0 or all of it is unknown.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let number = |count: u64| count as f64;
        match (self.kind, self.denominator) {
            (IndicatorKind::Ratio, _) => self.ratio(),
            (_, Some(0)) => None,
            (IndicatorKind::Mean | IndicatorKind::Points, Some(whole)) => {
                let hundredths = (u128::from(self.numerator) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
                Some(number(u64::try_from(hundredths).unwrap_or(u64::MAX)) / 100.0)
            }
            _ => Some(number(self.numerator)),
        }
    }

    /// Whether the figure has a target that is set for the year, and its period is none.
    #[must_use]
    pub fn is_below_target_period(&self) -> bool {
        self.target.is_some() && self.target_periods == TargetPeriods::Year && !self.period.is_year()
    }

    /// Value minus target, of the rounded numbers that are shown; `None` without a value or a target.
    #[must_use]
    pub fn distance_to_target(&self) -> Option<f64> {
        Some(((self.value()? - self.target?) * 10_000.0).round() / 10_000.0)
    }

    /// Whether the target is reached, decided on the counts and not on the rounded ratio; `None` without a target, if
    /// there is nothing to count, and for a period that is shorter than the year of an annual target.
    #[must_use]
    pub fn met(&self) -> Option<Met> {
        let target = scaled(self.target?);
        if self.is_below_target_period() {
            return None;
        }
        let reaches = |count: u64| match self.denominator {
            Some(whole) => u128::from(count) * SCALE >= target * u128::from(whole),
            None => u128::from(count) * SCALE >= target,
        };
        let unknown = self.unknown.unwrap_or(0);
        let with_unknown = |count: u64| (count + unknown).min(self.denominator.unwrap_or(u64::MAX));
        if self.denominator == Some(0) {
            self.lacks_data().then_some(Met::Unknown)
        } else if reaches(self.numerator) {
            Some(Met::Yes)
        } else if self.reachable > self.numerator && reaches(with_unknown(self.reachable)) {
            Some(Met::Open)
        } else if reaches(with_unknown(self.numerator)) {
            Some(Met::Unknown)
        } else {
            Some(Met::No)
        }
    }

    /// Share of the numerator that is one-sided, between 0 and 1 with four decimals; `None` if the numerator is 0 or
    /// the indicator does not use postal evidence.
    #[must_use]
    pub fn unmatched(&self) -> Option<f64> {
        let one_sided = self.one_sided?;
        #[expect(clippy::cast_precision_loss, reason = "counts of dossiers are far below 2^52")]
        let share = |part: u64, whole: u64| (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0;
        (self.numerator > 0).then(|| share(one_sided, self.numerator))
    }
}

/// Target in multiples of 1/10,000; `config` has checked that it is finite and not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a target is a small number, checked at load"
)]
fn scaled(target: f64) -> u128 {
    (target * 10_000.0).round() as u128
}

/// Properties that all figures of a night share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    pub run: i64,
    /// Moment for which the figures were computed, microseconds UTC.
    pub as_of: i64,
    /// Whether every connector was read completely.
    pub complete: bool,
    /// The newest dossier date of each connector, and of these the earliest; microseconds UTC.
    pub data_until: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(numerator: u64, denominator: u64, reachable: u64, target: f64) -> Figure {
        Figure {
            indicator: "x".into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: "".into(),
            agency: None,
            agency_name: None,
            tier: None,
            period: Period::Year { year: 2026 },
            numerator,
            denominator: Some(denominator),
            reachable,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: Some(target),
            target_periods: TargetPeriods::All,
        }
    }

    #[test]
    fn ratios_round_half_up_and_never_up_to_one() {
        for (numerator, denominator, expected) in [
            (1, 3, Some(0.3333)),
            (2, 3, Some(0.6667)),
            (1, 20_000, Some(0.0001)),
            (19_999, 20_000, Some(0.9999)),
            (99_999, 100_000, Some(0.9999)),
            (5, 5, Some(1.0)),
            (0, 5, Some(0.0)),
            (0, 0, None),
        ] {
            assert_eq!(figure(numerator, denominator, 0, 1.0).ratio(), expected, "{numerator}/{denominator}");
        }
    }

    #[test]
    fn means_round_half_up_and_medians_are_amounts() {
        let of = |kind, numerator, denominator| Figure { kind, ..figure(numerator, denominator, 0, 1.0) }.value();
        assert_eq!(of(IndicatorKind::Mean, 25, 8), Some(3.13)); // 3.125
        assert_eq!(of(IndicatorKind::Mean, 25, 0), None);
        assert_eq!(of(IndicatorKind::Median, 12, 8), Some(12.0));
        assert_eq!(of(IndicatorKind::Median, 0, 0), None);
    }

    #[test]
    fn targets_are_met_missed_or_open() {
        for (numerator, denominator, reachable, target, expected) in [
            (10, 100, 10, 0.1, Some(Met::Yes)),
            (9, 100, 9, 0.1, Some(Met::No)),
            (99, 100, 100, 1.0, Some(Met::Open)),
            (99, 100, 99, 1.0, Some(Met::No)),
            (0, 0, 0, 1.0, None),
        ] {
            assert_eq!(figure(numerator, denominator, reachable, target).met(), expected);
        }
    }

    #[test]
    fn an_annual_target_is_judged_for_years_only() {
        let of = |period: &str, numerator, target_periods| {
            let period = Period::parse(period).expect("a period");
            Figure { period, target_periods, ..figure(numerator, 100, numerator, 0.5) }
        };
        let (all, year) = (TargetPeriods::All, TargetPeriods::Year);
        for (period, numerator, periods, met, distance) in [
            ("2026", 60, year, Some(Met::Yes), 0.1),
            ("2026s", 40, year, Some(Met::No), -0.1),
            ("2026-9M", 60, year, None, 0.1),
            ("2026-H1s", 40, year, None, -0.1),
            ("2026-Q3", 50, year, None, 0.0),
            ("2026-09", 0, year, None, -0.5),
            ("2026-09", 40, all, Some(Met::No), -0.1),
        ] {
            let figure = of(period, numerator, periods);
            assert_eq!((figure.met(), figure.distance_to_target()), (met, Some(distance)), "{period}");
        }
        assert!(!Figure { target: None, ..of("2026-09", 1, year) }.is_below_target_period());
    }

    /// Of ten dossiers `numerator` are on time and `unknown` cannot be decided; `reachable` if all that are open end on
    /// time. The target is 90 %: nine dossiers.
    #[test]
    fn what_is_unknown_gives_bounds_and_leaves_the_target_undecided() {
        for (numerator, unknown, reachable, bounds, met) in [
            (9, 0, 9, [0.9, 0.9], Met::Yes),
            (9, 1, 9, [0.9, 1.0], Met::Yes),
            // Nine would be reached only if one that is unknown were on time.
            (8, 1, 8, [0.8, 0.9], Met::Unknown),
            (7, 1, 7, [0.7, 0.8], Met::No),
            // One is open: it can still become the ninth, alone or with the one that is unknown.
            (8, 0, 9, [0.8, 0.8], Met::Open),
            (7, 1, 8, [0.7, 0.8], Met::Open),
            (6, 1, 7, [0.6, 0.7], Met::No),
            // Two are unknown, which suffices without the open one.
            (7, 2, 8, [0.7, 0.9], Met::Open),
        ] {
            let found = Figure { unknown: Some(unknown), ..figure(numerator, 10, reachable, 0.9) };
            assert_eq!((found.bounds(), found.met()), (Some(bounds), Some(met)), "{numerator} {unknown} {reachable}");
        }
    }

    #[test]
    fn a_figure_of_which_nothing_is_known_has_no_ratio() {
        let nothing_known = Figure { unknown: Some(5), ..figure(0, 5, 0, 0.9) };
        assert_eq!((nothing_known.ratio(), nothing_known.value(), nothing_known.lacks_data()), (None, None, true));
        assert_eq!((nothing_known.bounds(), nothing_known.met()), (Some([0.0, 1.0]), Some(Met::Unknown)));
        let may_be_empty = Figure { undecided: Some(3), ..figure(0, 0, 0, 0.9) };
        assert_eq!((may_be_empty.bounds(), may_be_empty.met()), (None, Some(Met::Unknown)));
        assert!(may_be_empty.lacks_data() && !figure(0, 0, 0, 0.9).lacks_data());
        let mean = Figure { kind: IndicatorKind::Mean, unknown: Some(2), ..figure(25, 8, 25, 1.0) };
        assert_eq!((mean.value(), mean.bounds(), mean.lacks_data()), (Some(3.13), None, false));
        // Figures of older nights did not count the unknown.
        let older = Figure { unknown: None, undecided: None, ..figure(8, 10, 8, 0.9) };
        assert_eq!((older.ratio(), older.bounds(), older.met()), (Some(0.8), None, Some(Met::No)));
    }
}
