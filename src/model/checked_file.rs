//! A stored file that was compared with its digest.

use std::path::PathBuf;

use serde::Serialize;
use strum::IntoStaticStr;

/// What a comparison of a stored file with its digest found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FileState {
    /// It is as it was written.
    Whole,
    /// An older motcua wrote it without a digest: it can be read, and that is all that is known.
    NoDigest,
    /// It is not as it was written.
    Damaged,
    /// It should be there, and is not.
    Missing,
    /// It is as it was written, and disagrees with another file from which the same is computed.
    Different,
}

impl FileState {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether somebody must act.
    #[must_use]
    pub fn is_fine(self) -> bool {
        matches!(self, Self::Whole | Self::NoDigest)
    }
}

/// A stored file, and what its comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    pub path: PathBuf,
    pub bytes: u64,
    pub state: FileState,
    /// What is wrong with it, to follow its name; empty if nothing is.
    pub what: String,
}

impl CheckedFile {
    /// A file that is as it was written, or has no digest.
    #[must_use]
    pub fn whole(path: PathBuf, bytes: u64, has_digest: bool) -> Self {
        let state = if has_digest { FileState::Whole } else { FileState::NoDigest };
        Self { path, bytes, state, what: String::new() }
    }

    /// A file that is not as it was written.
    #[must_use]
    pub fn damaged(path: PathBuf, bytes: u64, what: impl Into<String>) -> Self {
        Self { path, bytes, state: FileState::Damaged, what: what.into() }
    }

    /// A file that is not there.
    #[must_use]
    pub fn missing(path: PathBuf) -> Self {
        Self { path, bytes: 0, state: FileState::Missing, what: "is missing".to_owned() }
    }
}
