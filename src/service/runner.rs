//! The one task that works in the data folder: whatever is due by the schedule, and what is ordered through API and pages.
//!
//! A bell rings it; what is due it decides from the ledger. One run at a time: what comes meanwhile waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Configuration;
use crate::model::pull::{Outcome, Purpose};
use crate::run::{
    self, DataFolder, Ledger, LockError, Pause, RunError, RunReport, Slot, SlotDecision, SlotState, with_causes,
};

/// Slots that are looked at.
const SLOTS: i64 = 500;

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// A night now: these connectors, or all.
    Night(Vec<String>),
    /// Rejected rows again: of these connectors, or of all.
    Retry(Vec<String>),
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) purpose: Purpose,
    pub(super) since: i64,
    pub(super) step: String,
}

/// What could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undone {
    pub(super) since: i64,
    /// Without cells.
    pub(super) message: String,
}

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Busy;

/// The order that waits, and what is under way.
#[derive(Debug, Default)]
pub(super) struct Runner {
    bell: Notify,
    order: Mutex<Option<Order>>,
    under_way: Mutex<Option<UnderWay>>,
    /// Why what was to be done last could not be done.
    undone: Mutex<Option<Undone>>,
    /// When the schedule was looked at last, by a clock that nobody sets.
    looked: Mutex<Option<Instant>>,
}

impl Runner {
    /// Something may be due.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Takes an order, unless something is under way or ordered already.
    pub(super) fn order(&self, order: Order) -> Result<(), Busy> {
        let mut waiting = self.waiting();
        if waiting.is_some() || self.under_way().is_some() {
            return Err(Busy);
        }
        *waiting = Some(order);
        drop(waiting);
        self.ring();
        Ok(())
    }

    pub(super) fn under_way(&self) -> Option<UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long ago the schedule was looked at; none before the first time. It is rung each minute, so more than a few minutes
    /// without a run under way say that it stands still.
    pub(super) fn looked_ago(&self) -> Option<Duration> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).map(|looked| looked.elapsed())
    }

    /// Why what was ordered or due last could not be done; none where it was.
    pub(super) fn undone(&self) -> Option<Undone> {
        self.undone.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, undone: Option<String>) {
        let undone = undone.map(|message| Undone { since: run::now(), message });
        *self.undone.lock().unwrap_or_else(PoisonError::into_inner) = undone;
    }

    /// Whether an order waits.
    pub(super) fn is_ordered(&self) -> bool {
        self.waiting().is_some()
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Order>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, under_way: Option<UnderWay>) {
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
    }

    fn tell(&self, step: &str) {
        if let Some(under_way) = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            step.clone_into(&mut under_way.step);
        }
    }

    /// Works until it is told to stop: what is under way then goes on for as long as the settings allow, and is left to the
    /// next start after that. `after` is called after each run and each bell, and told whether there was a run.
    pub(super) async fn work(
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
                () = self.bell.notified() => {}
            }
            let mut is_more = true;
            while is_more && !stop.is_cancelled() {
                tokio::select! {
                    more = self.work_once(config, ledger) => is_more = more,
                    () = &mut out_of_time => {
                        tracing::warn!("the run under way did not end in time: the next start finishes it");
                        return;
                    }
                }
                after(is_more);
            }
        }
        if self.is_ordered() {
            tracing::warn!("what was ordered last is not begun: order it again");
        }
    }

    /// Does what was ordered, else what is due; tells whether there was anything. Whatever goes wrong, the service stands.
    async fn work_once(&self, config: &Configuration, ledger: &Ledger) -> bool {
        let now = run::now();
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let work = async {
            let order = self.waiting().take();
            match order {
                Some(order) => self.fulfil(config, order, now).await,
                None => self.run_due(config, ledger, now).await,
            }
        };
        let done = AssertUnwindSafe(work).catch_unwind().await;
        self.set(None);
        match done {
            Ok(Ok(is_more)) => {
                // A bell at which nothing was due says nothing.
                if is_more {
                    self.note(None);
                }
                is_more
            }
            // Whoever holds the folder will let go of it; the next bell asks again.
            Ok(Err(RunError::Lock(LockError::Held { holder, .. }))) => {
                tracing::info!("the data folder is held by {holder}: waiting");
                false
            }
            Ok(Err(error)) => {
                let message = with_causes(&error);
                tracing::error!("the run could not be done: {message}");
                self.note(Some(message));
                false
            }
            // The panic has told itself. A slot that it leaves begun is tried again, three times at most.
            Err(_) => {
                tracing::error!("the run ended in a panic");
                self.note(Some(RunError::Panicked.to_string()));
                false
            }
        }
    }

    async fn fulfil(&self, config: &Configuration, order: Order, now: i64) -> Result<bool, RunError> {
        let purpose = if matches!(order, Order::Night(_)) { Purpose::Night } else { Purpose::Retry };
        self.set(Some(UnderWay { purpose, since: now, step: String::new() }));
        let folder = match DataFolder::open(config, &config.settings.data, "serve", now).await {
            Ok(folder) => folder,
            Err(error) => {
                if matches!(error, RunError::Lock(LockError::Held { .. })) {
                    *self.waiting() = Some(order);
                }
                return Err(error);
            }
        };
        let watch = |step: &str| self.tell(step);
        let done = match &order {
            Order::Night(connectors) => folder.run_once(connectors, now, &watch).await.map(Some),
            Order::Retry(connectors) => match folder.retry(connectors, now, &watch).await {
                Err(RunError::NothingToRetry) => {
                    tracing::info!("nothing was in quarantine that could be retried");
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

    /// Runs the connectors whose slots are due, in one run; tells whether there were any.
    async fn run_due(&self, config: &Configuration, ledger: &Ledger, now: i64) -> Result<bool, RunError> {
        let due = due(config, ledger, now).await?;
        if due.is_empty() {
            return Ok(false);
        }
        self.set(Some(UnderWay { purpose: Purpose::Night, since: now, step: String::new() }));
        // Whoever holds the folder may have read them meanwhile: what is due is decided again when it is ours.
        let folder = DataFolder::open(config, &config.settings.data, "serve", now).await?;
        let mut due = due_again(config, ledger, now, due).await?;
        folder.ledger.write_slots(&due).await?;
        let names: Vec<String> = due.iter().map(|(connector, _)| connector.clone()).collect();
        for (connector, slot) in &due {
            tracing::info!(connector, slot = crate::model::instant::display(slot.slot), made_up = slot.made_up, "due");
        }
        let ran = if names.is_empty() {
            Ok(None)
        } else {
            folder.run_once(&names, now, &|step: &str| self.tell(step)).await.map(Some)
        };
        let (state, message) = match &ran {
            Ok(_) => (SlotState::Done, None),
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

/// The slots that are due now; whatever else was decided of the schedule is written down.
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
            // Once: while it may still be made up it is due at every bell.
            if known.iter().all(|known| known.slot != due.slot) {
                let message = Some(format!("paused by `{}`", pause.paused_by));
                of_connector.push(Slot { state: SlotState::Missed, tries: 0, made_up: false, message, ..due });
            }
        }
        for slot in &of_connector {
            let moment = crate::model::instant::display(slot.slot);
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

/// Those that are still due.
async fn due_again(
    config: &Configuration,
    ledger: &Ledger,
    now: i64,
    before: Vec<(String, Slot)>,
) -> Result<Vec<(String, Slot)>, RunError> {
    let again = due(config, ledger, now).await?;
    Ok(again.into_iter().filter(|slot| before.contains(slot)).collect())
}
