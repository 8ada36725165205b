//! One connection: TLS if it is configured, then HTTP/1.1 until either side ends it. Each step has a time limit.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::run;
use crate::service::listener::bodies::{AnswerBody, AnswerEnd, ReceivedBody};
use crate::service::listener::connections::ConnectionSlot;
use crate::service::listener::guarded_stream::GuardedStream;
use crate::service::listener::raw_answer::raw_answer;

/// Largest head of a request: request line and headers.
const HEAD_BYTES: usize = 32 << 10;
/// Largest buffer of a connection in each direction.
const BUFFER_BYTES: usize = 64 << 10;
/// How long the last answer to a client may take that was too slow already.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// How long each step of a connection may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The TLS handshake.
    pub(super) handshake: Duration,
    /// From the end of an answer, or the beginning of the connection, until the next head is received: idle time included.
    pub(super) head: Duration,
    /// Each part of the body of a request.
    pub(super) body: Duration,
    /// Until the client has taken some kilobytes of an answer.
    pub(super) write: Duration,
}

impl TimeLimits {
    pub(super) const USUAL: Self = Self {
        handshake: Duration::from_secs(10),
        head: Duration::from_secs(30),
        body: Duration::from_secs(20),
        write: Duration::from_secs(30),
    };
}

/// What all connections share.
pub(super) struct ConnectionSettings {
    pub(super) app: Router,
    pub(super) tls: Option<TlsAcceptor>,
    /// Whether people reach the service by HTTPS: its own, or that of a proxy in front of it.
    pub(super) encrypted: bool,
    pub(super) limits: TimeLimits,
}

/// Serves a connection until it ends, is closed for another one, or `stop` is cancelled and its request is answered.
pub(super) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    slot: ConnectionSlot,
    settings: Arc<ConnectionSettings>,
    stop: CancellationToken,
) {
    // Answers are written in few parts, which must not wait for each other's acknowledgement.
    let _ = stream.set_nodelay(true);
    let serving = async {
        match &settings.tls {
            None => serve_stream(stream, peer, &slot, &settings, &stop).await,
            Some(tls) => match timeout(settings.limits.handshake, tls.accept(stream)).await {
                Ok(Ok(stream)) => serve_stream(stream, peer, &slot, &settings, &stop).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    };
    tokio::select! {
        () = slot.close.cancelled() => {}
        () = serving => {}
    }
}

async fn serve_stream<S>(
    stream: S,
    peer: SocketAddr,
    slot: &ConnectionSlot,
    settings: &ConnectionSettings,
    stop: &CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (activity, limits) = (Arc::clone(&slot.activity), settings.limits);
    let guarded = GuardedStream::new(stream, Arc::clone(&activity), limits.write, settings.encrypted);
    let app = TowerToHyperService::new(settings.app.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        activity.begin_request(!request.body().is_end_stream());
        let end = AnswerEnd::of(&activity);
        let mut request = request.map(|body| Body::new(ReceivedBody::new(body, Arc::clone(&activity), limits.body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Arc::clone(&activity));
        let answer = app.call(request);
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| AnswerBody::new(body, end)))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    builder.max_header_size(HEAD_BYTES).max_buf_size(BUFFER_BYTES);
    let mut connection = builder.serve_connection(TokioIo::new(guarded), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let Err(error) = ended else { return };
    tracing::debug!(%error, "a connection ended");
    if error.is_timeout() {
        let parts = connection.into_parts();
        let has_begun = !parts.read_buf.is_empty();
        answer_timed_out(parts.io.into_inner().into_inner(), has_begun, settings.encrypted).await;
    }
}

/// Ends a connection on which no head was received in time. A client that has sent a part of one gets 408.
async fn answer_timed_out(mut stream: impl AsyncWrite + Unpin, has_begun: bool, encrypted: bool) {
    let answering = async {
        if has_begun {
            let answer = raw_answer(StatusCode::REQUEST_TIMEOUT, encrypted, run::now());
            stream.write_all(&answer).await?;
        }
        stream.shutdown().await
    };
    // The connection is closed either way.
    let _ = timeout(LAST_ANSWER, answering).await;
}
