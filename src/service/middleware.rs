//! Middleware: RFC 9457 bodies for the errors that axum answers itself, and the headers of every answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::service::Service;
use crate::service::address_group::AddressGroup;
use crate::service::caller::{cookie, session_cookie};
use crate::service::client_address::client_address;
use crate::service::problem::Problem;

/// No scripts, nothing from other origins, no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                                       base-uri 'none'; frame-ancestors 'none'";

/// Security headers of every answer, those included that are made without the router.
pub(super) const SECURITY_HEADERS: [(&str, &str); 8] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    // No cache may keep what was read with a token.
    ("cache-control", NO_STORE),
];

/// The header of answers over HTTPS: browsers do not use HTTP for this host.
pub(super) const HSTS: (&str, &str) = ("strict-transport-security", "max-age=31536000");

const NO_STORE: &str = "no-store";

/// Replaces the plain-text errors that axum itself gives below `/api/` (405, 413, 415, …) by problems, and errors without a
/// body anywhere; keeps `Allow`.
pub(super) async fn problem_bodies(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_left = kind.is_some_and(|kind| !is_api || kind == "application/problem+json");
    if is_left || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this path does not support this method",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "send `application/json`",
        StatusCode::NOT_FOUND => "there is no such path; `/api/v1/openapi.json` lists the paths",
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => "timed out: the answer was not ready in time",
        _ => "the request cannot be read",
    };
    let mut problem = Problem::new(status, detail).into_response();
    if let Some(allow) = allow {
        problem.headers_mut().insert(header::ALLOW, allow);
    }
    problem
}

/// Counts large answers for the address and the token or session of their request. Whether these are valid does not matter here:
/// without a valid one there is no large answer.
pub(super) async fn count_answers(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return next.run(request).await;
    };
    let headers = request.headers();
    let address = client_address(service.config.settings.service.behind_proxy, peer.ip(), headers);
    let token = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let session = || cookie(headers, session_cookie(service.is_encrypted())).map(str::as_bytes);
    let caller = service.answers.caller(AddressGroup::of(address), token.or_else(session));
    caller.scope(next.run(request)).await
}

/// Adds security headers to every answer, unless the handler has set the header itself. An answer with a cookie is kept by
/// no cache, whatever the handler has set.
pub(super) async fn security_headers(State(encrypted): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS.into_iter().chain(encrypted.then_some(HSTS)) {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if headers.contains_key(header::SET_COOKIE) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn no_cache_keeps_an_answer_with_a_cookie() {
        let kept = "public, max-age=60";
        let router: Router = Router::new()
            .route("/", get(async || "no header of its own"))
            .route("/kept", get(async move || ([(header::CACHE_CONTROL, kept)], "kept")))
            .route("/cookie", get(async move || ([(header::CACHE_CONTROL, kept), (header::SET_COOKIE, "a=b")], "")))
            .layer(from_fn_with_state(true, security_headers));
        for (path, expected) in [("/", NO_STORE), ("/kept", kept), ("/cookie", NO_STORE), ("/absent", NO_STORE)] {
            let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
            let Ok(answer) = TowerToHyperService::new(router.clone()).call(request).await;
            assert_eq!(answer.headers()[header::CACHE_CONTROL], expected, "{path}");
            assert_eq!(answer.headers()[HSTS.0], HSTS.1, "{path}");
        }
    }
}
