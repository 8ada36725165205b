//! The working calendar as arrays by day, for figures over millions of dossiers.
//!
//! Moments are instants in microseconds UTC. The results agree with [`WorkingCalendar::due`], except that days end with
//! their last microsecond and not at closing time.

use jiff::civil::{Date, date};

use crate::calendar::working_calendar::WorkingCalendar;
use crate::calendar::working_time::{self, StatutoryTime};
use crate::model::instant::{DAY_MICROS, offset_micros};

/// First day of the arrays; [`LAST_DAY`] is the last. Days outside are treated like the nearest day inside.
pub const FIRST_DAY: Date = date(1990, 1, 1);
pub const LAST_DAY: Date = date(2099, 12, 31);

const SECOND: i64 = 1_000_000;
const HOUR: i64 = working_time::HOUR * SECOND;
const OPENING: i64 = working_time::OPENING_SECS * SECOND;
const AFTERNOON: i64 = working_time::AFTERNOON_SECS * SECOND;
const MORNING: i64 = working_time::MORNING * SECOND;
const WORKING_DAY: i64 = working_time::WORKING_DAY * SECOND;

/// Number of a day: days since 1970-01-01.
#[must_use]
pub fn day_number(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// Working days by day number and by ordinal.
#[derive(Debug, Clone)]
pub struct WorkingDayTable {
    /// Offset of local time from UTC.
    offset: i64,
    /// Number of the first day.
    first: i64,
    working: Vec<bool>,
    /// For each day: number of working days from the first day up to and including it.
    ordinals: Vec<i64>,
    /// Day number of each working day, by ordinal minus 1.
    worked: Vec<i64>,
}

/// A moment split into day and time of day.
#[derive(Debug, Clone, Copy)]
struct LocalMoment {
    day: i64,
    time_of_day: i64,
    working: bool,
    ordinal: i64,
}

/// Statutory time and cut-off of a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcedureTime {
    pub time: Option<StatutoryTime>,
    /// Time of day after which a received dossier counts from the next working day, in microseconds since midnight.
    pub cut_off: i64,
    /// The result is given immediately.
    pub immediate: bool,
}

impl WorkingDayTable {
    #[must_use]
    pub fn new(calendar: &WorkingCalendar) -> Self {
        let days = calendar.ordinals(FIRST_DAY, LAST_DAY);
        let working: Vec<bool> = days.iter().map(|(day, _)| calendar.is_working(*day)).collect();
        let worked = days.iter().zip(&working).filter(|(_, works)| **works);
        Self {
            offset: offset_micros(),
            first: i64::from(day_number(FIRST_DAY)),
            worked: worked.map(|((day, _), _)| i64::from(day_number(*day))).collect(),
            ordinals: days.iter().map(|(_, ordinal)| i64::from(*ordinal)).collect(),
            working,
        }
    }

    /// Last microsecond of a day.
    fn end_of_day(&self, day: i64) -> i64 {
        (day + 1) * DAY_MICROS - 1 - self.offset
    }

    fn row(&self, day: i64) -> usize {
        let last = self.working.len() - 1;
        usize::try_from(day - self.first).map_or(0, |row| row.min(last))
    }

    fn split(&self, instant: i64) -> LocalMoment {
        let local = instant + self.offset;
        let (day, time_of_day) = (local.div_euclid(DAY_MICROS), local.rem_euclid(DAY_MICROS));
        let row = self.row(day);
        LocalMoment { day, time_of_day, working: self.working[row], ordinal: self.ordinals[row] }
    }

    /// Day number of a working day by its ordinal; `None` outside the arrays.
    fn nth_working_day(&self, ordinal: i64) -> Option<i64> {
        self.worked.get(usize::try_from(ordinal - 1).ok()?).copied()
    }

    /// Last moment on time of an immediate result: the end of the same working day, or of the next after the cut-off
    /// ("sau 15 giờ": 15:00:00 itself is within the day).
    #[must_use]
    pub fn immediate_due(&self, received: i64, cut_off: i64) -> Option<i64> {
        let at = self.split(received);
        let in_time = at.working && at.time_of_day <= cut_off;
        self.nth_working_day(at.ordinal + i64::from(!in_time)).map(|day| self.end_of_day(day))
    }

    /// Last moment on time of a statutory time that starts at `from`: the end of its last day, or the exact moment if
    /// it is in hours. With `cut_off`, a dossier received after it on a working day counts from the opening of the
    /// next one.
    #[must_use]
    pub fn statutory_due(&self, from: i64, time: StatutoryTime, cut_off: Option<i64>) -> Option<i64> {
        let at = self.split(from);
        let moves_on = at.working && cut_off.is_some_and(|cut_off| at.time_of_day > cut_off);
        match time {
            // Zero working days end with the day itself, or with the next working day.
            StatutoryTime::WorkingDays(0) => self
                .nth_working_day(at.ordinal + i64::from(moves_on) + i64::from(!at.working))
                .map(|day| self.end_of_day(day)),
            StatutoryTime::WorkingDays(days) => {
                self.nth_working_day(at.ordinal + i64::from(moves_on) + i64::from(days)).map(|day| self.end_of_day(day))
            }
            StatutoryTime::CalendarDays(days) => {
                let begins = if moves_on { self.nth_working_day(at.ordinal + 1)? } else { at.day };
                let last = begins + i64::from(days);
                let row = self.row(last);
                if self.working[row] {
                    Some(self.end_of_day(last))
                } else {
                    self.nth_working_day(self.ordinals[row] + 1).map(|day| self.end_of_day(day))
                }
            }
            StatutoryTime::Hours(hours) => {
                let passed = if moves_on { at.ordinal * WORKING_DAY } else { passed(at) };
                let until = passed + i64::from(hours) * HOUR;
                // A time that ends with a working day ends at its close, not at the next opening.
                let days = (until - 1).div_euclid(WORKING_DAY);
                let rest = until - days * WORKING_DAY;
                let time_of_day = if rest <= MORNING { rest + OPENING } else { rest + AFTERNOON - MORNING };
                self.nth_working_day(days + 1).map(|day| day * DAY_MICROS + time_of_day - self.offset)
            }
        }
    }

    /// Full working hours between two moments; 0 unless the second is later.
    #[must_use]
    pub fn hours_between(&self, from: i64, to: i64) -> i64 {
        (passed(self.split(to)) - passed(self.split(from))).div_euclid(HOUR).max(0)
    }
}

/// Working time since the first day of the arrays, in microseconds. On a day off it is that of the last close before
/// it.
fn passed(at: LocalMoment) -> i64 {
    if !at.working {
        return at.ordinal * WORKING_DAY;
    }
    let morning = (at.time_of_day - OPENING).clamp(0, MORNING);
    let afternoon = (at.time_of_day - AFTERNOON).clamp(0, WORKING_DAY - MORNING);
    (at.ordinal - 1) * WORKING_DAY + morning + afternoon
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jiff::civil::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::model::day::{CalendarDay, DayKind};
    use crate::model::instant::from_local;

    /// Holidays and a worked Saturday in the weeks of the tests.
    fn calendar() -> WorkingCalendar {
        let day = |date, kind| CalendarDay { date, kind };
        WorkingCalendar::new(&[
            day(date(2025, 4, 26), DayKind::Working),
            day(date(2025, 4, 30), DayKind::Holiday),
            day(date(2025, 5, 1), DayKind::Holiday),
            day(date(2025, 5, 2), DayKind::Compensation),
        ])
    }

    /// The calendar, and its table: made once, because it covers centuries.
    static TABLES: LazyLock<(WorkingCalendar, WorkingDayTable)> = LazyLock::new(|| {
        let calendar = calendar();
        let table = WorkingDayTable::new(&calendar);
        (calendar, table)
    });

    fn times() -> impl Strategy<Value = StatutoryTime> {
        prop_oneof![
            (0_u32..12).prop_map(StatutoryTime::WorkingDays),
            (1_u32..60).prop_map(StatutoryTime::Hours),
            (0_u32..15).prop_map(StatutoryTime::CalendarDays),
        ]
    }

    proptest! {
        #[test]
        fn statutory_due_agrees_with_due_of_the_working_calendar(
            minutes in 0_i64..40 * 24 * 60,
            time in times(),
            cut_off in proptest::option::of(Just(15_i64)),
        ) {
            let (calendar, days) = &*TABLES;
            let received: DateTime = date(2025, 4, 10).at(0, 0, 0, 0) + jiff::SignedDuration::from_mins(minutes);
            let counted = calendar.counts_as_received(received, cut_off.map(|_| jiff::civil::time(15, 0, 0, 0)));
            let due = calendar.due(counted, time);
            // `due` ends a day at 17:00, figures at its last microsecond.
            let expected = match time {
                StatutoryTime::Hours(_) => from_local(due),
                _ => from_local(due.date().into()) + DAY_MICROS - 1,
            };
            let found = days.statutory_due(from_local(received), time, cut_off.map(|hour| hour * HOUR));
            prop_assert_eq!(found, Some(expected), "{} {:?} {:?}", received, time, cut_off);
        }

        #[test]
        fn hours_between_agree_with_working_seconds(minutes in 0_i64..40 * 24 * 60, more in -600_i64..40 * 24 * 60) {
            let (calendar, days) = &*TABLES;
            let from: DateTime = date(2025, 4, 10).at(0, 0, 0, 0) + jiff::SignedDuration::from_mins(minutes);
            let to = from + jiff::SignedDuration::from_mins(more);
            let expected = calendar.working_seconds(from, to) / 3600;
            prop_assert_eq!(days.hours_between(from_local(from), from_local(to)), expected);
        }
    }
}
