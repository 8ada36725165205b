//! `[window]` of a connector: which time ranges are read.

use jiff::ToSpan as _;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::period::Period;

/// `[window]`: the time range to read, in one or several passes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `[[window.passes]]`; if empty, every pull reads everything.
    #[serde(default)]
    pub passes: Vec<Pass>,
}

/// One pass: the records of a time range, filtered by one of the source's dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    pub name: String,
    /// Query parameter of the start; if absent, `[request]` contains `{since}` or a placeholder of the period.
    #[serde(default)]
    pub since_param: Option<String>,
    /// Query parameter of the end; if absent, `[request]` contains `{until}` or a placeholder of the period.
    #[serde(default)]
    pub until_param: Option<String>,
    /// Date format of start and end (see `docs/CONNECTORS.md`).
    pub format: String,
    pub start: Start,
    /// For `start = "oldest_open"`: the instant column of the oldest dossier that is still open.
    #[serde(default)]
    pub open_column: Option<String>,
    /// Date before which the source has no records, `yyyy-MM-dd`; the first pull starts here.
    pub first_date: String,
    /// Days read again before the start.
    #[serde(default = "one")]
    pub overlap_days: u32,
    /// Longest time range of one page chain, in days.
    #[serde(default = "month")]
    pub slice_days: u32,
    /// Calendar periods instead of `slice_days`: each page chain reads one whole month, quarter or year, whose end is its last
    /// day. For reports that a source gives period by period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SliceUnit>,
}

/// A calendar period that one page chain reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SliceUnit {
    Month,
    Quarter,
    Year,
}

impl SliceUnit {
    /// The first day of the period that has a day.
    #[must_use]
    pub fn start(self, day: Date) -> Date {
        let month = match self {
            Self::Month => day.month(),
            Self::Quarter => (day.month() - 1) / 3 * 3 + 1,
            Self::Year => 1,
        };
        Date::new(day.year(), month, 1).unwrap_or(day)
    }

    /// The period that has a day.
    #[must_use]
    pub fn period(self, day: Date) -> Period {
        let (year, month) = (day.year(), day.month());
        match self {
            Self::Month => Period::Month { year, month },
            Self::Quarter => Period::Quarter { year, quarter: (month + 2) / 3 },
            Self::Year => Period::Year { year },
        }
    }

    /// The first day of the next period.
    #[must_use]
    pub fn next(self, day: Date) -> Date {
        let months = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        };
        self.start(day).saturating_add(months.months())
    }
}

fn one() -> u32 {
    1
}
fn month() -> u32 {
    31
}

/// Where a pass begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the end of the last window that was read completely.
    Cursor,
    /// At the oldest open dossier of this connector, or at the cursor if that is earlier.
    OldestOpen,
}
