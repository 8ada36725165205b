//! What every page shares: header, navigation, language, login state, stylesheet.

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::login::login_address;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words::Words;
use crate::locale::Language;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::problem::Problem;

/// The one stylesheet.
pub(super) const STYLE: &str = include_str!("../../../templates/motcua.css");

static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/static/motcua.css?v={}", &format!("{:x}", Sha256::digest(STYLE))[..12]));

/// What `templates/layout.html` needs.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) lang: Language,
    pub(super) w: &'static Words,
    pub(super) title: String,
    /// `figures`, `connectors`, `api`, or nothing.
    pub(super) section: &'static str,
    pub(super) province: &'a str,
    pub(super) style: &'static str,
    /// Name and scope of whoever is logged in.
    pub(super) caller: Option<(&'a str, &'static str)>,
    /// What each form repeats; empty without a session.
    pub(super) csrf: String,
    /// This page in the other language.
    pub(super) other_lang: String,
    pub(super) login: String,
}

impl<'a> Layout<'a> {
    pub(super) fn new(
        service: &'a Service,
        visitor: &'a Visitor,
        title: impl Into<String>,
        section: &'static str,
    ) -> Self {
        let words = visitor.lang.words();
        let caller = visitor.caller.as_ref();
        let scope = |name: &str| if name == "operate" { words.scope_operate } else { words.scope_read };
        Self {
            lang: visitor.lang,
            w: words,
            title: title.into(),
            section,
            province: &service.config.settings.province.name,
            style: &STYLE_ADDRESS,
            caller: caller.map(|caller| (caller.name.as_str(), scope(caller.scope.name()))),
            csrf: caller.and_then(Caller::form_value).unwrap_or_default(),
            other_lang: in_language(&visitor.here, visitor.lang.other()),
            login: login_address(&visitor.here),
        }
    }
}

/// The same address, asking for a language.
fn in_language(here: &str, lang: Language) -> String {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    // What was done is told once.
    let rest =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=") && !pair.starts_with("done="));
    let asked = format!("lang={}", lang.code());
    let pairs: Vec<&str> = rest.chain([asked.as_str()]).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A page as an answer.
pub(super) fn html(page: &impl Template) -> Result<Response, Trouble> {
    let text = page.render().map_err(|error| Problem::internal("the page cannot be made", &error))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], text).into_response())
}

/// A cookie for all paths, out of reach of scripts. `Lax`, not `Strict`: with `Strict` a link in a mail or a chat would lead
/// to the login although the session is open. Changes do not rest on it: they need the CSRF value, and come from here only.
pub(super) fn cookie_line(name: &str, value: &str, secs: u64, encrypted: bool) -> HeaderValue {
    let secure = if encrypted { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&line).expect("names, languages and sessions are plain ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_language_keeps_the_filter() {
        assert_eq!(in_language("/figures", Language::English), "/figures?lang=en");
        assert_eq!(
            in_language("/figures?period=2026&lang=vi&scope=", Language::English),
            "/figures?period=2026&scope=&lang=en"
        );
        assert_eq!(in_language("/connectors?done=run", Language::Vietnamese), "/connectors?lang=vi");
    }
}
