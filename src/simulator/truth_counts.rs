//! What the true figures count.

use crate::simulator::working_days::{Moment, date_of, day_of};

/// What was counted for an indicator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
    pub(super) unknown: u64,
    pub(super) undecided: u64,
}

impl Count {
    pub(super) fn add(&mut self, other: &Self) {
        self.numerator += other.numerator;
        self.denominator += other.denominator;
        self.unknown += other.unknown;
        self.undecided += other.undecided;
    }
}

/// Counts one in the denominator. `hit`: whether it is in the numerator; `None` if that is not known.
pub(super) fn count(counts: &mut [Count], indicator: usize, hit: Option<bool>) {
    counts[indicator].numerator += u64::from(hit == Some(true));
    counts[indicator].unknown += u64::from(hit.is_none());
    counts[indicator].denominator += 1;
}

/// Number of half-months since year 0. The first half ends on the 14th.
pub(super) fn half(at: Moment) -> i32 {
    let date = date_of(day_of(at));
    (i32::from(date.year()) * 12 + i32::from(date.month()) - 1) * 2 + i32::from(date.day() > 14)
}
