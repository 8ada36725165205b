//! Checks the status and headers of a response. Pure.

use crate::fields::shown_host;
use crate::model::connector::Retry;
use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::retry;
use crate::sources::transport::Response;

/// The body of a successful response.
///
/// # Errors
/// `wrong_host` for a redirect to another host, `html_instead_of_json`, or the error that [`retry::failure_of_status`]
/// gives the status.
pub fn successful_body(response: Response, request: &Request, retry: &Retry) -> Result<Vec<u8>, SourceError> {
    let status = response.status;
    if (300..400).contains(&status) {
        return Err(redirect(&response, request).on(&request.label));
    }
    if let Some((kind, class)) = retry::failure_of_status(status, retry) {
        let message = format!("{}: the source responded with status {status}", request.label);
        let error = SourceError::new(kind, message);
        return Err(SourceError { class, retry_after: response.retry_after, ..error });
    }
    let is_html = |media_type: &str| media_type.trim_start().to_ascii_lowercase().starts_with("text/html");
    if response.content_type.as_deref().is_some_and(is_html) {
        let message = format!("{}: the source responded with an HTML page", request.label);
        return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, message));
    }
    Ok(response.body)
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
