//! A failure as the command line tells it: words, a hint, and the exit code.

use crate::config::Problems;
use crate::lake::LakeError;
use crate::publish::PublishError;
use crate::run::{LockError, RunError, told};
use crate::simulator::SimulatorError;

/// Exit codes, never renumbered.
pub(super) const INTERNAL: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const SOURCE_FAILED: u8 = 3;
pub(super) const INCOMPLETE: u8 = 4;

/// Why a verb did not do what it was asked.
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
        Self::usage(problems.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = told(&error);
        match &error {
            RunError::UnknownConnector { .. } => {
                Self::usage(message).with_hint("`motcua connectors list` names those that are configured")
            }
            RunError::NothingLanded { .. } => Self::usage(message).with_hint(
                "`motcua runs list` names the runs; those that failed before their first page have landed nothing",
            ),
            RunError::LandingRemoved { .. } => Self::usage(message).with_hint(
                "the tables hold what it brought; `motcua backfill` reads a stretch of the past again from its source",
            ),
            RunError::Backup(backup) if backup.is_usage() => Self::usage(message),
            RunError::NoWindow { .. } => Self::usage(message)
                .with_hint("a connector of files reads every file that it has not read; `motcua run` does that"),
            RunError::NoStretch { .. } => {
                Self::usage(message).with_hint("give days as yyyy-MM-dd, the earlier one first")
            }
            RunError::NothingToRetry => Self::usage(message).with_hint("`motcua quarantine list` shows what is open"),
            RunError::Ledger(_) => Self::internal(message).with_hint(
                "if `ledger.sqlite` in the data folder is damaged, move it away: the next run reads everything again and changes no figure",
            ),
            RunError::Lock(LockError::Held { .. }) => {
                Self::internal(message).with_hint("wait until it ends, or give another folder with `--data`")
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

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::internal(told(&error))
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Self {
        Self::internal(told(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}
