//! Errors of the published files.

use std::path::{Path, PathBuf};

use crate::durable::FileError;
use crate::indicators::IndicatorError;

/// Why a published night could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PublishedFilesError {
    #[error("cannot {attempted} `{path}`: {source}")]
    File { attempted: &'static str, path: PathBuf, source: std::io::Error },
    #[error("published file `{path}` is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error(
        "the figures of night {run} were removed, and those rebuilt from table `figure_versions` differ from the published ones"
    )]
    FiguresDiffer { run: i64 },
    #[error(transparent)]
    Figures(#[from] IndicatorError),
    #[error("cannot write `{path}`: {source}")]
    Parquet { path: PathBuf, source: polars::error::PolarsError },
}

impl From<FileError> for PublishedFilesError {
    fn from(error: FileError) -> Self {
        Self::File { attempted: error.attempted, path: error.path, source: error.source }
    }
}

/// Adds the operation and the path to an I/O error.
pub(super) fn file_error(
    attempted: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> PublishedFilesError + use<> {
    let path = path.to_owned();
    move |source| PublishedFilesError::File { attempted, path, source }
}
