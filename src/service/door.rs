//! The door: the address, TLS, and what holds for every answer (headers, limits, timeouts).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::service::problem::Problem;
use crate::service::{Service, ServiceError, api, metrics, pages};

/// What a request may bring.
const BODY_BYTES: usize = 64 << 10;
/// How long an answer may take to begin.
const ANSWER_SECS: u64 = 60;
/// How long a connection may take to send its first request.
const FIRST_REQUEST_SECS: u64 = 10;
/// How long a connection may take to send a request's head, and may lie idle between two.
const HEAD_SECS: u64 = 30;

/// No script at all, nothing from elsewhere, in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                                       base-uri 'none'; frame-ancestors 'none'";

/// A listener that is bound.
pub(super) struct Door {
    listener: std::net::TcpListener,
    tls: Option<RustlsConfig>,
    /// For people, for example `http://127.0.0.1:8686`.
    pub(super) url: String,
}

/// Binds the address and reads the certificate.
pub(super) async fn open(service: &Service) -> Result<Door, ServiceError> {
    let settings = &service.config.settings.service;
    let address = settings.listen;
    let listen = |source| ServiceError::Listen { address, source };
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
    let listener = std::net::TcpListener::bind(address).map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() && !bound.ip().is_loopback() {
        tracing::warn!("listening on {bound} without TLS: tokens can be read on the way");
    }
    Ok(Door { listener, tls, url: format!("{scheme}://{bound}") })
}

impl Door {
    /// Answers until the handle says otherwise.
    pub(super) async fn answer(self, service: Arc<Service>, handle: Handle<SocketAddr>) -> std::io::Result<()> {
        let app = router(&service).into_make_service_with_connect_info::<SocketAddr>();
        let mut server = axum_server::from_tcp(self.listener)?
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
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(ANSWER_SECS));
    Router::new()
        .nest("/api/v1", api::router(service))
        .merge(metrics::router())
        .merge(pages::router(service))
        .layer(CompressionLayer::new())
        .layer(timeout)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(middleware::from_fn(api_problems))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the service's log says why").into_response()
        }))
        .layer(middleware::from_fn_with_state(service.is_encrypted(), headers))
        .with_state(Arc::clone(service))
}

/// What axum itself says of a request to the API (no such method, a body that is too large) is said as a problem, too.
async fn api_problems(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let is_told = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if !is_api || is_told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this path does not know this method",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "send `application/json`",
        StatusCode::NOT_FOUND => "there is no such path; `/api/v1/openapi.json` lists those that there are",
        _ => "the request cannot be read",
    };
    let mut told = Problem::new(status, detail).into_response();
    if let Some(allow) = allow {
        told.headers_mut().insert(header::ALLOW, allow);
    }
    told
}

/// Headers of every answer.
async fn headers(
    axum::extract::State(encrypted): axum::extract::State<bool>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    // What was read with a token stays with who read it.
    set(header::CACHE_CONTROL, "no-store");
    if encrypted {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
