//! Retention: lists landed pulls and removes old ones.
//!
//! The folder of a pull is renamed before it is removed, so that no other process finds a part of it.
#![expect(clippy::disallowed_methods, reason = "edge: landed folders are listed and removed")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::crash_points::crash_point;
use crate::durable;
use crate::landing::error::{LandingError, io};

/// Folder of a landed pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedFolder {
    pub connector: String,
    pub run: i64,
    pub folder: PathBuf,
}

/// Every landed pull by connector and run, and the partial files and folders that crashed processes left.
pub fn landed(data: &Path) -> Result<(Vec<LandedFolder>, Vec<PathBuf>), LandingError> {
    let (mut pulls, mut left) = (Vec::new(), Vec::new());
    let is_partial = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "partial");
    for connector in listed(&data.join("landing"))? {
        for folder in listed(&connector)? {
            if is_partial(&folder) {
                left.push(folder);
            } else if let Ok(run) = name_of(&folder).parse() {
                left.extend(listed(&folder)?.into_iter().filter(is_partial));
                pulls.push(LandedFolder { connector: name_of(&connector), run, folder });
            }
        }
    }
    Ok((pulls, left))
}

/// Removes a landed pull.
pub fn remove(pull: &LandedFolder) -> Result<(), LandingError> {
    let aside = pull.folder.with_file_name(format!(".{:08}.partial", pull.run));
    durable::rename(&pull.folder, &aside, "put a landed pull aside")?;
    remove_partial(&aside)
}

/// Removes a partial file or folder.
pub fn remove_partial(path: &Path) -> Result<(), LandingError> {
    let _crash_point = crash_point("remove what was put aside");
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(io("remove", path))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Entries of a folder, sorted by name; empty if it is no folder.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, LandingError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(io("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(io("list", folder))?;
    paths.sort();
    Ok(paths)
}
