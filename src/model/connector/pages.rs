//! What a connector says of long answers: how one goes on, how its end is known and how it is proved whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[pages]`: how a long answer goes on, and how its end is known.
///
/// A `param` that is absent stands in `[request]` as placeholder: `{page}`, `{offset}` or `{cursor}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pages {
    /// One answer holds everything.
    #[default]
    None,
    /// Pages are counted.
    PageNumber {
        /// Query parameter of the page number.
        #[serde(default)]
        param: Option<String>,
        /// Number of the first page: 0 or 1.
        first: u32,
        /// Query parameter of the page size.
        #[serde(default)]
        size_param: Option<String>,
        size: u32,
        /// Path at which the answer repeats the page number: another number is an error.
        #[serde(default)]
        echo: Option<String>,
        end: PageEnd,
    },
    /// Records are counted: each page begins after as many as were received.
    Offset {
        /// Query parameter of the offset.
        #[serde(default)]
        param: Option<String>,
        /// Offset of the first record.
        #[serde(default)]
        first: u64,
        /// Query parameter of the page size.
        #[serde(default)]
        size_param: Option<String>,
        size: u32,
        end: PageEnd,
    },
    /// Each answer names the next page, by a word that says nothing to others.
    Cursor {
        /// Query parameter of the cursor.
        #[serde(default)]
        param: Option<String>,
        /// Cursor of the first page; absent: none is sent.
        #[serde(default)]
        first: Option<String>,
        /// Path of the next cursor in the answer.
        #[serde(default)]
        path: Option<String>,
        /// Header of the answer that holds the next cursor.
        #[serde(default)]
        header: Option<String>,
        /// Records of a full page; for `short_page`.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// Each answer holds the address of the next page: absolute on the same host, relative, or a query string.
    NextUrl {
        path: String,
        /// Records of a full page; for `short_page`.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// The address of the next page stands in the `Link` header with `rel="next"` (RFC 8288).
    LinkHeader {
        /// Records of a full page; for `short_page`.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// Each page begins after the key of the last record of the page before; the source sorts by it.
    Keyset {
        /// Query parameter of the key.
        #[serde(default)]
        param: Option<String>,
        /// Path of the key in a record; a field that `[map]` reads.
        path: String,
        /// Key of the first page; absent: none is sent.
        #[serde(default)]
        first: Option<String>,
        /// Records of a full page; for `short_page`.
        #[serde(default)]
        size: Option<u32>,
        end: PageEnd,
    },
}

/// How the last page is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PageEnd {
    /// A boolean of the answer says so; an answer without it is an error.
    LastFlag { path: String },
    /// A boolean of the answer says that more follow; an answer without it is an error.
    NextFlag { path: String },
    /// As many records were received as the answer declares, by a path or a header; never more, never fewer.
    Total {
        #[serde(default)]
        path: Option<String>,
        #[serde(default)]
        header: Option<String>,
    },
    /// As many pages were received as the answer declares.
    LastPage { path: String },
    /// A page without records.
    EmptyPage,
    /// A page with fewer records than asked for. A source that silently gives fewer than it was asked for looks read: prefer
    /// `empty_page` there.
    ShortPage,
    /// No next cursor or address: absent, null or empty.
    #[default]
    NullCursor,
}

/// `[complete]`: how a page chain is proved whole, besides its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Complete {
    /// Path of the number of records that the answer declares; checked at the end of each chain whatever ends it.
    pub total: Option<String>,
    /// Asks for every page of a chain again, as long as one differs, at most three times: records that moved between pages
    /// while they were read are found. For chains of several pages without a declared total.
    pub read_twice: bool,
    /// Files only: the first footer row of each file, or of each sheet, says what stands above it.
    pub trailer: Option<Trailer>,
}

impl Pages {
    /// How its end is known; `None` where one answer holds everything.
    #[must_use]
    pub fn end(&self) -> Option<&PageEnd> {
        match self {
            Self::None => None,
            Self::PageNumber { end, .. }
            | Self::Offset { end, .. }
            | Self::Cursor { end, .. }
            | Self::NextUrl { end, .. }
            | Self::LinkHeader { end, .. }
            | Self::Keyset { end, .. } => Some(end),
        }
    }

    /// Records of a full page, where that is known.
    #[must_use]
    pub fn size(&self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::PageNumber { size, .. } | Self::Offset { size, .. } => Some(*size),
            Self::Cursor { size, .. }
            | Self::NextUrl { size, .. }
            | Self::LinkHeader { size, .. }
            | Self::Keyset { size, .. } => *size,
        }
    }
}

/// A number in the footer row that must agree with the rows above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Heading of the column in which the footer row has its number.
    pub column: String,
    pub holds: TrailerHolds,
    /// Heading of the column that is summed; absent: `column`.
    #[serde(default)]
    pub of: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrailerHolds {
    /// The sum of a column.
    Sum,
    /// The number of rows.
    Count,
}
