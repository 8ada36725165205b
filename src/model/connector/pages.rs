//! `[pages]` and `[complete]` of a connector: paging, the end of a page chain, and the proof that it is complete.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[pages]`: how the next page is requested, and how the last page is recognised.
///
/// If `param` is absent, `[request]` contains the placeholder `{page}`, `{offset}` or `{cursor}` instead.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pages {
    /// No paging: one reply holds all records.
    #[default]
    None,
    /// Pages have numbers.
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
        /// Path at which the reply repeats the page number; a different number is an error.
        #[serde(default)]
        echo: Option<String>,
        end: PageEnd,
    },
    /// Each page begins at an offset: the number of records received so far.
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
    /// Each reply holds an opaque cursor of the next page.
    Cursor {
        /// Query parameter of the cursor.
        #[serde(default)]
        param: Option<String>,
        /// Cursor of the first page; if absent, the first request has none.
        #[serde(default)]
        first: Option<String>,
        /// Path of the next cursor in the reply.
        #[serde(default)]
        path: Option<String>,
        /// Header of the reply that holds the next cursor.
        #[serde(default)]
        header: Option<String>,
        /// Records of a full page; for `short_page`, and to notice a next page that is not stated.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// Each reply holds the URL of the next page: absolute on the same host, relative, or only a query string.
    NextUrl {
        path: String,
        /// Records of a full page; for `short_page`, and to notice a next page that is not stated.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// The `Link` header with `rel="next"` holds the URL of the next page (RFC 8288).
    LinkHeader {
        /// Records of a full page; for `short_page`, and to notice a next page that is not stated.
        #[serde(default)]
        size: Option<u32>,
        #[serde(default)]
        end: PageEnd,
    },
    /// Each page begins after the key of the last record of the page before. The source must sort by the key.
    Keyset {
        /// Query parameter of the key.
        #[serde(default)]
        param: Option<String>,
        /// Path of the key in a record; must be a field that `[map]` reads.
        path: String,
        /// Key to start after; if absent, the first request has none.
        #[serde(default)]
        first: Option<String>,
        /// Records of a full page; for `short_page`.
        #[serde(default)]
        size: Option<u32>,
        end: PageEnd,
    },
}

/// How the last page is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PageEnd {
    /// A boolean in the reply (or the text `"true"`) is true on the last page. A reply without it is an error.
    LastFlag {
        path: String,
        /// Text or number of the reply → true or false, for a source that writes its flag as neither.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        codes: BTreeMap<String, bool>,
    },
    /// A boolean in the reply (or the text `"false"`) is false on the last page. A reply without it is an error.
    NextFlag {
        path: String,
        /// As for `last_flag`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        codes: BTreeMap<String, bool>,
    },
    /// The number of received records equals the total that the reply declares, at a path or in a header. More or fewer
    /// is an error.
    Total {
        #[serde(default)]
        path: Option<String>,
        #[serde(default)]
        header: Option<String>,
    },
    /// The number of received pages equals the number that the reply declares.
    LastPage { path: String },
    /// A page without records.
    EmptyPage,
    /// The page has fewer records than requested. If the first page has, the next one must be empty: the source may
    /// cap its pages.
    ShortPage {
        /// As for `null_cursor`: the source leaves the next cursor or address out on its last page.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// The page before comes again, for a source that answers a page behind its end with its last one; or a page without
    /// records.
    RepeatedPage,
    /// The next cursor or URL is there, and is null, empty or `false`; or the `Link` header has links, none to a next page, and
    /// no `last` that is another page. If it is absent, the page is the last one only if it has no records, fewer than an
    /// earlier page of the chain, or the last of the declared total, or if `absent` is set; without `size`, also if an earlier
    /// page had it. Otherwise the pull is incomplete.
    NullCursor {
        /// Cursors that mean that there is none, such as `0` or `-1`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        none: Vec<String>,
        /// The source leaves it out on the last page, also if that is the only one. A source that gives it another name is then
        /// noticed only if the first page has `size` records.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
}

impl Default for PageEnd {
    fn default() -> Self {
        Self::NullCursor { none: Vec::new(), absent: false }
    }
}

/// `[complete]`: additional proof that a page chain was read completely.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Complete {
    /// Path of the declared number of records; checked at the end of each chain, however the end is recognised. A reply
    /// without it is an error, unless `read_twice` is set.
    pub total: Option<String>,
    /// Reads every page of a chain again until no page differs, at most three times, to find records that moved between
    /// pages in the meantime. For chains of several pages without a declared total, or whose total changed.
    pub read_twice: bool,
    /// Statuses of a page that is behind the last one, such as 404; they count from the second page of a chain on, 204 also
    /// for the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub end_statuses: Vec<u16>,
    /// Files only: a number in the first footer row of each file or sheet must agree with the rows above it.
    pub trailer: Option<Trailer>,
}

impl Pages {
    /// How the last page is recognised; `None` without paging.
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

    /// Whether the end of a page chain is proved by what the source says. A short page is not: the source may have
    /// returned fewer records than requested. Nor is a page that comes again: it may ignore the page number.
    #[must_use]
    pub fn proves_its_end(&self) -> bool {
        !matches!(self.end(), Some(PageEnd::ShortPage { .. } | PageEnd::RepeatedPage))
    }

    /// Number of records of a full page, if the connector declares it.
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

/// Number in the footer row that must agree with the rows above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Heading of the column that holds the number in the footer row.
    pub column: String,
    pub holds: TrailerHolds,
    /// Heading of the column that is summed; if absent, `column`.
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
