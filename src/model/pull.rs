//! What one pull did: its counts, how it ended, and the certificate that landing keeps.

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
