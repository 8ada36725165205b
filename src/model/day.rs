//! Days that are not what their weekday says: public holidays and swapped Saturdays, as the operator's calendar gives them.

use jiff::civil::Date;

/// One row of `calendar.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarDay {
    pub date: Date,
    pub kind: DayKind,
}

/// What is unusual about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// A public holiday.
    Holiday,
    /// A weekday off, given for another day.
    Compensation,
    /// A Saturday worked in exchange.
    Working,
}
