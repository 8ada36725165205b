//! Errors that end a run or a verb. The failure of one connector is written in its pull instead.

use crate::config::Configuration;
use crate::durable::FileError;
use crate::indicators::IndicatorError;
use crate::lake::LakeError;
use crate::landing::LandingError;
use crate::model::near_names::near_names;
use crate::publish::PublishedFilesError;
use crate::run::agency_numbers::AgencyNumbersError;
use crate::run::backup::BackupError;
use crate::run::lock::LockError;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no connector `{name}`")]
    UnknownConnector {
        name: String,
        /// Connectors whose names are like it.
        near: Vec<String>,
    },
    #[error("connector `{name}` is not read, because its `connector.toml` has mistakes: {mistakes}")]
    MistakenConnector { name: String, mistakes: String },
    #[error("run {run} has no landed pages in `{folder}`: there is nothing to replay")]
    NothingLanded { run: i64, folder: std::path::PathBuf },
    #[error("the landed pages of run {run} were removed as old on {day}: there is nothing to replay")]
    LandingRemoved { run: i64, day: String },
    #[error("connector `{name}` has no `[window]`: it cannot be asked for a range of days")]
    NoWindow { name: String },
    #[error("`{from}` to `{to}` is not a range of days in the past")]
    NoStretch { from: String, to: String },
    #[error("nothing is in quarantine that could be retried")]
    NothingToRetry,
    #[error("the last night of connector `{connector}` refused no deletions")]
    NothingRefused { connector: String },
    #[error("run {run} was stopped by `{by}`: it published nothing, and the sources that it had read whole are kept")]
    Stopped { run: i64, by: String },
    #[error("too many past nights are being read at once")]
    NightsBusy,
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("cannot use the ledger `ledger.sqlite` of the data folder: {0}")]
    Ledger(#[from] sqlx::Error),
    #[error("the ledger `ledger.sqlite` of the data folder is damaged: {what}")]
    DamagedLedger { what: String },
    #[error("the ledger `ledger.sqlite` has schema version {version}; this motcua knows versions up to {newest}")]
    NewerLedger { version: i64, newest: i64 },
    #[error(
        "the data folder `{folder}` counts in the zone `{of_folder}`, and `province.zone` of the settings is `{wanted}`"
    )]
    OtherZone { folder: std::path::PathBuf, of_folder: String, wanted: String },
    #[error("this machine has no group `{name}`")]
    UnknownGroup { name: String },
    #[error(transparent)]
    Landing(#[from] LandingError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    AgencyNumbers(#[from] AgencyNumbersError),
    #[error(transparent)]
    Indicators(#[from] IndicatorError),
    #[error(transparent)]
    Publish(#[from] PublishedFilesError),
    #[error("cannot {attempted} `{path}`: {source}")]
    File { attempted: &'static str, path: std::path::PathBuf, source: std::io::Error },
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("an unexpected error in motcua itself (a panic); the log has its place")]
    Panicked,
    #[error("a task of motcua was cancelled")]
    CutOff,
}

impl RunError {
    /// Why no sound connector has a name.
    #[must_use]
    pub fn no_connector(config: &Configuration, name: &str) -> Self {
        let name = name.to_owned();
        if let Some(mistaken) = config.mistaken(&name) {
            return Self::MistakenConnector { mistakes: mistaken.problems.summary(), name };
        }
        let known = config.connectors.iter().map(|connector| connector.name.as_str());
        let known = known.chain(config.mistaken.iter().map(|mistaken| mistaken.name.as_str()));
        let near = near_names(&name, known).into_iter().map(str::to_owned).collect();
        Self::UnknownConnector { name, near }
    }
}

impl From<FileError> for RunError {
    fn from(error: FileError) -> Self {
        Self::File { attempted: error.attempted, path: error.path, source: error.source }
    }
}

/// The text of a panic is left out, since it may quote a cell. The log has its place.
impl From<tokio::task::JoinError> for RunError {
    fn from(error: tokio::task::JoinError) -> Self {
        if error.is_panic() { Self::Panicked } else { Self::CutOff }
    }
}

/// The text of an error and its causes; a cause that the text contains already is left out.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
