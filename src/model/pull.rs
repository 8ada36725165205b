//! What one pull did: its counts, how it ended, where it stands, and the certificate that landing keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use crate::model::position::{ChainFacts, OpenChain, PagePlace, Position, ReadPage, SliceRef};

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Proved whole: page chain followed to its declared end.
    #[default]
    Complete,
    /// Proved whole, but more rows were rejected than the connector allows: figures that rest on it are provisional.
    Degraded,
    /// Not proved whole; its rows count, its cursor does not.
    Incomplete,
    /// Nothing was taken.
    Failed,
}

impl Outcome {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Degraded => "degraded",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Complete, Self::Degraded, Self::Incomplete, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Why a pull was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The night's reading: only these move the cursor and are held against each other's volume.
    #[default]
    Night,
    /// Rejected rows taken again.
    Retry,
    /// Landed pages mapped again.
    Replay,
    /// A stretch of the past read again.
    Backfill,
}

impl Purpose {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Retry => "retry",
            Self::Replay => "replay",
            Self::Backfill => "backfill",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Night, Self::Retry, Self::Replay, Self::Backfill].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// Where something was first seen, and in how many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    pub page: u32,
    pub row: u32,
    pub rows: u64,
}

/// The source fields that a pull met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldsSeen {
    /// Kept fields that at least one record had, with a value or null.
    pub kept: BTreeSet<String>,
    /// Fields that no part of `[map]` names.
    pub others: BTreeMap<String, Sighting>,
}

/// What of a pull differs from the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub kind: DriftKind,
    /// A source field; for `ill_typed` the canonical one.
    pub field: String,
    /// Where it was first seen; none for a missing field.
    pub first: Option<Sighting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    New,
    Missing,
    IllTyped,
}

impl DriftKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Missing => "missing",
            Self::IllTyped => "ill_typed",
        }
    }
}

/// What settling found out about a pull: with the certificate that landing keeps, the proof that it is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    pub pages: u64,
    /// Records that the source says it has, over all page chains; none where it says nothing.
    pub declared: Option<u64>,
    /// Keys that were met.
    pub distinct_keys: u64,
    /// A page chain that declared so many records and brought so many different ones, if there is one.
    pub disagreeing: Option<(u64, u64)>,
    /// The stretch of time that a sweep covered.
    pub sweep: Option<SliceRef>,
    /// Rows marked as deleted since a sweep did not find them.
    pub swept: u64,
    /// Rows that a sweep missed: too many to be believed, so they were left as they are.
    pub missed_by_sweep: u64,
    /// The first page of which every row was rejected, and how many pages there are like it.
    pub rejected_pages: Option<(u32, u64)>,
    pub drift: Vec<Drift>,
    /// Kind of impossible order of dates → rows.
    pub impossible: BTreeMap<String, u64>,
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
    /// Ordinal of its page chain in the pull.
    #[serde(default)]
    pub chain: u32,
    /// The stretch of time that it is of.
    #[serde(default)]
    pub slice: Option<SliceRef>,
    /// Where it was read first, if it was landed again by a later run: what was stored since is newer.
    #[serde(default)]
    pub read_by: Option<ReadBy>,
}

/// The run that read a page, and the page's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadBy {
    pub run: i64,
    pub page: u32,
}

impl LandedPage {
    /// Where it was read first, `run` being that which landed it.
    #[must_use]
    pub fn first_read(&self, run: i64) -> ReadBy {
        self.read_by.unwrap_or(ReadBy { run, page: self.number })
    }
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub connector: String,
    pub run: i64,
    pub outcome: Outcome,
    /// Code, words and advice where it is incomplete; empty otherwise.
    pub reason: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub hint: String,
    #[serde(default)]
    pub purpose: Purpose,
    pub pages: Vec<LandedPage>,
    /// The page chains that were read to their end, in the order of the plan; none for files.
    #[serde(default)]
    pub chains: Vec<ChainFacts>,
    #[serde(default)]
    pub fields: FieldsSeen,
    /// The pass and time that a sweep covered.
    #[serde(default)]
    pub sweep: Option<SliceRef>,
    /// Rejections of earlier runs that this pull reads again: closed when it is settled.
    #[serde(default)]
    pub mends: Vec<i64>,
    pub cursor: Cursor,
    pub started_at: i64,
    pub finished_at: i64,
}

impl Certificate {
    /// Ordinals of the page chains that declare how many records they have, with that number.
    pub fn declared(&self) -> impl Iterator<Item = (u32, u64)> {
        self.chains.iter().filter_map(|chain| Some((chain.chain, chain.declared_total?)))
    }
}
