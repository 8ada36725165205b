//! Login with a token, and its end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::layout::{Layout, cookie_line, html};
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::run;
use crate::service::Service;
use crate::service::caller::{cookie, session_cookie};

/// Where a login leads that asks for nothing.
const HOME: &str = "/figures";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    layout: Layout<'a>,
    next: &'a str,
    failed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Leaving {
    #[serde(default)]
    csrf: String,
}

/// A path of this service and nothing else: browsers read `//host` and `/\host` as another host, and drop control
/// characters.
fn local(next: &str) -> Option<&str> {
    let rest = next.strip_prefix('/')?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (plain && !rest.starts_with('/')).then_some(next)
}

/// The login, and where it leads afterwards.
pub(super) fn login_address(back: &str) -> String {
    match local(back) {
        Some(back) if back != "/" && !back.starts_with("/login") => {
            let query: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
            format!("/login?next={query}")
        }
        _ => "/login".to_owned(),
    }
}

pub(super) async fn form(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let next = local(&asked.next).unwrap_or(HOME);
    if visitor.caller.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let layout = Layout::new(&service, &visitor, visitor.lang.words().log_in, "login");
    html(&LoginPage { layout, next, failed: false })
}

pub(super) async fn log_in(
    State(service): State<Arc<Service>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    visitor.must_be_from_here()?;
    let (now, from) = (run::now(), address(&service, from.ip(), &headers));
    if let Some(secs) = service.failed_logins.retry_after_secs(from, now) {
        return Err(Trouble::wait(secs));
    }
    let next = local(&given.next).unwrap_or(HOME);
    let hours = service.config.settings.service.session_hours;
    let Some(session) = service.access.log_in(given.token.trim(), hours, now).await? else {
        service.failed_logins.add(from, now);
        tracing::warn!("a login failed");
        let layout = Layout::new(&service, &visitor, visitor.lang.words().log_in, "login");
        let mut response = html(&LoginPage { layout, next, failed: true })?;
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"motcua\""));
        return Ok(response);
    };
    let encrypted = service.is_encrypted();
    let line = cookie_line(session_cookie(encrypted), &session, u64::from(hours) * 3600, encrypted);
    Ok(([(header::SET_COOKIE, line)], Redirect::to(next)).into_response())
}

/// Whose login it is: the peer's, or, behind the office's own proxy, whom that names last.
fn address(service: &Service, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !service.config.settings.service.behind_proxy {
        return peer;
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back().and_then(|named| named.to_str().ok());
    let last = named.and_then(|named| named.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    last.unwrap_or(peer)
}

pub(super) async fn log_out(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(leaving): Form<Leaving>,
) -> Result<Response, Trouble> {
    visitor.own_session(&leaving.csrf, "/")?;
    let encrypted = service.is_encrypted();
    let name = session_cookie(encrypted);
    if let Some(session) = cookie(&headers, name) {
        service.access.log_out(session).await?;
    }
    Ok(([(header::SET_COOKIE, cookie_line(name, "", 0, encrypted))], Redirect::to("/login")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_this_service_only() {
        for next in ["/figures", "/figures?period=2026-Q1&scope=", "/connectors/portal-igate", "/"] {
            assert_eq!(local(next), Some(next));
        }
        for next in [
            "",
            "figures",
            "//elsewhere",
            "/\\elsewhere",
            "https://elsewhere",
            "/\t/elsewhere",
            "/a b",
            "/x\\y",
            "/số-liệu",
        ] {
            assert_eq!(local(next), None, "{next}");
        }
        assert_eq!(login_address("/connectors?x=1"), "/login?next=%2Fconnectors%3Fx%3D1");
        assert_eq!(login_address("//elsewhere"), "/login");
    }
}
