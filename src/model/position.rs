//! Position of a pull in an HTTP source: page chains that were read, and page chains that are being read.

use serde::{Deserialize, Serialize};

/// Time range that one page chain reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SliceRef {
    /// Name of the pass (`[[window.passes]]`).
    pub pass: String,
    /// Start and end in microseconds UTC, both inclusive.
    pub since_micros: i64,
    pub until_micros: i64,
}

/// Summary of a page chain that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFacts {
    /// Ordinal of the chain in the pull, from 0.
    pub chain: u32,
    pub slice: Option<SliceRef>,
    /// Pass and days, such as `accepted 2026-01-01..2026-01-31`; empty if the connector has no passes.
    pub label: String,
    pub pages: u32,
    /// Records of those pages; a page that was read several times counts as last read.
    pub rows: u64,
    /// Number of records that the source declared.
    pub declared_total: Option<u64>,
    /// Digests of the cursors of the second and the last page, if the chain is paged by cursor.
    pub first_cursor: Option<String>,
    pub last_cursor: Option<String>,
}

/// How a page is requested.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", content = "at", rename_all = "snake_case")]
pub enum PagePlace {
    /// First page of a chain that continues by cursor or address, or the only page of an unpaged source.
    First,
    Number(u32),
    Offset(u64),
    /// A cursor, or for `keyset` the key of the last record of the page before.
    Cursor(String),
    /// Address of the page, without the parameters that hold secrets.
    Address(String),
}

/// A page of a chain that has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPage {
    pub place: PagePlace,
    /// SHA-256 of the bytes as received.
    pub digest: String,
    /// SHA-256 of the kept text of its records; empty in a position of an older version.
    #[serde(default)]
    pub records: String,
    pub rows: u64,
}

/// A page chain that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenChain {
    /// Ordinal of the chain in the pull, from 0.
    pub chain: u32,
    pub slice: Option<SliceRef>,
    /// Page to request next.
    pub next: PagePlace,
    /// The pages read so far, in order.
    pub pages: Vec<ReadPage>,
    pub declared_total: Option<u64>,
    /// Number of pages that the source declared.
    pub declared_pages: Option<u64>,
    /// Number of passes over the pages after the first reading (`read_twice`).
    pub looks: u32,
    /// Index in `pages` of the page to request again next; `None` during the first reading.
    pub looking_at: Option<u32>,
    /// Whether a page was found changed in the current pass.
    pub changed: bool,
    /// Page size that the source serves, if it is smaller than that of the connector.
    #[serde(default)]
    pub served_size: Option<u32>,
    /// Whether the last records of the newest page have the same key (`keyset`), so that some of them may be missing.
    #[serde(default)]
    pub is_tied: bool,
    /// Number of records of the whole list by the newest `Content-Range` that counts records.
    #[serde(default)]
    pub range_total: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none_yet(details: &u32) -> bool {
    *details == 0
}

/// Position of a pull. With the same connector, plan and `now` the pull can be resumed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Pages handed to landing.
    pub pages: u32,
    /// Records of those pages.
    pub records: u64,
    /// Retries used of the retry budget.
    pub retries: u32,
    /// Requests for details of records.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub details: u32,
    /// Page chains that were read to their end.
    pub done: Vec<ChainFacts>,
    /// Page chains that are being read.
    pub open: Vec<OpenChain>,
}
