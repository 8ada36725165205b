//! Date formats: how connectors describe the dates and times that their systems write.
//!
//! A format is a sequence of tokens. `yyyy MM dd HH mm ss` are digits of that width; `d M H h` are one or two digits.
//! `yy` is a year from 1969 to 2068, as in POSIX. `MMM` is the name of a month in English or Vietnamese (`Jan`, `tháng 5`).
//! `h` and `hh` are the hour from 1 to 12 beside `a`, the half of the day (`AM`, `PM`, `SA`, `CH`). `S` is a fraction of a
//! second of one to nine digits. `Z` is an offset: `+0700`, `+07:00`, `+07` or `Z`. `[…]` is optional, a text in `'…'`
//! stands for itself, and so does any other character that is no letter. Texts without an offset are read in the field's
//! zone.
//!
//! A date that is one number has a format by name ([`DateNumber`]).

use std::io::Write as _;
use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use strum::VariantNames;

use crate::fields::date_digits::{digits, offset};
use crate::fields::date_numbers::DateNumber;
use crate::fields::date_parts::DateParts;
use crate::fields::date_tokens::{MAX_DEPTH, Token, has, has_halves, is_stated_once, runs_together};
use crate::fields::date_words::{short_month, take_half, take_month};
use crate::model::instant::local;
use crate::model::reporting_zone::offset_text;

/// Format in which the decoder of workbooks writes a date cell as text.
pub const CELL_FORMAT: &str = "yyyy-MM-dd HH:mm:ss";

/// A compiled date format.
#[derive(Debug, Clone)]
pub struct DateFormat {
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Tokens(Vec<Token>),
    Number(DateNumber),
}

impl DateFormat {
    /// Compiles a format.
    ///
    /// # Errors
    /// What is wrong with it: unbalanced brackets, a letter that is no token, or no full date.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        if let Ok(number) = pattern.parse() {
            return Ok(Self { form: Form::Number(number) });
        }
        let tokens = compile_tokens(pattern)?;
        if has(&tokens, &|token| matches!(token, Token::Day { .. })) {
            Ok(Self { form: Form::Tokens(tokens) })
        } else {
            Err(format!("format `{pattern}` has no `dd`"))
        }
    }

    /// Compiles a format that is searched in a text. It may lack the day: the text is then read as the first day of its
    /// month.
    ///
    /// # Errors
    /// As [`DateFormat::compile`]; also for a format that is one number, which cannot be told from other numbers.
    pub fn compile_month(pattern: &str) -> Result<Self, String> {
        if pattern.parse::<DateNumber>().is_ok() {
            return Err(format!("`{pattern}` is not searched in a name or title: any number would be one"));
        }
        compile_tokens(pattern).map(|tokens| Self { form: Form::Tokens(tokens) })
    }

    /// Whether it states a time of day.
    #[must_use]
    pub fn has_time(&self) -> bool {
        match &self.form {
            Form::Tokens(tokens) => {
                has(tokens, &|token| matches!(token, Token::Hour { .. } | Token::TwelveHour { .. }))
            }
            Form::Number(_) => true,
        }
    }

    /// Whether it is a number of seconds or milliseconds, or has no century.
    pub(super) fn has_no_era(&self) -> bool {
        match &self.form {
            Form::Tokens(tokens) => has(tokens, &|token| *token == Token::ShortYear),
            Form::Number(_) => true,
        }
    }

    /// Whether it is the number of a day in a spreadsheet.
    pub(super) fn is_serial(&self) -> bool {
        matches!(self.form, Form::Number(DateNumber::SpreadsheetSerial))
    }

    /// Whether the time of day is optional.
    pub(super) fn may_lack_time(&self) -> bool {
        let is_time = |token: &Token| matches!(token, Token::Hour { .. } | Token::TwelveHour { .. } | Token::Minute);
        matches!(&self.form, Form::Tokens(tokens) if !tokens.iter().any(is_time))
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
        let tokens = match &self.form {
            Form::Tokens(tokens) => tokens.as_slice(),
            Form::Number(_) => &[],
        };
        let is_digit = move |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let starts = (0..bytes.len()).filter(move |&at| text.is_char_boundary(at));
        starts.filter(move |&at| at == 0 || !(is_digit(at - 1) && is_digit(at))).filter_map(move |at| {
            let mut parts = DateParts { day: 1, ..DateParts::default() };
            let end = bytes.len() - take(tokens, &bytes[at..], &mut parts)?.len();
            if end > at && is_digit(end) && is_digit(end - 1) {
                None
            } else {
                Some((at..end, parts.in_full_hours()?.instant(zone)?))
            }
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
        match &self.form {
            Form::Number(number) => number.parse(text),
            Form::Tokens(tokens) => {
                let mut parts = DateParts::default();
                let rest = take(tokens, text.as_bytes(), &mut parts)?;
                if rest.is_empty() { parts.in_full_hours() } else { None }
            }
        }
    }

    /// Text of an instant in local time. Optional parts are written, `S` has three digits, `Z` is `+0700`, and words are
    /// English.
    #[must_use]
    pub fn write(&self, micros: i64) -> String {
        match &self.form {
            Form::Number(number) => number.write(micros),
            Form::Tokens(tokens) => {
                let mut text = Vec::new();
                put(tokens, local(micros), &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
        }
    }
}

/// Compiles the tokens of a format and checks that they have a year, a month and whole hours.
fn compile_tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut at = 0;
    let tokens = compile_until(pattern.as_bytes(), &mut at, 0).map_err(|message| {
        let is_word = pattern.len() > 6 && pattern.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let names = DateNumber::VARIANTS.join("`, `");
        if is_word { format!("{message}; a date that is one number is `{names}`") } else { message }
    })?;
    let has = |wanted: &dyn Fn(&Token) -> bool| has(&tokens, wanted);
    let hours = |token: &Token| matches!(token, Token::Hour { .. } | Token::TwelveHour { .. });
    let half = has(&|token| matches!(token, Token::HalfDay));
    for (is_right, what) in [
        (has(&Token::is_year), "has no `yyyy`"),
        (has(&Token::is_month), "has no `MM`"),
        (tokens.iter().any(Token::is_year), "has its year in brackets: a text without it would be no date"),
        (tokens.iter().any(Token::is_month), "has its month in brackets: a text without it would be no date"),
        (is_stated_once(&tokens), "has the year, the month or the day twice"),
        (
            !runs_together(&tokens, false),
            "has a part of one or more digits with digits right behind it: where it ends is not known",
        ),
        (has_halves(&tokens), "has `hh` without `a`, the half of the day, beside it"),
        (!half || has(&hours), "has `a`, the half of the day, without `hh`"),
    ] {
        if !is_right {
            return Err(format!("format `{pattern}` {what}"));
        }
    }
    Ok(tokens)
}

fn put(tokens: &[Token], at: DateTime, text: &mut Vec<u8>) {
    for token in tokens {
        let (value, width) = match token {
            Token::Year => (i32::from(at.year()), 4),
            Token::ShortYear => (i32::from(at.year().rem_euclid(100)), 2),
            Token::Month { short } => (i32::from(at.month()), if *short { 1 } else { 2 }),
            Token::Day { short } => (i32::from(at.day()), if *short { 1 } else { 2 }),
            Token::Hour { short } => (i32::from(at.hour()), if *short { 1 } else { 2 }),
            Token::TwelveHour { short } => (i32::from((at.hour() + 11) % 12 + 1), if *short { 1 } else { 2 }),
            Token::HalfDay => {
                text.extend(if at.hour() < 12 { b"AM" } else { b"PM" });
                continue;
            }
            Token::MonthName => {
                text.extend(short_month(at.month()).bytes());
                continue;
            }
            Token::Minute => (i32::from(at.minute()), 2),
            Token::Second => (i32::from(at.second()), 2),
            Token::Fraction => (at.subsec_nanosecond() / 1_000_000, 3),
            Token::Offset => {
                text.extend(offset_text("").bytes());
                continue;
            }
            Token::Literal(byte) => {
                text.push(*byte);
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

fn compile_until(bytes: &[u8], at: &mut usize, depth: usize) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    while *at < bytes.len() {
        let byte = bytes[*at];
        let run = bytes[*at..].iter().take_while(|&&next| next == byte).count();
        let token = match (byte, run) {
            (b'[', _) => {
                if depth == MAX_DEPTH {
                    return Err(format!("more than {MAX_DEPTH} brackets inside each other"));
                }
                *at += 1;
                tokens.push(Token::Optional(compile_until(bytes, at, depth + 1)?));
                continue;
            }
            (b']', _) if depth > 0 => {
                *at += 1;
                return Ok(tokens);
            }
            (b']', _) => return Err("a `]` without `[`".to_owned()),
            (b'\'', _) => {
                let text = bytes[*at + 1..].split(|&byte| byte == b'\'').next().unwrap_or_default();
                if *at + 1 + text.len() == bytes.len() {
                    return Err("a `'` without another".to_owned());
                }
                tokens.extend(text.iter().map(|&byte| Token::Literal(byte)));
                *at += text.len() + 2;
                continue;
            }
            (b'y', 4) => Token::Year,
            (b'y', 2) => Token::ShortYear,
            (b'M', 3) => Token::MonthName,
            (b'h', 1 | 2) => Token::TwelveHour { short: run == 1 },
            (b'a', 1) => Token::HalfDay,
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
    if depth > 0 { Err("a `[` without `]`".to_owned()) } else { Ok(tokens) }
}

fn take<'a>(tokens: &[Token], mut text: &'a [u8], parts: &mut DateParts) -> Option<&'a [u8]> {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Year => parts.year = i16::try_from(digits(&mut text, 4, 4)?).ok()?,
            Token::ShortYear => {
                let year = i16::try_from(digits(&mut text, 2, 2)?).ok()?;
                parts.year = if year < 69 { 2000 + year } else { 1900 + year };
            }
            Token::MonthName => {
                let (month, rest) = take_month(text)?;
                // The dot behind a short name is that of the format, if it has one there: `dd.MMM.yyyy`.
                let with_dot = &text[(text.len() - rest.len()).saturating_sub(1)..];
                let is_of_format = tokens.get(at + 1) == Some(&Token::Literal(b'.')) && with_dot.starts_with(b".");
                (parts.month, text) = (month, if is_of_format { with_dot } else { rest });
            }
            Token::TwelveHour { short } => {
                parts.hour = i8::try_from(digits(&mut text, 2 - usize::from(*short), 2)?).ok()?;
                parts.is_twelve_hour = true;
            }
            Token::HalfDay => {
                let (half, rest) = take_half(text)?;
                (parts.half, text) = (Some(half), rest);
            }
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

#[cfg(test)]
#[path = "date_format_tests.rs"]
mod tests;
