//! Failures of a verb: message, hint and exit code.

use crate::cli::exit_codes::{INTERNAL, USAGE};
use crate::config::Problems;
use crate::lake::LakeError;
use crate::publish::PublishedFilesError;
use crate::run::{AgencyNumbersError, LockError, RunError, with_causes};
use crate::simulator::SimulatorError;

/// Why a verb failed.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { code: INTERNAL, message: message.into(), hint: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems.to_string()).with_hint("`motcua check --offline` checks the files again")
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = with_causes(&error);
        match &error {
            RunError::UnknownConnector { .. } => {
                Self::usage(message).with_hint("`motcua connectors list` shows the configured connectors")
            }
            RunError::NothingLanded { .. } => Self::usage(message).with_hint(
                "`motcua runs list` shows the runs; a run that failed before its first page has no landed pages",
            ),
            RunError::LandingRemoved { .. } => Self::usage(message).with_hint(
                "its records are in the tables; `motcua backfill` reads past days again from the source",
            ),
            RunError::Backup(backup) if backup.is_usage() => Self::usage(message),
            RunError::AgencyNumbers(AgencyNumbersError::UnknownNumber { .. }) => {
                Self::usage(message).with_hint("`motcua agencies unknown --all` lists the numbers")
            }
            RunError::AgencyNumbers(AgencyNumbersError::Damaged { .. }) => Self::internal(message).with_hint(
                "restore the file from a backup; if there is none, move it away: agencies then get new numbers, and must be approved again",
            ),
            RunError::NoWindow { .. } => Self::usage(message)
                .with_hint("a connector of files has no window: `motcua run` reads every file that was not read yet"),
            RunError::NoStretch { .. } => {
                Self::usage(message).with_hint("give days as yyyy-MM-dd, the earlier one first")
            }
            RunError::NothingToRetry => Self::usage(message).with_hint("`motcua quarantine list` shows the open rows"),
            RunError::NewerLedger { .. } => {
                Self::usage(message).with_hint("a newer motcua has written this data folder: use that version")
            }
            RunError::Ledger(_) => Self::internal(message).with_hint(
                "if `ledger.sqlite` in the data folder is damaged, move it away: the next run reads everything again, and the figures stay the same",
            ),
            RunError::Lock(LockError::Held { .. }) => {
                Self::internal(message).with_hint("wait until the other process ends, or choose another folder with `--data`")
            }
            RunError::Lake(lake) => {
                let failure = Self::internal(message);
                match LakeError::hint(lake) {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                }
            }
            _ => Self::internal(message),
        }
    }
}

impl From<PublishedFilesError> for Failure {
    fn from(error: PublishedFilesError) -> Self {
        Self::internal(with_causes(&error))
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Self {
        Self::internal(with_causes(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}
