//! Authentication of requests: a bearer token, or the session cookie of a login. The extractor in a handler's
//! signature states the access that the handler requires.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use headers::authorization::Bearer;
use headers::{Authorization, HeaderMapExt as _};

use crate::config::PublicPart;
use crate::run;
use crate::service::Service;
use crate::service::access::{Caller, TokenScope};
use crate::service::problem::Problem;

/// Name of the session cookie. With TLS the prefix `__Host-` binds it to this host.
pub(super) fn session_cookie(encrypted: bool) -> &'static str {
    if encrypted { "__Host-motcua" } else { "motcua" }
}

/// Value of the first cookie of that name. `headers::Cookie` is not used: it would read a `;` between quotes as part
/// of a value, so a cookie of another application on this host could hide ours.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
    named.next().map(|(_, value)| value)
}

/// The caller of a request; `None` without valid credentials. If there is an `Authorization` header, cookies are
/// ignored, even if the header's token is not valid.
pub(super) async fn authenticate(service: &Service, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return match headers.typed_get::<Authorization<Bearer>>() {
            Some(authorization) => Ok(service.access.bearer(authorization.token(), run::now()).await?),
            None => Ok(None),
        };
    }
    match cookie(headers, session_cookie(service.is_encrypted())) {
        Some(session) => Ok(service.access.session(session, run::now()).await?),
        None => Ok(None),
    }
}

impl Caller {
    /// Refuses a caller whose token is bound to agencies, for what is not of one agency.
    pub(super) fn unbound(&self) -> Result<&Self, Problem> {
        if self.agencies.is_none() { Ok(self) } else { Err(self.bound_problem()) }
    }

    /// The answer to what the token is not bound to.
    pub(super) fn bound_problem(&self) -> Problem {
        let agencies = self.agencies.as_deref().unwrap_or_default();
        let codes: Vec<String> = agencies.iter().map(|code| format!("`{code}`")).collect();
        let detail = format!(
            "the token `{}` is bound to {}: it reads published figures, and dossiers of {} only",
            self.name,
            codes.join(", "),
            if codes.len() == 1 { "this agency" } else { "one of these agencies at a time" },
        );
        Problem::new(StatusCode::FORBIDDEN, detail)
    }
}

/// Requires a valid token or session of any scope that is not bound to agencies.
#[derive(Debug)]
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequestParts<Arc<Service>> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        let DossierReader(caller) = DossierReader::from_request_parts(parts, service).await?;
        caller.unbound()?;
        Ok(Self(caller))
    }
}

/// Requires a valid token or session of any scope, which may be bound to agencies: for handlers that read no dossiers, or read
/// them through [`ReadableScope`](crate::service::readable_scope::ReadableScope).
#[derive(Debug)]
pub(super) struct DossierReader(pub(super) Caller);

impl FromRequestParts<Arc<Service>> for DossierReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        authenticate(service, &parts.headers).await?.map(Self).ok_or_else(Problem::unauthorized)
    }
}

/// Requires a valid token or session, unless figures are public. A token that is sent must be valid in either case.
#[derive(Debug)]
pub(super) struct FigureAccess;

impl FromRequestParts<Arc<Service>> for FigureAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        if service.is_public(PublicPart::Figures) && !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self);
        }
        // Figures hold no dossiers: those of every agency are published.
        DossierReader::from_request_parts(parts, service).await.map(|_| Self)
    }
}

/// Requires a bearer token with the scope `operate`. A session cookie is not accepted, since another site could make
/// a browser send it.
#[derive(Debug)]
pub(super) struct OperatorAccess(pub(super) Caller);

impl FromRequestParts<Arc<Service>> for OperatorAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(Problem::unauthorized());
        }
        let Authenticated(caller) = Authenticated::from_request_parts(parts, service).await?;
        if caller.scope < TokenScope::Operate {
            let detail = "this token has the scope `read`; the request needs a token with the scope `operate`";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(Self(caller))
    }
}
