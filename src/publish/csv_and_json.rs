//! The CSV and JSON of published nights: the same figures as the Parquet file, in a hundred times as many bytes.
//!
//! The newest night and the newest complete one have them. So do the night before the newest, and the complete one before
//! the newest complete: somebody may be copying them while the next one is published. Those of all other nights are removed.
//! `motcua report --as-of` makes them again.
#![expect(clippy::disallowed_methods, reason = "edge: files of published nights are removed here")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{PublishedFilesError, file_error};
use super::nights::{
    FIGURE_FILES, FIGURES_CSV, FIGURES_PARQUET, LATEST, LATEST_COMPLETE, check_file, night_folders, read_figures,
    read_record,
};
use crate::crash_points::crash_point;
use crate::durable;

/// Names of the folders, among those of all nights in the order of their runs, that keep their CSV and JSON.
pub(super) fn nights_with_csv_and_json(root: &Path, folders: &[PathBuf]) -> Vec<OsString> {
    let linked = |link: &str| Some(fs::read_link(root.join(link)).ok()?.file_name()?.to_owned());
    let (newest, complete) = (linked(LATEST), linked(LATEST_COMPLETE));
    let before = |name: Option<&OsStr>, is_wanted: fn(&Path) -> bool| {
        let is_before = |folder: &&PathBuf| name.is_none_or(|name| folder.file_name() < Some(name));
        let found = folders.iter().rev().filter(is_before).find(|folder| is_wanted(folder));
        found.and_then(|folder| folder.file_name()).map(OsStr::to_owned)
    };
    let before_newest = before(newest.as_deref(), |_| true);
    let is_complete = |folder: &Path| read_record(folder).is_ok_and(|record| record.night.complete);
    let before_complete = complete.as_deref().and_then(|name| before(Some(name), is_complete));
    [newest, complete, before_newest, before_complete].into_iter().flatten().collect()
}

/// Removes the CSV and JSON of the nights that do not keep them. A night whose Parquet file is missing or damaged keeps
/// all that it has.
pub(super) fn remove_old_csv_and_json(root: &Path) -> Result<(), PublishedFilesError> {
    let folders = night_folders(&root.join("nights"))?;
    let kept = nights_with_csv_and_json(root, &folders);
    for folder in folders.iter().filter(|folder| !kept.iter().any(|name| folder.file_name() == Some(name))) {
        let files = FIGURE_FILES.into_iter().filter(|name| *name != FIGURES_PARQUET).map(|name| folder.join(name));
        let files: Vec<PathBuf> = files.filter(|path| path.exists()).collect();
        if files.is_empty() {
            continue;
        }
        match has_whole_parquet(folder) {
            Ok(true) => remove_files(folder, &files)?,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(path = %folder.display(), "CSV and JSON of the night are kept: {error}");
            }
        }
    }
    Ok(())
}

/// Whether the Parquet file of a night is there and as it was written. Without a digest, as an older motcua published it: whether
/// it can be read and has as many figures as the CSV has rows.
pub(super) fn has_whole_parquet(folder: &Path) -> Result<bool, PublishedFilesError> {
    if !folder.join(FIGURES_PARQUET).exists() {
        return Ok(false);
    }
    let record = read_record(folder)?;
    if record.files.contains_key(FIGURES_PARQUET) {
        return check_file(folder, FIGURES_PARQUET, &record).map(|()| true);
    }
    let csv = folder.join(FIGURES_CSV);
    Ok(csv.exists() && rows_of(&csv)? == read_figures(folder)?.len())
}

/// Number of rows below the header of a CSV file.
fn rows_of(path: &Path) -> Result<usize, PublishedFilesError> {
    let damaged = |error: csv::Error| PublishedFilesError::Damaged { path: path.to_owned(), what: error.to_string() };
    let mut rows = csv::Reader::from_path(path).map_err(damaged)?;
    rows.byte_records().try_fold(0, |count, row| row.map(|_| count + 1)).map_err(damaged)
}

/// Removes files of a night's figures.
pub(super) fn remove_files(folder: &Path, files: &[PathBuf]) -> Result<(), PublishedFilesError> {
    for path in files {
        let _crash_point = crash_point("remove a file of a night's figures");
        fs::remove_file(path).map_err(file_error("remove", path))?;
    }
    Ok(durable::sync(folder)?)
}
