//! Dates that are written as one number.

use jiff::civil::date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::fields::date_parts::DateParts;
use crate::model::instant::local;

const SECOND_MICROS: i64 = 1_000_000;
const DAY_SECS: i64 = 86_400;

/// A format that stands alone, by its name in `formats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub(super) enum DateNumber {
    /// Seconds since 1970-01-01T00:00:00Z, with or without a fraction.
    EpochSeconds,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    EpochMilliseconds,
    /// `/Date(1767574800000)/`, milliseconds since 1970-01-01T00:00:00Z. An offset behind them (`+0700`) states the zone of
    /// the server and changes nothing of the instant (.NET, `DataContractJsonSerializer`).
    AspnetDate,
    /// The serial number of a day in a spreadsheet, from 1899-12-30, with the time of day as a fraction; in the field's zone.
    /// Five digits or more: smaller numbers are days before 1927-05-18.
    SpreadsheetSerial,
    /// The id of a MongoDB record, 24 hexadecimal digits, of which the first eight are the seconds since
    /// 1970-01-01T00:00:00Z at which it was stored. Written, it is the smallest id of that second.
    ObjectId,
}

/// The day from which serial numbers count. Those from 60 on: the programs believe in a 29 February 1900.
const SERIAL_START: jiff::civil::Date = date(1899, 12, 30);

impl DateNumber {
    /// `None` unless the whole text is such a number.
    pub(super) fn parse(self, text: &str) -> Option<DateParts> {
        match self {
            Self::EpochSeconds => of_epoch(decimal(text, 6)?),
            Self::EpochMilliseconds => of_epoch(decimal(text, 3)?),
            Self::AspnetDate => {
                let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
                let offset = inner.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
                let (millis, offset) = inner.split_at(offset.map_or(inner.len(), |(at, _)| at));
                let is_offset = |text: &str| text.len() == 5 && text[1..].bytes().all(|byte| byte.is_ascii_digit());
                if offset.is_empty() || is_offset(offset) { of_epoch(decimal(millis, 3)?) } else { None }
            }
            Self::SpreadsheetSerial => {
                let text = text.replace(',', ".");
                let digits = text.split('.').next().unwrap_or_default().len();
                if !(5..=7).contains(&digits) || text.starts_with('-') {
                    return None;
                }
                let micros_of_days = decimal(&text, 9)?.checked_mul(864)? / 10;
                // Programs store the time of day with an error of less than a second.
                let secs = (micros_of_days + SECOND_MICROS / 2) / SECOND_MICROS;
                let at = SERIAL_START.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(secs));
                at.ok().map(DateParts::from)
            }
            Self::ObjectId => {
                let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let secs = i64::from(u32::from_str_radix(text.get(..8).filter(|_| is_id)?, 16).ok()?);
                of_epoch(secs * SECOND_MICROS)
            }
        }
    }

    /// Text of an instant, microseconds UTC.
    pub(super) fn write(self, micros: i64) -> String {
        match self {
            Self::ObjectId => {
                let secs = micros.div_euclid(SECOND_MICROS).clamp(0, u32::MAX.into());
                format!("{secs:08x}{:016}", 0)
            }
            Self::EpochSeconds => micros.div_euclid(SECOND_MICROS).to_string(),
            Self::EpochMilliseconds => micros.div_euclid(1000).to_string(),
            Self::AspnetDate => format!("/Date({})/", micros.div_euclid(1000)),
            Self::SpreadsheetSerial => {
                let secs = local(micros).duration_since(SERIAL_START.at(0, 0, 0, 0)).as_secs();
                let (days, rest) = (secs.div_euclid(DAY_SECS), secs.rem_euclid(DAY_SECS));
                if rest == 0 { days.to_string() } else { format!("{days}.{:06}", rest * SECOND_MICROS / DAY_SECS) }
            }
        }
    }
}

/// A decimal number times ten to the power of `places`; further places are dropped. `None` if the text is no such number,
/// or too large.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !is_number(unsigned) || !is_number(fraction) || text.ends_with('.') {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(places).ok()?);
    let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    let below: i64 = padded.parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    whole.checked_mul(scale)?.checked_add(if text.starts_with('-') { -below } else { below })
}

/// The parts of an instant, in UTC.
fn of_epoch(micros: i64) -> Option<DateParts> {
    let at = Offset::UTC.to_datetime(Timestamp::from_microsecond(micros).ok()?);
    Some(DateParts { offset_secs: Some(0), ..DateParts::from(at) })
}
