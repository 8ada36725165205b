//! Errors that fail one pull, and those that end the run.
//!
//! An error of a source, or one of motcua's own that concerns one pull alone, is written into that pull. The other
//! connectors of the run and its figures go on.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::lake::{LakeError, RESTORE};
use crate::landing::LandingError;
use crate::run::error::{RunError, with_causes};
use crate::sources::SourceError;

/// Code of a pull that failed through no fault of its source.
pub(super) const OWN_ERROR: &str = "own_error";

/// Code of a pull that stopped because stored versions of its connector are damaged.
pub(super) const STORED_DATA_DAMAGED: &str = "stored_data_damaged";

/// Code of a pull that found no space on the disk.
pub(super) const DISK_FULL: &str = "disk_full";

/// Texts by which the operating system and SQLite say that a disk is full. Polars and Delta keep the text of an error and
/// not its kind.
const DISK_FULL_TEXTS: [&str; 3] = ["No space left on device", "database or disk is full", "Disk quota exceeded"];

/// What to do if the disk is full.
const DISK_FULL_HINT: &str = "the disk is full: free space on it, for example with `motcua vacuum`, and run again. Nothing that \
     was stored is lost";

/// The advice if an error says that the disk is full; `None` for other errors.
#[must_use]
pub fn disk_full_hint(message: &str) -> Option<&'static str> {
    DISK_FULL_TEXTS.iter().any(|text| message.contains(text)).then_some(DISK_FULL_HINT)
}

/// Why one pull failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

/// An error while a pull is read or settled.
#[derive(Debug)]
pub(super) enum PullError {
    /// The pull fails; the run goes on.
    Pull(Failure),
    /// The run ends.
    Run(RunError),
}

impl From<SourceError> for PullError {
    fn from(error: SourceError) -> Self {
        Self::Pull(Failure { code: error.kind.code(), message: error.to_string(), hint: error.hint })
    }
}

impl<E: Into<RunError>> From<E> for PullError {
    fn from(error: E) -> Self {
        let error = error.into();
        own_failure(&error).map_or(Self::Run(error), Self::Pull)
    }
}

const FAULT_OF_MOTCUA: &str =
    "a fault of motcua: send its developers the log and the connector; the other connectors are not affected";

/// The failure of one pull that an error of motcua's own causes; `None` for errors that concern every pull, like those
/// of the ledger.
pub(super) fn own_failure(error: &RunError) -> Option<Failure> {
    let message = with_causes(error);
    if let (RunError::Landing(_) | RunError::Lake(_), Some(hint)) = (error, disk_full_hint(&message)) {
        return Some(Failure { code: DISK_FULL, message, hint });
    }
    let (code, hint) = match error {
        RunError::Lake(LakeError::Damaged { .. }) => (STORED_DATA_DAMAGED, RESTORE),
        RunError::Landing(LandingError::Damaged { .. }) => {
            let hint =
                "the disk may be failing: check its health. The next run reads the pages from their source again";
            (OWN_ERROR, hint)
        }
        RunError::CutOff | RunError::Panicked | RunError::Lake(LakeError::ImageBehind { .. }) => {
            (OWN_ERROR, FAULT_OF_MOTCUA)
        }
        RunError::Lake(error) if error.is_of_rows() => (OWN_ERROR, FAULT_OF_MOTCUA),
        RunError::Landing(_) | RunError::Lake(_) => {
            let hint =
                "check that the data folder can be written and has free space; the next run reads the connector again";
            (OWN_ERROR, hint)
        }
        _ => return None,
    };
    Some(Failure { code, message, hint })
}

/// Converts a panic of `work` into an error, which fails the pull.
pub(super) async fn catch_panic<T>(work: impl Future<Output = Result<T, PullError>>) -> Result<T, PullError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(RunError::Panicked.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_somebody_can_mend_have_codes_and_hints_of_their_own() {
        let file = |code| LakeError::File {
            attempted: "write",
            path: "run-00000001-desk-0.parquet".into(),
            source: std::io::Error::from_raw_os_error(code),
        };
        let damaged = LakeError::Damaged { table: "dossier_versions".to_owned(), files: Vec::new() };
        // Numbers of Linux: no space, quota exceeded, no permission.
        for (error, code, hint) in [
            (RunError::Lake(file(28)), DISK_FULL, "the disk is full"),
            (RunError::Lake(file(122)), DISK_FULL, "the disk is full"),
            (RunError::Lake(file(13)), OWN_ERROR, "can be written"),
            (RunError::Lake(damaged), STORED_DATA_DAMAGED, "backup"),
        ] {
            let failure = own_failure(&error).expect("it fails one pull");
            assert_eq!(failure.code, code, "{failure:?}");
            assert!(failure.hint.contains(hint), "{failure:?}");
        }
        let ledger = "cannot use the ledger: (code: 13) database or disk is full";
        assert!(disk_full_hint(ledger).is_some_and(|hint| !hint.contains("move")));
        assert_eq!(disk_full_hint("cannot write `full.csv`: permission denied"), None);
    }

    #[tokio::test]
    async fn a_panic_and_a_landing_error_fail_one_pull_and_a_ledger_error_ends_the_run() {
        let landing = || LandingError::Damaged { path: "000001.ndjson.zst".into(), what: "cut short".to_owned() };
        let panicked = catch_panic::<()>(async { panic!("Nguyễn Văn A") }).await;
        let damaged = catch_panic::<()>(async { Err(landing().into()) }).await;
        for (error, words) in [(panicked, "the log has its place"), (damaged, "cut short")] {
            let Err(PullError::Pull(failure)) = error else { panic!("it fails one pull: {error:?}") };
            assert_eq!(failure.code, OWN_ERROR);
            assert!(failure.message.contains(words) && !failure.message.contains("Nguyễn"), "{failure:?}");
        }
        let ledger = catch_panic::<()>(async { Err(sqlx::Error::PoolClosed.into()) }).await;
        assert!(matches!(ledger, Err(PullError::Run(RunError::Ledger(_)))), "{ledger:?}");
    }
}
