//! What a pull of files changes besides the rows that it read.

use crate::model::folder::KnownFile;
use crate::model::pull::{LeftBecause, RowsLeft};
use crate::model::record::Record;
use crate::run::ledger::{AcceptedDeletions, FileChanges};

/// What a pull changes besides the rows that it read.
#[derive(Debug, Default)]
pub(in crate::run::settling) struct FolderOutcome {
    /// Deleted versions of rows that no file has any more, each with its part.
    pub(in crate::run::settling) deleted: Vec<(Record, String)>,
    /// Rows of other files that count again, because a file no longer has the row.
    pub(in crate::run::settling) restored: Vec<(Record, String)>,
    /// Rows that count because the order of files changed.
    pub(in crate::run::settling) reordered: Vec<(Record, String)>,
    pub(in crate::run::settling) left: Option<RowsLeft>,
    pub(in crate::run::settling) changes: FileChanges,
    /// The acceptance without which some rows were left.
    pub(in crate::run::settling) accepted: Option<AcceptedDeletions>,
    /// Hashes of the keys of rows that were left because they are many; `None` if no deletion was decided about.
    pub(in crate::run::settling) refused: Option<Vec<u64>>,
    /// Names with rows that the pull deletes, as they are stored if it deletes none.
    pub(super) if_held: Vec<KnownFile>,
    /// Number of rows that the pull would delete or restore.
    pub(super) lost: u64,
    /// The landed rows of a file that counts again cannot be read.
    pub(super) is_landing_lost: bool,
}

impl FolderOutcome {
    /// Leaves the rows that files no longer have as they are; a later pull decides about them.
    pub(in crate::run::settling) fn hold(&mut self, because: LeftBecause) {
        self.deleted.clear();
        self.restored.clear();
        for held in std::mem::take(&mut self.if_held) {
            self.changes.holds.retain(|file| file.name != held.name);
            self.changes.holds.push(held);
        }
        if self.lost > 0 {
            self.left = Some(RowsLeft { rows: self.lost, because, file: String::new() });
        }
    }
}
