//! The numbers of a date as a text states them.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The numbers of a text that matches a date format. They need not be a date: `31/02/2026`, `00/01/1900`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateParts {
    pub(super) year: i16,
    pub(super) month: i8,
    pub(super) day: i8,
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
    pub(super) nanos: i32,
    /// `None`: the text does not state it.
    pub(super) offset_secs: Option<i32>,
    pub(super) half: Option<HalfDay>,
    /// Whether `hour` counts from 12 twice a day.
    pub(super) is_twelve_hour: bool,
}

/// What stands beside the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HalfDay {
    /// AM, SA (sáng).
    Morning,
    /// PM, CH (chiều).
    Afternoon,
}

impl DateParts {
    /// Year, month and day as written.
    pub(super) fn day(&self) -> (i16, i8, i8) {
        (self.year, self.month, self.day)
    }

    /// Whether the text states its offset from UTC.
    pub(super) fn has_offset(&self) -> bool {
        self.offset_secs.is_some()
    }

    pub(super) fn is_midnight(&self) -> bool {
        (self.hour, self.minute, self.second, self.nanos) == (0, 0, 0, 0)
    }

    /// The same with the hour counted from 0 to 23. `None` if hour and half of the day contradict each other: `13:00 AM`.
    pub(super) fn in_full_hours(mut self) -> Option<Self> {
        let Some(half) = self.half else { return Some(self) };
        if self.is_twelve_hour {
            // 12:30 AM is half past midnight; some programs write it as 00:30 AM.
            self.hour = match (half, self.hour) {
                (HalfDay::Morning, 12) => 0,
                (HalfDay::Morning, 0..=11) | (HalfDay::Afternoon, 12) => self.hour,
                (HalfDay::Afternoon, 1..=11) => self.hour + 12,
                _ => return None,
            };
        }
        ((self.hour >= 12) == (half == HalfDay::Afternoon)).then_some(self)
    }

    /// Instant in microseconds UTC; without an offset in `zone`. `None` if there is no such date or time. `i64::MAX` if it
    /// is later than the calendar of the library (9999-12-30T22:00:00Z).
    pub(super) fn instant(&self, zone: &TimeZone) -> Option<i64> {
        let civil = DateTime::new(self.year, self.month, self.day, self.hour, self.minute, self.second, self.nanos);
        let civil = civil.ok()?;
        let (stamp, offset_secs) = match self.offset_secs {
            Some(secs) => (Offset::UTC.to_timestamp(civil), secs),
            None => (zone.to_timestamp(civil), 0),
        };
        Some(stamp.map_or(i64::MAX, |stamp| stamp.as_microsecond() - i64::from(offset_secs) * 1_000_000))
    }
}

impl From<DateTime> for DateParts {
    fn from(at: DateTime) -> Self {
        Self {
            year: at.year(),
            month: at.month(),
            day: at.day(),
            hour: at.hour(),
            minute: at.minute(),
            second: at.second(),
            nanos: at.subsec_nanosecond(),
            ..Self::default()
        }
    }
}
