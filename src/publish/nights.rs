//! Published nights are found and read here. `publishing` writes them.
//!
//! `<data>/published/nights/<run>/` holds `figures.parquet` and `night.json`, which names the digests of the night's files
//! and has its own. The newest nights have `figures.csv` and `figures.json` too (`csv_and_json`). `<data>/published/latest`
//! is a symbolic link to the newest night, `latest-complete` to the newest complete one.
#![expect(clippy::disallowed_methods, reason = "edge: published nights are read here")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use polars::prelude::{ParquetReader, PolarsError, SerReader as _};
use serde::{Deserialize, Serialize};

use super::error::{PublishedFilesError, file_error};
use super::removed_figures::RemovedFigures;
use crate::digests::{self, Seal};
use crate::indicators::{self, stored_columns};
use crate::model::figure::{Figure, Night};

/// Links to the newest night, and to the newest that is complete.
pub(super) const LATEST: &str = "latest";
pub(super) const LATEST_COMPLETE: &str = "latest-complete";

/// The file that figures are read back from.
pub(super) const FIGURES_PARQUET: &str = "figures.parquet";

/// The same figures for readers of text. Only the newest nights have them.
pub(super) const FIGURES_CSV: &str = "figures.csv";
pub(super) const FIGURES_JSON: &str = "figures.json";

/// The files of a night's figures, in the order of their removal: the one that figures are read back from goes last, and the
/// CSV, which a Parquet file without a digest is compared with, after the JSON.
pub(super) const FIGURE_FILES: [&str; 3] = [FIGURES_JSON, FIGURES_CSV, FIGURES_PARQUET];

/// `night.json`: what the figures of a night were computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightRecord {
    pub night: Night,
    /// Connectors that keep the night from being complete.
    #[serde(default)]
    pub not_whole: Vec<String>,
    /// Why the clock of the machine cannot have been right, which keeps the night from being complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Dossiers that do not count because a row of another source stands for them, by connector.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, u64>,
    /// Dossiers that share codes with so many others that they are not merged, by connector. Each counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_merged: BTreeMap<String, u64>,
    /// Number of stored rows of connectors that are not configured any more, by connector. They count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without_connector: BTreeMap<String, u64>,
    /// Delta version of every table that was read.
    pub tables: BTreeMap<String, u64>,
    /// Digest of every text that decides a figure, by name. The texts are in `<data>/definitions/`.
    pub sources: BTreeMap<String, String>,
    /// Digest of every other file of the night, by name. Empty for a night of an older motcua.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// The figures of a published night, or what is known of them after vacuum removed them.
#[derive(Debug)]
pub enum NightFigures {
    Present(Vec<Figure>),
    Removed(RemovedFigures),
}

/// The run of the newest published night.
#[must_use]
pub fn newest_run(data: &Path) -> Option<i64> {
    let target = fs::read_link(data.join("published").join(LATEST)).ok()?;
    target.file_name()?.to_str()?.parse().ok()
}

/// The run of the newest night whose figures describe a moment at or before `as_of` (microseconds UTC).
pub fn run_as_of(data: &Path, as_of: i64) -> Result<Option<i64>, PublishedFilesError> {
    let folder = newest_as_of(&data.join("published").join("nights"), as_of)?;
    Ok(folder.and_then(|folder| folder.file_name()?.to_str()?.parse().ok()))
}

/// Nights, newest runs first, among which the latest is searched.
const RECENT_NIGHTS: usize = 100;

/// The latest of the recent nights by their moment, without those that were made with a wrong clock. A record that cannot
/// be read is left out.
pub fn latest_night(data: &Path) -> Result<Option<Night>, PublishedFilesError> {
    let folders = night_folders(&data.join("published").join("nights"))?;
    let records = folders.iter().rev().take(RECENT_NIGHTS).filter_map(|folder| read_record(folder).ok());
    Ok(records.filter(|record| record.clock.is_none()).map(|record| record.night).max_by_key(|night| night.as_of))
}

/// The oldest published night.
pub fn first_night(data: &Path) -> Result<Option<Night>, PublishedFilesError> {
    let folders = night_folders(&data.join("published").join("nights"))?;
    Ok(folders.first().map(|folder| read_record(folder)).transpose()?.map(|record| record.night))
}

/// The night that a run published; `None` if it published none or its folder is gone.
pub fn night_of_run(data: &Path, run: i64) -> Result<Option<Night>, PublishedFilesError> {
    night_folder_of_run(data, run).map(|folder| Ok(read_record(&folder)?.night)).transpose()
}

/// The record of the newest published night, without its figures.
pub fn newest_record(data: &Path) -> Result<Option<NightRecord>, PublishedFilesError> {
    let folder = data.join("published").join(LATEST);
    if folder.exists() { read_record(&folder).map(Some) } else { Ok(None) }
}

/// The records of all published nights, newest first, without those that cannot be read.
pub fn night_records(data: &Path) -> Result<Vec<NightRecord>, PublishedFilesError> {
    let folders = night_folders(&data.join("published").join("nights"))?;
    Ok(folders.iter().rev().filter_map(|folder| read_record(folder).ok()).collect())
}

/// The folder of the newest night, or of the newest whose figures describe a moment at or before `as_of` (microseconds
/// UTC).
pub fn night_folder(data: &Path, as_of: Option<i64>) -> Result<Option<PathBuf>, PublishedFilesError> {
    let root = data.join("published");
    match as_of {
        None => Ok(Some(root.join(LATEST)).filter(|folder| folder.exists())),
        Some(as_of) => newest_as_of(&root.join("nights"), as_of),
    }
}

/// The folder of the night that `run` published; `None` if it published none.
#[must_use]
pub fn night_folder_of_run(data: &Path, run: i64) -> Option<PathBuf> {
    Some(data.join("published").join("nights").join(format!("{run:08}"))).filter(|folder| folder.exists())
}

/// Reads a night's folder.
pub fn read_night(folder: &Path) -> Result<(NightRecord, NightFigures), PublishedFilesError> {
    let record = read_record(folder)?;
    let removed = if folder.join(FIGURES_PARQUET).exists() { None } else { RemovedFigures::read(folder)? };
    let figures = if let Some(removed) = removed {
        NightFigures::Removed(removed)
    } else {
        check_file(folder, FIGURES_PARQUET, &record)?;
        NightFigures::Present(read_figures(folder)?)
    };
    Ok((record, figures))
}

/// An error if a file of a night does not match the digest in the night's record.
pub(super) fn check_file(folder: &Path, name: &str, record: &NightRecord) -> Result<(), PublishedFilesError> {
    let Some(digest) = record.files.get(name) else { return Ok(()) };
    let path = folder.join(name);
    let (found, _) = digests::of_file(&path).map_err(file_error("read", &path))?;
    if found == *digest {
        return Ok(());
    }
    Err(PublishedFilesError::Damaged { path, what: "it does not match the digest in `night.json`".to_owned() })
}

pub(super) fn read_figures(folder: &Path) -> Result<Vec<Figure>, PublishedFilesError> {
    let path = folder.join(FIGURES_PARQUET);
    let file = File::open(&path).map_err(file_error("open", &path))?;
    let damaged = |error: PolarsError| PublishedFilesError::Damaged { path: path.clone(), what: error.to_string() };
    let mut reader = ParquetReader::new(file);
    let schema = reader.schema().map_err(damaged)?;
    // Only the columns that figures are made from; files of an older motcua lack some of them.
    let stored = stored_columns().into_iter().map(|(name, _)| name).filter(|name| schema.contains(name));
    let columns = stored.map(str::to_owned).collect();
    let frame = reader.with_columns(Some(columns)).finish().map_err(damaged)?;
    Ok(indicators::figures_from_frame(&frame)?)
}

pub(super) fn read_record(folder: &Path) -> Result<NightRecord, PublishedFilesError> {
    let path = folder.join("night.json");
    let text = fs::read(&path).map_err(file_error("read", &path))?;
    let (record, seal) =
        digests::unsealed(&text).map_err(|what| PublishedFilesError::Damaged { path: path.clone(), what })?;
    check_seal(record, seal, path)
}

/// A record that names digests of files has one itself.
fn check_seal(record: NightRecord, seal: Seal, path: PathBuf) -> Result<NightRecord, PublishedFilesError> {
    if seal == Seal::Absent && !record.files.is_empty() {
        return Err(PublishedFilesError::Damaged { path, what: "its digest is gone".to_owned() });
    }
    Ok(record)
}

fn newest_as_of(nights: &Path, as_of: i64) -> Result<Option<PathBuf>, PublishedFilesError> {
    for folder in night_folders(nights)?.into_iter().rev() {
        if read_record(&folder)?.night.as_of <= as_of {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// The folders of published nights, oldest first. Folders that are being written are left out.
pub(super) fn night_folders(nights: &Path) -> Result<Vec<PathBuf>, PublishedFilesError> {
    let mut folders = list_folder(nights)?;
    folders.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    Ok(folders)
}

/// The entries of a folder, by name; none if the folder does not exist.
pub(super) fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, PublishedFilesError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(file_error("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(file_error("list", folder))?;
    paths.sort();
    Ok(paths)
}
