//! The CSV and JSON of published nights: the same figures as the Parquet file, in a hundred times as many bytes.
//!
//! The newest night and the newest complete one have them, and the night before the newest: somebody may be copying it
//! while the next one is published. Those of all other nights are removed. `motcua report --as-of` makes them again.
#![expect(clippy::disallowed_methods, reason = "edge: files of published nights are removed here")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{PublishedFilesError, file_error};
use super::nights::{
    FIGURES_CSV, FIGURES_JSON, FIGURES_PARQUET, LATEST, LATEST_COMPLETE, check_file, night_folders, read_record,
};
use crate::crash_points::crash_point;
use crate::durable;

/// Names of the folders, among those of all nights in the order of their runs, that keep their CSV and JSON.
pub(super) fn nights_with_texts(root: &Path, folders: &[PathBuf]) -> Vec<OsString> {
    let linked = |link: &str| Some(fs::read_link(root.join(link)).ok()?.file_name()?.to_owned());
    let newest = linked(LATEST);
    let is_before = |name: &&OsStr| newest.as_deref().is_none_or(|newest| *name < newest);
    let before = folders.iter().filter_map(|folder| folder.file_name()).rfind(is_before).map(OsStr::to_owned);
    [newest, linked(LATEST_COMPLETE), before].into_iter().flatten().collect()
}

/// Removes the CSV and JSON of the nights that do not keep them. A night whose Parquet file is missing or damaged keeps
/// all that it has.
pub(super) fn remove_old_texts(root: &Path) -> Result<(), PublishedFilesError> {
    let folders = night_folders(&root.join("nights"))?;
    let kept = nights_with_texts(root, &folders);
    for folder in folders.iter().filter(|folder| !kept.iter().any(|name| folder.file_name() == Some(name))) {
        let texts = [FIGURES_CSV, FIGURES_JSON].map(|name| folder.join(name));
        let texts: Vec<PathBuf> = texts.into_iter().filter(|path| path.exists()).collect();
        if texts.is_empty() {
            continue;
        }
        match has_whole_parquet(folder) {
            Ok(true) => remove_files(folder, &texts)?,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(path = %folder.display(), "CSV and JSON of the night are kept: {error}");
            }
        }
    }
    Ok(())
}

/// Whether the Parquet file of a night is there and as it was written.
pub(super) fn has_whole_parquet(folder: &Path) -> Result<bool, PublishedFilesError> {
    if !folder.join(FIGURES_PARQUET).exists() {
        return Ok(false);
    }
    check_file(folder, FIGURES_PARQUET, &read_record(folder)?).map(|()| true)
}

/// Removes files of a night's figures.
pub(super) fn remove_files(folder: &Path, files: &[PathBuf]) -> Result<(), PublishedFilesError> {
    for path in files {
        let _crash_point = crash_point("remove a file of a night's figures");
        fs::remove_file(path).map_err(file_error("remove", path))?;
    }
    Ok(durable::sync(folder)?)
}
