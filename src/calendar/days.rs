//! The working calendar as arrays by day, for millions of dossiers: the same clock as [`WorkingCalendar::due`], on moments in
//! microseconds.

use jiff::civil::{Date, date};

use crate::calendar::WorkingCalendar;
use crate::calendar::clock::{self, StatutoryTime};
use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};

/// Days that the arrays hold; what lies outside is read as the nearest of them.
pub const FIRST_DAY: Date = date(1990, 1, 1);
pub const LAST_DAY: Date = date(2099, 12, 31);

const SECOND: i64 = 1_000_000;
const OFFSET: i64 = VIETNAM_OFFSET_SECS * SECOND;
const HOUR: i64 = clock::HOUR * SECOND;
const OPENING: i64 = clock::OPENING_SECS * SECOND;
const AFTERNOON: i64 = clock::AFTERNOON_SECS * SECOND;
const MORNING: i64 = clock::MORNING * SECOND;
const WORKING_DAY: i64 = clock::WORKING_DAY * SECOND;

/// Number of a day: days since 1970-01-01.
#[must_use]
pub fn day_number(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// Which days are worked, and which is the n-th that is.
#[derive(Debug, Clone)]
pub struct WorkingDays {
    first: i64,
    working: Vec<bool>,
    /// How many days are worked up to and including each.
    ordinals: Vec<i64>,
    /// Number of each working day, by ordinal less one.
    worked: Vec<i64>,
}

/// A moment as the clock sees it.
#[derive(Debug, Clone, Copy)]
struct Reading {
    day: i64,
    time_of_day: i64,
    working: bool,
    ordinal: i64,
}

/// What the law says of a procedure's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    pub time: Option<StatutoryTime>,
    /// Microseconds of the day from which on papers move on the next working day.
    pub cut_off: i64,
    /// Resolved at once.
    pub immediate: bool,
}

impl WorkingDays {
    #[must_use]
    pub fn new(calendar: &WorkingCalendar) -> Self {
        let days = calendar.ordinals(FIRST_DAY, LAST_DAY);
        let working: Vec<bool> = days.iter().map(|(day, _)| calendar.is_working(*day)).collect();
        let worked = days.iter().zip(&working).filter(|(_, works)| **works);
        Self {
            first: i64::from(day_number(FIRST_DAY)),
            worked: worked.map(|((day, _), _)| i64::from(day_number(*day))).collect(),
            ordinals: days.iter().map(|(_, ordinal)| i64::from(*ordinal)).collect(),
            working,
        }
    }

    fn row(&self, day: i64) -> usize {
        let last = self.working.len() - 1;
        usize::try_from(day - self.first).map_or(0, |row| row.min(last))
    }

    fn read(&self, instant: i64) -> Reading {
        let local = instant + OFFSET;
        let (day, time_of_day) = (local.div_euclid(DAY_MICROS), local.rem_euclid(DAY_MICROS));
        let row = self.row(day);
        Reading { day, time_of_day, working: self.working[row], ordinal: self.ordinals[row] }
    }

    /// The n-th working day.
    fn worked(&self, ordinal: i64) -> Option<i64> {
        self.worked.get(usize::try_from(ordinal - 1).ok()?).copied()
    }

    /// Last moment in time of what is resolved at once: the same working day, after the cut-off the next.
    #[must_use]
    pub fn at_once(&self, received: i64, cut_off: i64) -> Option<i64> {
        let at = self.read(received);
        let in_time = at.working && at.time_of_day < cut_off;
        self.worked(at.ordinal + i64::from(!in_time)).map(end_of_day)
    }

    /// Last moment in time by a statutory time that runs from `from`: the end of its last day, or the very moment where it is
    /// in hours. With a cut-off, papers that come after it on a working day count from the next one's opening.
    #[must_use]
    pub fn statutory(&self, from: i64, time: StatutoryTime, cut_off: Option<i64>) -> Option<i64> {
        let at = self.read(from);
        let moves_on = at.working && cut_off.is_some_and(|cut_off| at.time_of_day >= cut_off);
        match time {
            // No working day at all ends with the day itself, or with the next that is worked.
            StatutoryTime::WorkingDays(0) => {
                self.worked(at.ordinal + i64::from(moves_on) + i64::from(!at.working)).map(end_of_day)
            }
            StatutoryTime::WorkingDays(days) => {
                self.worked(at.ordinal + i64::from(moves_on) + i64::from(days)).map(end_of_day)
            }
            StatutoryTime::CalendarDays(days) => {
                let begins = if moves_on { self.worked(at.ordinal + 1)? } else { at.day };
                let last = begins + i64::from(days);
                let row = self.row(last);
                if self.working[row] {
                    Some(end_of_day(last))
                } else {
                    self.worked(self.ordinals[row] + 1).map(end_of_day)
                }
            }
            StatutoryTime::Hours(hours) => {
                let passed = if moves_on { at.ordinal * WORKING_DAY } else { passed(at) };
                let until = passed + i64::from(hours) * HOUR;
                // The end of a day is its own, not the next one's beginning.
                let days = (until - 1).div_euclid(WORKING_DAY);
                let rest = until - days * WORKING_DAY;
                let time_of_day = if rest <= MORNING { rest + OPENING } else { rest + AFTERNOON - MORNING };
                self.worked(days + 1).map(|day| day * DAY_MICROS + time_of_day - OFFSET)
            }
        }
    }

    /// Whole working hours between two moments; 0 where the second is not later.
    #[must_use]
    pub fn hours_between(&self, from: i64, to: i64) -> i64 {
        (passed(self.read(to)) - passed(self.read(from))).div_euclid(HOUR).max(0)
    }
}

/// Last microsecond of a day.
fn end_of_day(day: i64) -> i64 {
    (day + 1) * DAY_MICROS - 1 - OFFSET
}

/// Working time since the first day: a day off stands where the working day before it closed.
fn passed(at: Reading) -> i64 {
    if !at.working {
        return at.ordinal * WORKING_DAY;
    }
    let morning = (at.time_of_day - OPENING).clamp(0, MORNING);
    let afternoon = (at.time_of_day - AFTERNOON).clamp(0, WORKING_DAY - MORNING);
    (at.ordinal - 1) * WORKING_DAY + morning + afternoon
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::model::day::{CalendarDay, DayKind};
    use crate::model::instant::from_local;

    /// Holidays and a worked Saturday in the weeks that the moments below lie in.
    fn calendar() -> WorkingCalendar {
        let day = |date, kind| CalendarDay { date, kind };
        WorkingCalendar::new(&[
            day(date(2025, 4, 26), DayKind::Working),
            day(date(2025, 4, 30), DayKind::Holiday),
            day(date(2025, 5, 1), DayKind::Holiday),
            day(date(2025, 5, 2), DayKind::Compensation),
        ])
    }

    fn times() -> impl Strategy<Value = StatutoryTime> {
        prop_oneof![
            (0_u32..12).prop_map(StatutoryTime::WorkingDays),
            (1_u32..60).prop_map(StatutoryTime::Hours),
            (0_u32..15).prop_map(StatutoryTime::CalendarDays),
        ]
    }

    proptest! {
        #[test]
        fn millions_run_by_the_same_clock_as_one(
            minutes in 0_i64..40 * 24 * 60,
            time in times(),
            cut_off in proptest::option::of(Just(15_i64)),
        ) {
            let calendar = calendar();
            let days = WorkingDays::new(&calendar);
            let received: DateTime = date(2025, 4, 10).at(0, 0, 0, 0) + jiff::SignedDuration::from_mins(minutes);
            let counted = calendar.counts_as_received(received, cut_off.map(|_| jiff::civil::time(15, 0, 0, 0)));
            let due = calendar.due(counted, time);
            // The clock closes a day at 17:00, figures at its last microsecond.
            let expected = match time {
                StatutoryTime::Hours(_) => from_local(due),
                _ => from_local(due.date().into()) + DAY_MICROS - 1,
            };
            let found = days.statutory(from_local(received), time, cut_off.map(|hour| hour * HOUR));
            prop_assert_eq!(found, Some(expected), "{} {:?} {:?}", received, time, cut_off);
        }

        #[test]
        fn hours_between_are_those_of_the_clock(minutes in 0_i64..40 * 24 * 60, more in -600_i64..40 * 24 * 60) {
            let calendar = calendar();
            let from: DateTime = date(2025, 4, 10).at(0, 0, 0, 0) + jiff::SignedDuration::from_mins(minutes);
            let to = from + jiff::SignedDuration::from_mins(more);
            let expected = calendar.working_seconds(from, to) / 3600;
            prop_assert_eq!(WorkingDays::new(&calendar).hours_between(from_local(from), from_local(to)), expected);
        }
    }
}
