//! Files of a data folder, whatever they are: what weighs how much.
#![expect(clippy::disallowed_methods, reason = "edge: the data folder is listed here")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::RunError;

/// A file or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) is_link: bool,
}

/// A file itself, or every file and link below a folder, by path; links are not followed.
pub(super) fn files(path: &Path) -> Result<Vec<Stored>, RunError> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = open.pop() {
        let meta = path.symlink_metadata().map_err(failed("look at", &path))?;
        if meta.is_dir() {
            for entry in fs::read_dir(&path).map_err(failed("list", &path))? {
                open.push(entry.map_err(failed("list", &path))?.path());
            }
        } else {
            found.push(Stored { path, bytes: meta.len(), is_link: meta.is_symlink() });
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// Files and bytes of a file, or of all below a folder.
pub(super) fn weight(path: &Path) -> Result<(u64, u64), RunError> {
    let files = files(path)?;
    Ok((files.len() as u64, files.iter().map(|file| file.bytes).sum()))
}

/// Names the file of an I/O error.
pub(super) fn failed(attempted: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RunError + use<> {
    let path = path.to_owned();
    move |source| RunError::File { attempted, path, source }
}
