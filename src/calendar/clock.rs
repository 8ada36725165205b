//! Working time by the clock: from when a statutory time runs, and when it has run out (domain D).
//!
//! A working day is 07:00–11:30 and 13:30–17:00, eight hours. A statutory time in days ends with the last of so many
//! working days after the day of reception, which is not counted itself; one in hours ends at the very moment. All is local time.

use jiff::civil::{Date, DateTime, Time, time};
use jiff::{SignedDuration, ToSpan as _};

use crate::calendar::WorkingCalendar;

/// Seconds of an hour, of a morning and of a whole working day.
pub const HOUR: i64 = 3600;
pub const MORNING: i64 = 4 * HOUR + HOUR / 2;
pub const WORKING_DAY: i64 = 8 * HOUR;
/// The halves of a working day, as seconds of the day at which they begin.
pub const OPENING_SECS: i64 = 7 * HOUR;
pub const AFTERNOON_SECS: i64 = 13 * HOUR + HOUR / 2;
const OPENING: Time = time(7, 0, 0, 0);
const NOON: Time = time(11, 30, 0, 0);
const AFTERNOON: Time = time(13, 30, 0, 0);
const CLOSING: Time = time(17, 0, 0, 0);

/// Thời hạn giải quyết.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatutoryTime {
    /// "Ngày làm việc".
    WorkingDays(u32),
    /// "Giờ làm việc".
    Hours(u32),
    /// "Ngày": calendar days; an end on a day off moves to the next working day.
    CalendarDays(u32),
}

impl WorkingCalendar {
    /// The moment that a dossier counts as received: as it was, or, at or after the procedure's cut-off on a working day, the
    /// opening of the next working day (papers move on then: NĐ 61/2018/NĐ-CP art. 18(2)).
    #[must_use]
    pub fn counts_as_received(&self, received: DateTime, cut_off: Option<Time>) -> DateTime {
        match cut_off {
            Some(cut_off) if self.is_working(received.date()) && received.time() >= cut_off => {
                self.add_working_days(received.date(), 1).to_datetime(OPENING)
            }
            _ => received,
        }
    }

    /// When a statutory time that runs from `received` has run out.
    ///
    /// Reception outside working time is as good as any: in the lunch break the clock starts in the afternoon, after
    /// closing, on a Saturday opening or on a holiday with the next working day.
    #[must_use]
    pub fn due(&self, received: DateTime, statutory: StatutoryTime) -> DateTime {
        match statutory {
            StatutoryTime::WorkingDays(0) => self.next_working(received.date()).to_datetime(CLOSING),
            StatutoryTime::WorkingDays(days) => self.add_working_days(received.date(), days).to_datetime(CLOSING),
            StatutoryTime::Hours(hours) => self.add_working_seconds(received, i64::from(hours) * HOUR),
            StatutoryTime::CalendarDays(days) => {
                let last = received.date().checked_add(i64::from(days).days()).unwrap_or(Date::MAX);
                self.next_working(last).to_datetime(CLOSING)
            }
        }
    }

    /// A due moment put off by the working time between a request to supplement and its reception.
    #[must_use]
    pub fn paused(&self, due: DateTime, requested: DateTime, supplied: DateTime) -> DateTime {
        self.add_working_seconds(due, self.working_seconds(requested, supplied))
    }

    /// Working seconds between two moments; 0 where the second is not later.
    #[must_use]
    pub fn working_seconds(&self, from: DateTime, to: DateTime) -> i64 {
        if to <= from {
            return 0;
        }
        let into = |moment: DateTime| if self.is_working(moment.date()) { seconds_into(moment.time()) } else { 0 };
        let whole_days = i64::from(self.working_days_from(from.date(), to.date()));
        whole_days * WORKING_DAY + into(to) - into(from)
    }

    /// The moment so many working seconds on; at the end of a half day that end, not the next beginning.
    #[must_use]
    pub fn add_working_seconds(&self, from: DateTime, seconds: i64) -> DateTime {
        let mut day = from.date();
        let mut into = if self.is_working(day) { seconds_into(from.time()) } else { WORKING_DAY } + seconds;
        while into > WORKING_DAY || !self.is_working(day) {
            into -= WORKING_DAY;
            day = self.add_working_days(day, 1);
        }
        let (begins, rest) = if into <= MORNING { (OPENING, into) } else { (AFTERNOON, into - MORNING) };
        day.to_datetime(begins).checked_add(SignedDuration::from_secs(rest)).unwrap_or(DateTime::MAX)
    }

    fn next_working(&self, day: Date) -> Date {
        if self.is_working(day) { day } else { self.add_working_days(day, 1) }
    }

    /// Working days in `[from, to)`.
    fn working_days_from(&self, from: Date, to: Date) -> u32 {
        let days = from.series(1.day()).take_while(|day| *day < to).filter(|day| self.is_working(*day));
        u32::try_from(days.count()).unwrap_or(u32::MAX)
    }
}

/// Working seconds of a working day that have passed at a time.
fn seconds_into(time: Time) -> i64 {
    let since = |from: Time| time.duration_since(from).as_secs();
    if time < OPENING {
        0
    } else if time < NOON {
        since(OPENING)
    } else if time < AFTERNOON {
        MORNING
    } else if time < CLOSING {
        MORNING + since(AFTERNOON)
    } else {
        WORKING_DAY
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
