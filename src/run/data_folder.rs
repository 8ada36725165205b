//! The data folder that this process holds, and what every run on it begins and ends with.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::config::Configuration;
use crate::lake::Lake;
use crate::landing;
use crate::model::connector::Connector;
use crate::model::pull::{Outcome, Purpose};
use crate::run::clock;
use crate::run::error::RunError;
use crate::run::failure::{DISK_FULL, OWN_ERROR, STORED_DATA_DAMAGED};
use crate::run::ledger::{Ledger, Pull};
use crate::run::lock::Lock;
use crate::run::night_closing::{ClosedNight, NightClosing};
use crate::run::progress::Progress;
use crate::run::reading::PullReader;
use crate::run::settling::Settler;
use crate::run::{folder_rights, folder_zone};

/// A locked data folder: configuration, tables and ledger. Its verbs are composed of three parts: `PullReader` reads
/// and lands pulls, `Settler` settles them, `NightClosing` computes and publishes the night.
#[derive(Debug)]
pub struct DataFolder<'a> {
    pub config: &'a Configuration,
    pub data: PathBuf,
    pub lake: Lake,
    pub ledger: Ledger,
    /// Its runs have numbers from this one on.
    first_run: i64,
    _lock: Lock,
}

/// Pulls of a run, and the night that it published.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub run: i64,
    pub pulls: Vec<Pull>,
    /// Name of each connector that was not read because its `connector.toml` has mistakes, and the mistakes.
    pub mistaken: Vec<(String, String)>,
    pub published: ClosedNight,
}

impl RunReport {
    /// Whether a source failed, or was not read because its connector has mistakes.
    #[must_use]
    pub fn any_failed(&self) -> bool {
        self.pulls.iter().any(|pull| pull.outcome == Some(Outcome::Failed)) || !self.mistaken.is_empty()
    }

    /// Whether a pull failed through no fault of its source, or an indicator could not be computed.
    #[must_use]
    pub fn any_own_error(&self) -> bool {
        let own = [OWN_ERROR, STORED_DATA_DAMAGED, DISK_FULL].map(Some);
        self.pulls.iter().any(|pull| own.contains(&pull.reason.as_deref()))
            || !self.published.failed_indicators.is_empty()
    }
}

/// The run under way on a data folder, whichever process does it; `None` if there is none. A run without an end is under way if
/// it is one of whoever holds the lock of the data folder: otherwise it was cut, or ended in an error.
pub async fn run_under_way(ledger: &Ledger, data: &Path) -> Result<Option<i64>, RunError> {
    Ok(runs_under_way(ledger, data).await?.map(|runs| *runs.end()))
}

/// The runs of the verb that does one: its first, and so on to the one under way. They are stopped together.
pub async fn runs_under_way(ledger: &Ledger, data: &Path) -> Result<Option<RangeInclusive<i64>>, RunError> {
    let Some(run) = ledger.unfinished_runs().await?.last().copied() else { return Ok(None) };
    let from = Lock::runs_from(data)?;
    Ok(from.filter(|from| *from <= run).map(|from| from..=run))
}

impl<'a> DataFolder<'a> {
    /// Locks a data folder and opens its tables and its ledger. `verb` is written into the lock file.
    pub async fn open(config: &'a Configuration, data: &Path, verb: &str, now: i64) -> Result<Self, RunError> {
        let lock = Lock::take(data, verb, now)?;
        folder_zone::check(data)?;
        folder_rights::open_to_group(data, config.settings.reader_group.as_deref())?;
        let lake = Lake::open(&data.join("lake")).await?;
        let ledger = Ledger::open(data).await?;
        ledger.check().await?;
        ledger.forget_stops().await?;
        let first_run = ledger.highest_run().await? + 1;
        lock.note_runs_from(data, first_run)?;
        Ok(Self { config, data: data.to_owned(), lake, ledger, first_run, _lock: lock })
    }

    pub(super) fn reader<'r>(&'r self, progress: &'r Progress<'r>) -> PullReader<'r> {
        let Self { config, data, lake, ledger, first_run, .. } = self;
        PullReader { config, data, lake, ledger, first_run: *first_run, progress }
    }

    pub(super) fn settler<'r>(&'r self, progress: &'r Progress<'r>) -> Settler<'r> {
        let Self { config, data, lake, ledger, .. } = self;
        Settler { config, data, lake, ledger, progress }
    }

    /// Begins a run, and finishes the runs that were cut. It has its number before they are finished, so that it can be stopped
    /// from then on.
    pub(super) async fn begin(&self, purpose: Purpose, now: i64, progress: &Progress<'_>) -> Result<i64, RunError> {
        let run = self.next_run().await?;
        self.ledger.begin_run(run, purpose, now).await?;
        tracing::info!(run, purpose = purpose.name(), "run begun");
        Box::pin(self.finish_cut_runs(run, now, progress)).await?;
        Ok(run)
    }

    /// Closes the night and ends the run.
    pub(super) async fn close(
        &self,
        run: i64,
        pulls: Vec<Pull>,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<RunReport, RunError> {
        progress("computing figures");
        let Self { config, data, lake, ledger, .. } = self;
        let published = Box::pin(NightClosing { config, data, lake, ledger, run, now }.close()).await?;
        self.ledger.finish_run(run, clock::now(), Some(published.night.complete)).await?;
        tracing::info!(run, figures = published.figures, changed = published.changed, "run finished");
        let mistaken = config.not_read().map(|known| (known.name.clone(), known.problems.summary())).collect();
        Ok(RunReport { run, pulls, mistaken, published })
    }

    /// An error if somebody asked that the run, or an earlier one of the same verb, be stopped.
    pub(super) async fn check_stop(&self, run: i64) -> Result<(), RunError> {
        match self.ledger.asked_to_stop(self.first_run).await? {
            Some(by) => Err(RunError::Stopped { run, by }),
            None => Ok(()),
        }
    }

    /// Ends the run under way if it was stopped: it has no figures, and the next run finishes its pulls.
    pub(super) async fn end_if_stopped<T>(&self, done: Result<T, RunError>) -> Result<T, RunError> {
        let (run, by) = match done {
            Err(RunError::Stopped { run, by }) => (run, by),
            done => return done,
        };
        // A pull of an earlier run, which was being finished, has the number of that run.
        let run = self.ledger.stop_run(clock::now(), &by).await?.unwrap_or(run);
        tracing::warn!(run, by, "run stopped");
        Err(RunError::Stopped { run, by })
    }

    pub(super) fn connector(&self, name: &str) -> Result<&'a Connector, RunError> {
        self.config.connector(name).ok_or_else(|| RunError::no_connector(self.config, name))
    }

    /// The named connectors, or all that are neither disabled nor paused.
    pub(super) async fn chosen(&self, only: &[String]) -> Result<Vec<&'a Connector>, RunError> {
        if !only.is_empty() {
            return only.iter().map(|name| self.connector(name)).collect();
        }
        let paused = self.ledger.pauses().await?;
        let disabled = &self.config.settings.disabled_connectors;
        let is_off = |name: &String| disabled.contains(name) || paused.iter().any(|pause| pause.connector == *name);
        Ok(self.config.connectors.iter().filter(|connector| !is_off(&connector.name)).collect())
    }

    /// A number above every run of the ledger, the tables and landing.
    async fn next_run(&self) -> Result<i64, RunError> {
        let known =
            [self.ledger.highest_run().await?, self.lake.highest_run().await?, landing::highest_run(&self.data)?];
        Ok(known.into_iter().max().unwrap_or(0) + 1)
    }
}
