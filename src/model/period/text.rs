//! Periods as text: `2026-Q1`, `2026-03s`. Read where a period is typed or stated, and written as [`Period::parse`] reads
//! them.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::{Date, ISOWeekDate, Weekday};

use crate::model::period::{Period, YearPart};

/// Years of periods. Figures are counted for the days from 1990-01-01 to 2099-12-31.
pub const YEARS: RangeInclusive<i16> = 1990..=2099;

/// Texts that [`Period::parse`] accepts, for messages.
pub const PERIOD_FORMS: &str = "`2026`, `2026-Q1`, `2026-H1`, `2026-9M`, `2026-03`, `2026-W05`, `2026-03-05`, \
     `2026-03-05..2026-04-10`; with `s` for the statutory period from the 15th to the 14th: `2026s`, `2026-Q3s`, \
     `2026-H1s`, `2026-9Ms`, `2026-03s`; years from 1990 to 2099";

/// Why a text is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodError {
    /// It has none of the [`PERIOD_FORMS`].
    Form,
    /// A year outside [`YEARS`].
    Year,
}

impl Period {
    /// Parses one of [`PERIOD_FORMS`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    /// As [`Period::parse`], with the reason why a text is no period.
    ///
    /// # Errors
    /// See [`PeriodError`].
    pub fn read(text: &str) -> Result<Self, PeriodError> {
        let period = Self::of_any_year(text).ok_or(PeriodError::Form)?;
        if period.years().into_iter().all(|year| YEARS.contains(&year)) { Ok(period) } else { Err(PeriodError::Year) }
    }

    /// Years that the name of a period has.
    fn years(self) -> [i16; 2] {
        match self {
            Self::Day(day) => [day.year(); 2],
            Self::Range { from, to } => [from.year(), to.year()],
            Self::Week { year, .. } => [year; 2],
            _ => [self.year(); 2],
        }
    }

    fn of_any_year(text: &str) -> Option<Self> {
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (day(from)?, day(to)?);
            return (from <= to).then_some(Self::Range { from, to });
        }
        if let Some(day) = day(text) {
            return Some(Self::Day(day));
        }
        let (text, statutory) = text.strip_suffix('s').map_or((text, false), |text| (text, true));
        let (year, rest) = text.split_at_checked(4)?;
        let year: i16 = number(year, 4)?;
        let span = match rest.strip_prefix('-') {
            None => rest.is_empty().then_some(YearPart::Year)?,
            Some("9M") => YearPart::NineMonths,
            Some(part) => match part.split_at_checked(1)? {
                ("Q", quarter) => YearPart::Quarter(number(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?),
                ("H", half) => YearPart::HalfYear(number(half, 1).filter(|half| (1..=2).contains(half))?),
                ("W", week) if !statutory => {
                    let week: i8 = number(week, 2)?;
                    return ISOWeekDate::new(year, week, Weekday::Monday).ok().map(|_| Self::Week { year, week });
                }
                _ => YearPart::Month(number(part, 2).filter(|month| (1..=12).contains(month))?),
            },
        };
        Some(Self::of_span(year, span, statutory))
    }
}

/// Day that a person types, `yyyy-MM-dd`.
///
/// # Errors
/// What is wrong with it, for messages: not a day of this form, or a year outside [`YEARS`].
pub fn typed_day(text: &str) -> Result<Date, String> {
    match day(text) {
        Some(day) if YEARS.contains(&day.year()) => Ok(day),
        Some(_) => Err(format!("`{text}` is outside the years {} to {}", YEARS.start(), YEARS.end())),
        None => Err(format!("`{text}` is not a date (yyyy-MM-dd)")),
    }
}

fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn day(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => return write!(out, "{day}"),
            Self::Range { from, to } => return write!(out, "{from}..{to}"),
            Self::Week { year, week } => return write!(out, "{year:04}-W{week:02}"),
            _ => {}
        }
        let (year, span, statutory) = self.span().expect("all others are spans");
        match span {
            YearPart::Month(month) => write!(out, "{year:04}-{month:02}"),
            YearPart::Quarter(quarter) => write!(out, "{year:04}-Q{quarter}"),
            YearPart::HalfYear(half) => write!(out, "{year:04}-H{half}"),
            YearPart::NineMonths => write!(out, "{year:04}-9M"),
            YearPart::Year => write!(out, "{year:04}"),
        }?;
        out.write_str(if statutory { "s" } else { "" })
    }
}
