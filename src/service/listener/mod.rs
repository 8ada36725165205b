//! Binds the address and serves HTTP/1.1, with TLS or without: how many connections, and how long each step may take.
//!
//! A caller may hold connections, send slowly, or take no answer. None of it keeps out others: `connections` bounds how
//! many there are, `connection` how long they wait, and `guarded_stream` what is kept for them. HTTP/2 is not offered: on
//! one connection it would multiply all of these.

mod bodies;
mod connection;
mod connections;
mod guarded_stream;
mod open_files;
mod raw_answer;
mod router;
mod tls;

#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::connection::{ConnectionSettings, TimeLimits, serve_connection};
use self::connections::Connections;
use crate::service::{Service, ServiceError};

/// How long open requests may go on after the service was told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// Shortest and longest pause after a connection could not be accepted.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Connections that could not be accepted are logged at most this often.
const REPORT_EVERY: Duration = Duration::from_mins(1);

/// A bound listener, not yet serving.
pub(super) struct Listener {
    socket: TcpListener,
    settings: Arc<ConnectionSettings>,
    connections: Arc<Connections>,
    /// Address to show to people, for example `http://127.0.0.1:8686`.
    pub(super) url: String,
}

/// Binds the configured address and reads the TLS certificate, if one is configured.
pub(super) async fn bind(service: &Arc<Service>) -> Result<Listener, ServiceError> {
    let settings = &service.config.settings.service;
    let address = settings.listen;
    let failed = |source| ServiceError::Listen { address, source };
    let tls = match &settings.tls {
        None => None,
        Some((certificate, key)) => {
            let failed = |source| {
                let (certificate, key) = (certificate.clone(), key.clone());
                ServiceError::Tls { certificate, key, source }
            };
            Some(tls::acceptor(certificate, key).map_err(failed)?)
        }
    };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() && !bound.ip().is_loopback() {
        tracing::warn!("listening on {bound} without TLS: tokens can be read on the way");
    }
    let most = open_files::most_connections(settings.max_connections);
    // All connections of people come from the address of the proxy.
    let most_per_address = if settings.behind_proxy { most } else { settings.max_connections_per_address.min(most) };
    let connection_settings = ConnectionSettings {
        app: router::router(service),
        tls,
        encrypted: service.is_encrypted(),
        limits: TimeLimits::USUAL,
    };
    Ok(Listener {
        socket,
        settings: Arc::new(connection_settings),
        connections: Arc::new(Connections::new(most, most_per_address)),
        url: format!("{scheme}://{bound}"),
    })
}

impl Listener {
    /// Serves until `stop` is cancelled and the open requests are answered, or have had [`LAST_REQUESTS`] to be.
    pub(super) async fn serve(self, stop: CancellationToken) {
        let mut open = JoinSet::new();
        let mut failures = AcceptFailures::default();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = open.join_next() => continue,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    failures.pause = None;
                    if let Some(slot) = self.connections.admit(peer.ip()) {
                        let settings = Arc::clone(&self.settings);
                        open.spawn(serve_connection(stream, peer, slot, settings, stop.clone()));
                    }
                }
                Err(error) if is_of_the_client(error.kind()) => {}
                Err(error) => {
                    // Open files run out most often: closing a waiting connection frees one.
                    let closed = self.connections.close_one();
                    sleep(failures.pause_after(&error, closed)).await;
                }
            }
        }
        // Further connections are refused at once.
        drop(self.socket);
        let ended = async { while open.join_next().await.is_some() {} };
        let _ = timeout(LAST_REQUESTS, ended).await;
        open.shutdown().await;
    }
}

/// Whether a connection could not be accepted because the client has closed it already.
fn is_of_the_client(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Connections that could not be accepted, one after the other.
#[derive(Debug, Default)]
struct AcceptFailures {
    /// The pause after the last of them; `None` if a connection was accepted since.
    pause: Option<Duration>,
    reported: Option<Instant>,
    unreported: u64,
}

impl AcceptFailures {
    /// Logs a failure, unless one was logged just now. Returns how long to wait before the next attempt: longer after each
    /// failure.
    fn pause_after(&mut self, error: &std::io::Error, closed: bool) -> Duration {
        self.unreported += 1;
        if self.reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            tracing::error!(
                failures = self.unreported,
                closed,
                "cannot accept connections: {error}; if files are lacking, raise `LimitNOFILE` of the unit or `ulimit -n`"
            );
            (self.reported, self.unreported) = (Some(Instant::now()), 0);
        }
        let (shortest, longest) = PAUSES;
        let pause = self.pause.map_or(shortest, |last| (last * 2).min(longest));
        self.pause = Some(pause);
        pause
    }
}
