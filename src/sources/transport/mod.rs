//! Sends a request to a source and returns the response; lists and reads files.

pub mod files;
pub(crate) mod folder;
pub mod http;
mod remote;
pub mod remote_stamp;
pub mod route;
pub mod server_clock;
mod tls;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;

/// An HTTP response, with only those headers that are used. `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Response {
    pub status: u16,
    pub content_type: Option<String>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    /// `Content-Range`: which part of the list the body is.
    pub content_range: Option<String>,
    /// `WWW-Authenticate`: why the credentials were refused.
    pub authenticate: Option<String>,
    /// Names (lowercase) and values of the headers that [`Request::kept_headers`] lists.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = out.debug_struct("Response");
        debug.field("status", &self.status).field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Response {
    /// A response with a status, headers (all of them are kept) and a body.
    #[must_use]
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let header = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| (*value).to_owned())
        };
        Self {
            status,
            content_type: header("content-type"),
            retry_after: header("retry-after"),
            location: header("location"),
            content_range: header("content-range"),
            authenticate: header("www-authenticate"),
            headers: headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect(),
            body: body.into(),
        }
    }

    /// The value of a kept header by its lowercase name. Several headers of one name are joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let found: Vec<&str> =
            self.headers.iter().filter(|(kept, _)| kept == name).map(|(_, value)| value.as_str()).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

/// Sends requests: over HTTP, or to a recording.
pub trait Transport: Send + Sync {
    /// Sends one request once. A response with an error status is `Ok`.
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        (**self).send(request)
    }
}

/// Returns recorded responses in order, and records the requests.
#[derive(Debug, Default)]
pub struct RecordedTransport {
    responses: Mutex<VecDeque<Response>>,
    requests: Mutex<Vec<Request>>,
}

impl RecordedTransport {
    #[must_use]
    pub fn new(responses: impl IntoIterator<Item = Response>) -> Self {
        Self { responses: Mutex::new(responses.into_iter().collect()), requests: Mutex::default() }
    }

    /// The requests sent so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of recorded responses that were not used yet.
    #[must_use]
    pub fn unused_responses(&self) -> usize {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Transport for RecordedTransport {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let response = self.responses.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // `misconfigured` is not retried; `unreachable` would be.
        let message = format!("{}: the recording has no more responses", request.label);
        let exhausted = || SourceError::new(ErrorKind::Misconfigured, message);
        Box::pin(std::future::ready(response.ok_or_else(exhausted)))
    }
}
