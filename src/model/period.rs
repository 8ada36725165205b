//! Reporting periods: months, quarters and years of the calendar, as unions of half-months.
//!
//! Half-months (1–14 and 15 to the month's end) are the unit that figures are summed from, because the
//! statutory periods run from the 15th to the 14th (domain E).

use std::fmt;

use jiff::civil::{Date, date};

/// Number of a half-month: `(year × 12 + month − 1) × 2`, plus one from the 15th on.
pub type Half = i32;

/// The half-month of a day.
#[must_use]
pub fn half_of(day: Date) -> Half {
    (i32::from(day.year()) * 12 + i32::from(day.month()) - 1) * 2 + i32::from(day.day() >= 15)
}

/// A named period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    Month { year: i16, month: i8 },
    Quarter { year: i16, quarter: i8 },
    Year { year: i16 },
}

/// Kind of a named period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum PeriodKind {
    Month,
    Quarter,
    Year,
}

impl PeriodKind {
    pub const ALL: [Self; 3] = [Self::Month, Self::Quarter, Self::Year];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

impl Period {
    /// The period of a kind that holds a half-month.
    ///
    /// # Panics
    /// If the half-month is outside the years −9999 to 9999.
    #[must_use]
    pub fn of_half(kind: PeriodKind, half: Half) -> Self {
        let months = half.div_euclid(2);
        let year = i16::try_from(months.div_euclid(12)).expect("half-months come from dates");
        let month = i8::try_from(months.rem_euclid(12)).expect("below twelve") + 1;
        match kind {
            PeriodKind::Month => Self::Month { year, month },
            PeriodKind::Quarter => Self::Quarter { year, quarter: (month - 1) / 3 + 1 },
            PeriodKind::Year => Self::Year { year },
        }
    }

    /// Reads `2026-03`, `2026-Q1` or `2026`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year_text, rest) = text.split_at_checked(4)?;
        let year = year_text.bytes().all(|byte| byte.is_ascii_digit()).then(|| year_text.parse().ok()).flatten()?;
        match rest.strip_prefix('-') {
            None if rest.is_empty() => Some(Self::Year { year }),
            Some(part) => match part.strip_prefix('Q') {
                Some(quarter) => {
                    let quarter = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
                    Some(Self::Quarter { year, quarter })
                }
                None if part.len() == 2 => {
                    let month = part.parse().ok().filter(|month| (1..=12).contains(month))?;
                    Some(Self::Month { year, month })
                }
                None => None,
            },
            None => None,
        }
    }

    #[must_use]
    pub fn kind(self) -> PeriodKind {
        match self {
            Self::Month { .. } => PeriodKind::Month,
            Self::Quarter { .. } => PeriodKind::Quarter,
            Self::Year { .. } => PeriodKind::Year,
        }
    }

    #[must_use]
    pub fn year(self) -> i16 {
        match self {
            Self::Month { year, .. } | Self::Quarter { year, .. } | Self::Year { year } => year,
        }
    }

    /// First day.
    #[must_use]
    pub fn start(self) -> Date {
        match self {
            Self::Month { year, month } => date(year, month, 1),
            Self::Quarter { year, quarter } => date(year, (quarter - 1) * 3 + 1, 1),
            Self::Year { year } => date(year, 1, 1),
        }
    }

    /// Last day, inclusive.
    #[must_use]
    pub fn end(self) -> Date {
        match self {
            Self::Month { year, month } => date(year, month, 1).last_of_month(),
            Self::Quarter { year, quarter } => date(year, quarter * 3, 1).last_of_month(),
            Self::Year { year } => date(year, 12, 31),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month { year, month } => write!(out, "{year:04}-{month:02}"),
            Self::Quarter { year, quarter } => write!(out, "{year:04}-Q{quarter}"),
            Self::Year { year } => write!(out, "{year:04}"),
        }
    }
}
