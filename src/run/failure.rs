//! Why nothing of a pull was taken: its source's doing, or ours. It stands in the pull and stops nobody else, neither the other
//! connectors of the run nor its figures.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::landing::{LandedPull, LandingError};
use crate::model::connector::Connector;
use crate::model::pull::{Certificate, Counts, Findings, Outcome};
use crate::run::ledger::{Pull, PullState};
use crate::run::{DataFolder, RunError, clock, with_causes};
use crate::sources::SourceError;

/// Code of a pull that failed through no fault of its source.
pub(super) const OWN_ERROR: &str = "own_error";

/// Code, words and advice of a pull that failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    hint: &'static str,
}

/// Why a pull was not landed.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It fails alone.
    Pull(Failure),
    /// The run cannot go on.
    Run(RunError),
}

impl From<SourceError> for Stopped {
    fn from(error: SourceError) -> Self {
        Self::Pull(Failure { code: error.kind.code(), message: error.to_string(), hint: error.kind.hint() })
    }
}

impl<E: Into<RunError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        let error = error.into();
        own(&error).map_or(Self::Run(error), Self::Pull)
    }
}

/// The failure that an error of motcua's own makes of one pull; none where it is everybody's: without the ledger nothing is done.
fn own(error: &RunError) -> Option<Failure> {
    let hint = match error {
        RunError::Landing(LandingError::Damaged { .. }) => {
            "the disk may be failing: look at its health. The next run reads the pages from their source again"
        }
        RunError::Landing(_) | RunError::Lake(_) => {
            "see that the data folder can be written and has room; the next run reads the connector again"
        }
        RunError::CutOff | RunError::Panicked => {
            "a fault of motcua: send its developers the log and the connector; the other connectors are not touched"
        }
        _ => return None,
    };
    Some(Failure { code: OWN_ERROR, message: with_causes(error), hint })
}

/// What landing came to; its panic is an error as well.
pub(super) async fn guarded<T>(landing: impl Future<Output = Result<T, Stopped>>) -> Result<T, Stopped> {
    AssertUnwindSafe(landing).catch_unwind().await.unwrap_or_else(|_| Err(RunError::Panicked.into()))
}

impl DataFolder<'_> {
    /// [Settles](Self::settle) a landed pull; fails it alone where an error of our own comes before anything of it counts.
    pub(super) async fn settle_or_fail(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        begun: Pull,
    ) -> Result<Pull, RunError> {
        let settling = AssertUnwindSafe(self.settle(connector, landed, certificate, begun.clone()));
        let error = match settling.catch_unwind().await {
            Ok(Ok(pull)) => return Ok(pull),
            Ok(Err(error)) => error,
            Err(_) => RunError::Panicked,
        };
        let Some(failure) = own(&error) else { return Err(error) };
        // The table's log decides: what it holds counts, and the next run finishes it.
        match self.lake.last_run(connector.file.connector.kind, &connector.name).await {
            Ok(reached) if reached.is_none_or(|reached| reached < begun.run) => {
                self.ledger.forget_quarantine(begun.run, &connector.name).await?;
                self.fail(begun, failure).await
            }
            _ => Err(error),
        }
    }

    /// Writes down that nothing was taken: tables and cursor stay as they were.
    pub(super) async fn fail(&self, begun: Pull, failure: Failure) -> Result<Pull, RunError> {
        let Failure { code, message, hint } = failure;
        let (run, connector) = (begun.run, begun.connector.as_str());
        if code == OWN_ERROR {
            tracing::error!(run, connector, reason = code, "pull failed: {message}");
        } else {
            tracing::info!(run, connector, reason = code, "pull failed: {message}");
        }
        let failed = Pull {
            state: PullState::Done,
            outcome: Some(Outcome::Failed),
            reason: Some(code.to_owned()),
            message: Some(message),
            hint: Some(hint.to_owned()),
            finished_at: Some(clock::now()),
            // What an earlier try had settled came to nothing.
            counts: Counts::default(),
            cursor: None,
            data_until: None,
            findings: Findings::default(),
            ..begun
        };
        self.ledger.write_pull(&failed).await?;
        Ok(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_and_an_error_of_our_own_are_of_one_pull_and_the_ledger_s_of_all() {
        let landing = || LandingError::Damaged { path: "000001.ndjson.zst".into(), what: "cut short".to_owned() };
        let panicked = guarded::<()>(async { panic!("Nguyễn Văn A") }).await;
        let damaged = guarded::<()>(async { Err(landing().into()) }).await;
        for (stopped, words) in [(panicked, "the log says where"), (damaged, "cut short")] {
            let Err(Stopped::Pull(failure)) = stopped else { panic!("one pull: {stopped:?}") };
            assert_eq!(failure.code, OWN_ERROR);
            assert!(failure.message.contains(words) && !failure.message.contains("Nguyễn"), "{failure:?}");
        }
        let ledger = guarded::<()>(async { Err(sqlx::Error::PoolClosed.into()) }).await;
        assert!(matches!(ledger, Err(Stopped::Run(RunError::Ledger(_)))), "{ledger:?}");
    }
}
