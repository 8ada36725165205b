//! Instants: microseconds since 1970-01-01T00:00:00Z, and the local time in Vietnam in which the law counts days.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Offset of Vietnam from UTC in seconds; constant since 1975-06-13 (tz database, Asia/Ho_Chi_Minh).
pub const VIETNAM_OFFSET_SECS: i64 = 7 * 3600;

/// One day in microseconds.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Time zone in which the law counts days.
#[must_use]
pub fn vietnam() -> TimeZone {
    TimeZone::fixed(Offset::constant(7))
}

/// Local date and time in Vietnam of an instant in microseconds.
///
/// # Panics
/// If the instant is outside the years −9999 to 9999.
#[must_use]
pub fn local(micros: i64) -> DateTime {
    vietnam().to_datetime(jiff::Timestamp::from_microsecond(micros).expect("instants are read from four-digit years"))
}

/// Instant, in microseconds, of a local date and time in Vietnam.
///
/// # Panics
/// If the time is outside the years −9999 to 9999.
#[must_use]
pub fn from_local(at: DateTime) -> i64 {
    vietnam().to_timestamp(at).expect("a fixed offset has no gaps").as_microsecond()
}

/// RFC 3339 text with the offset of Vietnam, to the second.
#[must_use]
pub fn display(micros: i64) -> String {
    let at = local(micros);
    format!("{}+07:00", at.strftime("%Y-%m-%dT%H:%M:%S"))
}
