//! One night: the only module that sees every stage. Pull, land, settle, compute, publish.
//!
//! A pull is landed whole before anything is made of it; its counts and the cursor that it would reach stand in
//! the ledger before its versions are committed; the table's log says whether they were. So a run that is cut
//! anywhere is finished from what lies on disk, and run again gives the same tables.

mod backfill;
mod backup;
mod catalogue;
mod clock;
mod connector_health;
mod contract;
mod error;
mod failure;
mod figures;
mod file_listing;
mod judge;
mod ledger;
mod lock;
mod night;
mod past_nights;
mod publications;
mod pull;
mod reasons;
mod replay;
mod retry;
mod schedule;
mod settle;
mod sweep;
mod vacuum;

use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

pub use backup::{BackupError, BackupReport, back_up, restore};
pub use clock::now;
pub use connector_health::{ConnectorHealth, HealthSubject, POSTGRES, assess_connectors, remarks};
pub use error::{RunError, with_causes};
pub use figures::{FigureRequest, compare_rules, figures_as_of, form_counts, sector_names};
pub use ledger::{
    Ledger, LedgerTotals, Notification, Pause, Publication, Pull, PullState, QuarantinedRow, RejectionGroup, Run, Slot,
    SlotState,
};
pub use lock::{Lock, LockError};
pub use night::{ClosedNight, is_mended};
pub use past_nights::{night_as_of, night_of_run};
pub use publications::{PublicationOutcome, next_try, publish_due, publish_newest};
pub use reasons::{order_names, reason_codes};
pub use schedule::{SlotDecision, decide_slot};
pub use vacuum::{Retention, VacuumAction, VacuumLine};

use crate::config::Configuration;
use crate::lake::Lake;
use crate::landing;
use crate::model::connector::Connector;
use crate::model::pull::{Outcome, Purpose};

/// Progress callback: called with a line of text at each step.
pub type Progress<'a> = dyn Fn(&str) + Sync + 'a;

/// A data folder that this process holds: tables, ledger and lock.
#[derive(Debug)]
pub struct DataFolder<'a> {
    pub config: &'a Configuration,
    pub data: PathBuf,
    pub lake: Lake,
    pub ledger: Ledger,
    _lock: Lock,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub run: i64,
    pub pulls: Vec<Pull>,
    pub published: ClosedNight,
}

impl RunReport {
    /// Whether a source failed.
    #[must_use]
    pub fn any_failed(&self) -> bool {
        self.pulls.iter().any(|pull| pull.outcome == Some(Outcome::Failed))
    }

    /// Whether a pull failed through no fault of its source.
    #[must_use]
    pub fn any_own_error(&self) -> bool {
        self.pulls.iter().any(|pull| pull.reason.as_deref() == Some(failure::OWN_ERROR))
    }
}

impl<'a> DataFolder<'a> {
    /// Takes the data folder and opens all that is in it.
    pub async fn open(config: &'a Configuration, data: &Path, verb: &str, now: i64) -> Result<Self, RunError> {
        let lock = Lock::take(data, verb, now)?;
        let lake = Lake::open(&data.join("lake")).await?;
        let ledger = Ledger::open(data).await?;
        Ok(Self { config, data: data.to_owned(), lake, ledger, _lock: lock })
    }

    /// Runs one night: the named connectors, or all that are not disabled.
    pub async fn run_once(&self, only: &[String], now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let chosen = self.chosen(only).await?;
        let run = self.begin(Purpose::Night, now, progress).await?;
        for connector in &chosen {
            self.go_on_with_failed(connector, now, progress).await?;
        }
        // Sources are waited for side by side; what they sent is taken one after the other, in the order of the names.
        let reading = chosen.iter().map(|connector| self.read_night(connector, run, now, progress));
        let at_once = self.config.settings.night.connectors_at_once;
        let read: Vec<_> = stream::iter(reading).buffered(at_once).try_collect().await?;
        let mut pulls = Vec::new();
        for read in read {
            pulls.push(self.take(read, progress).await?);
        }
        self.close(run, pulls, now, progress).await
    }

    /// Finishes what was cut, and begins a run.
    async fn begin(&self, purpose: Purpose, now: i64, progress: &Progress<'_>) -> Result<i64, RunError> {
        self.finish_cut_runs(now, progress).await?;
        let run = self.next_run().await?;
        self.ledger.begin_run(run, purpose, now).await?;
        tracing::info!(run, purpose = purpose.name(), "run begun");
        Ok(run)
    }

    /// Computes, publishes, and ends a run.
    async fn close(
        &self,
        run: i64,
        pulls: Vec<Pull>,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<RunReport, RunError> {
        progress("computing figures");
        let published = self.close_night(run, now).await?;
        self.ledger.finish_run(run, clock::now(), Some(published.night.complete)).await?;
        tracing::info!(run, figures = published.figures, changed = published.changed, "run finished");
        Ok(RunReport { run, pulls, published })
    }

    fn connector(&self, name: &str) -> Result<&'a Connector, RunError> {
        self.config.connector(name).ok_or_else(|| RunError::UnknownConnector { name: name.to_owned() })
    }

    /// The named connectors, or all that are neither disabled nor paused.
    async fn chosen(&self, only: &[String]) -> Result<Vec<&'a Connector>, RunError> {
        if !only.is_empty() {
            return only.iter().map(|name| self.connector(name)).collect();
        }
        let paused = self.ledger.pauses().await?;
        let disabled = &self.config.settings.disabled_connectors;
        let is_off = |name: &String| disabled.contains(name) || paused.iter().any(|pause| pause.connector == *name);
        Ok(self.config.connectors.iter().filter(|connector| !is_off(&connector.name)).collect())
    }

    /// A number above every run that ledger, tables or landing know.
    async fn next_run(&self) -> Result<i64, RunError> {
        let known =
            [self.ledger.highest_run().await?, self.lake.highest_run().await?, landing::highest_run(&self.data)?];
        Ok(known.into_iter().max().unwrap_or(0) + 1)
    }

    /// Finishes what an earlier process left: a pull whose pages were landed whole is settled under its own run;
    /// one that was still being read goes on, or never happened.
    async fn finish_cut_runs(&self, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        for kind in crate::model::table::Kind::ALL {
            self.lake.update_image(kind).await?;
        }
        for run in self.ledger.unfinished_runs().await? {
            tracing::warn!(run, "finishing a run that was cut");
            for pull in self.ledger.pulls_of_run(run).await? {
                if pull.state != PullState::Done {
                    self.finish_cut_pull(pull, now, progress).await?;
                }
            }
            self.ledger.finish_run(run, now, None).await?;
        }
        Ok(())
    }

    async fn finish_cut_pull(&self, pull: Pull, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        let landed = landing::LandedPull::new(&self.data, &pull.connector, pull.run);
        // A certificate that cannot be read is as good as none: its pages are read again.
        let certificate = landed.certificate().unwrap_or_else(|error| {
            tracing::warn!(
                run = pull.run,
                connector = pull.connector,
                "the pull is not finished from landing: {error}"
            );
            None
        });
        if let (Some(connector), Some(certificate)) = (self.config.connector(&pull.connector), certificate) {
            self.settle_or_fail(connector, &landed, &certificate, pull).await?;
            return Ok(());
        }
        if pull.state == PullState::Reading && self.go_on(&pull, now, progress).await?.is_some() {
            return Ok(());
        }
        let failed = Pull {
            state: PullState::Done,
            outcome: Some(Outcome::Failed),
            reason: Some("interrupted".to_owned()),
            message: Some("the run was cut while pages were being read".to_owned()),
            finished_at: Some(now),
            ..pull
        };
        self.ledger.write_pull(&failed).await?;
        Ok(())
    }
}
