//! HTTP, bounded: hosts, redirects, rate, times and bytes.
#![expect(clippy::disallowed_methods, reason = "edge: the HTTP client of the sources is built here")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::connector::{Limits, Method};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::transport::{Response, Transport};

/// Redirects followed inside one origin.
const REDIRECTS: usize = 5;

/// An answer that drips is cut off after this many read timeouts.
const WHOLE_ANSWER_TIMEOUTS: u64 = 10;

/// Sends over HTTP to the hosts that a connector names.
#[derive(Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    hosts: BTreeSet<String>,
    max_body_bytes: u64,
    interval: Duration,
    /// When the next request may go out.
    next: Mutex<Option<Instant>>,
}

impl HttpTransport {
    /// # Errors
    /// `misconfigured` if the client cannot be built, for example without a TLS provider.
    pub fn new(limits: &Limits, hosts: BTreeSet<String>) -> Result<Self, SourceError> {
        let same_origin = Policy::custom(|attempt| {
            let from = attempt.previous().last().map(url::Url::origin);
            if from == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let read_timeout = Duration::from_secs(limits.read_timeout_secs);
        let client = reqwest::Client::builder()
            .user_agent(concat!("motcua/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(same_origin)
            .referer(false)
            .connect_timeout(Duration::from_secs(limits.connect_timeout_secs))
            .read_timeout(read_timeout)
            .timeout(Duration::from_secs(limits.read_timeout_secs.saturating_mul(WHOLE_ANSWER_TIMEOUTS)))
            .build()
            .map_err(|_| SourceError::new(ErrorKind::Misconfigured, "the HTTP client cannot be built"))?;
        let interval = Duration::try_from_secs_f64(1.0 / limits.requests_per_second).unwrap_or_default();
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Ok(Self { client, hosts, max_body_bytes: limits.max_body_bytes, interval, next: Mutex::default() })
    }

    async fn pace(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            tokio::time::sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.interval);
    }

    async fn exchange(&self, request: &Request) -> Result<Response, SourceError> {
        let host = request.url.host_str().unwrap_or_default();
        if !self.hosts.contains(host) {
            return Err(SourceError::new(
                ErrorKind::WrongHost,
                format!("the connector does not name the host `{host}`"),
            ));
        }
        self.pace().await;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(bearer) = &request.bearer {
            builder = builder.bearer_auth(bearer.expose_secret());
        }
        if let Some((username, password)) = &request.basic {
            builder = builder.basic_auth(username, Some(password.expose_secret()));
        }
        if !request.form.is_empty() {
            builder = builder.form(&request.form);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut answer = builder.send().await.map_err(|error| failure(&error, host, false))?;
        let header =
            |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut response = Response {
            status: answer.status().as_u16(),
            content_type: header(CONTENT_TYPE),
            retry_after: header(RETRY_AFTER),
            location: header(LOCATION),
            headers: kept(&answer, &request.kept_headers),
            body: Vec::new(),
        };
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error, host, true))? {
            if (response.body.len() + chunk.len()) as u64 > self.max_body_bytes {
                let message = format!("the body is longer than {} bytes", self.max_body_bytes);
                return Err(SourceError::new(ErrorKind::BodyTooLarge, message));
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        Box::pin(async move { self.exchange(request).await.map_err(|error| error.on(&request.label)) })
    }
}

fn kept(answer: &reqwest::Response, names: &[String]) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for name in names {
        let values = answer.headers().get_all(name.as_str()).into_iter();
        kept.extend(values.filter_map(|value| Some((name.clone(), value.to_str().ok()?.to_owned()))));
    }
    kept
}

/// The client's own text may hold the address with its query: it is not used.
fn failure(error: &reqwest::Error, host: &str, in_body: bool) -> SourceError {
    if error.is_timeout() {
        return SourceError::new(ErrorKind::Timeout, format!("`{host}` did not answer in time"));
    }
    if error.is_builder() {
        return SourceError::new(ErrorKind::Misconfigured, "a header or the address cannot be sent");
    }
    if in_body {
        return SourceError::new(ErrorKind::BodyCutShort, format!("the answer of `{host}` ended early"));
    }
    let message = if error.is_connect() {
        let port = error.url().and_then(reqwest::Url::port_or_known_default);
        format!("no connection to `{host}{}`", port.map(|port| format!(":{port}")).unwrap_or_default())
    } else {
        format!("`{host}` closed the connection without an answer")
    };
    SourceError::new(ErrorKind::Unreachable, message)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
