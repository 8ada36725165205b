//! Builds the request of one page from the connector's templates. Pure: nothing is sent.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::model::connector::{ConnectorFile, LoginRequest, Method, Pages, QueryValue, RequestTemplate};
use crate::model::page::Page;
use crate::model::pull::PagePlace;
use crate::model::values::{PlaceholderValues, Unset, placeholders};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::plan::TimeSlice;

/// Beginning of the placeholder for a field of a record.
const RECORD: &str = "record.";

/// An HTTP request, ready to send. `Debug` shows the label only: address, headers, form and body may hold secrets.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    /// Fields of a form body; empty if there is none.
    pub form: Vec<(String, String)>,
    /// A JSON body.
    pub body: Option<String>,
    pub bearer: Option<SecretString>,
    /// User name and password.
    pub basic: Option<(String, SecretString)>,
    /// Lowercase names of the response headers to keep, besides those that [`Response`](super::Response) always has.
    pub kept_headers: Vec<String>,
    /// Method and path without values, for example `GET /pa/dossier/search`.
    pub label: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request").field("label", &self.label).finish_non_exhaustive()
    }
}

impl Request {
    /// A request without headers, body or credentials.
    #[must_use]
    pub fn new(method: Method, url: Url, label: String) -> Self {
        let (headers, form, kept_headers) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, url, headers, form, body: None, bearer: None, basic: None, kept_headers, label }
    }

    /// Sets a JSON body, with `content-type: application/json` unless the headers name another type.
    fn set_body(&mut self, body: Option<String>) {
        if body.is_some() && !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            self.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        self.body = body;
    }
}

/// Values of the placeholders that differ from page to page: `{since}`, `{until}`, `{period.year}`, `{period.quarter}`,
/// `{period.month}`, `{page}`, `{offset}`, `{cursor}`, `{session}`, `{record.PATH}`. The default has none of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateContext<'a> {
    pub slice: Option<&'a TimeSlice>,
    pub page: Option<&'a PagePlace>,
    /// Page size to request instead of that of `[pages]`.
    pub size: Option<u32>,
    pub session: Option<&'a SecretString>,
    /// The record whose details are requested.
    pub record: Option<RecordFields<'a>>,
}

/// A record of a list, for the request of its details.
#[derive(Debug, Clone, Copy)]
pub struct RecordFields<'a> {
    pub page: &'a Page,
    /// Index of its row.
    pub row: usize,
}

impl<'a> RecordFields<'a> {
    /// The text of a kept field.
    #[must_use]
    pub fn text(self, field: &str) -> Option<&'a str> {
        let field = self.page.fields.iter().position(|kept| kept == field)?;
        self.page.cell(self.row, field)
    }
}

/// The request of one page. `base_url` has no placeholders left.
///
/// # Errors
/// `unset_placeholder`; `no_cursor` if the address of the next page cannot be parsed.
pub fn build(
    base_url: &Url,
    template: &RequestTemplate,
    pages: &Pages,
    context: TemplateContext<'_>,
    values: &PlaceholderValues,
) -> Result<Request, SourceError> {
    let url = if let Some(PagePlace::Address(next)) = context.page {
        next_page_url(next, template, context, values)?
    } else {
        let mut url = join_path(base_url, &fill_path(&template.path, context, values)?);
        let mut query: Vec<(String, String)> = Vec::new();
        for (name, value) in &template.query {
            for text in value.texts() {
                query.push((name.clone(), fill(text, context, values)?));
            }
        }
        if let Some(slice) = context.slice {
            query.extend(slice.since_param.iter().map(|name| (name.clone(), slice.since.clone())));
            query.extend(slice.until_param.iter().map(|name| (name.clone(), slice.until.clone())));
        }
        let of_page = page_query(pages, context.page, context.size);
        // A chain that begins after a key of its slice goes on after that of its last record.
        query.retain(|(name, _)| of_page.iter().all(|(own, _)| own != name));
        query.extend(of_page);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        url
    };
    let label = format!("{} {}", method_name(template.method), template.path);
    let mut request = Request::new(template.method, url, label);
    for (name, text) in &template.headers {
        request.headers.push((name.clone(), fill(text, context, values)?));
    }
    let body = template.body.as_ref().map(|body| fill_body(body, &request.headers, context, values)).transpose()?;
    request.set_body(body);
    Ok(request)
}

/// The request that logs in (`auth.request`).
///
/// # Errors
/// As [`build`].
pub(crate) fn login(base_url: &Url, login: &LoginRequest, values: &PlaceholderValues) -> Result<Request, SourceError> {
    let context = TemplateContext::default();
    let text = fill(&login.url, context, values)?;
    let url = if text.contains("://") {
        address("auth.request.url", &login.url, values)?
    } else {
        // A path below `base_url`, which may have a query.
        let (path, query) = text.split_once('?').map_or((text.as_str(), None), |(path, query)| (path, Some(query)));
        let mut url = join_path(base_url, path);
        url.set_query(query);
        url
    };
    let mut request = Request::new(login.method, url, format!("{} `auth.request.url`", method_name(login.method)));
    for (name, text) in &login.headers {
        request.headers.push((name.clone(), fill(text, context, values)?));
    }
    if !login.headers.keys().any(|name| name.eq_ignore_ascii_case("accept")) {
        request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    }
    let body = login.body.as_ref().map(|body| fill_body(body, &request.headers, context, values)).transpose()?;
    request.set_body(body);
    Ok(request)
}

fn join_path(base_url: &Url, path: &str) -> Url {
    let mut url = base_url.clone();
    url.set_path(&format!("{}/{}", base_url.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

/// Query parameters of the page number, offset or cursor, and of the page size, which `other_size` replaces.
fn page_query(pages: &Pages, page: Option<&PagePlace>, other_size: Option<u32>) -> Vec<(String, String)> {
    let pair = |name: &Option<String>, text: String| name.clone().map(|name| (name, text));
    let pairs = match (pages, page) {
        (Pages::PageNumber { param, size_param, size, .. }, Some(PagePlace::Number(number))) => {
            [pair(param, number.to_string()), pair(size_param, other_size.unwrap_or(*size).to_string())]
        }
        (Pages::Offset { param, size_param, size, .. }, Some(PagePlace::Offset(offset))) => {
            [pair(param, offset.to_string()), pair(size_param, other_size.unwrap_or(*size).to_string())]
        }
        (Pages::Cursor { param, .. } | Pages::Keyset { param, .. }, Some(PagePlace::Cursor(cursor))) => {
            [pair(param, cursor.clone()), None]
        }
        _ => [None, None],
    };
    pairs.into_iter().flatten().collect()
}

/// Whether `[request]` has the page size as a number in its path, query, headers or body.
pub(crate) fn states_size(file: &ConnectorFile) -> bool {
    let (Some(template), Some(size)) = (&file.request, file.pages.size()) else { return false };
    let size = size.to_string();
    let has_size = |text: &String| text.split(|symbol: char| !symbol.is_ascii_digit()).any(|number| number == size);
    template.texts().any(has_size)
}

/// The address of the next page as given in a response. Parameters that hold secrets are filled from the template and
/// replace those of the response.
fn next_page_url(
    next: &str,
    template: &RequestTemplate,
    context: TemplateContext<'_>,
    values: &PlaceholderValues,
) -> Result<Url, SourceError> {
    let no_address = |_| SourceError::new(ErrorKind::NoCursor, "the address of the next page cannot be parsed");
    let mut url = Url::parse(next).map_err(no_address)?;
    for (name, value) in template.query.iter().filter(|(_, value)| has_secret(value)) {
        remove_parameters(&mut url, |found| found == name);
        for text in value.texts() {
            url.query_pairs_mut().append_pair(name, &fill(text, context, values)?);
        }
    }
    Ok(url)
}

/// Whether the value of a query parameter contains secrets.
pub(crate) fn has_secret(value: &QueryValue) -> bool {
    value.texts().iter().any(|text| text.contains("{secret:") || text.contains("{session}"))
}

/// Removes query parameters by name. If the address has none of them, its query is not encoded again.
pub(crate) fn remove_parameters(url: &mut Url, is_removed: impl Fn(&str) -> bool) {
    if !url.query_pairs().any(|(name, _)| is_removed(&name)) {
        return;
    }
    let kept: Vec<(String, String)> = url.query_pairs().filter(|(name, _)| !is_removed(name)).map(owned).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}

fn owned((name, value): (Cow<'_, str>, Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

/// Fills and parses an address. `key` is the setting that holds it.
///
/// # Errors
/// `unset_placeholder`, or `misconfigured` if the result is not an HTTP address.
pub fn address(key: &str, template: &str, values: &PlaceholderValues) -> Result<Url, SourceError> {
    let text = fill(template, TemplateContext::default(), values)?;
    Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| SourceError::new(ErrorKind::Misconfigured, format!("`{key}` is not an http or https address")))
}

/// Replaces the placeholders of a template. Placeholders inside an inserted value are not replaced.
///
/// # Errors
/// `unset_placeholder`, naming the placeholder.
pub fn fill(template: &str, context: TemplateContext<'_>, values: &PlaceholderValues) -> Result<String, SourceError> {
    fill_with(template, context, values, |_, value| value)
}

/// As [`fill`]. A value of a record is one part of the path, whatever it contains.
fn fill_path(template: &str, context: TemplateContext<'_>, values: &PlaceholderValues) -> Result<String, SourceError> {
    fill_with(
        template,
        context,
        values,
        |name, value| {
            if name.starts_with(RECORD) { percent_encoded(&value) } else { value }
        },
    )
}

/// A text with every character escaped that is not unreserved (RFC 3986 §2.3).
fn percent_encoded(text: &str) -> String {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A body, with each value escaped for what the content type says: XML, a form, else JSON.
fn fill_body(
    template: &str,
    headers: &[(String, String)],
    context: TemplateContext<'_>,
    values: &PlaceholderValues,
) -> Result<String, SourceError> {
    let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is = |part: &str| content_type.is_some_and(|(_, value)| value.to_ascii_lowercase().contains(part));
    if is("xml") {
        fill_with(template, context, values, |_, value| quick_xml::escape::escape(value).into_owned())
    } else if is("x-www-form-urlencoded") {
        fill_with(template, context, values, |_, value| {
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
        })
    } else {
        fill_json(template, context, values)
    }
}

/// Like [`fill`], but escapes each value for the inside of a JSON string.
fn fill_json(template: &str, context: TemplateContext<'_>, values: &PlaceholderValues) -> Result<String, SourceError> {
    fill_with(template, context, values, |_, value| {
        let quoted = serde_json::Value::from(value).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    })
}

fn fill_with(
    template: &str,
    context: TemplateContext<'_>,
    values: &PlaceholderValues,
    escape: impl Fn(&str, String) -> String,
) -> Result<String, SourceError> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    for placeholder in placeholders(template) {
        let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
        filled.push_str(before);
        rest = after;
        let unset = || SourceError::new(ErrorKind::UnsetPlaceholder, format!("`{placeholder}` has no value"));
        let name = &placeholder[1..placeholder.len() - 1];
        let value = match (name, context.page) {
            ("since", _) => context.slice.ok_or_else(unset)?.since.clone(),
            ("until", _) => context.slice.ok_or_else(unset)?.until.clone(),
            ("period.year", _) => context.slice.ok_or_else(unset)?.year.to_string(),
            ("period.quarter", _) => ((context.slice.ok_or_else(unset)?.month + 2) / 3).to_string(),
            ("period.month", _) => context.slice.ok_or_else(unset)?.month.to_string(),
            ("page", Some(PagePlace::Number(number))) => number.to_string(),
            ("offset", Some(PagePlace::Offset(offset))) => offset.to_string(),
            ("cursor", Some(PagePlace::Cursor(cursor))) => cursor.clone(),
            ("cursor", Some(PagePlace::First)) => String::new(),
            (name, _) if name.starts_with(RECORD) => {
                let record = context.record.ok_or_else(unset)?;
                record.text(&name[RECORD.len()..]).ok_or_else(unset)?.to_owned()
            }
            ("session", _) => context.session.ok_or_else(unset)?.expose_secret().to_owned(),
            (name, _) if name.starts_with("env:") || name.starts_with("secret:") => {
                values.fill(placeholder).map_err(|missing| self::unset(&missing))?
            }
            (name, _)
                if !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.') =>
            {
                return Err(unset());
            }
            // Braces that are no placeholder, such as JSON in a body.
            _ => {
                filled.push_str(placeholder);
                continue;
            }
        };
        filled.push_str(&escape(name, value));
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The error of a placeholder without a value.
pub(crate) fn unset(missing: &Unset) -> SourceError {
    let error = SourceError::new(ErrorKind::UnsetPlaceholder, format!("`{}` has no value", missing.placeholder));
    match &missing.why {
        Some(why) => error.on(why),
        None => error,
    }
}

pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
