//! Who asks: a bearer token, or the session of a login. What a request may do is said by the type that its handler takes.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use crate::config::PublicPart;
use crate::run;
use crate::service::Service;
use crate::service::access::{Caller, Scope};
use crate::service::problem::Problem;

/// The cookie of a session. With TLS its name binds it to this host.
pub(super) fn session_cookie(encrypted: bool) -> &'static str {
    if encrypted { "__Host-motcua" } else { "motcua" }
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
    named.next().map(|(_, value)| value)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who asks, if anybody that is known. An `Authorization` that does not hold is nobody, whatever the cookies say.
pub(super) async fn who(service: &Service, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return match bearer(headers) {
            Some(token) => Ok(service.access.bearer(token, run::now()).await?),
            None => Ok(None),
        };
    }
    match cookie(headers, session_cookie(service.is_encrypted())) {
        Some(session) => Ok(service.access.session(session, run::now()).await?),
        None => Ok(None),
    }
}

impl OptionalFromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Option<Self>, Problem> {
        who(service, &parts.headers).await
    }
}

/// Anybody with a token.
#[derive(Debug)]
pub(super) struct Reader(pub(super) Caller);

impl FromRequestParts<Arc<Service>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        who(service, &parts.headers).await?.map(Self).ok_or_else(Problem::unauthorized)
    }
}

/// Anybody where figures are public, else anybody with a token.
#[derive(Debug)]
pub(super) struct FigureReader;

impl FromRequestParts<Arc<Service>> for FigureReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        if service.is_public(PublicPart::Figures) && !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self);
        }
        Reader::from_request_parts(parts, service).await.map(|_| Self)
    }
}

/// A bearer token that may operate. A session's cookie does not do: other sites could have a browser send it.
#[derive(Debug)]
pub(super) struct Operator(pub(super) Caller);

impl FromRequestParts<Arc<Service>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(Problem::unauthorized());
        }
        let Reader(caller) = Reader::from_request_parts(parts, service).await?;
        if caller.scope < Scope::Operate {
            let detail = "this token may read; a token with the scope `operate` may do this";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(Self(caller))
    }
}
