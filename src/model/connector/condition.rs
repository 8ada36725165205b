//! `when` of a column: the column has a value only in records of which another column has one of some words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `when` of `[map.COLUMN]`, for records that state by a code what their one date means: an event of the post has one time, which is
/// that of the delivery only if its status is `delivered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Mapped column that is compared: one of words, or a flag.
    pub column: String,
    /// Words of the column, `"true"` and `"false"` for a flag.
    pub is: Vec<String>,
}
