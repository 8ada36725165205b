//! The one task of the service that runs nights: slots that are due, and runs that were requested through the API or
//! the pages.
//!
//! The ticker and requests wake it; it decides from the ledger what is due. It does one run at a time.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Configuration;
use crate::model::instant;
use crate::model::pull::{Outcome, Purpose};
use crate::run::{
    self, DataFolder, Ledger, LockError, Pause, RunError, RunReport, Slot, SlotDecision, SlotState, with_causes,
};
use crate::service::old_files::OldFiles;

/// Slots per connector that are read from the ledger.
const SLOTS: i64 = 500;

/// A run that was requested by a person or through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunRequest {
    /// A night now, of these connectors; of all if the list is empty.
    Night(Vec<String>),
    /// A retry of rejected rows of these connectors; of all if the list is empty.
    Retry(Vec<String>),
}

/// State of the run that is under way. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunProgress {
    pub(super) purpose: Purpose,
    pub(super) since: i64,
    /// What the run is doing, for example `portal-igate: page 3, 120 records`; empty at first.
    pub(super) step: String,
}

/// Why the last run could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunFailure {
    pub(super) since: i64,
    /// Contains no cell values.
    pub(super) message: String,
}

/// A run is under way or requested already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunnerBusy;

/// State that the runner shares with request handlers.
#[derive(Debug, Default)]
pub(super) struct Runner {
    wake: Notify,
    requested: Mutex<Option<RunRequest>>,
    progress: Mutex<Option<RunProgress>>,
    failure: Mutex<Option<RunFailure>>,
    /// When the schedule was last checked, by the monotonic clock.
    checked: Mutex<Option<Instant>>,
    old_files: OldFiles,
}

impl Runner {
    /// Makes the runner check what is due.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Accepts a request, unless a run is under way or requested already.
    pub(super) fn request(&self, request: RunRequest) -> Result<(), RunnerBusy> {
        let mut requested = lock(&self.requested);
        if requested.is_some() || self.progress().is_some() {
            return Err(RunnerBusy);
        }
        *requested = Some(request);
        drop(requested);
        self.wake();
        Ok(())
    }

    /// The run that is under way.
    pub(super) fn progress(&self) -> Option<RunProgress> {
        lock(&self.progress).clone()
    }

    /// Time since the schedule was last checked; `None` before the first check. The ticker wakes the runner each
    /// minute, so a value of several minutes without a run under way means that the runner is stuck. Zero while old files
    /// are removed: the next check follows.
    pub(super) fn checked_ago(&self) -> Option<Duration> {
        if self.old_files.is_under_way() {
            return Some(Duration::ZERO);
        }
        lock(&self.checked).map(|checked| checked.elapsed())
    }

    /// Why the last run, due or requested, could not be done; `None` if it was done.
    pub(super) fn failure(&self) -> Option<RunFailure> {
        lock(&self.failure).clone()
    }

    fn set_failure(&self, message: Option<String>) {
        *lock(&self.failure) = message.map(|message| RunFailure { since: run::now(), message });
    }

    /// Whether a requested run has not begun yet.
    pub(super) fn is_requested(&self) -> bool {
        lock(&self.requested).is_some()
    }

    fn set_progress(&self, progress: Option<RunProgress>) {
        *lock(&self.progress) = progress;
    }

    fn set_step(&self, step: &str) {
        if let Some(progress) = lock(&self.progress).as_mut() {
            step.clone_into(&mut progress.step);
        }
    }

    /// Runs what is due or requested until `stop` is cancelled. The run then under way may go on for
    /// `stop_within_secs`; after that it is abandoned, and the next start finishes it. Calls `after` after each
    /// check, with true if there was a run.
    pub(super) async fn run_until_stopped(
        &self,
        config: &Configuration,
        ledger: &Ledger,
        stop: &CancellationToken,
        after: impl Fn(bool),
    ) {
        let allowed = Duration::from_secs(config.settings.service.stop_within_secs);
        let out_of_time = async {
            stop.cancelled().await;
            tokio::time::sleep(allowed).await;
        };
        tokio::pin!(out_of_time);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
            }
            let mut is_more = true;
            while is_more && !stop.is_cancelled() {
                tokio::select! {
                    more = self.run_next(config, ledger) => is_more = more,
                    () = &mut out_of_time => {
                        tracing::warn!("the run under way did not end in time; the next start on this data folder finishes it");
                        return;
                    }
                }
                after(is_more);
                if is_more {
                    tokio::select! {
                        () = self.old_files.remove(config, run::now()) => {}
                        // Files that are left are removed another day.
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
        if self.is_requested() {
            tracing::warn!("the requested run has not begun; request it again after the next start");
        }
    }

    /// Does the requested run, else the slots that are due. Returns whether there was a run. Errors and panics are
    /// logged and kept as [`RunFailure`]; the service goes on.
    async fn run_next(&self, config: &Configuration, ledger: &Ledger) -> bool {
        let now = run::now();
        *lock(&self.checked) = Some(Instant::now());
        // Boxed: the future of a night is too large for the stack of the functions around it.
        let work = async {
            let request = lock(&self.requested).take();
            match request {
                Some(request) => Box::pin(self.run_requested(config, request, now)).await,
                None => Box::pin(self.run_due(config, ledger, now)).await,
            }
        };
        let done = AssertUnwindSafe(work).catch_unwind().await;
        self.set_progress(None);
        match done {
            Ok(Ok(is_more)) => {
                // A check without a run proves nothing about the last failure.
                if is_more {
                    self.set_failure(None);
                }
                is_more
            }
            // The lock will be released; the next wake-up tries again.
            Ok(Err(RunError::Lock(LockError::Held { holder, .. }))) => {
                tracing::info!("waiting: the data folder is locked by {holder}");
                false
            }
            // No fault: the ledger has who stopped it. A slot that was due is decided, so nothing begins again by itself.
            Ok(Err(RunError::Stopped { .. })) => {
                self.set_failure(None);
                false
            }
            Ok(Err(error)) => {
                let message = with_causes(&error);
                tracing::error!("the run could not be done: {message}");
                self.set_failure(Some(message));
                false
            }
            // The panic hook has logged the panic. A slot that stays `begun` is tried again, three times at most.
            Err(_) => {
                tracing::error!("the run ended in a panic");
                self.set_failure(Some(RunError::Panicked.to_string()));
                false
            }
        }
    }

    /// Does a requested run. If the data folder is locked, the request stays for the next wake-up.
    async fn run_requested(&self, config: &Configuration, request: RunRequest, now: i64) -> Result<bool, RunError> {
        let purpose = if matches!(request, RunRequest::Night(_)) { Purpose::Night } else { Purpose::Retry };
        self.set_progress(Some(RunProgress { purpose, since: now, step: String::new() }));
        let folder = match DataFolder::open(config, &config.settings.data, "serve", now).await {
            Ok(folder) => folder,
            Err(error) => {
                if matches!(error, RunError::Lock(LockError::Held { .. })) {
                    *lock(&self.requested) = Some(request);
                }
                return Err(error);
            }
        };
        let progress = |step: &str| self.set_step(step);
        let done = match &request {
            RunRequest::Night(connectors) => folder.run_once(connectors, now, &progress).await.map(Some),
            RunRequest::Retry(connectors) => match folder.retry(connectors, now, &progress).await {
                Err(RunError::NothingToRetry) => {
                    tracing::info!("the quarantine has no row that can be retried");
                    Ok(None)
                }
                done => done.map(Some),
            },
        };
        folder.ledger.close().await;
        if let Some(report) = done? {
            log(&report);
        }
        Ok(true)
    }

    /// Runs the connectors whose slots are due, in one run. Returns whether there were any.
    async fn run_due(&self, config: &Configuration, ledger: &Ledger, now: i64) -> Result<bool, RunError> {
        let due = due(config, ledger, now).await?;
        if due.is_empty() {
            return Ok(false);
        }
        self.set_progress(Some(RunProgress { purpose: Purpose::Night, since: now, step: String::new() }));
        // Another process may have read the connectors before it released the lock: decide again now that we hold it.
        let folder = DataFolder::open(config, &config.settings.data, "serve", now).await?;
        let mut due = due_again(config, ledger, now, due).await?;
        folder.ledger.write_slots(&due).await?;
        let names: Vec<String> = due.iter().map(|(connector, _)| connector.clone()).collect();
        for (connector, slot) in &due {
            tracing::info!(connector, slot = instant::display(slot.slot), made_up = slot.made_up, "due");
        }
        let ran = if names.is_empty() {
            Ok(None)
        } else {
            folder.run_once(&names, now, &|step: &str| self.set_step(step)).await.map(Some)
        };
        let (state, message) = match &ran {
            Ok(_) => (SlotState::Done, None),
            Err(RunError::Stopped { by, .. }) => (SlotState::Stopped, Some(format!("stopped by `{by}`"))),
            Err(error) => (SlotState::Failed, Some(with_causes(&error))),
        };
        for (_, slot) in &mut due {
            *slot = Slot { state, message: message.clone(), decided_at: run::now(), ..slot.clone() };
        }
        folder.ledger.write_slots(&due).await?;
        folder.ledger.close().await;
        if let Some(report) = ran? {
            log(&report);
        }
        Ok(true)
    }
}

/// Locks a value that has no invariants a panic could break.
fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn log(report: &RunReport) {
    let failed = report.pulls.iter().filter(|pull| pull.outcome == Some(Outcome::Failed)).count();
    tracing::info!(
        run = report.run,
        connectors = report.pulls.len(),
        failed,
        complete = report.published.night.complete,
        "night published"
    );
}

/// The slots that are due now, by connector. All other decisions about slots (missed, failed, done) are written to
/// the ledger.
async fn due(config: &Configuration, ledger: &Ledger, now: i64) -> Result<Vec<(String, Slot)>, RunError> {
    let (mut due, mut settled) = (Vec::new(), Vec::new());
    let paused = ledger.pauses().await?;
    for connector in &config.connectors {
        let name = &connector.name;
        if config.settings.disabled_connectors.contains(name) {
            continue;
        }
        let known = ledger.slots_of(name, now, SLOTS).await?;
        let read_at = ledger.read_whole_from(name).await?;
        let SlotDecision { due: mut slot, settled: mut of_connector } =
            run::decide_slot(&connector.file.schedule, &known, read_at, now);
        if let Some(pause) = pause_of(&paused, name)
            && let Some(due) = slot.take()
        {
            // Write it once: until the time for catching up is over, the slot is due at every check.
            if known.iter().all(|known| known.slot != due.slot) {
                let message = Some(format!("paused by `{}`", pause.paused_by));
                of_connector.push(Slot { state: SlotState::Missed, tries: 0, made_up: false, message, ..due });
            }
        }
        for slot in &of_connector {
            let moment = instant::display(slot.slot);
            let why = slot.message.as_deref().unwrap_or_default();
            if slot.state == SlotState::Done {
                tracing::info!(connector = name, slot = moment, "slot done: {why}");
            } else {
                tracing::warn!(connector = name, slot = moment, "slot {}: {why}", slot.state.name());
            }
        }
        settled.extend(of_connector.into_iter().map(|slot| (name.clone(), slot)));
        due.extend(slot.map(|slot| (name.clone(), slot)));
    }
    if !settled.is_empty() {
        ledger.write_slots(&settled).await?;
    }
    Ok(due)
}

fn pause_of<'p>(paused: &'p [Pause], name: &str) -> Option<&'p Pause> {
    paused.iter().find(|pause| pause.connector == name)
}

/// The slots of `before` that are still due.
async fn due_again(
    config: &Configuration,
    ledger: &Ledger,
    now: i64,
    before: Vec<(String, Slot)>,
) -> Result<Vec<(String, Slot)>, RunError> {
    let again = due(config, ledger, now).await?;
    Ok(again.into_iter().filter(|slot| before.contains(slot)).collect())
}
