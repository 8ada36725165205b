//! Building the request of one page. Pure: nothing is sent here.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use crate::model::connector::{Method, Pages, RequestTemplate};
use crate::model::values::{Values, placeholders};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::plan::Slice;

/// A request as it is sent. Its Debug shows the label only: address, headers and form may hold secrets.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    /// Fields of a form body.
    pub form: Vec<(String, String)>,
    pub bearer: Option<SecretString>,
    /// Method and path without values, for example `GET /pa/dossier/search`.
    pub label: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What the placeholders of one page stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    pub slice: Option<&'a Slice>,
    pub page: Option<u32>,
}

/// The request of one page. `base_url` is filled already.
///
/// # Errors
/// `unset_placeholder`, or `misconfigured` if the address is none.
pub fn build(
    base_url: &Url,
    template: &RequestTemplate,
    pages: &Pages,
    place: Place<'_>,
    values: &Values,
) -> Result<Request, SourceError> {
    let mut url = base_url.clone();
    let path = fill(&template.path, place, values)?;
    url.set_path(&format!("{}/{}", base_url.path().trim_end_matches('/'), path.trim_start_matches('/')));
    let mut query: Vec<(String, String)> = Vec::new();
    for (name, text) in &template.query {
        query.push((name.clone(), fill(text, place, values)?));
    }
    if let Some(slice) = place.slice {
        query.push((slice.since_param.clone(), slice.since.clone()));
        query.push((slice.until_param.clone(), slice.until.clone()));
    }
    if let (Pages::PageNumber { param, size_param, size, .. }, Some(page)) = (pages, place.page) {
        query.push((param.clone(), page.to_string()));
        query.push((size_param.clone(), size.to_string()));
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    let mut headers = Vec::new();
    for (name, text) in &template.headers {
        headers.push((name.clone(), fill(text, place, values)?));
    }
    let label = format!("{} {}", method_name(template.method), template.path);
    Ok(Request { method: template.method, url, headers, form: Vec::new(), bearer: None, label })
}

/// An address with its placeholders filled.
///
/// # Errors
/// `unset_placeholder`, or `misconfigured` naming `key` if it is no HTTP address.
pub fn address(key: &str, template: &str, values: &Values) -> Result<Url, SourceError> {
    let text = fill(template, Place::default(), values)?;
    Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| SourceError::new(ErrorKind::Misconfigured, format!("`{key}` is no http or https address")))
}

/// Replaces placeholders in one pass: what a value holds is not looked at again.
///
/// # Errors
/// `unset_placeholder`, naming the placeholder.
pub fn fill(template: &str, place: Place<'_>, values: &Values) -> Result<String, SourceError> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    for placeholder in placeholders(template) {
        let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
        filled.push_str(before);
        rest = after;
        let unset = || SourceError::new(ErrorKind::UnsetPlaceholder, format!("`{placeholder}` has no value"));
        match &placeholder[1..placeholder.len() - 1] {
            "since" => filled.push_str(&place.slice.ok_or_else(unset)?.since),
            "until" => filled.push_str(&place.slice.ok_or_else(unset)?.until),
            "page" => filled.push_str(&place.page.ok_or_else(unset)?.to_string()),
            name if name.starts_with("env:") || name.starts_with("secret:") => {
                filled.push_str(&values.fill(placeholder).map_err(|_| unset())?);
            }
            name if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => return Err(unset()),
            _ => filled.push_str(placeholder),
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::connector::PageEnd;

    fn template(query: &[(&str, &str)]) -> RequestTemplate {
        RequestTemplate {
            method: Method::Get,
            path: "/pa/dossier/search".to_owned(),
            query: query.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            headers: BTreeMap::from([("x-unit".to_owned(), "{env:UNIT}".to_owned())]),
        }
    }

    fn slice() -> Slice {
        Slice {
            pass: "accepted".to_owned(),
            since_param: "accepted-from".to_owned(),
            until_param: "accepted-to".to_owned(),
            since: "2026-01-01T00:00:00.000+0700".to_owned(),
            until: "2026-02-01".to_owned(),
            days: "2026-01-01..2026-01-31".to_owned(),
        }
    }

    fn values() -> Values {
        let mut values = Values::default();
        values.set_variable("UNIT", "H61 & {page}");
        values.set_secret("KEY", "s3cret");
        values
    }

    #[test]
    fn fills_and_encodes() {
        let pages = Pages::PageNumber {
            param: "page".to_owned(),
            first: 0,
            size_param: "size".to_owned(),
            size: 200,
            end: PageEnd::LastFlag { path: "last".to_owned() },
        };
        let base = Url::parse("https://portal.example/igate/").expect("an address");
        let slice = slice();
        let place = Place { slice: Some(&slice), page: Some(3) };
        let template = template(&[("key", "{secret:KEY}"), ("unit", "{env:UNIT}"), ("json", "{\"a\":1}")]);
        let request = build(&base, &template, &pages, place, &values()).expect("all is set");
        assert_eq!(
            request.url.as_str(),
            "https://portal.example/igate/pa/dossier/search?json=%7B%22a%22%3A1%7D&key=s3cret\
             &unit=H61+%26+%7Bpage%7D&accepted-from=2026-01-01T00%3A00%3A00.000%2B0700&accepted-to=2026-02-01\
             &page=3&size=200"
        );
        assert_eq!(request.headers, [("x-unit".to_owned(), "H61 & {page}".to_owned())]);
        assert_eq!(request.label, "GET /pa/dossier/search");
        assert!(!format!("{request:?}").contains("s3cret"));
    }

    #[test]
    fn a_placeholder_without_a_value_is_named() {
        for text in ["{since}", "{page}", "{secret:OTHER}", "{env:OTHER}", "{session}"] {
            let error = fill(text, Place::default(), &values()).expect_err("no value is set");
            assert_eq!(error.kind, ErrorKind::UnsetPlaceholder);
            assert!(error.message.contains(text), "{}", error.message);
        }
    }

    #[test]
    fn an_address_is_http() {
        for text in ["ftp://host/", "no address", "file:///etc"] {
            let error = address("access.base_url", text, &values()).expect_err("no http address");
            assert_eq!(error.kind, ErrorKind::Misconfigured);
        }
    }
}
