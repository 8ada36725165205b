//! Results of one pull: counts, outcome, findings, cursor, and the certificate that landing stores.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::model::folder::FileNote;
pub use crate::model::position::{ChainFacts, OpenChain, PagePlace, Position, ReadPage, SliceRef};
use crate::model::table_remarks::TableRemarks;

/// Rows of a pull by what became of them: received = accepted + unchanged + duplicate + superseded + quarantined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullCounts {
    /// Rows that the source delivered.
    pub received: u64,
    /// Rows stored as a new version.
    pub accepted: u64,
    /// Rows with the same content as the newest stored version of their key.
    pub unchanged: u64,
    /// Rows whose key and content appeared before in this pull.
    pub duplicate: u64,
    /// Rows older than another version of their key, in this pull or stored.
    pub superseded: u64,
    /// Rows that were rejected.
    pub quarantined: u64,
}

impl PullCounts {
    /// Whether every received row is counted exactly once.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.received == self.accepted + self.unchanged + self.duplicate + self.superseded + self.quarantined
    }
}

/// How a pull ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Everything was read, and that is proved: each page chain was followed to its declared end.
    #[default]
    Complete,
    /// As `Complete`, but more rows were rejected than the connector allows: figures are provisional.
    Degraded,
    /// Not proved to be read completely. Its rows are stored, its cursor is not.
    Incomplete,
    /// Nothing was stored.
    Failed,
}

impl Outcome {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Why a pull was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    /// The nightly pull. Only these move the cursor and are compared with earlier pulls by volume.
    #[default]
    Night,
    /// Rejected rows are read again from their source or landed page.
    Retry,
    /// Landed pages are mapped again.
    Replay,
    /// A past time range is read again.
    Backfill,
}

impl Purpose {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Page and row in which something was first seen, and the number of rows that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    pub page: u32,
    pub row: u32,
    pub rows: u64,
}

/// Source fields found in the records of a pull.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldsSeen {
    /// Kept fields that at least one record had, with a value or null.
    pub kept: BTreeSet<String>,
    /// Fields that `[map]` does not name, by the path under which they are reported.
    pub others: BTreeMap<String, Sighting>,
}

/// Difference between the records of a pull and the connector's `[contract]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub kind: DriftKind,
    /// Source field; for `ill_typed` the canonical column.
    pub field: String,
    /// First occurrence; `None` for a missing field.
    pub first: Option<Sighting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DriftKind {
    New,
    Missing,
    IllTyped,
}

impl DriftKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What settling found out about a pull. Together with the certificate it proves whether the pull is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    pub pages: u64,
    /// Number of records that the source declares, summed over all page chains; `None` if it declares none.
    pub declared: Option<u64>,
    /// Number of different keys.
    pub distinct_keys: u64,
    /// Declared number of records and number of different keys of a page chain for which these disagree.
    pub disagreeing: Option<(u64, u64)>,
    /// Pass and time range that a sweep covered.
    pub sweep: Option<SliceRef>,
    /// Rows marked as deleted because a sweep did not find them, or because no file of the folder has them any more.
    pub swept: u64,
    /// Rows that one file no longer has and that got the values of another file.
    pub restored: u64,
    /// Rows that files no longer have, but that were left as they were.
    pub left: Option<RowsLeft>,
    /// Rows that a sweep did not find but left unchanged, because there were too many to be deletions.
    pub missed_by_sweep: u64,
    /// Records that were rejected and not marked as deleted, although the source has no details of them, because there were too
    /// many to be deletions.
    pub without_details: u64,
    /// Number of the acceptance by which the pull deleted many rows (`motcua deletions`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_deletions: Option<i64>,
    /// Whether a sweep marked nothing because the end of its list is not proved.
    pub unproved_sweep: bool,
    /// First page of which every row was rejected, and the number of such pages.
    pub rejected_pages: Option<(u32, u64)>,
    pub drift: Vec<Drift>,
    /// Rows whose key differs from another key in letter case only.
    pub keys_in_other_case: Option<Sighting>,
    /// Rows that another row of their key contradicts, although nothing says which of the two is newer: the later one in
    /// reading order counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradictions: Option<Sighting>,
    /// Name of an impossible order of dates → number of rows.
    pub impossible: BTreeMap<String, u64>,
    /// Seconds that the source's clock was ahead of this machine's; `None` if the source states no date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ahead_secs: Option<i64>,
    /// Rows that lacked empty cells at their end, and were taken.
    pub short_rows: u64,
    /// What else was noticed while tables were read.
    #[serde(skip_serializing_if = "TableRemarks::is_empty")]
    pub tables: TableRemarks,
    /// Names of files that were read although they lack the date that `access.order` declares: they are ordered by
    /// modification time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undated_files: Vec<String>,
}

/// Rows that files of a folder no longer have, but that were left as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsLeft {
    pub rows: u64,
    pub because: LeftBecause,
    /// Content digest of one of the files; empty if none alone is the reason.
    pub file: String,
}

/// Why rows that files no longer have were not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftBecause {
    /// The folder is declared `append`.
    Append,
    /// A file has fewer than half of the keys that it had: it may be another list under the same name.
    OtherList,
    /// So many rows are gone that an error is likelier than deletions.
    TooMany,
    /// The last line of a file has no line end, and before it had one: the file may be cut in its last cell.
    OpenEnd,
    /// A rejected row without a readable key may be any of them.
    UnreadableKeys,
    /// The landed rows of another file, which count again, cannot be read.
    LandingLost,
    /// The pull is incomplete for another reason.
    Incomplete,
}

/// Entry of the certificate for one landed page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedPage {
    pub number: u32,
    pub origin: String,
    pub rows: u64,
    /// SHA-256 of the bytes as received.
    pub body_digest: String,
    /// SHA-256 of the landed file.
    pub landed_digest: String,
    /// Ordinal of its page chain in the pull, from 0.
    #[serde(default)]
    pub chain: u32,
    /// Time range of its page chain; `None` if the connector has no passes.
    #[serde(default)]
    pub slice: Option<SliceRef>,
    /// Run that read it from the source, if a later run landed it again. Versions stored since that run are newer.
    #[serde(default)]
    pub read_by: Option<ReadBy>,
}

/// Run that read a page from the source, and the page's number in that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadBy {
    pub run: i64,
    pub page: u32,
}

/// Name of the file that a page came from: the part of its origin before sheet and rows.
#[must_use]
pub fn file_of(origin: &str) -> &str {
    let rows = [" rows ", " no rows"].iter().filter_map(|word| origin.rfind(word)).max();
    let name = &origin[..rows.unwrap_or(origin.len())];
    name.rfind(" sheet `").map_or(name, |sheet| &name[..sheet])
}

/// Page chain of pages that hold only some rows of a file's content: those that a retry takes from landing.
pub const PARTIAL_CHAIN: u32 = u32::MAX;

impl LandedPage {
    /// Whether it holds only some rows of its content.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.chain == PARTIAL_CHAIN
    }

    /// Run that read the page from the source; `run` is the run that landed it.
    #[must_use]
    pub fn first_read(&self, run: i64) -> ReadBy {
        self.read_by.unwrap_or(ReadBy { run, page: self.number })
    }
}

/// State that a complete pull leaves for the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// End of the last completely read window, microseconds UTC. Passes with `start = "cursor"` begin here, minus the
    /// overlap.
    pub read_until: Option<i64>,
    /// Digest of what the connector read up to here (`Connector::digest`). If it reads other records now, the next pull
    /// reads everything, because the old one may have rejected or left out records.
    #[serde(default)]
    pub connector: String,
    /// Content digests of the files that were read.
    #[serde(default)]
    pub files: Vec<String>,
}

/// Proof of what a pull read, stored in landing after its last page. With it, the pull can be settled without its
/// source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub connector: String,
    pub run: i64,
    pub outcome: Outcome,
    /// Reason code if the pull is incomplete, else empty; `message` and `hint` alike.
    pub reason: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub hint: String,
    #[serde(default)]
    pub purpose: Purpose,
    pub pages: Vec<LandedPage>,
    /// Page chains that were read to their end, in the order of the plan; empty for files.
    #[serde(default)]
    pub chains: Vec<ChainFacts>,
    #[serde(default)]
    pub fields: FieldsSeen,
    /// Pass and time range that a sweep covered.
    #[serde(default)]
    pub sweep: Option<SliceRef>,
    /// Ids of earlier rejections whose rows this pull reads again; they are closed when it is settled.
    #[serde(default)]
    pub mends: Vec<i64>,
    /// Rows that lacked empty cells at their end.
    #[serde(default)]
    pub short_rows: u64,
    /// What else was noticed while tables were read.
    #[serde(default, skip_serializing_if = "TableRemarks::is_empty")]
    pub tables: TableRemarks,
    /// Names of files that were read although they lack the date that `access.order` declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undated_files: Vec<String>,
    pub cursor: Cursor,
    /// What changed in the folder of a file connector, by file name.
    #[serde(default)]
    pub files: Vec<FileNote>,
    /// Seconds that the source's clock was ahead of this machine's; `None` if the source states no date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ahead_secs: Option<i64>,
    pub started_at: i64,
    pub finished_at: i64,
}

impl Certificate {
    /// Page chains that declare their number of records: ordinal and that number.
    pub fn declared(&self) -> impl Iterator<Item = (u32, u64)> {
        self.chains.iter().filter_map(|chain| Some((chain.chain, chain.declared_total?)))
    }
}
