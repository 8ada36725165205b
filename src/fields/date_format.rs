//! Date formats: how connectors describe the dates and times that their systems write.
//!
//! A format is a sequence of tokens. `yyyy MM dd HH mm ss` are digits of that width; `d M H` are one or two digits.
//! `S` is a fraction of a second of one to nine digits. `Z` is an offset: `+0700`, `+07:00`, `+07` or `Z`.
//! `[…]` is optional, and any other character matches itself. Texts without an offset are read in the field's zone.

use std::fmt::Write as _;
use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::model::instant::local;

/// Format in which the decoder of workbooks writes a date cell as text.
pub const CELL_FORMAT: &str = "yyyy-MM-dd HH:mm:ss";

/// A compiled date format.
#[derive(Debug, Clone)]
pub struct DateFormat {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone)]
enum Token {
    Year,
    Month { short: bool },
    Day { short: bool },
    Hour { short: bool },
    Minute,
    Second,
    Fraction,
    Offset,
    Literal(u8),
    Optional(Vec<Token>),
}

/// The numbers of a text that matches a format. They need not be a date: `31/02/2026`, `00/01/1900`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateParts {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    offset_secs: Option<i32>,
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

impl DateFormat {
    /// Compiles a format.
    ///
    /// # Errors
    /// What is wrong with it: unbalanced brackets, a letter that is no token, or no full date.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let format = Self::compile_month(pattern)?;
        if format.tokens.iter().any(|token| matches!(token, Token::Day { .. })) {
            Ok(format)
        } else {
            Err(format!("format `{pattern}` has no `dd`"))
        }
    }

    /// Compiles a format that may lack the day: the text is then read as the first day of its month.
    ///
    /// # Errors
    /// As [`DateFormat::compile`].
    pub fn compile_month(pattern: &str) -> Result<Self, String> {
        let bytes = pattern.as_bytes();
        let mut at = 0;
        let tokens = compile_until(bytes, &mut at, false)?;
        for (name, found) in [
            ("yyyy", tokens.iter().any(|token| matches!(token, Token::Year))),
            ("MM", tokens.iter().any(|token| matches!(token, Token::Month { .. }))),
        ] {
            if !found {
                return Err(format!("format `{pattern}` has no `{name}`"));
            }
        }
        Ok(Self { tokens })
    }

    /// Instant of the first part of `text` that matches and that no digit precedes or follows; `None` if there is none.
    #[must_use]
    pub fn find(&self, text: &str, zone: &TimeZone) -> Option<i64> {
        self.matches(text, zone).next().map(|(_, instant)| instant)
    }

    /// Every part of `text` that matches and that no digit precedes or follows: its bytes and its instant.
    pub(super) fn matches<'t>(
        &'t self,
        text: &'t str,
        zone: &'t TimeZone,
    ) -> impl Iterator<Item = (Range<usize>, i64)> + 't {
        let bytes = text.as_bytes();
        let is_digit = move |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        (0..bytes.len()).filter(move |&at| at == 0 || !(is_digit(at - 1) && is_digit(at))).filter_map(move |at| {
            let mut parts = DateParts { day: 1, ..DateParts::default() };
            let end = bytes.len() - take(&self.tokens, &bytes[at..], &mut parts)?.len();
            if is_digit(end) && is_digit(end - 1) { None } else { Some((at..end, parts.instant(zone)?)) }
        })
    }

    /// Instant of `text` in microseconds UTC; `None` unless the whole text matches and is a date. Without an offset it is
    /// read in `zone`.
    #[must_use]
    pub fn read(&self, text: &str, zone: &TimeZone) -> Option<i64> {
        self.parse(text)?.instant(zone)
    }

    /// Numbers of `text`; `None` unless the whole text matches.
    pub(super) fn parse(&self, text: &str) -> Option<DateParts> {
        let mut parts = DateParts::default();
        let rest = take(&self.tokens, text.as_bytes(), &mut parts)?;
        rest.is_empty().then_some(parts)
    }

    /// Text of an instant in Vietnam's time. Optional parts are written, `S` has three digits, and `Z` is `+0700`.
    #[must_use]
    pub fn write(&self, micros: i64) -> String {
        let mut text = String::new();
        put(&self.tokens, local(micros), &mut text);
        text
    }
}

fn put(tokens: &[Token], at: DateTime, text: &mut String) {
    for token in tokens {
        let (value, width) = match token {
            Token::Year => (i32::from(at.year()), 4),
            Token::Month { short } => (i32::from(at.month()), if *short { 1 } else { 2 }),
            Token::Day { short } => (i32::from(at.day()), if *short { 1 } else { 2 }),
            Token::Hour { short } => (i32::from(at.hour()), if *short { 1 } else { 2 }),
            Token::Minute => (i32::from(at.minute()), 2),
            Token::Second => (i32::from(at.second()), 2),
            Token::Fraction => (at.subsec_nanosecond() / 1_000_000, 3),
            Token::Offset => {
                text.push_str("+0700");
                continue;
            }
            Token::Literal(byte) => {
                text.push(char::from(*byte));
                continue;
            }
            Token::Optional(inner) => {
                put(inner, at, text);
                continue;
            }
        };
        let _ = write!(text, "{value:0width$}");
    }
}

fn compile_until(bytes: &[u8], at: &mut usize, nested: bool) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    while *at < bytes.len() {
        let byte = bytes[*at];
        let run = bytes[*at..].iter().take_while(|&&next| next == byte).count();
        let token = match (byte, run) {
            (b'[', _) => {
                *at += 1;
                tokens.push(Token::Optional(compile_until(bytes, at, true)?));
                continue;
            }
            (b']', _) if nested => {
                *at += 1;
                return Ok(tokens);
            }
            (b']', _) => return Err("a `]` without `[`".to_owned()),
            (b'y', 4) => Token::Year,
            (b'M', 1 | 2) => Token::Month { short: run == 1 },
            (b'd', 1 | 2) => Token::Day { short: run == 1 },
            (b'H', 1 | 2) => Token::Hour { short: run == 1 },
            (b'm', 2) => Token::Minute,
            (b's', 2) => Token::Second,
            (b'S', 1) => Token::Fraction,
            (b'Z', 1) => Token::Offset,
            (b'T', 1) => Token::Literal(b'T'),
            (letter, _) if letter.is_ascii_alphabetic() => {
                return Err(format!("`{}` is no token of a date format", (letter as char).to_string().repeat(run)));
            }
            (literal, _) => {
                *at += 1;
                tokens.push(Token::Literal(literal));
                continue;
            }
        };
        *at += run;
        tokens.push(token);
    }
    if nested { Err("a `[` without `]`".to_owned()) } else { Ok(tokens) }
}

fn take<'a>(tokens: &[Token], mut text: &'a [u8], parts: &mut DateParts) -> Option<&'a [u8]> {
    for token in tokens {
        match token {
            Token::Year => parts.year = i16::try_from(digits(&mut text, 4, 4)?).ok()?,
            Token::Month { short } => {
                parts.month = i8::try_from(digits(&mut text, 2 - usize::from(*short), 2)?).ok()?;
            }
            Token::Day { short } => parts.day = i8::try_from(digits(&mut text, 2 - usize::from(*short), 2)?).ok()?,
            Token::Hour { short } => parts.hour = i8::try_from(digits(&mut text, 2 - usize::from(*short), 2)?).ok()?,
            Token::Minute => parts.minute = i8::try_from(digits(&mut text, 2, 2)?).ok()?,
            Token::Second => parts.second = i8::try_from(digits(&mut text, 2, 2)?).ok()?,
            Token::Fraction => {
                let before = text.len();
                let value = digits(&mut text, 1, 9)?;
                let scale = u32::try_from(9 - (before - text.len())).ok()?;
                parts.nanos = i32::try_from(value * 10_i64.pow(scale)).ok()?;
            }
            Token::Offset => parts.offset_secs = Some(offset(&mut text)?),
            Token::Literal(byte) => {
                let (first, rest) = text.split_first()?;
                if first != byte {
                    return None;
                }
                text = rest;
            }
            Token::Optional(inner) => {
                let mut tried = *parts;
                if let Some(rest) = take(inner, text, &mut tried) {
                    *parts = tried;
                    text = rest;
                }
            }
        }
    }
    Some(text)
}

fn digits(text: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let count = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if count < least {
        return None;
    }
    let value = text[..count].iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    *text = &text[count..];
    Some(value)
}

fn offset(text: &mut &[u8]) -> Option<i32> {
    let (sign, rest) = text.split_first()?;
    *text = rest;
    let sign = match sign {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(text, 2, 2)?;
    if text.first() == Some(&b':') {
        *text = &text[1..];
    }
    let minutes = if text.first().is_some_and(u8::is_ascii_digit) { digits(text, 2, 2)? } else { 0 };
    if hours > 14 || minutes > 59 {
        return None;
    }
    i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::instant::{display, from_local, vietnam};

    fn read(pattern: &str, text: &str) -> Option<String> {
        let format = DateFormat::compile(pattern).expect("the pattern is valid");
        format.read(text, &vietnam()).map(display)
    }

    #[test]
    fn a_date_is_found_in_a_file_name() {
        for (pattern, text, expected) in [
            ("yyyy-MM-dd", "bcci-2026-10-31.csv", Some("2026-10-31")),
            ("yyyy-MM-dd", "bcci-2026-10-31-2026-11-01.csv", Some("2026-10-31")),
            ("MM.yyyy", "BCCI T10.2026 (2).xlsx", Some("2026-10-01")),
            ("M.yyyy", "tháng 9.2026.xlsx", Some("2026-09-01")),
            ("yyyyMMdd", "x120261031.csv", None),
            ("yyyyMMdd", "x20261031.csv", Some("2026-10-31")),
            ("yyyyMMdd", "x202610315.csv", None),
            ("yyyyMMdd", "202613 20261031", Some("2026-10-31")),
            ("yyyy-MM-dd", "báo cáo.csv", None),
            ("yyyy-MM-dd", "", None),
        ] {
            let format = DateFormat::compile_month(pattern).expect("the pattern is valid");
            let found = format.find(text, &vietnam()).map(|found| display(found)[..10].to_owned());
            assert_eq!(found.as_deref(), expected, "{pattern} in {text}");
        }
        assert!(DateFormat::compile_month("yyyy").is_err() && DateFormat::compile("MM.yyyy").is_err());
    }

    #[test]
    fn formats_of_known_systems_are_read() {
        for (pattern, text, expected) in [
            ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000+0700", "2025-10-01T17:00:00+07:00"),
            ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000+0000", "2025-10-02T00:00:00+07:00"),
            ("yyyy-MM-dd HH:mm:ss[.S]Z", "2011-10-06 01:06:40.020000+02:00", "2011-10-06T06:06:40+07:00"),
            ("yyyy-MM-dd HH:mm:ss[.S]Z", "2011-12-06 01:06:40+01:00", "2011-12-06T07:06:40+07:00"),
            ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020", "2020-10-15T00:00:00+07:00"),
            ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020 10:30", "2020-10-15T10:30:00+07:00"),
            ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020 10:30:59", "2020-10-15T10:30:59+07:00"),
            ("d/M/yyyy", "5/1/2020", "2020-01-05T00:00:00+07:00"),
            ("yyyyMMddHHmmss", "20201012083000", "2020-10-12T08:30:00+07:00"),
        ] {
            assert_eq!(read(pattern, text).as_deref(), Some(expected), "{pattern} on {text}");
        }
    }

    #[test]
    fn texts_that_do_not_match_are_refused() {
        for (pattern, text) in [
            ("dd/MM/yyyy", "31/02/2020"),
            ("dd/MM/yyyy", "15/10/2020 "),
            ("dd/MM/yyyy[ HH:mm]", "15/10/2020 25:00"),
            ("dd/MM/yyyy", "Nguyễn Văn A"),
            ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000"),
        ] {
            assert_eq!(read(pattern, text), None, "{pattern} on {text}");
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_later_than_any_bound() {
        let format = DateFormat::compile("yyyy-MM-ddTHH:mm:ssZ").expect("the pattern is valid");
        // 30 December 9999, 20:00 at UTC−7 is 03:00 UTC of the 31st: the library's calendar has ended.
        let late = format.read("9999-12-30T20:00:00-0700", &vietnam()).expect("a date");
        assert!(late > from_local(jiff::civil::date(2201, 1, 1).at(0, 0, 0, 0)), "{late}");
        assert_eq!(format.read("9999-12-31T23:59:59-0700", &vietnam()), Some(i64::MAX));
    }

    #[test]
    fn instants_are_written() {
        let at = from_local(jiff::civil::datetime(2026, 1, 5, 8, 3, 9, 45_000_000));
        for (pattern, expected) in [
            ("yyyy-MM-ddTHH:mm:ss.SZ", "2026-01-05T08:03:09.045+0700"),
            ("yyyy-MM-dd", "2026-01-05"),
            ("d/M/yyyy H:mm", "5/1/2026 8:03"),
            ("yyyyMMddHHmmss", "20260105080309"),
            ("dd/MM/yyyy[ HH:mm]", "05/01/2026 08:03"),
        ] {
            assert_eq!(DateFormat::compile(pattern).expect("the pattern is valid").write(at), expected);
        }
    }

    #[test]
    fn malformed_formats_do_not_compile() {
        for pattern in ["dd/MM", "dd/MM/yyyy[ HH", "dd/MM/yyyy]", "qq/MM/yyyy"] {
            assert!(DateFormat::compile(pattern).is_err(), "{pattern}");
        }
    }
}
