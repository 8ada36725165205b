//! The files that define figures, read from today's folders or from those that a past night stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::problem::Problems;
use crate::config::settings::{self, files_of};

/// Texts of files that define figures, under names like `rules/seed-2639.toml`.
#[derive(Debug)]
pub(crate) enum DefinitionTexts<'a> {
    /// Read from their folders.
    OnDisk,
    /// Stored with a night, by name.
    Stored(&'a BTreeMap<String, String>),
}

impl DefinitionTexts<'_> {
    /// Whether the texts are today's, and not those of a past night.
    pub(crate) fn are_on_disk(&self) -> bool {
        matches!(self, Self::OnDisk)
    }

    /// Text of the file `name`. A file that cannot be read is reported as a problem.
    pub(crate) fn file(&self, name: &str, file: &Path, problems: &mut Problems) -> Option<String> {
        match self {
            Self::OnDisk => settings::read(file, problems),
            // `None` if the night was computed without this file.
            Self::Stored(stored) => stored.get(name).cloned(),
        }
    }

    /// The TOML files of the folder `name`, sorted. Files that cannot be read are reported as problems.
    pub(crate) fn folder(&self, name: &str, folder: &Path, problems: &mut Problems) -> Vec<(PathBuf, String)> {
        match self {
            Self::OnDisk => {
                let files = files_of(folder, "toml", problems);
                files.into_iter().filter_map(|file| settings::read(&file, problems).map(|text| (file, text))).collect()
            }
            Self::Stored(stored) => {
                let in_folder = |full: &str| full.strip_prefix(name)?.strip_prefix('/').map(str::to_owned);
                let found = stored.iter().filter_map(|(full, text)| Some((in_folder(full)?, text)));
                found.map(|(file, text)| (folder.join(file), text.clone())).collect()
            }
        }
    }
}
