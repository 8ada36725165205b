//! Reporting periods.
//!
//! Figures are summed up from half-months: 1st to 14th, and 15th to the end of the month. Statutory reporting periods
//! run from the 15th to the 14th (NĐ 09/2019/NĐ-CP art. 12; domain E): month M from the 15th of M−1 to the 14th of M, a
//! quarter from the 15th of the month before it, six months, nine months and the year from 15 December.
//!
//! Named periods (month to year, calendar or statutory) are unions of half-months, and every night computes them. Days,
//! ISO weeks and free ranges are counted on demand.

use jiff::ToSpan as _;
use jiff::civil::{Date, ISOWeekDate, Weekday, date};

mod text;

pub use text::{PERIOD_FORMS, PeriodError, YEARS, typed_day};

/// Number of a half-month: `(year × 12 + month − 1) × 2` for the days 1 to 14, plus 1 for the days from the 15th on.
pub type HalfMonth = i32;

/// Half-month that contains a day.
#[must_use]
pub fn half_month_of(day: Date) -> HalfMonth {
    (i32::from(day.year()) * 12 + i32::from(day.month()) - 1) * 2 + i32::from(day.day() >= 15)
}

/// First day of a half-month.
#[must_use]
pub fn first_day_of(half: HalfMonth) -> Date {
    let months = half.div_euclid(2);
    let year = i16::try_from(months.div_euclid(12)).expect("half-months come from dates");
    let month = i8::try_from(months.rem_euclid(12)).expect("below twelve") + 1;
    date(year, month, if half.rem_euclid(2) == 0 { 1 } else { 15 })
}

/// Part of a year that a named period covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum YearPart {
    /// 1 to 12.
    Month(i8),
    /// 1 to 4.
    Quarter(i8),
    /// 1 or 2.
    HalfYear(i8),
    NineMonths,
    Year,
}

/// A reporting period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    Month {
        year: i16,
        month: i8,
    },
    Quarter {
        year: i16,
        quarter: i8,
    },
    HalfYear {
        year: i16,
        half: i8,
    },
    NineMonths {
        year: i16,
    },
    Year {
        year: i16,
    },
    /// Statutory period, from the 15th to the 14th.
    Statutory {
        year: i16,
        span: YearPart,
    },
    /// ISO 8601 week; `week` from 1 to 53.
    Week {
        year: i16,
        week: i8,
    },
    Day(Date),
    /// Both days are inclusive.
    Range {
        from: Date,
        to: Date,
    },
}

/// Kind of a reporting period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum PeriodKind {
    Month,
    Quarter,
    HalfYear,
    NineMonths,
    Year,
    StatutoryMonth,
    StatutoryQuarter,
    StatutoryHalfYear,
    StatutoryNineMonths,
    StatutoryYear,
    Week,
    Day,
    Range,
}

impl PeriodKind {
    /// Kinds that are unions of half-months; every night computes them.
    pub const NAMED: [Self; 10] = [
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::NineMonths,
        Self::Year,
        Self::StatutoryMonth,
        Self::StatutoryQuarter,
        Self::StatutoryHalfYear,
        Self::StatutoryNineMonths,
        Self::StatutoryYear,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Period {
    /// Named period of a kind that contains a half-month. `None` for nine months if it lies after September, and for
    /// weeks, days and ranges.
    ///
    /// # Panics
    /// If the half-month is outside the years −9999 to 9999.
    #[must_use]
    pub fn of_half_month(kind: PeriodKind, half: HalfMonth) -> Option<Self> {
        use PeriodKind as Kind;
        let statutory = matches!(
            kind,
            Kind::StatutoryMonth
                | Kind::StatutoryQuarter
                | Kind::StatutoryHalfYear
                | Kind::StatutoryNineMonths
                | Kind::StatutoryYear
        );
        let months = if statutory { (half + 1).div_euclid(2) } else { half.div_euclid(2) };
        let year = i16::try_from(months.div_euclid(12)).expect("half-months come from dates");
        let month = i8::try_from(months.rem_euclid(12)).expect("below twelve") + 1;
        let span = match kind {
            Kind::Month | Kind::StatutoryMonth => YearPart::Month(month),
            Kind::Quarter | Kind::StatutoryQuarter => YearPart::Quarter((month + 2) / 3),
            Kind::HalfYear | Kind::StatutoryHalfYear => YearPart::HalfYear((month + 5) / 6),
            Kind::NineMonths | Kind::StatutoryNineMonths if month > 9 => return None,
            Kind::NineMonths | Kind::StatutoryNineMonths => YearPart::NineMonths,
            Kind::Year | Kind::StatutoryYear => YearPart::Year,
            Kind::Week | Kind::Day | Kind::Range => return None,
        };
        Some(Self::of_span(year, span, statutory))
    }

    fn of_span(year: i16, span: YearPart, statutory: bool) -> Self {
        match span {
            _ if statutory => Self::Statutory { year, span },
            YearPart::Month(month) => Self::Month { year, month },
            YearPart::Quarter(quarter) => Self::Quarter { year, quarter },
            YearPart::HalfYear(half) => Self::HalfYear { year, half },
            YearPart::NineMonths => Self::NineMonths { year },
            YearPart::Year => Self::Year { year },
        }
    }

    /// Year, part of the year, and whether the period is statutory; `None` for weeks, days and ranges.
    #[must_use]
    pub fn span(self) -> Option<(i16, YearPart, bool)> {
        Some(match self {
            Self::Month { year, month } => (year, YearPart::Month(month), false),
            Self::Quarter { year, quarter } => (year, YearPart::Quarter(quarter), false),
            Self::HalfYear { year, half } => (year, YearPart::HalfYear(half), false),
            Self::NineMonths { year } => (year, YearPart::NineMonths, false),
            Self::Year { year } => (year, YearPart::Year, false),
            Self::Statutory { year, span } => (year, span, true),
            Self::Week { .. } | Self::Day(_) | Self::Range { .. } => return None,
        })
    }

    /// Whether it is a year, calendar or statutory.
    #[must_use]
    pub fn is_year(self) -> bool {
        matches!(self.kind(), PeriodKind::Year | PeriodKind::StatutoryYear)
    }

    #[must_use]
    pub fn kind(self) -> PeriodKind {
        use PeriodKind as Kind;
        match self {
            Self::Week { .. } => Kind::Week,
            Self::Day(_) => Kind::Day,
            Self::Range { .. } => Kind::Range,
            _ => match self.span().expect("all others are spans") {
                (_, YearPart::Month(_), false) => Kind::Month,
                (_, YearPart::Quarter(_), false) => Kind::Quarter,
                (_, YearPart::HalfYear(_), false) => Kind::HalfYear,
                (_, YearPart::NineMonths, false) => Kind::NineMonths,
                (_, YearPart::Year, false) => Kind::Year,
                (_, YearPart::Month(_), true) => Kind::StatutoryMonth,
                (_, YearPart::Quarter(_), true) => Kind::StatutoryQuarter,
                (_, YearPart::HalfYear(_), true) => Kind::StatutoryHalfYear,
                (_, YearPart::NineMonths, true) => Kind::StatutoryNineMonths,
                (_, YearPart::Year, true) => Kind::StatutoryYear,
            },
        }
    }

    /// Year in the period's name; for days, weeks and ranges the year of the last day.
    #[must_use]
    pub fn year(self) -> i16 {
        self.span().map_or_else(|| self.end().year(), |(year, ..)| year)
    }

    /// First and last month, from 1 to 12.
    fn months(span: YearPart) -> (i8, i8) {
        match span {
            YearPart::Month(month) => (month, month),
            YearPart::Quarter(quarter) => (quarter * 3 - 2, quarter * 3),
            YearPart::HalfYear(half) => (half * 6 - 5, half * 6),
            YearPart::NineMonths => (1, 9),
            YearPart::Year => (1, 12),
        }
    }

    /// First and last half-month of a named period; `None` for weeks, days and ranges.
    #[must_use]
    pub fn half_months(self) -> Option<(HalfMonth, HalfMonth)> {
        let (year, span, statutory) = self.span()?;
        let (first, last) = Self::months(span);
        let month = |month: i8| (i32::from(year) * 12 + i32::from(month) - 1) * 2;
        Some(if statutory { (month(first) - 1, month(last)) } else { (month(first), month(last) + 1) })
    }

    /// First day.
    ///
    /// # Panics
    /// If the week does not exist; [`Period::parse`] accepts only weeks that do.
    #[must_use]
    pub fn start(self) -> Date {
        match (self, self.half_months()) {
            (_, Some((first, _))) => first_day_of(first),
            (Self::Day(day), _) => day,
            (Self::Range { from, .. }, _) => from,
            (Self::Week { year, week }, _) => {
                ISOWeekDate::new(year, week, Weekday::Monday).expect("a week that was checked").date()
            }
            _ => unreachable!("named periods are unions of half-months"),
        }
    }

    /// Last day, inclusive.
    ///
    /// # Panics
    /// At the end of the year 9999.
    #[must_use]
    pub fn end(self) -> Date {
        match (self, self.half_months()) {
            (_, Some((_, last))) => first_day_of(last + 1).yesterday().expect("a day of this era"),
            (Self::Range { to, .. }, _) => to,
            (Self::Week { .. }, _) => self.start().checked_add(6.days()).expect("a day of this era"),
            _ => self.start(),
        }
    }

    /// Preceding period of the same kind and length; for nine months those of the year before.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        let back = |years: i16, span, statutory, year: i16| Some(Self::of_span(year - years, span, statutory));
        if let Some((year, span, statutory)) = self.span() {
            return match span {
                YearPart::Month(1) => back(1, YearPart::Month(12), statutory, year),
                YearPart::Month(month) => back(0, YearPart::Month(month - 1), statutory, year),
                YearPart::Quarter(1) => back(1, YearPart::Quarter(4), statutory, year),
                YearPart::Quarter(quarter) => back(0, YearPart::Quarter(quarter - 1), statutory, year),
                YearPart::HalfYear(1) => back(1, YearPart::HalfYear(2), statutory, year),
                YearPart::HalfYear(_) => back(0, YearPart::HalfYear(1), statutory, year),
                YearPart::NineMonths | YearPart::Year => back(1, span, statutory, year),
            };
        }
        let (start, end) = (self.start(), self.end());
        let to = start.yesterday().ok()?;
        let from = to.checked_sub(end - start).ok()?;
        Some(match self {
            Self::Day(_) => Self::Day(to),
            Self::Week { .. } => {
                let week = to.iso_week_date();
                Self::Week { year: week.year(), week: week.week() }
            }
            _ => Self::Range { from, to },
        })
    }

    /// Following period of a named kind; for nine months those of the year after. `None` for weeks, days and ranges.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self.span()? {
            (year, YearPart::NineMonths, statutory) => Some(Self::of_span(year + 1, YearPart::NineMonths, statutory)),
            _ => Self::of_half_month(self.kind(), self.half_months()?.1 + 1),
        }
    }

    /// Same period one year earlier; `None` for 29 February, and for week 53 if that year has none.
    #[must_use]
    pub fn a_year_before(self) -> Option<Self> {
        let before = |day: Date| Date::new(day.year() - 1, day.month(), day.day()).ok();
        Some(match self {
            Self::Day(day) => Self::Day(before(day)?),
            Self::Range { from, to } => Self::Range { from: before(from)?, to: before(to)? },
            Self::Week { year, week } => {
                ISOWeekDate::new(year - 1, week, Weekday::Monday).ok()?;
                Self::Week { year: year - 1, week }
            }
            _ => {
                let (year, span, statutory) = self.span()?;
                Self::of_span(year - 1, span, statutory)
            }
        })
    }

    /// Range from the first day of the period's (statutory) year to the last day of the period.
    #[must_use]
    pub fn cumulative(self) -> Self {
        let statutory = matches!(self, Self::Statutory { .. });
        let from = Self::of_span(self.year(), YearPart::Year, statutory).start();
        Self::Range { from, to: self.end() }
    }
}

#[cfg(test)]
#[path = "period_tests.rs"]
mod tests;
