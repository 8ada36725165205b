//! Where a pull starts: the clock, the stored cursor, and what a sweep, a resumed pull, a backfill or a trial changes.

use std::collections::BTreeMap;

use crate::model::folder::KnownFile;
use crate::model::pull::{Cursor, Position, SliceRef};

/// Start of a pull.
#[derive(Debug, Clone, Default)]
pub struct PullStart {
    /// Time of the pull's start, microseconds UTC.
    pub now: i64,
    /// Cursor stored by the last complete pull.
    pub cursor: Cursor,
    /// Canonical instant column → its oldest value among dossiers that have not ended (`start = "oldest_open"`).
    pub oldest_open: BTreeMap<String, i64>,
    /// Name of the pass that is read from its `first_date` on, regardless of the cursor (a sweep).
    pub whole_pass: Option<String>,
    /// Position of an interrupted pull with the same plan: its pages are not requested again. HTTP only.
    pub resume: Option<Position>,
    /// Slices to read instead of the planned ones (a backfill); the cursor then does not move. HTTP only.
    pub only_slices: Option<Vec<SliceRef>>,
    /// A trial by `check`: reads the newest file only; of a page whose records have details (`[detail]`), the first records.
    pub newest_only: bool,
    /// Files whose rows are in the tables. Files only.
    pub known_files: Vec<KnownFile>,
    /// `known_files` were found in landing, because the ledger does not know them yet. Files only.
    pub are_imported: bool,
}
