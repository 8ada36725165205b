//! Errors of landing.

use std::path::{Path, PathBuf};

use crate::durable;

/// Error of reading or writing landed pulls.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    #[error("cannot {action} `{path}`: {source}")]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("landed page `{path}` is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
}

/// Adds the action and the path to an I/O error.
pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LandingError {
    let path = path.to_owned();
    move |source| LandingError::Io { action, path, source }
}

impl From<durable::FileError> for LandingError {
    fn from(error: durable::FileError) -> Self {
        Self::Io { action: error.attempted, path: error.path, source: error.source }
    }
}
