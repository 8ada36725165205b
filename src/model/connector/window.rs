//! What a connector says of time: which stretches of it are read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[window]`: which stretch of time is read, in one or several passes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `[[window.passes]]`; none: everything is read every time.
    #[serde(default)]
    pub passes: Vec<Pass>,
}

/// One pass: the source filtered by one of its dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    pub name: String,
    /// Query parameter that takes the start; absent: it stands in `[request]` as `{since}`.
    #[serde(default)]
    pub since_param: Option<String>,
    /// Query parameter that takes the end; absent: it stands in `[request]` as `{until}`.
    #[serde(default)]
    pub until_param: Option<String>,
    /// How both are written: a date format (see `docs/CONNECTORS.md`).
    pub format: String,
    pub start: Start,
    /// For `start = "oldest_open"`: the instant column of the oldest dossier that is still open.
    #[serde(default)]
    pub open_column: Option<String>,
    /// Nothing lies before it, `yyyy-MM-dd`; the first pull starts here.
    pub first_date: String,
    /// Days read again before the start.
    #[serde(default = "one")]
    pub overlap_days: u32,
    /// Longest stretch of one page chain.
    #[serde(default = "month")]
    pub slice_days: u32,
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
    /// At the end of the last window that was read whole.
    Cursor,
    /// At the oldest dossier of this connector that has not ended, or the cursor if that is earlier.
    OldestOpen,
}
