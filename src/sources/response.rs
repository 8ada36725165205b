//! Checks the status and headers of a response. Pure.

use crate::fields::shown_host;
use crate::model::connector::Retry;
use crate::sources::content_range::ContentRange;
use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::retry;
use crate::sources::transport::Response;

/// Bytes of a refusal in which the words for an expired token are looked for.
const REFUSAL_BYTES: usize = 4 << 10;

/// Words by which sources say that a token or session has expired or is unknown, in lowercase.
const EXPIRED_WORDS: [&str; 9] = [
    "expired",
    "invalid_token",
    "invalid token",
    "token is invalid",
    "hết hạn",
    "het han",
    "hết phiên",
    "hết hiệu lực",
    "het hieu luc",
];

/// The body of a successful response.
///
/// # Errors
/// `wrong_host` for a redirect to another host, `html_instead_of_json`, `not_ready`, `no_content`, `partial_content`, or
/// the error that [`retry::failure_of_status`] gives the status.
pub fn successful_body(response: Response, request: &Request, retry: &Retry) -> Result<Vec<u8>, SourceError> {
    let status = response.status;
    let failed = if (300..400).contains(&status) && status != 304 {
        Some(redirect(&response, request))
    } else if let Some((kind, class)) = retry::failure_of_status(status, retry) {
        let error = SourceError::new(kind, format!("the source responded with status {status}{}", meaning(status)));
        Some(SourceError { class, ..error })
    } else {
        other_success(&response)
    };
    if let Some(error) = failed {
        return Err(SourceError { retry_after: response.retry_after, ..error }.on(&request.label));
    }
    if is_html(&response) {
        let message = format!("{}: the source responded with an HTML page", request.label);
        return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, message));
    }
    Ok(response.body)
}

/// Whether a response is an HTML page by its type.
#[must_use]
pub fn is_html(response: &Response) -> bool {
    let is_html = |media_type: &str| media_type.trim_start().to_ascii_lowercase().starts_with("text/html");
    response.content_type.as_deref().is_some_and(is_html)
}

/// The error of a success (2xx) that is not the whole list; `None` if it is.
fn other_success(response: &Response) -> Option<SourceError> {
    let status = response.status;
    let said = |kind: ErrorKind, what: &str| {
        Some(SourceError::new(kind, format!("the source responded with status {status}{}{what}", meaning(status))))
    };
    match status {
        202 => said(ErrorKind::NotReady, ": the list is not ready yet"),
        204 | 205 => said(ErrorKind::NoContent, ""),
        206 if content_range(response).is_none() => {
            said(ErrorKind::PartialContent, ", without a `Content-Range` that says which part")
        }
        200 | 201 | 203 | 206 => part_of_bytes(response),
        _ => said(ErrorKind::UnexpectedStatus, ", which is not a list"),
    }
}

/// The error of a body that is only some bytes of the list.
fn part_of_bytes(response: &Response) -> Option<SourceError> {
    let range = content_range(response).filter(|range| range.is_bytes && !range.is_whole())?;
    let shown = |number: Option<u64>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
    let (first, last) = range.positions.unzip();
    let message = format!(
        "the source sent bytes {}-{} of {} (status {})",
        shown(first),
        shown(last),
        shown(range.total),
        response.status
    );
    Some(SourceError::new(ErrorKind::PartialContent, message))
}

fn content_range(response: &Response) -> Option<ContentRange> {
    ContentRange::parse(response.content_range.as_deref()?)
}

/// The part of the list that a response holds, if it counts records; `None` if it does not say so.
#[must_use]
pub fn record_range(response: &Response) -> Option<ContentRange> {
    content_range(response).filter(|range| !range.is_bytes)
}

/// Whether a refusal (403) says that the token or session has expired or is unknown.
#[must_use]
pub fn names_expired_token(response: &Response) -> bool {
    let body = &response.body[..response.body.len().min(REFUSAL_BYTES)];
    let challenge = response.authenticate.as_deref().unwrap_or_default();
    let text = format!("{challenge}\n{}", String::from_utf8_lossy(body)).to_lowercase();
    EXPIRED_WORDS.iter().any(|word| text.contains(word))
}

/// What a status means, for statuses that are rare in lists of records.
fn meaning(status: u16) -> &'static str {
    match status {
        202 => " (accepted)",
        204 => " (no content)",
        205 => " (reset content)",
        206 => " (partial content)",
        207 => " (multi-status)",
        304 => " (not modified), as a cache does that answers in place of the source",
        407 => " (a proxy requires a login)",
        413 => " (request too large)",
        416 => " (range not satisfiable)",
        _ => "",
    }
}

/// The error for a redirect that the transport did not follow.
fn redirect(response: &Response, request: &Request) -> SourceError {
    let status = response.status;
    let target = response.location.as_deref().and_then(|location| request.url.join(location).ok());
    match target.as_ref().and_then(url::Url::host_str) {
        Some(host) if Some(host) != request.url.host_str() => {
            let host = shown_host(host);
            let message = format!("the source redirects to another host, `{host}`; the redirect was not followed");
            SourceError::new(ErrorKind::WrongHost, message)
        }
        _ => {
            let message = format!("the source redirects (status {status}) to another scheme or port, or in a loop");
            SourceError { class: ErrorClass::Fatal, ..SourceError::new(ErrorKind::UnexpectedStatus, message) }
        }
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
