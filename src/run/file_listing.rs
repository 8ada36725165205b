//! Lists the files below a folder of the data folder, with their sizes.
#![expect(clippy::disallowed_methods, reason = "edge: the data folder is listed here")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::durable::file_error;
use crate::run::error::RunError;

/// A file or a symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) is_link: bool,
}

/// Every file and link below a folder, sorted by path; for a path that is a file, that file. Links are not followed.
pub(super) fn list_files(path: &Path) -> Result<Vec<ListedFile>, RunError> {
    let (mut found, mut pending) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata().map_err(file_error("read the metadata of", &path))?;
        if meta.is_dir() {
            for entry in fs::read_dir(&path).map_err(file_error("list", &path))? {
                pending.push(entry.map_err(file_error("list", &path))?.path());
            }
        } else {
            found.push(ListedFile { path, bytes: meta.len(), is_link: meta.is_symlink() });
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// Number and total bytes of the files below a folder, or of one file; zeros if it is gone.
pub(super) fn count_and_bytes(path: &Path) -> Result<(u64, u64), RunError> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok((0, 0));
    }
    let files = list_files(path)?;
    Ok((files.len() as u64, files.iter().map(|file| file.bytes).sum()))
}
