//! What every page shares: head, navigation, language, login state, stylesheet.

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::address::{in_language, login_address};
use super::page_error::PageError;
use super::visitor::Visitor;
use super::words::Words;
use crate::locale::Language;
use crate::service::Service;
use crate::service::access::{Caller, TokenScope};
use crate::service::problem::Problem;

/// The stylesheet of all pages.
pub(super) const STYLE: &str = include_str!("../../../templates/motcua.css");

/// Address of the stylesheet. It contains a digest of the text, so browsers may cache it for ever.
static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/static/motcua.css?v={}", &format!("{:x}", Sha256::digest(STYLE))[..12]));

/// Values for `templates/layout.html`.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) lang: Language,
    /// Texts in the visitor's language; a short name because templates use it everywhere.
    pub(super) w: &'static Words,
    pub(super) title: String,
    /// Entry of the navigation that is current: `tonight`, `figures`, `worklists`, `checks`, `forms`, `connectors`, `runs`,
    /// `api`, `login`, or empty.
    pub(super) section: &'static str,
    pub(super) province: &'a str,
    pub(super) style: &'static str,
    /// Name and scope of the caller.
    pub(super) caller: Option<(&'a str, &'static str)>,
    /// CSRF value of the page's forms; empty without a session.
    pub(super) csrf: String,
    /// Address of this page in the other language.
    pub(super) other_lang: String,
    pub(super) login: String,
    /// Seconds after which the browser asks for the page again, while a run is under way.
    pub(super) refresh_secs: Option<u32>,
}

/// See [`Layout::refreshed`].
const REFRESH_SECS: u32 = 10;

impl<'a> Layout<'a> {
    pub(super) fn new(
        service: &'a Service,
        visitor: &'a Visitor,
        title: impl Into<String>,
        section: &'static str,
    ) -> Self {
        let words = visitor.lang.words();
        let caller = visitor.caller.as_ref();
        let scope = |scope| match scope {
            TokenScope::Read => words.scope_read,
            TokenScope::Operate => words.scope_operate,
        };
        Self {
            lang: visitor.lang,
            w: words,
            title: title.into(),
            section,
            province: &service.config.settings.province.name,
            style: &STYLE_ADDRESS,
            caller: caller.map(|caller| (caller.name.as_str(), scope(caller.scope))),
            csrf: caller.and_then(Caller::form_value).unwrap_or_default(),
            other_lang: in_language(&visitor.address, visitor.lang.other()),
            login: login_address(&visitor.address),
            refresh_secs: None,
        }
    }

    /// The same for a page about something that is under way: the browser asks for it again.
    pub(super) fn refreshed(self) -> Self {
        Self { refresh_secs: Some(REFRESH_SECS), ..self }
    }
}

/// Renders a page as an answer.
pub(super) fn html(page: &impl Template) -> Result<Response, PageError> {
    let text = page.render().map_err(|error| Problem::internal("the page cannot be rendered", &error))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], text).into_response())
}

/// Value of `Set-Cookie`: for all paths, not readable by scripts. `SameSite=Lax`, not `Strict`: with `Strict`, a link
/// in a mail or chat would lead to the login in spite of an open session. Changes do not depend on it: they need a CSRF
/// value and the same origin.
pub(super) fn set_cookie(name: &str, value: &str, secs: u64, encrypted: bool) -> HeaderValue {
    let secure = if encrypted { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&line).expect("names, languages and sessions are plain ASCII")
}
