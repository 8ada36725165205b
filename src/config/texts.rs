//! Where the files that decide figures are read from: the folders of today, or what was kept with a past night.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::problem::Problems;
use crate::config::settings::{self, files_of};

/// Files that decide figures, under names like `rules/seed-2639.toml`.
#[derive(Debug)]
pub(crate) enum Texts<'a> {
    /// As they lie in their folders.
    OnDisk,
    /// As a night kept them.
    Kept(&'a BTreeMap<String, String>),
}

impl Texts<'_> {
    /// One file that is called `name`; what cannot be read is a problem.
    pub(crate) fn file(&self, name: &str, file: &Path, problems: &mut Problems) -> Option<String> {
        match self {
            Self::OnDisk => settings::read(file, problems),
            // A night that had none decided without it.
            Self::Kept(kept) => kept.get(name).cloned(),
        }
    }

    /// The TOML files of a folder that is called `name`, sorted; those that cannot be read are problems.
    pub(crate) fn folder(&self, name: &str, folder: &Path, problems: &mut Problems) -> Vec<(PathBuf, String)> {
        match self {
            Self::OnDisk => {
                let files = files_of(folder, "toml", problems);
                files.into_iter().filter_map(|file| settings::read(&file, problems).map(|text| (file, text))).collect()
            }
            Self::Kept(kept) => {
                let in_folder = |full: &str| full.strip_prefix(name)?.strip_prefix('/').map(str::to_owned);
                let found = kept.iter().filter_map(|(full, text)| Some((in_folder(full)?, text)));
                found.map(|(file, text)| (folder.join(file), text.clone())).collect()
            }
        }
    }
}
