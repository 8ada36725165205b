//! The visitor of a page: language, caller, and whether the request was sent by a page of this service.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::address::on_this_host;
use super::page_error::PageError;
use crate::config::PublicPart;
use crate::indicators::FigureOf;
use crate::locale::Language;
use crate::run;
use crate::service::Service;
use crate::service::access::{Caller, TokenScope};
use crate::service::caller::{authenticate, cookie};
use crate::service::readable_scope::{ReadableScope, RecordedRead};

/// Name of the cookie that stores the language.
pub(super) const LANGUAGE_COOKIE: &str = "motcua_lang";

/// The visitor of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    pub(super) lang: Language,
    pub(super) caller: Option<Caller>,
    /// Path and query of the request, for links on this host.
    pub(super) address: String,
    is_same_origin: bool,
}

/// The language that the parameter `lang` of the address selects; the last one if there are several.
pub(super) fn language_parameter(uri: &Uri) -> Option<Language> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.strip_prefix("lang="));
    pairs.filter_map(Language::from_code).next_back()
}

/// Whether the request was sent by a page of this service: by `Sec-Fetch-Site` if the browser sends it, else by
/// comparing `Origin` with `Host`. A request with neither header counts as same-origin: it is not from a browser, so no
/// other site can have forged it.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}

impl Visitor {
    pub(super) async fn new(parts: &Parts, service: &Service) -> Result<Self, PageError> {
        let remembered = cookie(&parts.headers, LANGUAGE_COOKIE).and_then(Language::from_code);
        Ok(Self {
            lang: language_parameter(&parts.uri).or(remembered).unwrap_or_default(),
            caller: authenticate(service, &parts.headers).await?,
            address: on_this_host(parts.uri.path_and_query().map_or("/", |address| address.as_str())),
            is_same_origin: is_same_origin(&parts.headers),
        })
    }

    /// Requires a caller of any scope whose token is not bound to agencies; others are redirected to the login and back.
    pub(super) fn authenticated(&self) -> Result<&Caller, PageError> {
        Ok(self.reader()?.unbound()?)
    }

    /// Requires a caller of any scope, whose token may be bound to agencies: for pages without dossiers, and for those that
    /// read them through [`ReadableScope`](crate::service::readable_scope::ReadableScope).
    pub(super) fn reader(&self) -> Result<&Caller, PageError> {
        self.caller.as_ref().ok_or_else(|| PageError::log_in_first(&self.address))
    }

    /// The agencies that the visitor's token is bound to; `None` if it is not bound.
    pub(super) fn bound(&self) -> Option<&[String]> {
        self.caller.as_ref().and_then(|caller| caller.agencies.as_deref())
    }

    /// The scope that a page of dossiers shows: the one that its address names, else the first agency that the token is bound to.
    pub(super) fn scope_or_own<'q>(&'q self, named: &'q str) -> &'q str {
        match self.bound() {
            Some([first, ..]) if named.is_empty() => first,
            _ => named,
        }
    }

    /// Requires a caller who may count the dossiers of a scope.
    pub(super) fn counts_dossiers(&self, service: &Service, of: FigureOf) -> Result<ReadableScope, PageError> {
        Ok(ReadableScope::new(service, self.reader()?, Some(of))?)
    }

    /// Requires a caller who may read the dossiers of a scope, and records in the access log that the caller does. Every page
    /// and file that shows dossiers calls it before they are read. `what`: contains no dossier code.
    pub(super) async fn reads_dossiers(
        &self,
        service: &Service,
        of: FigureOf,
        what: &str,
    ) -> Result<RecordedRead, PageError> {
        let scope = self.counts_dossiers(service, of)?;
        Ok(scope.recorded(service, self.reader()?, ("page", what)).await?)
    }

    /// Requires a caller whose token is not bound to agencies, and records that the caller reads a rejected row.
    pub(super) async fn reads_rejected_row(&self, service: &Service, number: i64) -> Result<(), PageError> {
        let caller = self.authenticated()?;
        let what = format!("quarantine row {number}");
        service.access.record_read(&caller.name, "page", &what, run::now()).await?;
        Ok(())
    }

    /// Requires a caller, unless figures are public.
    pub(super) fn may_read_figures(&self, service: &Service) -> Result<(), PageError> {
        if service.is_public(PublicPart::Figures) { Ok(()) } else { self.reader().map(|_| ()) }
    }

    /// Requires that a page of this service sent the request. Every request that changes something needs it.
    pub(super) fn require_same_origin(&self) -> Result<(), PageError> {
        if self.is_same_origin {
            return Ok(());
        }
        Err(PageError::new(StatusCode::FORBIDDEN, "the request was sent by another site"))
    }

    /// Requires a form of the visitor's own session. Without a session, redirects to the login, which leads to `back`
    /// afterwards.
    pub(super) fn own_session(&self, csrf: &str, back: &str) -> Result<&Caller, PageError> {
        self.require_same_origin()?;
        let caller = self.caller.as_ref().ok_or_else(|| PageError::log_in_first(back))?;
        if caller.is_own_form(csrf) {
            return Ok(caller);
        }
        Err(PageError::new(StatusCode::FORBIDDEN, "the form belongs to another session"))
    }

    /// As [`Self::own_session`], with the scope `operate`.
    pub(super) fn operator(&self, csrf: &str, back: &str) -> Result<&Caller, PageError> {
        let caller = self.own_session(csrf, back)?.unbound()?;
        if caller.scope < TokenScope::Operate {
            let detail = "this token has the scope `read`; the operation needs the scope `operate`";
            return Err(PageError::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(caller)
    }

    /// Whether to show the buttons of operators. They work in a session only.
    pub(super) fn is_operator(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| {
            caller.unbound().is_ok() && caller.scope >= TokenScope::Operate && caller.csrf.is_some()
        })
    }
}

impl FromRequestParts<Arc<Service>> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, PageError> {
        match parts.extensions.get::<Self>() {
            Some(known) => Ok(known.clone()),
            None => Self::new(parts, service).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_another_site_is_recognized_by_its_headers() {
        for (site, origin, expected) in [
            (Some("same-origin"), Some("http://elsewhere"), true),
            (Some("none"), None, true),
            (Some("cross-site"), None, false),
            (Some("same-site"), None, false),
            (None, Some("http://motcua.local:8686"), true),
            (None, Some("http://elsewhere"), false),
            (None, Some("null"), false),
            (None, None, true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "motcua.local:8686".parse().expect("a host"));
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().expect("a word"));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
            }
            assert_eq!(is_same_origin(&headers), expected, "{site:?} {origin:?}");
        }
    }
}
