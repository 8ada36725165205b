//! Carrying one request to a source and its answer back.

pub mod files;
pub mod http;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;

/// An answer of a source. Of its headers only those that are read are kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Response {
    pub status: u16,
    pub content_type: Option<String>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    /// What [`Request::kept_headers`] named, lowercase.
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
    /// An answer from a status, its headers (all are kept) and its body.
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
            headers: headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect(),
            body: body.into(),
        }
    }
}

impl Response {
    /// A kept header by its lowercase name; several of one name are joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let found: Vec<&str> =
            self.headers.iter().filter(|(kept, _)| kept == name).map(|(_, value)| value.as_str()).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

/// Sends requests: over HTTP, or from a recording.
pub trait Transport: Send + Sync {
    /// Sends one request once; a status is no error here.
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        (**self).send(request)
    }
}

/// Answers from a queue, in order, and remembers what was asked.
#[derive(Debug, Default)]
pub struct RecordedTransport {
    answers: Mutex<VecDeque<Response>>,
    asked: Mutex<Vec<Request>>,
}

impl RecordedTransport {
    #[must_use]
    pub fn new(answers: impl IntoIterator<Item = Response>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() }
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers that nobody asked for yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Transport for RecordedTransport {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // Not `unreachable`: that would be tried again.
        let message = format!("{}: the recording has no more answers", request.label);
        let none = || SourceError::new(ErrorKind::Misconfigured, message);
        Box::pin(std::future::ready(answer.ok_or_else(none)))
    }
}
