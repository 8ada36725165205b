//! What reaches the disk and stays there.
//!
//! The object store below the Delta log never syncs, so data files, commit files and their folders are
//! synced here. A name is taken once: an orphan of a run that was killed keeps its name, the next try gets
//! another. A newest log entry that does not parse was cut by a power failure before its commit was
//! acknowledged: it is moved aside.
#![expect(clippy::disallowed_methods, reason = "edge: the lake's files and folders")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::{LakeError, file_error};
use super::spare::StoredFile;
use crate::crash_points::crash_point;

/// The folder of a table's log.
pub(super) const LOG_FOLDER: &str = "_delta_log";

/// Creates a folder and those above it; the new names are on the disk when this returns.
pub(super) fn create_folder(folder: &Path) -> Result<(), LakeError> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.is_dir()).collect();
    fs::create_dir_all(folder).map_err(file_error("create folder", folder))?;
    missing.into_iter().filter_map(Path::parent).filter(|above| above.is_dir()).try_for_each(sync)
}

/// Absolute path without links.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf, LakeError> {
    folder.canonicalize().map_err(file_error("find", folder))
}

/// Creates a new empty file `<stem>-<n>.parquet`, with the first `n` that is free.
pub(super) fn new_file(folder: &Path, stem: &str) -> Result<(PathBuf, File), LakeError> {
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("{stem}-{number}.parquet"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(file_error("create", &path)(error)),
        }
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File, LakeError> {
    File::open(path).map_err(file_error("open", path))
}

/// Writes a file's or folder's content through to the disk.
pub(super) fn sync(path: &Path) -> Result<(), LakeError> {
    open(path)?.sync_all().map_err(file_error("sync", path))
}

/// Syncs a data file and its folder; gives its size in bytes and its modification time in milliseconds.
pub(super) fn sync_data(path: &Path) -> Result<(i64, i64), LakeError> {
    sync(path)?;
    sync(path.parent().unwrap_or(path))?;
    let meta = path.metadata().map_err(file_error("read the size of", path))?;
    let modified = meta.modified().map_err(file_error("read the time of", path))?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok((i64::try_from(meta.len()).unwrap_or(i64::MAX), i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Syncs what a commit wrote into the log: the entries from `first` to `last`, checkpoints, and the folder.
pub(super) fn sync_log(table: &Path, first: u64, last: u64) -> Result<(), LakeError> {
    let log = table.join(LOG_FOLDER);
    let mut paths = vec![log.join("_last_checkpoint")];
    for version in first..=last {
        paths.push(log.join(format!("{version:020}.json")));
        paths.push(log.join(format!("{version:020}.checkpoint.parquet")));
    }
    paths.iter().filter(|path| path.exists()).try_for_each(|path| sync(path))?;
    sync(&log)
}

/// Removes a file that no log names.
pub(super) fn remove_unnamed(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "left an orphan file");
    }
}

/// Moves what a power failure cut in a table's log to `damaged/<table>/` beside the tables: the newest
/// entry, the newest checkpoint, the pointer to it. Gives the names that were moved.
pub(super) fn move_damaged_aside(root: &Path, table: &str) -> Result<Vec<String>, LakeError> {
    let log = root.join(table).join(LOG_FOLDER);
    if !log.is_dir() {
        return Ok(Vec::new());
    }
    let listing = fs::read_dir(&log).map_err(file_error("list", &log))?;
    let names: Vec<String> = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let newest =
        |ending: &str| names.iter().filter(|name| name.len() == 20 + ending.len() && name.ends_with(ending)).max();
    let mut damaged = Vec::new();
    if let Some(name) = newest(".json")
        && !is_json_lines(&log.join(name))?
    {
        damaged.push(name.as_str());
    }
    let pointer = log.join("_last_checkpoint");
    let mut pointer_is_damaged = pointer.exists() && !is_json_lines(&pointer)?;
    if let Some(name) = newest(".checkpoint.parquet")
        && !is_parquet(&log.join(name))?
    {
        damaged.push(name.as_str());
        pointer_is_damaged = pointer.exists();
    }
    if pointer_is_damaged {
        damaged.push("_last_checkpoint");
    }
    let aside = root.join("damaged").join(table);
    for name in &damaged {
        let _crash_point = crash_point("move a damaged log entry aside");
        create_folder(&aside)?;
        let (from, mut number) = (log.join(name), 0_u32);
        while aside.join(format!("{name}.{number}")).exists() {
            number += 1;
        }
        fs::rename(&from, aside.join(format!("{name}.{number}"))).map_err(file_error("move aside", &from))?;
        sync(&aside)?;
        sync(&log)?;
    }
    Ok(damaged.into_iter().map(str::to_owned).collect())
}

/// The folders under `root` that hold a log, by name.
pub(super) fn tables(root: &Path) -> Result<Vec<String>, LakeError> {
    let listing = fs::read_dir(root).map_err(file_error("list", root))?;
    let names = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| root.join(name).join(LOG_FOLDER).is_dir()).collect())
}

/// Every file below a folder but those of a log, by path.
pub(super) fn data_files(folder: &Path) -> Result<Vec<StoredFile>, LakeError> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(file_error("list", &folder))? {
            let path = entry.map_err(file_error("list", &folder))?.path();
            let meta = path.symlink_metadata().map_err(file_error("read the size of", &path))?;
            if !meta.is_dir() {
                found.push(StoredFile { path, bytes: meta.len() });
            } else if path.file_name().is_none_or(|name| name != LOG_FOLDER) {
                open.push(path);
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// When a file was last written, microseconds UTC.
pub(super) fn modified(path: &Path) -> Result<i64, LakeError> {
    let time = path.metadata().and_then(|meta| meta.modified()).map_err(file_error("read the time of", path))?;
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Removes a file; one that is gone already is no failure.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
