//! Days whose kind differs from their weekday: public holidays and exchanged working days.

use jiff::civil::Date;
use strum::{EnumString, VariantNames};

/// One row of `calendar.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarDay {
    pub date: Date,
    pub kind: DayKind,
}

/// How a day differs from its weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum DayKind {
    /// A public holiday (ngày lễ, tết).
    Holiday,
    /// A weekday off in exchange for a worked Saturday (nghỉ hoán đổi).
    Compensation,
    /// A Saturday that is worked in exchange for a weekday off (làm bù).
    Working,
}
