//! `[partial]` of a connector: rows that state a part of their record, beside rows that state all of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::records::FieldMap;

/// `[partial]`: rows that state a part of their record, such as the progress of a dossier, in a source whose other rows state
/// the whole record. Such a row fills the columns that it states; a later whole row is the whole record again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartialRows {
    /// Source field that only such rows have: a row with a text in it states a part. A column of `map` reads it, and none of
    /// `[map]`.
    pub field: String,
    /// Canonical column → source fields and type, as `[map]`. The key is mapped as in `[map]`, and `source_updated_at` is the
    /// moment of the row.
    pub map: BTreeMap<String, FieldMap>,
}
