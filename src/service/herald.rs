//! What comes after a bell: publishing what is behind, and telling what has changed. Two tasks beside the runner, so that a
//! database or a listener that does not answer holds up no slot, and a run that is busy holds up neither.

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

/// The two that publish and tell.
#[derive(Debug)]
pub(super) struct Heralds {
    calls: Arc<Calls>,
    tasks: [JoinHandle<()>; 2],
}

/// What they wait for.
#[derive(Debug, Default)]
struct Calls {
    publish: Notify,
    tell: Notify,
    /// A run has ended since the last publication.
    is_new: AtomicBool,
}

impl Heralds {
    /// Begins both; they leave off when they are told to stop.
    pub(super) fn begin(service: &Arc<Service>, stop: &CancellationToken) -> Self {
        let calls = Arc::new(Calls::default());
        let publishing = until(stop.clone(), publish(Arc::clone(service), Arc::clone(&calls)));
        let telling = until(stop.clone(), tell(Arc::clone(service), Arc::clone(&calls)));
        Self { calls, tasks: [tokio::spawn(publishing), tokio::spawn(telling)] }
    }

    /// After a bell; `ran`: after a run.
    pub(super) fn call(&self, ran: bool) {
        self.calls.is_new.fetch_or(ran, Ordering::Relaxed);
        self.calls.publish.notify_one();
        self.calls.tell.notify_one();
    }

    /// Waits until both have left off.
    pub(super) async fn end(self) {
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn until(stop: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = task => {}
    }
}

async fn publish(service: Arc<Service>, calls: Arc<Calls>) {
    loop {
        calls.publish.notified().await;
        let is_new = calls.is_new.swap(false, Ordering::Relaxed);
        unharmed("publication", Box::pin(publish_newest(&service, is_new))).await;
        calls.tell.notify_one();
    }
}

async fn tell(service: Arc<Service>, calls: Arc<Calls>) {
    let alerts = Alerts::new(&service);
    loop {
        calls.tell.notified().await;
        unharmed("telling", alerts.after_bell(&service)).await;
    }
}

/// A panic has told itself; the next call tries again.
async fn unharmed(what: &str, act: impl Future<Output = ()>) {
    if AssertUnwindSafe(act).catch_unwind().await.is_err() {
        tracing::error!("{what} ended in a panic");
    }
}

/// Publishes the newest night: at once where it is new, else if it is behind and its time has come.
async fn publish_newest(service: &Service, is_new: bool) {
    let (config, ledger) = (&service.config, &service.ledger);
    let published = if is_new {
        run::publish_newest(config, &service.data, ledger).await
    } else {
        run::publish_due(config, ledger, run::now()).await
    };
    match published {
        Ok(Some(PublicationOutcome::Failed { message, .. })) if is_new => {
            tracing::warn!("not published elsewhere, and tried again later: {message}");
        }
        Ok(_) => {}
        Err(error) => tracing::error!("the newest night cannot be published elsewhere: {error}"),
    }
}
