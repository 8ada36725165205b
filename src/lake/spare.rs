//! Files that nothing rests on any more: replaced parts of images, data files that no log ever named, and old damaged log
//! entries.
//!
//! Delta's own plan says which data files these are, and which are still kept for readers that opened a table before. They
//! are removed here and not by its own `vacuum`, which would add entries to the log of a table whose rows did not change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Duration;
use deltalake_core::operations::vacuum::{Clock, VacuumMode};

use super::durable::{self, LOG_FOLDER};
use super::error::{LakeError, file_error, log_error};
use super::table;
use crate::crash_points::crash_point;

/// A file that could be removed, or is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub path: PathBuf,
    pub bytes: u64,
}

/// The data files of all tables by what becomes of them.
#[derive(Debug, Clone, Default)]
pub struct Spare {
    /// Named by no log, or replaced longer ago than readers need them.
    pub unneeded: Vec<StoredFile>,
    /// Replaced or left by a cut run not long ago.
    pub waiting: Vec<StoredFile>,
    /// Named by the newest log entry of their table.
    pub named: Vec<StoredFile>,
}

/// The moment that a plan is made for.
#[derive(Debug)]
struct At {
    millis: i64,
}

impl Clock for At {
    fn current_timestamp_millis(&self) -> i64 {
        self.millis
    }
}

/// Sorts the data files of the tables under `root`, as they stand. `keep_days`: how long a file that was replaced stays for those
/// who read. `now`: microseconds UTC.
pub async fn spare(root: &Path, keep_days: u32, now: i64) -> Result<Spare, LakeError> {
    let mut spare = Spare::default();
    if !root.is_dir() {
        return Ok(spare);
    }
    let root = durable::absolute(root)?;
    let mut tables = durable::tables(&root)?;
    tables.sort();
    for name in tables {
        let folder = root.join(&name);
        let table = table::load(&folder, &name).await?;
        let snapshot = table.snapshot().map_err(log_error("read", &name))?;
        let named: HashSet<PathBuf> =
            snapshot.log_data().iter().map(|file| folder.join(file.path().into_owned())).collect();
        let plan = table
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(Duration::days(i64::from(keep_days)))
            .with_enforce_retention_duration(false)
            .with_clock(Arc::new(At { millis: now / 1000 }))
            .with_dry_run(true)
            .await
            .map_err(log_error("look for unneeded files in", &name))?;
        let unneeded: HashSet<PathBuf> = plan.1.files_deleted.iter().map(|path| folder.join(path)).collect();
        for file in durable::data_files(&folder)? {
            // What the log names is never spare, whatever a plan says.
            let kind = if named.contains(&file.path) {
                &mut spare.named
            } else if unneeded.contains(&file.path) {
                &mut spare.unneeded
            } else {
                &mut spare.waiting
            };
            kind.push(file);
        }
    }
    Ok(spare)
}

/// Damaged log entries that were moved aside before `until` (microseconds UTC).
pub fn old_damaged(root: &Path, until: i64) -> Result<Vec<StoredFile>, LakeError> {
    let damaged = root.join("damaged");
    let mut old = Vec::new();
    if !damaged.is_dir() {
        return Ok(old);
    }
    for file in durable::data_files(&damaged)? {
        if durable::modified(&file.path)? < until {
            old.push(file);
        }
    }
    Ok(old)
}

/// Removes a file that nothing rests on; one that is gone already is no failure.
pub fn remove(file: &StoredFile) -> Result<(), LakeError> {
    debug_assert!(!file.path.iter().any(|part| part == LOG_FOLDER), "a table's log is Delta's own");
    let _crash_point = crash_point("remove an unneeded file of the lake");
    durable::remove(&file.path).map_err(file_error("remove", &file.path))
}
