//! The service (`motcua serve`): runs every night by itself and offers an API, pages, metrics and notifications.
//!
//! It changes data only through `run`, and reads what the nights published. It does not hold the lock of the data
//! folder between runs, so other verbs of the command line work beside it. A lock of its own refuses a second
//! service.

mod access;
mod activity;
mod address_group;
mod alerts;
mod answers;
mod api;
mod background;
mod caller;
mod client_address;
mod dossiers;
mod explaining;
mod ledger_summary;
mod limiter;
mod listener;
mod metrics;
mod middleware;
mod national;
mod nights;
mod old_files;
mod pages;
mod problem;
mod readable_scope;
mod request_limits;
mod runner;
mod ticker;
mod worklist_counts;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use access::{AccessStore, Caller, DossierRead, EndedSessions, OpenSession, Token, TokenScope};

use crate::config::{Configuration, PublicPart};
use crate::run::{self, Ledger, Lock, LockError, RunError};

use self::answers::Answers;
use self::background::BackgroundTasks;
use self::ledger_summary::LedgerSummaryCache;
use self::limiter::LoginLimiter;
use self::nights::NightCache;
use self::runner::Runner;
use self::worklist_counts::WorklistCountCache;

/// Why the service cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot listen on `{address}`: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot use TLS certificate `{certificate}` with key `{key}`: {source}")]
    Tls { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("the scheduler failed: {0}")]
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

/// State that request handlers and background tasks share.
#[derive(Debug)]
struct Service {
    config: Arc<Configuration>,
    data: PathBuf,
    ledger: Ledger,
    ledger_summary: LedgerSummaryCache,
    access: AccessStore,
    nights: NightCache,
    worklist_counts: WorklistCountCache,
    answers: Answers,
    runner: Arc<Runner>,
    logins: LoginLimiter,
}

impl Service {
    /// Whether a part is answered without a token.
    fn is_public(&self, part: PublicPart) -> bool {
        self.config.settings.service.public.contains(&part)
    }

    /// The run under way, whichever process does it: its number in the ledger. `None` while old files are removed after a night.
    async fn run_under_way(&self) -> Result<Option<i64>, RunError> {
        run::run_under_way(&self.ledger, &self.data).await
    }

    /// Whether a run is under way, or was one before it of the same verb: such runs are stopped together.
    async fn can_be_stopped(&self, run: i64) -> Result<bool, RunError> {
        Ok(run::runs_under_way(&self.ledger, &self.data).await?.is_some_and(|runs| runs.contains(&run)))
    }

    /// Whether people reach the service by HTTPS: its own, or that of a proxy in front of it.
    fn is_encrypted(&self) -> bool {
        let settings = &self.config.settings.service;
        settings.tls.is_some() || settings.behind_proxy
    }
}

/// Serves until SIGTERM or Ctrl-C. Calls `on_listening` once, with the URL that it listens on.
///
/// # Errors
/// Another service runs on the data folder, or the address or the certificate cannot be used.
pub async fn serve(config: Configuration, on_listening: impl FnOnce(&str)) -> Result<(), ServiceError> {
    let data = config.settings.data.clone();
    let _lock = Lock::take_for_service(&data, run::now())?;
    run::protect(&data, config.settings.reader_group.as_deref())?;
    let ledger = Ledger::open(&data).await?;
    let access = AccessStore::open(&data).await?;
    let runner = Arc::new(Runner::default());
    let service = Arc::new(Service {
        config: Arc::new(config),
        nights: NightCache::new(data.clone()),
        worklist_counts: WorklistCountCache::default(),
        answers: Answers::new(data.clone()),
        data,
        ledger,
        ledger_summary: LedgerSummaryCache::default(),
        access,
        runner,
        logins: LoginLimiter::default(),
    });
    let listener = listener::bind(&service).await?;
    on_listening(&listener.url);
    // Pages and API answer until the last run has ended.
    let (stop, stop_answering) = (CancellationToken::new(), CancellationToken::new());
    let answering = tokio::spawn(listener.serve(stop_answering.clone()));
    let mut scheduler = ticker::start(&service.config, &service.runner).await?;
    let each_minute = [
        tokio::spawn(ticker::wake_each_minute(Arc::clone(&service.runner))),
        tokio::spawn(ticker::remove_uploads_each_minute(Arc::clone(&service.config))),
    ];
    service.runner.wake();
    let stopping = async {
        stop_signal().await;
        tracing::warn!("stopping: a stop signal was received");
        stop.cancel();
        // An abrupt end loses nothing, so a second signal ends the process at once.
        tokio::spawn(async {
            stop_signal().await;
            exit_at_once();
        });
    };
    tokio::join!(run_until_stopped(&service, &stop), stopping);
    each_minute.iter().for_each(tokio::task::JoinHandle::abort);
    scheduler.shutdown().await?;
    stop_answering.cancel();
    let _ = answering.await;
    service.ledger.clone().close().await;
    service.access.clone().close().await;
    Ok(())
}

/// Runs what is due whenever the runner is woken, and wakes the background tasks after each run.
async fn run_until_stopped(service: &Arc<Service>, stop: &CancellationToken) {
    let background = BackgroundTasks::start(service, stop);
    let after = |ran: bool| background.wake(ran);
    Box::pin(service.runner.run_until_stopped(&service.config, &service.ledger, stop, after)).await;
    background.join().await;
}

#[expect(clippy::exit, reason = "a second stop signal asks for an immediate end")]
fn exit_at_once() -> ! {
    std::process::exit(130)
}

/// Waits for the next SIGTERM or Ctrl-C.
async fn stop_signal() {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
