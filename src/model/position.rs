//! Where a pull of an HTTP source stands: page chains that were read, and those under way.

use serde::{Deserialize, Serialize};

/// A stretch of time that one page chain reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SliceRef {
    /// Name of its pass.
    pub pass: String,
    /// Microseconds UTC; both ends are part of it.
    pub since_micros: i64,
    pub until_micros: i64,
}

/// What a page chain held that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFacts {
    /// Ordinal of the chain in the pull, from 0.
    pub chain: u32,
    pub slice: Option<SliceRef>,
    /// `accepted 2026-01-01..2026-01-31`; empty where the connector has no passes.
    pub label: String,
    pub pages: u32,
    /// Records of those pages, each page as it was read last.
    pub rows: u64,
    /// How many records the source said it has.
    pub declared_total: Option<u64>,
    /// Cursor of the second and of the last page, for chains that go on by one.
    pub first_cursor: Option<String>,
    pub last_cursor: Option<String>,
}

/// How a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", content = "at", rename_all = "snake_case")]
pub enum PagePlace {
    /// The first page of a chain that goes on by a cursor or an address, or an answer that holds everything.
    First,
    Number(u32),
    Offset(u64),
    /// Also the key of the last record before it.
    Cursor(String),
    /// Without parameters that hold secrets.
    Address(String),
}

/// A page of a chain that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPage {
    pub place: PagePlace,
    /// SHA-256 of the bytes as received.
    pub digest: String,
    pub rows: u64,
}

/// A page chain under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenChain {
    /// Ordinal of the chain in the pull, from 0.
    pub chain: u32,
    pub slice: Option<SliceRef>,
    /// The page to ask for next.
    pub next: PagePlace,
    /// The pages read so far, in order.
    pub pages: Vec<ReadPage>,
    pub declared_total: Option<u64>,
    /// How many pages the source said it has.
    pub declared_pages: Option<u64>,
    /// How often its pages were asked for again.
    pub looks: u32,
    /// Position in `pages` of the page that is asked for again next; `None` while the chain is read.
    pub looking_at: Option<u32>,
    /// Whether a page was found changed in this look.
    pub changed: bool,
}

/// Where a pull stands: with the same connector, plan and `now` it can go on there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Pages given out.
    pub pages: u32,
    /// Records of those pages.
    pub records: u64,
    /// Tries of the retry budget that were used.
    pub retries: u32,
    /// Chains that were read to their end.
    pub done: Vec<ChainFacts>,
    /// Chains that were begun.
    pub open: Vec<OpenChain>,
}
