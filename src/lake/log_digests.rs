//! Digests of the files of a table's log: `digests/<table>.json` beside the tables.
//!
//! The log names the data files with their digests; this file protects the log. It is written after each commit. If the
//! process is killed between the two, the newest entries have no digest yet: they are read, and get one with the next
//! commit. Entries that have one must be there and match, from the newest checkpoint on. `_last_checkpoint` is compared
//! only when the table is opened for writing: it is replaced in place, and a reader would see it before its digest.
#![expect(clippy::disallowed_methods, reason = "edge: logs of the tables are compared with their digests")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Damage, DamagedFile, LakeError, file_error};
use super::files::LOG_FOLDER;
use crate::{digests, durable};

/// The folder beside the tables that holds a file of digests for each.
pub(super) const DIGESTS: &str = "digests";
pub(super) const LAST_CHECKPOINT: &str = "_last_checkpoint";
const ENTRY: &str = ".json";
const CHECKPOINT: &str = ".checkpoint.parquet";

/// Digest of every file of a log, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogDigests {
    files: BTreeMap<String, String>,
}

/// The digests of a log as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoredDigests {
    Present(LogDigests),
    /// There is no file: an older motcua wrote the table, or it was lost.
    Absent,
    /// The file does not match its own digest.
    Damaged,
}

impl StoredDigests {
    pub(super) fn of(root: &Path, table: &str) -> Result<Self, LakeError> {
        let path = path_of(root, table);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Absent),
            Err(error) => return Err(file_error("read", &path)(error)),
        };
        Ok(digests::unsealed(&text).map_or(Self::Damaged, |(digests, _)| Self::Present(digests)))
    }

    /// The digests that can be relied on: none if they are absent or damaged.
    pub(super) fn known(self) -> LogDigests {
        match self {
            Self::Present(known) => known,
            Self::Absent | Self::Damaged => LogDigests::default(),
        }
    }
}

/// The file that holds the digests of a table's log.
pub(super) fn path_of(root: &Path, table: &str) -> PathBuf {
    root.join(DIGESTS).join(format!("{table}.json"))
}

impl LogDigests {
    /// Whether the file of the log has a digest.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Compares a file of the log, if it has a digest and is there. `None` if it is whole.
    pub(super) fn damage(&self, log: &Path, name: &str) -> Result<Option<Damage>, LakeError> {
        let Some(digest) = self.files.get(name) else { return Ok(None) };
        match digests::of_file(&log.join(name)) {
            Ok((found, _)) => Ok((found != *digest).then_some(Damage::Content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Some(Damage::Missing)),
            Err(error) => Err(file_error("read", &log.join(name))(error)),
        }
    }

    /// Files from which the newest state of the table is read that do not match their digests or are missing: the newest
    /// checkpoint, and the entries after it.
    pub(super) fn damaged(&self, log: &Path) -> Result<Vec<DamagedFile>, LakeError> {
        let checkpoint = names(log)?.into_iter().filter_map(|name| version_of(&name, CHECKPOINT)).max();
        let is_read = |name: &str| match checkpoint {
            Some(checkpoint) => {
                version_of(name, ENTRY).is_some_and(|version| version > checkpoint)
                    || version_of(name, CHECKPOINT) == Some(checkpoint)
            }
            None => version_of(name, ENTRY).is_some(),
        };
        let mut damaged = Vec::new();
        for name in self.files.keys().filter(|name| is_read(name)) {
            if let Some(damage) = self.damage(log, name)? {
                damaged.push(DamagedFile { path: log.join(name), damage });
            }
        }
        Ok(damaged)
    }
}

/// An error that names the damaged files of a table's log, from which its newest state is read.
pub(super) fn check(folder: &Path, table: &str) -> Result<(), LakeError> {
    let Some(root) = folder.parent() else { return Ok(()) };
    let damaged = StoredDigests::of(root, table)?.known().damaged(&folder.join(LOG_FOLDER))?;
    if damaged.is_empty() { Ok(()) } else { Err(LakeError::Damaged { table: table.to_owned(), files: damaged }) }
}

/// Adds the files of a table's log that have no digest yet, and takes out those that are gone. The table was loaded just
/// before: what had a digest was compared with it.
pub(super) fn record(folder: &Path, table: &str) -> Result<(), LakeError> {
    let Some(root) = folder.parent() else { return Ok(()) };
    let log = folder.join(LOG_FOLDER);
    let known = StoredDigests::of(root, table)?.known();
    let mut digests = LogDigests::default();
    for name in names(&log)? {
        let digest = match known.files.get(&name) {
            Some(digest) if name != LAST_CHECKPOINT => digest.clone(),
            _ => digests::of_file(&log.join(&name)).map_err(file_error("read", &log.join(&name)))?.0,
        };
        digests.files.insert(name, digest);
    }
    if digests == known {
        return Ok(());
    }
    durable::create_folder(&root.join(DIGESTS))?;
    let text = digests::sealed(&digests);
    Ok(durable::replace_within(&path_of(root, table), |out| out.write_all(&text))?)
}

/// Names of the entries and checkpoints of a log, and of the pointer to the newest checkpoint.
pub(super) fn names(log: &Path) -> Result<Vec<String>, LakeError> {
    let entries = fs::read_dir(log).map_err(file_error("list", log))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_known = |name: &String| name == LAST_CHECKPOINT || name.ends_with(ENTRY) || name.ends_with(CHECKPOINT);
    Ok(names.filter(is_known).collect())
}

/// Version of a file of the log with this ending; `None` for other files.
fn version_of(name: &str, ending: &str) -> Option<u64> {
    let version = name.strip_suffix(ending)?;
    if version.len() == 20 { version.parse().ok() } else { None }
}
