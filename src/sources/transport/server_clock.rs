//! The clock of a source, as its responses state it in their `Date` header.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::Instant;

/// What a source's clock shows. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ServerClock {
    /// The newest `Date`, microseconds UTC, and when it arrived.
    newest: Arc<Mutex<Option<(i64, Instant)>>>,
}

impl ServerClock {
    /// Notes the `Date` header of a response that arrived just now. A header that is no date is ignored.
    pub(super) fn note(&self, header: &str) {
        if let Ok(date) = DateTimeParser::new().parse_timestamp(header) {
            *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some((date.as_microsecond(), Instant::now()));
        }
    }

    /// The moment that the source's clock shows now, microseconds UTC; `None` if no response stated one.
    #[must_use]
    pub fn now(&self) -> Option<i64> {
        let (date, at) = (*self.newest.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(date.saturating_add(i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_source_goes_on_from_its_newest_date() {
        let clock = ServerClock::default();
        assert_eq!(clock.now(), None);
        clock.note("yesterday");
        assert_eq!(clock.now(), None);
        clock.note("Sun, 06 Nov 1994 08:49:37 GMT");
        let since = clock.clone().now().expect("a response stated a date") - 784_111_777_000_000;
        assert!((0..60_000_000).contains(&since), "{since} microseconds later");
    }
}
