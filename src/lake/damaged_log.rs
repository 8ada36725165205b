//! Log entries that a power failure cut.
//!
//! The newest entry of a log does not parse if the power failed before its commit was acknowledged. Such an entry is
//! moved to `damaged/<table>/` beside the tables, and the table is read at the version before it. An entry that has a
//! digest was acknowledged: it stays, and the table is damaged. A checkpoint that is cut or damaged is moved if the
//! entries before it are still there, and so is the pointer to it. A damaged image is moved as a whole.
#![expect(clippy::disallowed_methods, reason = "edge: logs of the tables are read and repaired")]

use std::fs;
use std::path::Path;

use super::error::{LakeError, file_error};
use super::files::{self, LOG_FOLDER, LakeFile};
use super::log_digests::{self, LAST_CHECKPOINT, LogDigests};
use crate::durable;

/// The folder beside the tables that damaged entries are moved to.
const DAMAGED: &str = "damaged";

/// Moves the newest entry of a table's log aside if it does not parse and was never acknowledged; its newest checkpoint
/// and the pointer to it if they do not parse or do not match their digests. Returns the names of the files that were
/// moved.
pub(super) fn move_aside(root: &Path, table: &str, digests: &LogDigests) -> Result<Vec<String>, LakeError> {
    let log = root.join(table).join(LOG_FOLDER);
    if !log.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&log).map_err(file_error("list", &log))?;
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let newest =
        |ending: &str| names.iter().filter(|name| name.len() == 20 + ending.len() && name.ends_with(ending)).max();
    let mut damaged = Vec::new();
    if let Some(name) = newest(".json")
        && !digests.has(name)
        && !is_json_lines(&log.join(name))?
    {
        damaged.push(name.as_str());
    }
    let pointer = log.join(LAST_CHECKPOINT);
    let mut pointer_is_damaged =
        pointer.exists() && (!is_json_lines(&pointer)? || digests.damage(&log, LAST_CHECKPOINT)?.is_some());
    if let Some(name) = newest(".checkpoint.parquet")
        && (!is_parquet(&log.join(name))? || (digests.damage(&log, name)?.is_some() && is_replaceable(&names, name)))
    {
        damaged.push(name.as_str());
        pointer_is_damaged = pointer.exists();
    }
    if pointer_is_damaged {
        damaged.push(LAST_CHECKPOINT);
    }
    let aside = root.join(DAMAGED).join(table);
    for name in &damaged {
        durable::create_folder(&aside)?;
        let mut number = 0_u32;
        while aside.join(format!("{name}.{number}")).exists() {
            number += 1;
        }
        let to = aside.join(format!("{name}.{number}"));
        durable::rename(&log.join(name), &to, "move a damaged log entry aside")?;
    }
    Ok(damaged.into_iter().map(str::to_owned).collect())
}

/// Whether all entries up to a checkpoint are there, so that the table can be read without it.
fn is_replaceable(names: &[String], checkpoint: &str) -> bool {
    let version: Option<u64> = checkpoint.get(..20).and_then(|digits| digits.parse().ok());
    let has = |version: u64| names.iter().any(|name| *name == format!("{version:020}.json"));
    version.is_some_and(|version| (0..=version).all(has))
}

/// Moves a table aside, with the digests of its log: an image is made again from its versions.
pub(super) fn move_table_aside(root: &Path, table: &str) -> Result<(), LakeError> {
    let aside = root.join(DAMAGED);
    durable::create_folder(&aside)?;
    let mut number = 0_u32;
    while aside.join(format!("{table}.{number}")).exists() {
        number += 1;
    }
    let folder = aside.join(format!("{table}.{number}"));
    durable::create_folder(&folder)?;
    for (from, to) in [(root.join(table), "table"), (log_digests::path_of(root, table), "digests.json")] {
        if from.exists() {
            durable::rename(&from, &folder.join(to), "move a damaged image aside")?;
        }
    }
    Ok(())
}

/// Damaged entries that were last written before `until` (microseconds UTC).
pub fn damaged_before(root: &Path, until: i64) -> Result<Vec<LakeFile>, LakeError> {
    let folder = root.join(DAMAGED);
    let mut old = Vec::new();
    if !folder.is_dir() {
        return Ok(old);
    }
    for file in files::data_files(&folder)? {
        if files::modified(&file.path)? < until {
            old.push(file);
        }
    }
    Ok(old)
}

fn is_json_lines(path: &Path) -> Result<bool, LakeError> {
    let bytes = fs::read(path).map_err(file_error("read", path))?;
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).peekable();
    Ok(lines.peek().is_some() && lines.all(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()))
}

fn is_parquet(path: &Path) -> Result<bool, LakeError> {
    let bytes = fs::read(path).map_err(file_error("read", path))?;
    Ok(bytes.len() > 8 && bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"))
}
