//! What an answer's status and headers mean. Pure.

use crate::model::connector::Retry;
use crate::sources::error::{Class, ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::retry;
use crate::sources::transport::Response;

/// The body of an answer that succeeded.
///
/// # Errors
/// `wrong_host` for a redirect elsewhere, `html_instead_of_json`, or the class that `retry` gives the status.
pub fn body(response: Response, request: &Request, retry: &Retry) -> Result<Vec<u8>, SourceError> {
    let status = response.status;
    if (300..400).contains(&status) {
        return Err(redirect(&response, request).on(&request.label));
    }
    if let Some((kind, class)) = retry::failure_of_status(status, retry) {
        let message = format!("{}: the source answered with status {status}", request.label);
        let error = SourceError::new(kind, message);
        return Err(SourceError { class, retry_after: response.retry_after, ..error });
    }
    let html = |media: &str| media.trim_start().to_ascii_lowercase().starts_with("text/html");
    if response.content_type.as_deref().is_some_and(html) {
        let message = format!("{}: the source answered with a page for people", request.label);
        return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, message));
    }
    Ok(response.body)
}

fn redirect(response: &Response, request: &Request) -> SourceError {
    let status = response.status;
    let target = response.location.as_deref().and_then(|location| request.url.join(location).ok());
    match target.as_ref().and_then(url::Url::host_str) {
        Some(host) if Some(host) != request.url.host_str() => {
            let message = format!("the source redirects to another host, `{host}`; it was not followed");
            SourceError::new(ErrorKind::WrongHost, message)
        }
        _ => {
            let message = format!("the source redirects (status {status}) to another scheme or port, or in a circle");
            SourceError { class: Class::Fatal, ..SourceError::new(ErrorKind::UnexpectedStatus, message) }
        }
    }
}
