//! What one pull did: its counts, how it ended, where it stands, and the certificate that landing keeps.

use serde::{Deserialize, Serialize};

/// Received = accepted + unchanged + duplicate + superseded + quarantined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that the source sent.
    pub received: u64,
    /// New versions written.
    pub accepted: u64,
    /// Same content as the newest version stored.
    pub unchanged: u64,
    /// Same key and content twice in this pull.
    pub duplicate: u64,
    /// Overtaken by a newer version, of this pull or stored.
    pub superseded: u64,
    pub quarantined: u64,
}

impl Counts {
    /// Whether every received row is accounted for.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.received == self.accepted + self.unchanged + self.duplicate + self.superseded + self.quarantined
    }
}

/// How a pull ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Proved whole: page chain followed to its declared end.
    Complete,
    /// Ended before its source was read whole; its rows count, its cursor does not.
    Incomplete,
    /// Nothing was taken.
    Failed,
}

impl Outcome {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Complete, Self::Incomplete, Self::Failed].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// One landed page in the certificate of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedPage {
    pub number: u32,
    pub origin: String,
    pub rows: u64,
    /// SHA-256 of the bytes as received.
    pub body_digest: String,
    /// SHA-256 of the landed file.
    pub landed_digest: String,
}

/// Where a pull stands after it: what its next window starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// End of the window that was read whole, microseconds UTC; passes with `start = "cursor"` begin here less the overlap.
    pub read_until: Option<i64>,
    /// Digest of the connector that read up to here. Another connector reads everything again: what the old one rejected or
    /// left out was never taken.
    #[serde(default)]
    pub connector: String,
    /// Content digests of files that were taken.
    #[serde(default)]
    pub files: Vec<String>,
}

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

/// Written into landing when the last page is on disk: from then on the pull can be finished without its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub connector: String,
    pub run: i64,
    pub outcome: Outcome,
    /// Why it is incomplete; empty otherwise.
    pub reason: String,
    pub pages: Vec<LandedPage>,
    pub cursor: Cursor,
    pub started_at: i64,
    pub finished_at: i64,
}
