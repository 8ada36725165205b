//! Checks the published nights and the stored definitions against their digests. Nothing is changed.
#![expect(clippy::disallowed_methods, reason = "edge: published files are compared with their digests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::definitions::{DEFINITIONS, digest_of};
use super::error::{PublishedFilesError, file_error};
use super::nights::{
    FIGURE_FILES, FIGURES_PARQUET, LATEST, LATEST_COMPLETE, NightRecord, list_folder, night_folders, read_record,
};
use super::published_readme;
use super::removed_figures::REMOVED;
use crate::digests;
use crate::model::checked_file::CheckedFile;

/// What is published, as far as it was checked.
#[derive(Debug, Clone, Default)]
pub struct CheckedNights {
    pub files: Vec<CheckedFile>,
    /// Names of the definitions that a night names.
    pub named: BTreeSet<String>,
}

/// Checks the files of every published night, their description, and the links to the newest.
pub fn check_nights(data: &Path) -> Result<CheckedNights, PublishedFilesError> {
    let root = data.join("published");
    let mut checked = CheckedNights::default();
    let folders = night_folders(&root.join("nights"))?;
    let newest = fs::read_link(root.join(LATEST)).ok();
    let newest = newest.as_deref().and_then(Path::file_name);
    for folder in &folders {
        let path = folder.join("night.json");
        let bytes = path.metadata().map_or(0, |meta| meta.len());
        match read_record(folder) {
            Ok(record) => {
                checked.files.push(CheckedFile::whole(path, bytes, !record.files.is_empty()));
                checked.files.extend(check_figures(folder, &record, folder.file_name() == newest)?);
                checked.named.extend(record.sources.into_values());
            }
            Err(PublishedFilesError::Damaged { path, what }) => {
                checked.files.push(CheckedFile::damaged(path, bytes, what));
            }
            Err(PublishedFilesError::File { path, source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                checked.files.push(CheckedFile::missing(path));
            }
            Err(error) => return Err(error),
        }
    }
    checked.files.extend(published_readme::check(&root)?);
    let links = [LATEST, LATEST_COMPLETE].map(|link| root.join(link));
    let broken = links.into_iter().filter(|link| link.symlink_metadata().is_ok() && !link.exists());
    checked.files.extend(broken.map(|link| CheckedFile::damaged(link, 0, "leads to a night that is not there")));
    if !folders.is_empty() && root.join(LATEST).symlink_metadata().is_err() {
        checked.files.push(CheckedFile::missing(root.join(LATEST)));
    }
    Ok(checked)
}

/// Checks the figures of one night. Only the newest ones have CSV and JSON; the Parquet file was removed if `removed.json` is
/// there.
fn check_figures(
    folder: &Path,
    record: &NightRecord,
    is_newest: bool,
) -> Result<Vec<CheckedFile>, PublishedFilesError> {
    let mut checked = Vec::new();
    let removed = folder.join(REMOVED);
    if removed.exists() {
        let text = fs::read(&removed).map_err(file_error("read", &removed))?;
        checked.push(match digests::check(&text) {
            Ok(seal) => CheckedFile::whole(removed.clone(), text.len() as u64, seal == digests::Seal::Whole),
            Err(what) => CheckedFile::damaged(removed.clone(), text.len() as u64, what),
        });
    }
    for name in FIGURE_FILES {
        let path = folder.join(name);
        if !path.exists() {
            if is_newest || (name == FIGURES_PARQUET && !removed.exists()) {
                checked.push(CheckedFile::missing(path));
            }
            continue;
        }
        let (digest, bytes) = digests::of_file(&path).map_err(file_error("read", &path))?;
        checked.push(match record.files.get(name) {
            Some(expected) if *expected != digest => {
                CheckedFile::damaged(path, bytes, "does not match the digest in `night.json`")
            }
            expected => CheckedFile::whole(path, bytes, expected.is_some()),
        });
    }
    Ok(checked)
}

/// Checks the stored definitions, each against the digest in its name, and whether those that nights name are there.
pub fn check_definitions(data: &Path, named: &BTreeSet<String>) -> Result<Vec<CheckedFile>, PublishedFilesError> {
    let folder = data.join(DEFINITIONS);
    let mut checked = Vec::new();
    for path in list_folder(&folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".partial") {
            continue;
        }
        let content = fs::read(&path).map_err(file_error("read", &path))?;
        let bytes = content.len() as u64;
        checked.push(if digest_of(&content) == name {
            CheckedFile::whole(path, bytes, true)
        } else {
            CheckedFile::damaged(path, bytes, "does not match the digest in its name")
        });
    }
    let missing = named.iter().map(|name| folder.join(name)).filter(|path| !path.exists());
    checked.extend(missing.map(CheckedFile::missing));
    Ok(checked)
}
