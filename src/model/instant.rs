//! Instants: microseconds since 1970-01-01T00:00:00Z, and the local time of the [reporting zone](super::reporting_zone).

use jiff::civil::DateTime;

use crate::model::reporting_zone::offset_text;
pub use crate::model::reporting_zone::{offset_micros, zone, zone_name};

/// One day in microseconds.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Local date and time of an instant in microseconds.
///
/// # Panics
/// If the instant is outside the years −9999 to 9999.
#[must_use]
pub fn local(micros: i64) -> DateTime {
    zone().to_datetime(jiff::Timestamp::from_microsecond(micros).expect("instants are read from four-digit years"))
}

/// Instant, in microseconds, of a local date and time.
///
/// # Panics
/// If the time is outside the years −9999 to 9999.
#[must_use]
pub fn from_local(at: DateTime) -> i64 {
    zone().to_timestamp(at).expect("a fixed offset has no gaps").as_microsecond()
}

/// RFC 3339 text with the offset of the zone, to the second.
#[must_use]
pub fn display(micros: i64) -> String {
    let at = local(micros);
    format!("{}{}", at.strftime("%Y-%m-%dT%H:%M:%S"), offset_text(":"))
}
