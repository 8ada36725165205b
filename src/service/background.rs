//! Background tasks that follow the runs: publish the newest night elsewhere, and send notifications.
//!
//! They are two tasks beside the runner. A database or a webhook receiver that does not answer delays no slot, and a
//! long run delays neither task.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::run::{self, PublicationOutcome};
use crate::service::Service;
use crate::service::alerts::Alerts;

/// The publishing task and the notifying task.
#[derive(Debug)]
pub(super) struct BackgroundTasks {
    signals: Arc<Signals>,
    tasks: [JoinHandle<()>; 2],
}

/// What wakes the two tasks.
#[derive(Debug, Default)]
struct Signals {
    publish: Notify,
    notify: Notify,
    /// A run has ended since the last publication.
    is_new: AtomicBool,
}

impl BackgroundTasks {
    /// Starts both tasks; they end when `stop` is cancelled.
    pub(super) fn start(service: &Arc<Service>, stop: &CancellationToken) -> Self {
        let signals = Arc::new(Signals::default());
        let publishing = until_cancelled(stop.clone(), publish(Arc::clone(service), Arc::clone(&signals)));
        let notifying = until_cancelled(stop.clone(), notify(Arc::clone(service), Arc::clone(&signals)));
        Self { signals, tasks: [tokio::spawn(publishing), tokio::spawn(notifying)] }
    }

    /// Wakes both tasks. Call it after each wake-up of the runner; `ran` is true if a run has just ended.
    pub(super) fn wake(&self, ran: bool) {
        self.signals.is_new.fetch_or(ran, Ordering::Relaxed);
        self.signals.publish.notify_one();
        self.signals.notify.notify_one();
    }

    /// Waits until both tasks have ended.
    pub(super) async fn join(self) {
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn until_cancelled(stop: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = task => {}
    }
}

async fn publish(service: Arc<Service>, signals: Arc<Signals>) {
    loop {
        signals.publish.notified().await;
        let is_new = signals.is_new.swap(false, Ordering::Relaxed);
        survive_panic("publication", Box::pin(publish_newest(&service, is_new))).await;
        signals.notify.notify_one();
    }
}

async fn notify(service: Arc<Service>, signals: Arc<Signals>) {
    let alerts = Alerts::new(&service);
    loop {
        signals.notify.notified().await;
        survive_panic("notification", alerts.send_new(&service)).await;
    }
}

/// Runs `act` and logs a panic, so that the task goes on. The panic hook has logged its message; the next wake-up
/// tries again.
async fn survive_panic(what: &str, act: impl Future<Output = ()>) {
    if AssertUnwindSafe(act).catch_unwind().await.is_err() {
        tracing::error!("{what} ended in a panic");
    }
}

/// Publishes the newest night: at once if it is new, else if the target is behind and the next attempt is due.
async fn publish_newest(service: &Service, is_new: bool) {
    let (config, ledger) = (&service.config, &service.ledger);
    let published = if is_new {
        run::publish_newest(config, &service.data, ledger).await
    } else {
        run::publish_due(config, ledger, run::now()).await
    };
    match published {
        Ok(Some(PublicationOutcome::Failed { message, .. })) if is_new => {
            tracing::warn!("the newest night was not published elsewhere; it is tried again later: {message}");
        }
        Ok(_) => {}
        Err(error) => tracing::error!("the newest night cannot be published elsewhere: {error}"),
    }
}
