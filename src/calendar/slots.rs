//! Slots of a schedule: the moments of a cron expression in a time zone.

use std::str::FromStr as _;

use chrono::{DateTime as ChronoDateTime, Utc};
use croner::Cron;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Cron expression of five or six fields in a time zone.
#[derive(Debug, Clone)]
pub struct Slots {
    cron: Cron,
    zone: TimeZone,
}

impl Slots {
    /// Compiles a cron expression.
    ///
    /// # Errors
    /// What is wrong with the expression or the zone.
    pub fn new(cron: &str, zone: &str) -> Result<Self, String> {
        let six = if cron.split_whitespace().count() == 5 { format!("0 {cron}") } else { cron.to_owned() };
        // Like the scheduler that wakes the runner: day of month and day of week must both match.
        let seconds = croner::parser::Seconds::Required;
        let parser = croner::parser::CronParser::builder().seconds(seconds).dom_and_dow(true).build();
        let cron = parser.parse(&six).map_err(|error| format!("`{cron}` is no cron expression: {error}"))?;
        let zone = TimeZone::get(zone).map_err(|_| format!("`{zone}` is no IANA time zone"))?;
        Ok(Self { cron, zone })
    }

    /// First slot after a moment, microseconds UTC.
    #[must_use]
    pub fn next_after(&self, now: i64) -> Option<i64> {
        let local = self.wall_clock(now)?;
        let slot = self.cron.find_next_occurrence(&local, false).ok()?;
        self.instant(slot)
    }

    /// Last slot at or before a moment, microseconds UTC.
    #[must_use]
    pub fn last_before(&self, now: i64) -> Option<i64> {
        let local = self.wall_clock(now)?;
        let slot = self.cron.find_previous_occurrence(&local, true).ok()?;
        self.instant(slot)
    }

    /// Local time of the zone, passed to croner as if it were UTC.
    fn wall_clock(&self, now: i64) -> Option<ChronoDateTime<Utc>> {
        let local = self.zone.to_datetime(Timestamp::from_microsecond(now).ok()?);
        let as_utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
        ChronoDateTime::from_timestamp(as_utc.as_second(), 0)
    }

    fn instant(&self, slot: ChronoDateTime<Utc>) -> Option<i64> {
        let civil = DateTime::from_str(&slot.format("%Y-%m-%dT%H:%M:%S").to_string()).ok()?;
        self.zone.to_timestamp(civil).ok().map(Timestamp::as_microsecond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::instant::{display, from_local};
    use jiff::civil::date;

    #[test]
    fn slots_are_computed_in_the_zone() {
        let slots = Slots::new("30 1 * * *", "Asia/Ho_Chi_Minh").expect("valid");
        let now = from_local(date(2026, 3, 1).at(1, 30, 0, 0));
        assert_eq!(slots.next_after(now).map(display).as_deref(), Some("2026-03-02T01:30:00+07:00"));
        assert_eq!(slots.last_before(now).map(display).as_deref(), Some("2026-03-01T01:30:00+07:00"));
    }

    #[test]
    fn a_wrong_expression_or_zone_is_refused() {
        assert!(Slots::new("61 * * * *", "Asia/Ho_Chi_Minh").is_err());
        assert!(Slots::new("0 1 * * *", "Asia/Saigonn").is_err());
    }
}
