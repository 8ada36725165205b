//! The simulator's own time: local seconds, local days and working days.
//!
//! A `Moment` is the number of seconds since 1970-01-01T00:00:00 in Vietnam's time zone (+07:00, no daylight saving); a
//! `Day` is the number of days since then. No code is shared with the pipeline's calendar: the truth must be able to
//! disagree with it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::Offset;

/// Seconds since 1970-01-01T00:00:00, local.
pub(super) type Moment = i64;
/// Days since 1970-01-01, local.
pub(super) type Day = i64;

pub(super) const DAY_SECS: i64 = 86_400;
/// The simulated evening: 20:00.
const EVENING_SECS: i64 = 20 * 3600;
/// Offset of local time from UTC, in seconds.
pub(super) const AHEAD_SECS: i64 = 7 * 3600;

/// First day of the table of working days. Outside the table every weekday is a working day.
const TABLE_START: Date = date(2000, 1, 1);
/// Length of the table: about a century.
const TABLE_DAYS: usize = 36_525;

pub(super) fn day_number(date: Date) -> Day {
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_secs() / DAY_SECS
}

pub(super) fn day_of(moment: Moment) -> Day {
    moment.div_euclid(DAY_SECS)
}

/// Seconds since that day's midnight.
pub(super) fn clock(moment: Moment) -> i64 {
    moment.rem_euclid(DAY_SECS)
}

/// 20:00 of a day.
pub(super) fn evening(day: Day) -> Moment {
    day * DAY_SECS + EVENING_SECS
}

/// The last second of a day.
pub(super) fn end_of(day: Day) -> Moment {
    day * DAY_SECS + DAY_SECS - 1
}

/// Date and time of a number of seconds since 1970-01-01T00:00:00, in the same time zone.
pub(super) fn civil(seconds: i64) -> DateTime {
    Offset::UTC.to_datetime(Timestamp::from_second(seconds).expect("simulated years have four digits"))
}

pub(super) fn date_of(day: Day) -> Date {
    civil(day * DAY_SECS).date()
}

/// The working days: Monday to Friday without holidays and compensation days, plus make-up days (ngày làm bù).
#[derive(Debug, Clone)]
pub(super) struct WorkingDays {
    start: Day,
    is_working: Vec<bool>,
    holidays: Vec<Day>,
}

impl WorkingDays {
    /// From the rows of `calendar.csv`: the day, and whether it is a working day.
    pub(super) fn new(exceptions: &[(Date, bool)]) -> Self {
        let start = day_number(TABLE_START);
        let mut is_working: Vec<bool> = (start..).take(TABLE_DAYS).map(is_weekday).collect();
        let mut holidays = Vec::new();
        for &(date, works) in exceptions {
            let day = day_number(date);
            if let Some(slot) = usize::try_from(day - start).ok().and_then(|at| is_working.get_mut(at)) {
                *slot = works;
            }
            if !works {
                holidays.push(day);
            }
        }
        holidays.sort_unstable();
        Self { start, is_working, holidays }
    }

    pub(super) fn is_working(&self, day: Day) -> bool {
        let known = usize::try_from(day - self.start).ok().and_then(|at| self.is_working.get(at));
        known.copied().unwrap_or_else(|| is_weekday(day))
    }

    pub(super) fn is_holiday(&self, day: Day) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }

    /// The `count`-th working day after a day; the day itself if `count` is 0.
    pub(super) fn after(&self, day: Day, count: u32) -> Day {
        let mut at = day;
        for _ in 0..count {
            at += 1;
            while !self.is_working(at) {
                at += 1;
            }
        }
        at
    }

    /// The last working day on or before a day.
    pub(super) fn on_or_before(&self, day: Day) -> Day {
        let mut at = day;
        while !self.is_working(at) {
            at -= 1;
        }
        at
    }

    /// Number of working days after `from` up to and including `to`.
    pub(super) fn between(&self, from: Day, to: Day) -> u32 {
        let mut count = 0;
        for day in from + 1..=to {
            count += u32::from(self.is_working(day));
        }
        count
    }

    /// Whether the Tết holiday begins within a week; fewer dossiers are handed in then.
    pub(super) fn before_tet(&self, day: Day) -> bool {
        let next = self.holidays.partition_point(|&holiday| holiday <= day);
        let soon = self.holidays[next..].iter().take_while(|&&holiday| holiday <= day + 7);
        // From January to the middle of February, New Year's Day is the only other holiday.
        soon.map(|&holiday| date_of(holiday)).any(|at| (at.month() == 1 && at.day() > 15) || (at.month() == 2))
    }
}

/// 1970-01-01 was a Thursday.
fn is_weekday(day: Day) -> bool {
    !is_saturday(day) && (day + 4).rem_euclid(7) != 0
}

pub(super) fn is_saturday(day: Day) -> bool {
    (day + 4).rem_euclid(7) == 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for (year, month, day) in [(1970, 1, 1), (2024, 2, 29), (2026, 9, 30)] {
            let at = date(year, month, day);
            assert_eq!(date_of(day_number(at)), at);
        }
        assert!(is_saturday(day_number(date(2026, 8, 22))));
    }

    #[test]
    fn holidays_and_make_up_days_override_the_week() {
        let days = WorkingDays::new(&[
            (date(2026, 8, 22), true),
            (date(2026, 8, 31), false),
            (date(2026, 9, 1), false),
            (date(2026, 9, 2), false),
        ]);
        assert!(days.is_working(day_number(date(2026, 8, 22))));
        assert!(!days.is_working(day_number(date(2026, 8, 29))));
        // Friday 28 August → Thursday 3 September.
        assert_eq!(days.after(day_number(date(2026, 8, 28)), 1), day_number(date(2026, 9, 3)));
        assert_eq!(days.on_or_before(day_number(date(2026, 9, 2))), day_number(date(2026, 8, 28)));
        assert_eq!(days.between(day_number(date(2026, 8, 28)), day_number(date(2026, 9, 4))), 2);
    }
}
