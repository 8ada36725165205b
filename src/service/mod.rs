//! The service: every night by itself, an API, pages, metrics and alerts over what the nights leave.
//!
//! It acts through `run` and reads what the nights published. It does not hold the data folder between runs, so the verbs of
//! the command line work beside it; a lock of its own keeps a second service away.

mod access;
mod alerts;
mod api;
mod bell;
mod caller;
mod door;
mod herald;
mod limiter;
mod metrics;
mod nights;
mod pages;
mod problem;
mod runner;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum_server::Handle;
use tokio_util::sync::CancellationToken;

pub use access::{Access, Caller, Read, Scope, Token};

use crate::config::{Configuration, PublicPart};
use crate::run::{self, Ledger, Lock, LockError, RunError};

use self::herald::Heralds;
use self::limiter::FailedLogins;
use self::nights::Nights;
use self::runner::Runner;

/// How long requests under way may go on once the runs have ended.
const LAST_REQUESTS: std::time::Duration = std::time::Duration::from_secs(5);

/// Why the service cannot stand, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot listen on `{address}`: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot use TLS certificate `{certificate}` with key `{key}`: {source}")]
    Tls { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("the scheduler: {0}")]
    Scheduler(#[from] tokio_cron_scheduler::JobSchedulerError),
}

impl From<LockError> for ServiceError {
    fn from(error: LockError) -> Self {
        Self::Run(error.into())
    }
}

impl From<sqlx::Error> for ServiceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Run(error.into())
    }
}

/// What every request and every bell sees.
#[derive(Debug)]
struct Service {
    config: Arc<Configuration>,
    data: PathBuf,
    ledger: Ledger,
    access: Access,
    nights: Nights,
    runner: Arc<Runner>,
    failed_logins: FailedLogins,
}

impl Service {
    /// Whether a part is answered without a token.
    fn is_public(&self, part: PublicPart) -> bool {
        self.config.settings.service.public.contains(&part)
    }

    /// Whether people reach it by HTTPS.
    fn is_encrypted(&self) -> bool {
        let settings = &self.config.settings.service;
        settings.tls.is_some() || settings.behind_proxy
    }
}

/// Stands until it is told to stop (SIGTERM, Ctrl-C). `told` is given the address that it listens on.
///
/// # Errors
/// Another service stands on the data folder, or the address or the certificate cannot be used.
pub async fn serve(config: Configuration, told: impl FnOnce(&str)) -> Result<(), ServiceError> {
    let data = config.settings.data.clone();
    let _lock = Lock::take_for_service(&data, run::now())?;
    let ledger = Ledger::open(&data).await?;
    let access = Access::open(&data).await?;
    let runner = Arc::new(Runner::default());
    let service = Arc::new(Service {
        config: Arc::new(config),
        nights: Nights::new(data.clone()),
        data,
        ledger,
        access,
        runner,
        failed_logins: FailedLogins::default(),
    });
    let door = door::open(&service).await?;
    told(&door.url);
    let stop = CancellationToken::new();
    let handle = Handle::new();
    let answering = tokio::spawn(door.answer(Arc::clone(&service), handle.clone()));
    let mut bell = bell::hang(&service.config, &service.runner).await?;
    let minutes = tokio::spawn(bell::each_minute(Arc::clone(&service.runner)));
    service.runner.ring();
    let stopping = async {
        told_to_stop().await;
        tracing::warn!("told to stop");
        stop.cancel();
        // Nothing depends on an orderly end: whoever asks twice gets it at once.
        tokio::spawn(async {
            told_to_stop().await;
            end_at_once();
        });
    };
    tokio::join!(work(&service, &stop), stopping);
    minutes.abort();
    bell.shutdown().await?;
    handle.graceful_shutdown(Some(LAST_REQUESTS));
    let _ = answering.await;
    service.ledger.clone().close().await;
    service.access.clone().close().await;
    Ok(())
}

/// Runs what is due at each bell; what comes after it is the heralds'.
async fn work(service: &Arc<Service>, stop: &CancellationToken) {
    let heralds = Heralds::begin(service, stop);
    let after = |ran: bool| heralds.call(ran);
    Box::pin(service.runner.work(&service.config, &service.ledger, stop, after)).await;
    heralds.end().await;
}

#[expect(clippy::exit, reason = "asked for twice")]
fn end_at_once() -> ! {
    std::process::exit(130)
}

/// Ends at the next SIGTERM or Ctrl-C.
async fn told_to_stop() {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
