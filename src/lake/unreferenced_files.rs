//! Files of the lake that no table needs: replaced data files of images, and data files that no log ever named.
//!
//! Delta's vacuum plans which data files these are, and which are kept for readers that opened a table before. The
//! files are removed here and not by vacuum itself: it would add entries to the log of a table whose rows did not
//! change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Duration;
use deltalake_core::operations::vacuum::{Clock, VacuumMode};

use super::error::{LakeError, log_error};
use super::files::{self, LOG_FOLDER, LakeFile};
use super::table;
use crate::crash_points::crash_point;

/// The data files of all tables, by what may be done with them.
#[derive(Debug, Clone, Default)]
pub struct FileUse {
    /// Named by no log, or replaced longer ago than readers need them: may be removed.
    pub unneeded: Vec<LakeFile>,
    /// Replaced, or left by a killed run, not long ago: kept for now.
    pub waiting: Vec<LakeFile>,
    /// Named by the newest log entry of their table.
    pub named: Vec<LakeFile>,
}

/// The clock that Delta's plan is made by.
#[derive(Debug)]
struct FixedClock {
    millis: i64,
}

impl Clock for FixedClock {
    fn current_timestamp_millis(&self) -> i64 {
        self.millis
    }
}

/// Sorts the data files of the tables under `root` by their use; nothing is removed.
///
/// `keep_days`: how long a replaced file stays for readers. `now`: microseconds UTC.
pub async fn file_use(root: &Path, keep_days: u32, now: i64) -> Result<FileUse, LakeError> {
    let mut found = FileUse::default();
    if !root.is_dir() {
        return Ok(found);
    }
    let root = files::absolute(root)?;
    let mut tables = files::tables(&root)?;
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
            .with_clock(Arc::new(FixedClock { millis: now / 1000 }))
            .with_dry_run(true)
            .await
            .map_err(log_error("look for unneeded files in", &name))?;
        let unneeded: HashSet<PathBuf> = plan.1.files_deleted.iter().map(|path| folder.join(path)).collect();
        for file in files::data_files(&folder)? {
            // A file that the log names is never removed, whatever the plan names.
            let list = if named.contains(&file.path) {
                &mut found.named
            } else if unneeded.contains(&file.path) {
                &mut found.unneeded
            } else {
                &mut found.waiting
            };
            list.push(file);
        }
    }
    Ok(found)
}

/// Removes a file that no table needs. A file that is already gone is no error.
pub fn remove(file: &LakeFile) -> Result<(), LakeError> {
    debug_assert!(!file.path.iter().any(|part| part == LOG_FOLDER), "log entries are removed by Delta only");
    let _crash_point = crash_point("remove an unneeded file of the lake");
    files::remove(&file.path)
}
