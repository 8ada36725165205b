//! What the true figures count, and the periods that they are counted in.

use std::collections::BTreeSet;

use crate::simulator::working_days::{Moment, date_of, day_of};

/// What was counted for an indicator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
    pub(super) unknown: u64,
    pub(super) undecided: u64,
}

/// Counts one in the denominator. `hit`: whether it is in the numerator; `None` if that is not known.
pub(super) fn count(counts: &mut [Count], indicator: usize, hit: Option<bool>) {
    counts[indicator].numerator += u64::from(hit == Some(true));
    counts[indicator].unknown += u64::from(hit.is_none());
    counts[indicator].denominator += 1;
}

/// Counts one if its procedure has dossiers by post that year; it is undecided if the procedure may have some.
pub(super) fn having(
    counts: &mut [Count],
    indicator: usize,
    hit: Option<bool>,
    [with, maybe_with]: &[BTreeSet<(i16, usize)>; 2],
    procedure: &(i16, usize),
) {
    if with.contains(procedure) {
        count(counts, indicator, hit);
    } else if maybe_with.contains(procedure) {
        counts[indicator].undecided += 1;
    }
}

/// The calendar year of a moment.
pub(super) fn year(at: Moment) -> i16 {
    date_of(day_of(at)).year()
}

/// Number of half-months since year 0. The first half ends on the 14th.
pub(super) fn half(at: Moment) -> i32 {
    let date = date_of(day_of(at));
    (i32::from(date.year()) * 12 + i32::from(date.month()) - 1) * 2 + i32::from(date.day() > 14)
}

/// Names of the periods that contain a month (counted since year 0). `end`: suffix of statutory periods.
pub(super) fn period_names(month: i32, end: &str) -> Vec<String> {
    let (year, number) = (month.div_euclid(12), month.rem_euclid(12));
    let mut names = vec![
        format!("{year}-{:02}{end}", number + 1),
        format!("{year}-Q{}{end}", number / 3 + 1),
        format!("{year}-H{}{end}", number / 6 + 1),
        format!("{year}{end}"),
    ];
    if number < 9 {
        names.push(format!("{year}-9M{end}"));
    }
    names
}
