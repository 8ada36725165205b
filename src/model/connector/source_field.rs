//! The source fields of a column: paths, headings, and places of columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One source field, or several in order of preference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(SourceField),
    Many(Vec<SourceField>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    pub(super) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    #[must_use]
    pub fn as_slice(&self) -> &[SourceField] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// Names of the fields, see [`SourceField::name`].
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.as_slice().iter().map(SourceField::name).collect()
    }
}

/// A source field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SourceField {
    /// A path in a JSON record, or the heading of a column.
    Name(String),
    /// One of several columns with the same heading.
    Repeated(RepeatedHeading),
    /// The column of a table at a place, whatever its heading.
    Placed(ColumnPlace),
}

/// The column of a table at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnPlace {
    /// Place among all columns, from the left; 1 is the first.
    pub position: u32,
}

impl ColumnPlace {
    /// The last column of a workbook.
    pub const LAST: u32 = 16_384;
}

/// One of several columns with the same heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatedHeading {
    /// The heading, without regard to case, spacing and invisible characters.
    pub column: String,
    /// Place among the columns with this heading, from the left; 1 is the first.
    pub nth: u32,
}

impl SourceField {
    /// The path or heading; `None` for a column that is declared by its place.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Repeated(repeated) => Some(&repeated.column),
            Self::Placed(_) => None,
        }
    }

    /// Name of the field in pages, reports and messages: the path or heading, and the place of a repeated one.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Repeated(RepeatedHeading { column, nth }) => format!("{column} [{nth}]"),
            Self::Placed(ColumnPlace { position }) => format!("#{position}"),
        }
    }
}
