//! Working hours and due dates (domain D).
//!
//! A working day is 07:00–11:30 and 13:30–17:00: eight hours. A statutory time in days does not count the day of
//! reception and ends at the close of its last working day. One in hours ends at the exact moment. All times are local.

use jiff::civil::{Date, DateTime, Time, time};
use jiff::{SignedDuration, ToSpan as _};

use crate::calendar::working_calendar::WorkingCalendar;

/// Seconds of an hour.
pub const HOUR: i64 = 3600;
/// Working seconds of a morning.
pub const MORNING: i64 = 4 * HOUR + HOUR / 2;
/// Working seconds of a working day.
pub const WORKING_DAY: i64 = 8 * HOUR;
/// Opening in the morning, in seconds since midnight.
pub const OPENING_SECS: i64 = 7 * HOUR;
/// Opening in the afternoon, in seconds since midnight.
pub const AFTERNOON_SECS: i64 = 13 * HOUR + HOUR / 2;
const OPENING: Time = time(7, 0, 0, 0);
const NOON: Time = time(11, 30, 0, 0);
const AFTERNOON: Time = time(13, 30, 0, 0);
const CLOSING: Time = time(17, 0, 0, 0);

/// Statutory time of a procedure (thời hạn giải quyết).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatutoryTime {
    /// Working days ("ngày làm việc").
    WorkingDays(u32),
    /// Working hours ("giờ làm việc").
    Hours(u32),
    /// Calendar days ("ngày"); a due date on a day off moves to the next working day.
    CalendarDays(u32),
}

impl WorkingCalendar {
    /// Moment from which a received dossier counts. After `cut_off` on a working day it is the opening of the next
    /// working day (NĐ 61/2018/NĐ-CP art. 18(2)), otherwise the moment of reception.
    #[must_use]
    pub fn counts_as_received(&self, received: DateTime, cut_off: Option<Time>) -> DateTime {
        match cut_off {
            Some(cut_off) if self.is_working(received.date()) && received.time() > cut_off => {
                self.add_working_days(received.date(), 1).to_datetime(OPENING)
            }
            _ => received,
        }
    }

    /// Due moment of a statutory time that starts at `received`.
    ///
    /// Reception outside working hours is allowed. The clock then starts at the next opening: in the lunch break the
    /// same afternoon; after closing, on a day off or a holiday the next working day.
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

    /// Due moment postponed by the working time between a request for supplements and their reception.
    #[must_use]
    pub fn paused(&self, due: DateTime, requested: DateTime, supplied: DateTime) -> DateTime {
        self.add_working_seconds(due, self.working_seconds(requested, supplied))
    }

    /// Working seconds between two moments; 0 unless the second is later.
    #[must_use]
    pub fn working_seconds(&self, from: DateTime, to: DateTime) -> i64 {
        if to <= from {
            return 0;
        }
        let into = |moment: DateTime| if self.is_working(moment.date()) { seconds_into(moment.time()) } else { 0 };
        let whole_days = i64::from(self.working_days_from(from.date(), to.date()));
        whole_days * WORKING_DAY + into(to) - into(from)
    }

    /// Moment after `seconds` of working time. At the end of a morning or a day it is that end, not the next opening.
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

    /// Number of working days in `[from, to)`.
    fn working_days_from(&self, from: Date, to: Date) -> u32 {
        let days = from.series(1.day()).take_while(|day| *day < to).filter(|day| self.is_working(*day));
        u32::try_from(days.count()).unwrap_or(u32::MAX)
    }
}

/// Working seconds of a working day that have passed at a time of day.
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
#[path = "working_time_tests.rs"]
mod tests;
