//! Files and folders of the tables.
//!
//! The object store below the Delta log never syncs, so data files, log entries and their folders are synced here. A
//! file name is never used twice: a file that a killed run left keeps its name, and the next run takes another.
#![expect(clippy::disallowed_methods, reason = "edge: the lake's files and folders")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::{LakeError, file_error};
use crate::durable;
use crate::rights;

/// The folder of a table's log.
pub(super) const LOG_FOLDER: &str = "_delta_log";

/// A file of the lake with its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeFile {
    pub path: PathBuf,
    pub bytes: u64,
}

/// Absolute path without links.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf, LakeError> {
    folder.canonicalize().map_err(file_error("find", folder))
}

/// Creates an empty file `<stem>-<n>.parquet` with the first `n` that is free.
pub(super) fn new_file(folder: &Path, stem: &str) -> Result<PathBuf, LakeError> {
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("{stem}-{number}.parquet"));
        match rights::private_options().create_new(true).open(&path) {
            Ok(_) => {
                rights::inherit(&path);
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(file_error("create", &path)(error)),
        }
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File, LakeError> {
    File::open(path).map_err(file_error("open", path))
}

/// Syncs a data file and its folder. Returns its size in bytes and its modification time in milliseconds since 1970.
pub(super) fn sync_data(path: &Path) -> Result<(i64, i64), LakeError> {
    durable::sync(path)?;
    durable::sync(path.parent().unwrap_or(path))?;
    let bytes = path.metadata().map_err(file_error("read the size of", path))?.len();
    Ok((i64::try_from(bytes).unwrap_or(i64::MAX), modified(path)? / 1000))
}

/// Syncs what a commit wrote into the log: the entries `first` to `last`, their checkpoints, and the folder. The
/// library that writes them leaves their rights to the umask, so they get those of the table here.
pub(super) fn sync_log(table: &Path, first: u64, last: u64) -> Result<(), LakeError> {
    let log = table.join(LOG_FOLDER);
    let mut paths = vec![log.join("_last_checkpoint")];
    for version in first..=last {
        paths.push(log.join(format!("{version:020}.json")));
        paths.push(log.join(format!("{version:020}.checkpoint.parquet")));
    }
    rights::inherit(&log);
    for path in paths.iter().filter(|path| path.exists()) {
        rights::inherit(path);
        durable::sync(path)?;
    }
    Ok(durable::sync(&log)?)
}

/// Removes a file that was never committed. A failure is logged and ignored: vacuum removes such files later.
pub(super) fn remove_uncommitted(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "could not remove an uncommitted file");
    }
}

/// Removes a file. A file that is already gone is no error.
pub(super) fn remove(path: &Path) -> Result<(), LakeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Names of the folders under `root` that hold a table.
pub(super) fn tables(root: &Path) -> Result<Vec<String>, LakeError> {
    let entries = fs::read_dir(root).map_err(file_error("list", root))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| root.join(name).join(LOG_FOLDER).is_dir()).collect())
}

/// Whether `root` holds a table of this name. A folder that is not there is an error: without its tables no figure is right.
pub(super) fn has_table(root: &Path, name: &str) -> Result<bool, LakeError> {
    Ok(tables(root)?.iter().any(|known| known == name))
}

/// Every file below a folder except those of a log, by path.
pub(super) fn data_files(folder: &Path) -> Result<Vec<LakeFile>, LakeError> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(file_error("list", &folder))? {
            let path = entry.map_err(file_error("list", &folder))?.path();
            let meta = path.symlink_metadata().map_err(file_error("read the size of", &path))?;
            if !meta.is_dir() {
                found.push(LakeFile { path, bytes: meta.len() });
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
