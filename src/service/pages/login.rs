//! Login with a token, and logout.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::address::local_path;
use super::layout::{Layout, html, set_cookie};
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::run;
use crate::service::Service;
use crate::service::caller::{cookie, session_cookie};
use crate::service::client_address::client_address;
use crate::service::problem::BEARER_CHALLENGE;

/// Page after a login that names no other.
const HOME: &str = "/";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    layout: Layout<'a>,
    next: &'a str,
    failed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginQuery {
    /// Page after the login.
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LogoutForm {
    #[serde(default)]
    csrf: String,
}

/// `GET /login`.
pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<LoginQuery>,
) -> Result<Response, PageError> {
    let next = local_path(&query.next).unwrap_or(HOME);
    if visitor.caller.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let layout = Layout::new(&service, &visitor, visitor.lang.words().log_in, "login");
    html(&LoginPage { layout, next, failed: false })
}

/// `POST /login`: opens a session and redirects; 401 for a wrong token, 429 after too many failed logins.
pub(super) async fn log_in(
    State(service): State<Arc<Service>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, PageError> {
    visitor.require_same_origin()?;
    let behind_proxy = service.config.settings.service.behind_proxy;
    let (now, address) = (run::now(), client_address(behind_proxy, peer.ip(), &headers));
    let attempt = service.logins.begin(address, now).map_err(PageError::retry_after)?;
    tokio::time::sleep(attempt.delay).await;
    let next = local_path(&form.next).unwrap_or(HOME);
    let hours = service.config.settings.service.session_hours;
    let Some(session) = service.access.log_in(form.token.trim(), hours, now).await? else {
        tracing::warn!("login failed: the token is not valid");
        let layout = Layout::new(&service, &visitor, visitor.lang.words().log_in, "login");
        let mut response = html(&LoginPage { layout, next, failed: true })?;
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(header::WWW_AUTHENTICATE, BEARER_CHALLENGE);
        return Ok(response);
    };
    attempt.succeeded();
    let encrypted = service.is_encrypted();
    let cookie = set_cookie(session_cookie(encrypted), &session, u64::from(hours) * 3600, encrypted);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// `POST /logout`: ends the session.
pub(super) async fn log_out(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<LogoutForm>,
) -> Result<Response, PageError> {
    visitor.own_session(&form.csrf, "/")?;
    let encrypted = service.is_encrypted();
    let name = session_cookie(encrypted);
    if let Some(session) = cookie(&headers, name) {
        service.access.log_out(session).await?;
    }
    Ok(([(header::SET_COOKIE, set_cookie(name, "", 0, encrypted))], Redirect::to("/login")).into_response())
}
