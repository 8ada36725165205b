//! Binds the address, serves HTTP or HTTPS, and puts the middleware round the routes: headers, limits, timeouts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::service::middleware::{problem_bodies, security_headers};
use crate::service::problem::Problem;
use crate::service::{Service, ServiceError, api, metrics, pages};

/// Maximum size of a request body, but for that of an upload.
const BODY_BYTES: usize = 64 << 10;
/// How long a handler may take until its answer begins.
const ANSWER_SECS: u64 = 60;
/// The same for an upload, with the time that the file takes.
const UPLOAD_SECS: u64 = 300;
/// How long a new connection may take to send its first request.
const FIRST_REQUEST_SECS: u64 = 10;
/// How long a connection may take to send a request's head, and how long it may be idle between two requests.
const HEAD_SECS: u64 = 30;

/// A bound listener, not yet serving.
pub(super) struct Listener {
    socket: std::net::TcpListener,
    tls: Option<RustlsConfig>,
    /// Address to show to people, for example `http://127.0.0.1:8686`.
    pub(super) url: String,
}

/// Binds the configured address and reads the TLS certificate, if one is configured.
pub(super) async fn bind(service: &Service) -> Result<Listener, ServiceError> {
    let settings = &service.config.settings.service;
    let address = settings.listen;
    let failed = |source| ServiceError::Listen { address, source };
    let tls = match &settings.tls {
        None => None,
        Some((certificate, key)) => {
            let read = RustlsConfig::from_pem_chain_file(certificate, key).await;
            let failed = |source| {
                let (certificate, key) = (certificate.clone(), key.clone());
                ServiceError::Tls { certificate, key, source }
            };
            Some(read.map_err(failed)?)
        }
    };
    let socket = std::net::TcpListener::bind(address).map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() && !bound.ip().is_loopback() {
        tracing::warn!("listening on {bound} without TLS: tokens can be read on the way");
    }
    Ok(Listener { socket, tls, url: format!("{scheme}://{bound}") })
}

impl Listener {
    /// Serves until `handle` is shut down.
    pub(super) async fn serve(self, service: Arc<Service>, handle: Handle<SocketAddr>) -> std::io::Result<()> {
        let app = router(&service).into_make_service_with_connect_info::<SocketAddr>();
        let mut server = axum_server::from_tcp(self.socket)?
            .handle(handle)
            .first_request_timeout(Duration::from_secs(FIRST_REQUEST_SECS))
            .acceptor(DefaultAcceptor::new());
        server.http_builder().http1().header_read_timeout(Duration::from_secs(HEAD_SECS));
        match self.tls {
            None => server.serve(app).await,
            Some(tls) => server.acceptor(RustlsAcceptor::new(tls)).serve(app).await,
        }
    }
}

fn router(service: &Arc<Service>) -> Router {
    let timeout = |secs| TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(secs));
    Router::new()
        .nest("/api/v1", api::router(service))
        .merge(metrics::router())
        .merge(pages::router(service))
        .layer(timeout(ANSWER_SECS))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .merge(pages::upload_router(service).layer(timeout(UPLOAD_SECS)))
        .layer(CompressionLayer::new())
        .layer(from_fn(problem_bodies))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "see the service's log").into_response()
        }))
        .layer(from_fn_with_state(service.is_encrypted(), security_headers))
        .with_state(Arc::clone(service))
}
