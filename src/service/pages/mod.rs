//! Pages for people: rendered on the server, without scripts, in Vietnamese and English.
//!
//! A page that needs a caller redirects to the login. Errors are pages, too. Every form carries the session's CSRF
//! value, and a request that another site sent changes nothing.

mod about_api;
mod address;
mod agency;
mod checks;
mod connectors;
#[cfg(test)]
mod contrast_tests;
mod error_page;
mod figures;
mod forms;
mod headlines;
mod layout;
mod login;
mod night_summary;
mod page_error;
mod run_list;
mod run_page;
mod spreadsheet;
mod tonight;
mod visitor;
mod words;
mod worklists;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use self::checks::{integrity, national, reconcile, reconcile_dossiers, unmatched};
use self::connectors::{detail, list, operations, rejected, upload};
use self::error_page::error_page;
use self::figures::{dossiers, download, indicator, one_dossier, overview, revisions};
use self::layout::{STYLE, set_cookie};
use self::page_error::PageError;
use self::visitor::{LANGUAGE_COOKIE, Visitor, language_parameter};
use crate::service::Service;
use crate::service::request_limits::{TimeExceeded, limited, limited_uploads};

/// How long the language cookie is kept.
const LANGUAGE_SECS: u64 = 365 * 24 * 3600;

/// Routes of all pages but that of uploads, with their limits and the layer that renders errors.
pub(super) fn router(service: &Arc<Service>) -> Router<Arc<Service>> {
    let wrong_method = async || PageError::new(StatusCode::METHOD_NOT_ALLOWED, "this page does not support the method");
    let routes = Router::new()
        .route("/", get(tonight::page))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/figures", get(overview::page))
        .route("/figures.xlsx", get(download::workbook))
        .route("/figures.csv", get(download::csv))
        .route("/figures/{indicator}", get(indicator::page))
        .route("/figures/{indicator}/dossiers", get(dossiers::page))
        .route("/figures/{indicator}/dossiers.csv", get(dossiers::file))
        .route("/figures/{indicator}/dossiers.xlsx", get(dossiers::file))
        .route("/figures/{indicator}/dossiers/{dossier}", get(one_dossier::page))
        .route("/figures/{indicator}/revisions", get(revisions::page))
        .route("/worklists", get(worklists::overview))
        .route("/worklists/{name}", get(worklists::page))
        .route("/worklists/{name}/dossiers.csv", get(worklists::file))
        .route("/worklists/{name}/dossiers.xlsx", get(worklists::file))
        .route("/agencies/{agency}", get(agency::page))
        .route("/reconcile", get(reconcile::page))
        .route("/reconcile.csv", get(reconcile::file))
        .route("/reconcile.xlsx", get(reconcile::file))
        .route("/reconcile/items", get(unmatched::page))
        .route("/reconcile/items.csv", get(unmatched::file))
        .route("/reconcile/items.xlsx", get(unmatched::file))
        .route("/reconcile/national", get(national::page))
        .route("/reconcile/national.csv", get(national::file))
        .route("/reconcile/national.xlsx", get(national::file))
        .route("/reconcile/{direction}/{class}", get(reconcile_dossiers::page))
        .route("/reconcile/{direction}/{class}/dossiers.csv", get(reconcile_dossiers::file))
        .route("/reconcile/{direction}/{class}/dossiers.xlsx", get(reconcile_dossiers::file))
        .route("/integrity", get(integrity::page))
        .route("/integrity.csv", get(integrity::file))
        .route("/integrity.xlsx", get(integrity::file))
        .route("/integrity/{kind}", get(integrity::listed))
        .route("/integrity/{kind}/dossiers.csv", get(integrity::dossiers_file))
        .route("/integrity/{kind}/dossiers.xlsx", get(integrity::dossiers_file))
        .route("/forms", get(forms::list))
        .route("/forms/{form}", get(forms::page))
        .route("/forms/{form}/workbook.xlsx", get(forms::workbook))
        .route("/connectors", get(list::page))
        .route("/operations/run", post(operations::run))
        .route("/operations/retry", post(operations::retry))
        .route("/operations/stop", post(operations::stop))
        .route("/connectors/{connector}", get(detail::page))
        .route("/connectors/{connector}/pause", post(operations::pause))
        .route("/connectors/{connector}/resume", post(operations::resume))
        .route("/connectors/{connector}/rejected/{id}", get(rejected::page))
        .route("/connectors/{connector}/upload/confirm", post(upload::confirm))
        .route("/connectors/{connector}/upload/discard", post(upload::discard))
        .route("/runs", get(run_list::page))
        .route("/runs/{run}", get(run_page::page))
        .route("/api", get(about_api::page))
        .route("/static/motcua.css", get(style))
        .fallback(async || PageError::not_found("there is no such page"))
        .method_not_allowed_fallback(wrong_method);
    limited(routes).layer(middleware::from_fn_with_state(Arc::clone(service), finish))
}

/// The route that receives files: the only one with a large body.
pub(super) fn upload_router(service: &Arc<Service>) -> Router<Arc<Service>> {
    let wrong_method = async || PageError::new(StatusCode::METHOD_NOT_ALLOWED, "this page does not support the method");
    let routes = Router::new()
        .route("/connectors/{connector}/upload", get(upload::page).post(upload::receive))
        .method_not_allowed_fallback(wrong_method);
    limited_uploads(routes).layer(middleware::from_fn_with_state(Arc::clone(service), finish))
}

/// The stylesheet. Browsers keep it for ever, since its address changes with its text.
async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, STYLE).into_response()
}

/// Middleware: identifies the visitor, renders errors in the visitor's language, and sets the cookie that stores
/// the chosen language.
async fn finish(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let chosen = (request.method() == Method::GET).then(|| language_parameter(request.uri())).flatten();
    let (mut parts, body) = request.into_parts();
    let visitor = Visitor::new(&parts, &service).await;
    if let Ok(visitor) = &visitor {
        parts.extensions.insert(visitor.clone());
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if (status.is_client_error() || status.is_server_error()) && !is_page {
        let known = response.extensions().get::<PageError>().cloned();
        let time = response.extensions().get::<TimeExceeded>().map(|what| PageError::timed_out(*what));
        let error = known.or(time).unwrap_or_else(|| PageError::new(status, ""));
        let allow = response.headers().get(header::ALLOW).cloned();
        response = error_page(&error, &service, &visitor.unwrap_or_default());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    // An answer that caches may keep, such as the stylesheet, carries no cookie: it would be given to other people.
    let is_kept = response.headers().contains_key(header::CACHE_CONTROL);
    if let Some(lang) = chosen.filter(|_| !is_kept) {
        let cookie = set_cookie(LANGUAGE_COOKIE, lang.code(), LANGUAGE_SECS, service.is_encrypted());
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
