//! The system clock. Other code takes `now` as an argument.
#![expect(clippy::disallowed_methods, reason = "edge: the one place that reads the clock")]

/// The current time in microseconds UTC.
#[must_use]
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
