//! Who looks at a page, in which language, and whether what they send comes from a page of ours.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::trouble::Trouble;
use crate::config::PublicPart;
use crate::locale::Language;
use crate::service::Service;
use crate::service::access::{Caller, TokenScope};
use crate::service::caller::{authenticate, cookie};

/// The cookie of the language.
const LANGUAGE_COOKIE: &str = "motcua_lang";

/// Who looks at a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    pub(super) lang: Language,
    pub(super) caller: Option<Caller>,
    /// Path and query of what was asked for.
    pub(super) here: String,
    /// Whether the request says that a page of this service sent it, or nothing at all.
    is_from_here: bool,
}

/// The language that the address itself asks for.
pub(super) fn asked_language(uri: &Uri) -> Option<Language> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.strip_prefix("lang="));
    pairs.filter_map(Language::from_code).next_back()
}

/// `Sec-Fetch-Site` where the browser sends it, else `Origin` against `Host`. A program that sends neither has no
/// cookies that it was tricked with.
fn is_from_here(headers: &HeaderMap) -> bool {
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
    pub(super) async fn of(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Trouble> {
        let remembered = cookie(&parts.headers, LANGUAGE_COOKIE).and_then(Language::from_code);
        Ok(Self {
            lang: asked_language(&parts.uri).or(remembered).unwrap_or_default(),
            caller: authenticate(service, &parts.headers).await?,
            here: parts.uri.path_and_query().map_or("/", |here| here.as_str()).to_owned(),
            is_from_here: is_from_here(&parts.headers),
        })
    }

    /// Anybody with a token; others are led to the login and back.
    pub(super) fn reader(&self) -> Result<&Caller, Trouble> {
        self.caller.as_ref().ok_or_else(|| Trouble::log_in_first(&self.here))
    }

    /// Anybody where figures are public, else anybody with a token.
    pub(super) fn figure_reader(&self, service: &Service) -> Result<(), Trouble> {
        if service.is_public(PublicPart::Figures) { Ok(()) } else { self.reader().map(|_| ()) }
    }

    /// Whatever changes something has to come from a page of ours.
    pub(super) fn must_be_from_here(&self) -> Result<(), Trouble> {
        if self.is_from_here {
            return Ok(());
        }
        Err(Trouble::new(StatusCode::FORBIDDEN, "the request comes from another site"))
    }

    /// A session whose own page asks for a change.
    pub(super) fn own_session(&self, csrf: &str, back: &str) -> Result<&Caller, Trouble> {
        self.must_be_from_here()?;
        let caller = self.caller.as_ref().ok_or_else(|| Trouble::log_in_first(back))?;
        if caller.is_own_form(csrf) {
            return Ok(caller);
        }
        Err(Trouble::new(StatusCode::FORBIDDEN, "the form is of another session"))
    }

    /// The same, with the scope `operate`.
    pub(super) fn operator(&self, csrf: &str, back: &str) -> Result<&Caller, Trouble> {
        let caller = self.own_session(csrf, back)?;
        if caller.scope < TokenScope::Operate {
            return Err(Trouble::new(StatusCode::FORBIDDEN, "this token may read; another may operate"));
        }
        Ok(caller)
    }

    /// Whether buttons are shown: they work in a session only.
    pub(super) fn operates(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.scope >= TokenScope::Operate && caller.csrf.is_some())
    }
}

impl FromRequestParts<Arc<Service>> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Trouble> {
        match parts.extensions.get::<Self>() {
            Some(known) => Ok(known.clone()),
            None => Self::of(parts, service).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_is_told_by_the_browser() {
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
            assert_eq!(is_from_here(&headers), expected, "{site:?} {origin:?}");
        }
    }
}
