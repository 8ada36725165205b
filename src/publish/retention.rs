//! What of the published nights may be removed: figures of old nights, texts that no night names, partial files.
//!
//! Before the figures of a night are removed, [`RemovedFigures`] is written into its folder. `night.json` is always
//! kept.
#![expect(clippy::disallowed_methods, reason = "edge: old files of published nights are listed and removed here")]

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::csv_and_json::{has_whole_parquet, nights_with_csv_and_json, remove_files};
use super::definitions::DEFINITIONS;
use super::error::{PublishedFilesError, file_error};
use super::nights::{
    FIGURE_FILES, FIGURES_PARQUET, LATEST, LATEST_COMPLETE, NightRecord, list_folder, night_folders, read_record,
};
use super::removed_figures::RemovedFigures;
use crate::crash_points::crash_point;
use crate::model::instant;

/// The folder of a published night.
#[derive(Debug, Clone)]
pub struct NightFolder {
    pub folder: PathBuf,
    pub record: NightRecord,
    /// The files of its figures that exist, each with its size in bytes.
    pub figures: Vec<(PathBuf, u64)>,
    /// Whether the night is the newest, the newest complete one, or the last of its month.
    pub is_landmark: bool,
    /// Whether the night keeps its CSV and JSON: the newest nights do.
    pub keeps_csv_and_json: bool,
}

impl NightFolder {
    /// The night with its CSV and JSON files only: what may be removed while Parquet still holds the figures. No files
    /// if the Parquet file is missing or damaged.
    #[must_use]
    pub fn csv_and_json(&self) -> Self {
        let mut night = self.clone();
        night.figures.retain(|(path, _)| !path.ends_with(FIGURES_PARQUET));
        if !night.figures.is_empty() && !has_whole_parquet(&self.folder).unwrap_or(false) {
            night.figures.clear();
        }
        night
    }
}

/// The folders of all published nights.
#[derive(Debug)]
pub struct PublishedNights {
    /// Oldest first.
    pub nights: Vec<NightFolder>,
    /// The folders of nights whose records cannot be read, each with the reason. All of their files are needed: nobody knows
    /// what they are.
    pub unreadable: Vec<(PathBuf, PublishedFilesError)>,
}

/// The folders of all published nights.
///
/// # Errors
/// A folder cannot be listed, or a file of figures cannot be looked at. A night that cannot be read is no error.
pub fn published_nights(data: &Path) -> Result<PublishedNights, PublishedFilesError> {
    let root = data.join("published");
    let linked = |link: &str| fs::read_link(root.join(link)).ok().and_then(|to| Some(to.file_name()?.to_owned()));
    let newest: Vec<OsString> = [linked(LATEST), linked(LATEST_COMPLETE)].into_iter().flatten().collect();
    let (mut nights, mut unreadable): (Vec<NightFolder>, Vec<_>) = (Vec::new(), Vec::new());
    let folders = night_folders(&root.join("nights"))?;
    let with_csv_and_json = nights_with_csv_and_json(&root, &folders);
    for folder in folders {
        let record = match read_record(&folder) {
            Ok(record) => record,
            Err(error) => {
                unreadable.push((folder, error));
                continue;
            }
        };
        let mut figures = Vec::new();
        for name in FIGURE_FILES {
            let path = folder.join(name);
            match path.symlink_metadata() {
                Ok(meta) => figures.push((path, meta.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(file_error("look at", &path)(error)),
            }
        }
        let is_one_of = |names: &[OsString]| names.iter().any(|name| folder.file_name() == Some(name));
        let (is_landmark, keeps_csv_and_json) = (is_one_of(&newest), is_one_of(&with_csv_and_json));
        nights.push(NightFolder { folder, record, figures, is_landmark, keeps_csv_and_json });
    }
    let month = |night: &NightFolder| instant::local(night.record.night.as_of).date().first_of_month();
    for at in 0..nights.len() {
        let own = month(&nights[at]);
        nights[at].is_landmark |= nights[at + 1..].iter().all(|later| month(later) != own);
    }
    Ok(PublishedNights { nights, unreadable })
}

/// Removes the files of a night's figures that `night` lists. Writes `removed` beside them first if all of them are
/// removed.
pub fn remove_figures(night: &NightFolder, removed: Option<&RemovedFigures>) -> Result<(), PublishedFilesError> {
    if let Some(removed) = removed {
        removed.write(&night.folder)?;
    }
    let files: Vec<PathBuf> = night.figures.iter().map(|(path, _)| path.clone()).collect();
    remove_files(&night.folder, &files)
}

/// The files of `definitions/`, each with its size in bytes and whether any night names it.
pub fn definition_files(data: &Path, nights: &[NightFolder]) -> Result<Vec<(PathBuf, u64, bool)>, PublishedFilesError> {
    let is_named = |name: &str| nights.iter().any(|night| night.record.sources.values().any(|digest| digest == name));
    let mut files = Vec::new();
    for path in list_folder(&data.join(DEFINITIONS))? {
        let meta = path.symlink_metadata().map_err(file_error("look at", &path))?;
        let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(is_named);
        files.push((path, meta.len(), is_named));
    }
    Ok(files)
}

/// Partial folders, files and links of processes that died while they published.
pub fn partial_files(data: &Path) -> Result<Vec<PathBuf>, PublishedFilesError> {
    let root = data.join("published");
    let mut found = list_folder(&root)?;
    for folder in list_folder(&root.join("nights"))? {
        if folder.is_dir() {
            found.extend(list_folder(&folder)?);
        }
        found.push(folder);
    }
    found.retain(|path| path.extension().is_some_and(|ending| ending == "partial"));
    Ok(found)
}

/// Removes a text that no night names, or a partial file or folder. One that is already gone is no error.
pub fn remove_unneeded(path: &Path) -> Result<(), PublishedFilesError> {
    let _crash_point = crash_point("remove what no night names");
    let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_that_cannot_be_read_costs_only_itself() {
        let data = tempfile::tempdir().expect("the temporary folder is writable");
        let folder = |run: &str| data.path().join("published/nights").join(run);
        let sound = r#"{"night":{"run":2,"as_of":0,"complete":true,"data_until":null},"tables":{},"sources":{}}"#;
        for (run, record) in [("00000001", "{"), ("00000002", sound)] {
            fs::create_dir_all(folder(run)).expect("the folder is writable");
            fs::write(folder(run).join("night.json"), record).expect("the folder is writable");
            fs::write(folder(run).join(FIGURES_PARQUET), "figures").expect("the folder is writable");
        }
        let PublishedNights { nights, unreadable } = published_nights(data.path()).expect("one can be read");
        assert_eq!(nights.iter().map(|night| &night.folder).collect::<Vec<_>>(), [&folder("00000002")]);
        assert!(nights[0].is_landmark, "it is the last of its month that is known");
        assert_eq!(unreadable.len(), 1, "{unreadable:?}");
        assert_eq!(unreadable[0].0, folder("00000001"));
    }

    #[test]
    fn what_is_already_gone_is_removed() {
        let data = tempfile::tempdir().expect("the temporary folder is writable");
        let left = data.path().join("left.partial");
        fs::write(&left, "half").expect("the folder is writable");
        for _ in 0..2 {
            remove_unneeded(&left).expect("it is gone afterwards");
            assert!(!left.exists());
        }
    }
}
