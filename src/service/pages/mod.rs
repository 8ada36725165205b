//! Pages for people: made on the server, without script, in Vietnamese first.
//!
//! A page asked for without a session leads to the login; what went wrong is a page like any other. Every form
//! repeats the session's CSRF value, and a request that comes from another site changes nothing.

mod about_api;
mod connectors;
mod figures;
mod layout;
mod login;
mod runs;
mod trouble;
mod visitor;
mod words;

pub(super) use words::explanation;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use self::layout::{STYLE, cookie_line};
use self::trouble::Trouble;
use self::visitor::{Visitor, asked_language};
use crate::service::Service;

/// How long a language that was chosen is remembered.
const LANGUAGE_SECS: u64 = 365 * 24 * 3600;

/// Every page, and the layer that says what went wrong.
pub(super) fn router(service: &Arc<Service>) -> Router<Arc<Service>> {
    Router::new()
        .route("/", get(async || Redirect::to("/figures")))
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/figures", get(figures::overview))
        .route("/figures.xlsx", get(figures::workbook))
        .route("/figures.csv", get(figures::csv))
        .route("/figures/{indicator}", get(figures::indicator))
        .route("/connectors", get(connectors::list))
        .route("/operations/run", post(connectors::run))
        .route("/operations/retry", post(connectors::retry))
        .route("/connectors/{connector}", get(connectors::detail::page))
        .route("/connectors/{connector}/pause", post(connectors::pause))
        .route("/connectors/{connector}/resume", post(connectors::resume))
        .route("/connectors/{connector}/rejected/{id}", get(connectors::rejected::page))
        .route("/runs/{run}", get(runs::run))
        .route("/api", get(about_api::page))
        .route("/static/motcua.css", get(style))
        .fallback(async || Trouble::not_found("there is no such page"))
        .method_not_allowed_fallback(async || Trouble::new(StatusCode::METHOD_NOT_ALLOWED, "another method is needed"))
        .layer(middleware::from_fn_with_state(Arc::clone(service), finish))
}

/// Its address holds a digest of its text: it is asked for once.
async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, STYLE).into_response()
}

/// Says in the visitor's language what went wrong, and remembers the language that was asked for.
async fn finish(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let chosen = (request.method() == Method::GET).then(|| asked_language(request.uri())).flatten();
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::of(&mut parts, &service).await;
    if let Ok(visitor) = &visitor {
        parts.extensions.insert(visitor.clone());
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if (status.is_client_error() || status.is_server_error()) && !is_page {
        let told = response.extensions().get::<Trouble>().cloned();
        let trouble = told.unwrap_or_else(|| Trouble::new(status, ""));
        let allow = response.headers().get(header::ALLOW).cloned();
        response = trouble.page(&service, &visitor.unwrap_or_default());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    if let Some(lang) = chosen {
        let line = cookie_line("motcua_lang", lang.code(), LANGUAGE_SECS, service.is_encrypted());
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}
