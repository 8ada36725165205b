//! The time zone in which an office counts: local days and periods, working time, and times that a source writes without an
//! offset.
//!
//! It is one value of the process, fixed when the settings are read (`province.zone`), before anything is computed, and never
//! changed afterwards. Its offset from UTC has been constant since 1990: the day of an instant, the end of a day and the
//! working time between two moments are then additions, in Polars, in SQL and in Rust alike.

use std::fmt::Write as _;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::{Offset, TimeZone};

/// Zone of an office that states none.
pub const USUAL_ZONE: &str = "Asia/Ho_Chi_Minh";

/// First day and the day after the last day of periods: the offset must be the same on all of them.
const FIRST_DAY: Date = date(1990, 1, 1);
const END: Date = date(2100, 1, 1);

/// Zone, and its offset from UTC in seconds: constant since 1975-06-13 (tz database, Asia/Ho_Chi_Minh).
const USUAL: (&str, i32) = (USUAL_ZONE, 7 * 3600);

static ZONE: OnceLock<ReportingZone> = OnceLock::new();

/// A zone whose offset from UTC has been constant since 1990.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportingZone {
    name: String,
    offset_secs: i32,
}

impl ReportingZone {
    /// Finds a zone by its IANA name.
    ///
    /// # Errors
    /// What is wrong with it, for messages: no such zone, or its clocks have been changed since 1990.
    pub fn named(name: &str) -> Result<Self, String> {
        if name == USUAL.0 {
            return Ok(Self { name: name.to_owned(), offset_secs: USUAL.1 });
        }
        let zone = TimeZone::get(name).map_err(|_| format!("`{name}` is no IANA time zone, such as `{USUAL_ZONE}`"))?;
        let midnight = |day: Date| Offset::UTC.to_timestamp(day.into()).expect("a day of this era");
        let first: Timestamp = midnight(FIRST_DAY);
        let offset = zone.to_offset(first);
        let is_inside = |at: &Timestamp| *at < midnight(END);
        let changed = zone.following(first).take_while(|change| is_inside(&change.timestamp()));
        if let Some(change) = { changed }.find(|change| change.offset() != offset) {
            let day = offset.to_datetime(change.timestamp()).date();
            return Err(format!(
                "the clocks of `{name}` were changed on {day}: days, periods and working time need a zone whose offset from UTC \
                 has been the same since {FIRST_DAY}, such as `{USUAL_ZONE}`"
            ));
        }
        Ok(Self { name: name.to_owned(), offset_secs: offset.seconds() })
    }

    /// Fixes the zone of this process.
    ///
    /// # Errors
    /// That the process counts in another zone already.
    pub fn fix(self) -> Result<(), String> {
        let fixed = ZONE.get_or_init(|| self.clone());
        if *fixed == self {
            return Ok(());
        }
        Err(format!(
            "this process counts in the zone `{}` already, and cannot count in `{}` too",
            fixed.name, self.name
        ))
    }
}

/// IANA name of the zone.
#[must_use]
pub fn zone_name() -> &'static str {
    ZONE.get().map_or(USUAL.0, |zone| &zone.name)
}

/// Offset of the zone from UTC in microseconds.
#[must_use]
pub fn offset_micros() -> i64 {
    i64::from(offset_secs()) * 1_000_000
}

/// The zone, with its present offset at all times.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(Offset::from_seconds(offset_secs()).expect("offsets of the tz database are less than a day"))
}

/// The offset as dates write it: `+07:00`, or `+0700` without the colon.
#[must_use]
pub fn offset_text(colon: &str) -> String {
    let secs = offset_secs();
    let (sign, minutes) = (if secs < 0 { '-' } else { '+' }, secs.abs() / 60);
    let mut text = String::with_capacity(6);
    write!(text, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60).expect("a string takes all");
    text
}

fn offset_secs() -> i32 {
    ZONE.get().map_or(USUAL.1, |zone| zone.offset_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_with_a_constant_offset_since_1990_are_accepted() {
        for (name, hours) in
            [("Asia/Ho_Chi_Minh", 7.0), ("Asia/Bangkok", 7.0), ("Asia/Tokyo", 9.0), ("Asia/Kolkata", 5.5), ("UTC", 0.0)]
        {
            let zone = ReportingZone::named(name).expect(name);
            assert!((f64::from(zone.offset_secs) / 3600.0 - hours).abs() < 1e-9, "{name}: {zone:?}");
        }
        // The offset that is compiled in is the one of the database.
        let zone = TimeZone::get(USUAL.0).expect("a zone");
        for day in [FIRST_DAY, date(2026, 7, 1), date(2099, 12, 31)] {
            let at = Offset::UTC.to_timestamp(day.into()).expect("a day of this era");
            assert_eq!(zone.to_offset(at).seconds(), USUAL.1);
        }
    }

    #[test]
    fn zones_whose_clocks_change_are_refused_with_the_day() {
        for (name, part) in [
            ("Europe/Berlin", "changed on 1990-03-25"),
            ("Asia/Hong_Kong", ""),
            ("Asia/Pyongyang", "changed on 2015-08-"),
            ("Asia/Saigonn", "no IANA time zone"),
            ("", "no IANA time zone"),
        ] {
            let found = ReportingZone::named(name);
            match found {
                Ok(_) => assert_eq!(part, "", "{name}"),
                Err(message) => assert!(message.contains(part) && !part.is_empty(), "{message}"),
            }
        }
    }

    #[test]
    fn the_zone_of_a_process_is_fixed_once() {
        let usual = || ReportingZone::named(USUAL_ZONE).expect("the usual one");
        assert_eq!(usual().fix(), Ok(()));
        assert_eq!(usual().fix(), Ok(()));
        let other = ReportingZone::named("Asia/Tokyo").expect("a zone").fix();
        assert!(other.is_err_and(|message| message.contains("Asia/Tokyo")));
        assert_eq!((zone_name(), offset_micros()), (USUAL_ZONE, 25_200_000_000));
        assert_eq!((offset_text(":"), offset_text("")), ("+07:00".to_owned(), "+0700".to_owned()));
    }
}
