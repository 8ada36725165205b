//! Why a run could not be done. A connector that fails is no error of the run: it stands in its pull.

use crate::durable::FileError;
use crate::indicators::IndicatorError;
use crate::lake::LakeError;
use crate::landing::LandingError;
use crate::publish::PublishedFilesError;
use crate::run::backup::BackupError;
use crate::run::lock::LockError;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no connector `{name}`")]
    UnknownConnector { name: String },
    #[error("run {run} has landed nothing in `{folder}`: there is nothing to replay")]
    NothingLanded { run: i64, folder: std::path::PathBuf },
    #[error("what run {run} landed was removed on {day} as old: there is nothing to replay")]
    LandingRemoved { run: i64, day: String },
    #[error("connector `{name}` has no window: there is no stretch of time to ask it for")]
    NoWindow { name: String },
    #[error("`{from}` to `{to}` is no stretch of time that has passed")]
    NoStretch { from: String, to: String },
    #[error("nothing is in quarantine that could be retried")]
    NothingToRetry,
    #[error("other past nights are being read")]
    NightsBusy,
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the ledger `ledger.sqlite` of the data folder: {0}")]
    Ledger(#[from] sqlx::Error),
    #[error(transparent)]
    Landing(#[from] LandingError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    Indicators(#[from] IndicatorError),
    #[error(transparent)]
    Publish(#[from] PublishedFilesError),
    #[error("cannot {attempted} `{path}`: {source}")]
    File { attempted: &'static str, path: std::path::PathBuf, source: std::io::Error },
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("motcua stumbled over something that it did not expect; the log says where")]
    Panicked,
    #[error("a task was cut off")]
    CutOff,
}

impl From<FileError> for RunError {
    fn from(error: FileError) -> Self {
        Self::File { attempted: error.attempted, path: error.path, source: error.source }
    }
}

/// What a panic said may quote a cell: the log says where it was.
impl From<tokio::task::JoinError> for RunError {
    fn from(error: tokio::task::JoinError) -> Self {
        if error.is_panic() { Self::Panicked } else { Self::CutOff }
    }
}

/// An error with what lies behind it, without saying the same twice.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        behind = cause.source();
    }
    text
}
