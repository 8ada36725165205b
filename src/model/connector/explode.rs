//! `explode` of `[decode]`: a record that gives several rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::is_default;

/// The list or map in a record of which every element is a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explode {
    /// Path in a record, with `[]` behind the key of each list or map whose elements are taken apart: `values[]`,
    /// `agencies[].values[]`; `[]` if the record itself is the list or map. A path of `[map]` that begins with it reads the
    /// element; every other path reads the record, whose value each of its rows has.
    pub path: String,
    /// For a map: the keys whose values are elements, each of which is a row of every record. A row whose key is absent is
    /// rejected, unless `may_be_empty`. If empty, all keys are elements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Whether a list or map may be empty: it then gives no row. If not, its record is rejected.
    #[serde(default, skip_serializing_if = "is_default")]
    pub may_be_empty: bool,
}
