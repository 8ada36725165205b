//! Values that are none: texts and dates by which a system says that there is no value.
//!
//! A date is compared by its numbers, after it was read by a format, so that a column of a million dates costs no
//! comparison of texts.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::fields::date_format::DateFormat;
use crate::model::instant::{DAY_MICROS, from_local, zone_name};
use crate::model::reporting_zone::USUAL_ZONE;
use crate::model::text::fold;

/// Year, month and day as written. The day may be 0, as in `00/01/1900`.
type WrittenDay = (i16, i8, i8);

/// Days that mean in every system that there is no date: MySQL's zero date, the least date of .NET, what a spreadsheet
/// shows for the serial numbers 0 and 1, the epoch of Unix, and the greatest date of .NET and Oracle.
const NULL_DAYS: [WrittenDay; 6] = [(0, 0, 0), (1, 1, 1), (1900, 1, 0), (1900, 1, 1), (1970, 1, 1), (9999, 12, 31)];

/// Longest time by which midnight in Vietnam came before midnight at UTC+7 in the past: one hour, until 1975-06-13 (tz
/// database, Asia/Ho_Chi_Minh). Before 1906 it was 6 minutes and 30 seconds.
const AHEAD_MICROS: i64 = DAY_MICROS / 24;
const LAST_YEAR_AHEAD: i16 = 1975;

/// The values of one field that are none.
#[derive(Debug, Clone, Default)]
pub(super) struct NullValues {
    /// Declared texts, as written and folded.
    texts: Vec<String>,
    /// Length of the longest text, in bytes. A longer text of the source is not folded.
    longest: usize,
    /// Declared days.
    days: Vec<WrittenDay>,
    /// Local midnight of every day, from the earliest possible to the latest, in microseconds UTC.
    midnights: Vec<(i64, i64)>,
}

impl NullValues {
    /// Compiles the texts of `null_values`. `formats`: those of an instant; each text that one of them reads, or that is
    /// written as `yyyy-MM-dd`, is also a day.
    pub(super) fn compile<'t>(texts: impl IntoIterator<Item = &'t String>, formats: Option<&[DateFormat]>) -> Self {
        let mut compiled = Self::default();
        for text in texts {
            compiled.add(text, formats.unwrap_or_default(), formats.is_some());
        }
        if formats.is_some() {
            let days = NULL_DAYS.iter().chain(&compiled.days);
            let days = days.filter_map(|(year, month, day)| Date::new(*year, *month, *day).ok());
            compiled.midnights = days.map(midnight_of).collect();
        }
        compiled
    }

    fn add(&mut self, text: &str, formats: &[DateFormat], is_instant: bool) {
        let text = text.trim();
        if is_instant {
            let parsed = formats.iter().find_map(|format| format.parse(text)).map(|parts| parts.day());
            let iso = || text.parse::<Date>().ok().map(|day| (day.year(), day.month(), day.day()));
            self.days.extend(parsed.or_else(iso));
        }
        let folded = fold(text);
        self.longest = self.longest.max(text.len()).max(folded.len());
        if folded != text {
            self.texts.push(folded);
        }
        self.texts.push(text.to_owned());
    }

    /// Whether a text is one of the declared ones, ignoring case and spacing.
    pub(super) fn has_text(&self, text: &str) -> bool {
        // Twice: letters whose marks stand apart, and capitals, may take more bytes than their folded form.
        if self.texts.is_empty() || text.len() > self.longest * 2 {
            return false;
        }
        let is = |text: &str| self.texts.iter().any(|none| none == text);
        is(text) || is(&fold(text))
    }

    /// Whether a day as written is none.
    pub(super) fn has_day(&self, day: WrittenDay) -> bool {
        NULL_DAYS.contains(&day) || self.days.contains(&day)
    }

    /// Whether an instant with an offset is the local midnight of such a day: `1899-12-31T17:00:00Z` is 1900-01-01.
    pub(super) fn has_midnight(&self, micros: i64) -> bool {
        self.midnights.iter().any(|(first, last)| (*first..=*last).contains(&micros))
    }
}

impl NullValues {
    /// Whether a text that no format of the field reads is such a day in another usual form, with or without a time: a
    /// system often writes the dates that it lacks in another form than those that it has.
    pub(super) fn has_written_day(&self, text: &str) -> bool {
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        let groups: Vec<&str> = date.split(['-', '/', '.']).collect();
        let &[first, second, third] = groups.as_slice() else { return false };
        let year_first = first.len() == 4;
        let (year, day) = if year_first { (first, third) } else { (third, first) };
        let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let year = year.parse::<i16>().ok().filter(|_| year.len() == 4);
        let (Some(year), Some(month), Some(day)) = (year, number(second), number(day)) else { return false };
        is_time(time) && (self.has_day((year, month, day)) || (!year_first && self.has_day((year, day, month))))
    }
}

/// Whether a text has the form of a time of day with or without an offset. Its runs of digits are short, so that it is
/// nobody's number.
fn is_time(text: &str) -> bool {
    text.find(':').is_some_and(|at| (1..=2).contains(&at))
        && text.len() <= 30
        && text.bytes().all(|byte| byte.is_ascii_digit() || b":.+-Z ".contains(&byte))
        && text.split(|symbol: char| !symbol.is_ascii_digit()).all(|digits| digits.len() <= 8)
}

fn midnight_of(day: Date) -> (i64, i64) {
    let at = from_local(day.into());
    if zone_name() != USUAL_ZONE {
        // By the offset that the zone had then.
        let historical = TimeZone::get(zone_name()).and_then(|zone| zone.to_timestamp(day.into()));
        let historical = historical.map_or(at, jiff::Timestamp::as_microsecond);
        return (at.min(historical), at.max(historical));
    }
    (if day.year() > LAST_YEAR_AHEAD { at } else { at - AHEAD_MICROS }, at)
}

/// Whether a text is the serial number 0 or 1 of a spreadsheet's date, with or without a time of day: `0`, `1.4375`. A time
/// of day has at most eight digits: a longer text may be a telephone number.
pub(super) fn is_serial_of_none(text: &str) -> bool {
    let rest = text.strip_prefix(['0', '1']);
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix(['.', ','])
                .is_some_and(|digits| digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
