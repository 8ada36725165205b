//! HTTP client with limits: allowed hosts, redirects, request rate, timeouts, body size.
#![expect(clippy::disallowed_methods, reason = "edge: the HTTP client of the sources is built here")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::connector::{Limits, Method};
use crate::sources::decode::inflate;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::transport::route::Route;
use crate::sources::transport::server_clock::ServerClock;
use crate::sources::transport::{Response, Transport, tls};

/// Maximum number of redirects to follow, all within one origin.
const MAX_REDIRECTS: usize = 5;

/// Timeout of a whole response, in read timeouts: it ends a response that arrives byte by byte.
const WHOLE_RESPONSE_TIMEOUTS: u64 = 10;

/// Sends requests over HTTP, only to the hosts that the connector names.
#[derive(Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    hosts: BTreeSet<String>,
    max_body_bytes: u64,
    /// Minimum time between two requests.
    interval: Duration,
    /// Earliest time of the next request; `None` before the first.
    next: Mutex<Option<Instant>>,
    server_clock: ServerClock,
    /// The proxy, as messages name it; empty without one.
    by: &'static str,
}

impl HttpTransport {
    /// # Errors
    /// `misconfigured` if the client cannot be built, for example without a TLS provider.
    pub fn new(limits: &Limits, hosts: BTreeSet<String>, route: Route) -> Result<Self, SourceError> {
        let same_origin = Policy::custom(|attempt| {
            let from = attempt.previous().last().map(url::Url::origin);
            if from == Some(attempt.url().origin()) && attempt.previous().len() <= MAX_REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let read_timeout = Duration::from_secs(limits.read_timeout_secs);
        let (is_followed, by) = (!route.leaves_redirects, route.by());
        let client = route
            .on(reqwest::Client::builder())
            .user_agent(concat!("motcua/", env!("CARGO_PKG_VERSION")))
            // Bodies are decompressed once they are whole: the client would stop after the first of several gzip members.
            .no_gzip()
            .default_headers(accepted_codings())
            .redirect(if is_followed { same_origin } else { Policy::none() })
            .referer(false)
            .connect_timeout(Duration::from_secs(limits.connect_timeout_secs))
            .read_timeout(read_timeout)
            .timeout(Duration::from_secs(limits.read_timeout_secs.saturating_mul(WHOLE_RESPONSE_TIMEOUTS)))
            .build()
            .map_err(|_| SourceError::new(ErrorKind::Misconfigured, "the HTTP client cannot be built"))?;
        let interval = Duration::try_from_secs_f64(1.0 / limits.requests_per_second).unwrap_or_default();
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Ok(Self {
            client,
            hosts,
            max_body_bytes: limits.max_body_bytes,
            interval,
            next: Mutex::default(),
            server_clock: ServerClock::default(),
            by,
        })
    }

    /// The clock of the source, from the responses.
    #[must_use]
    pub fn server_clock(&self) -> ServerClock {
        self.server_clock.clone()
    }

    /// Waits until the request rate allows the next request.
    async fn wait_for_turn(&self) {
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            tokio::time::sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.interval);
    }

    /// An error of the connection, with the proxy through which it went.
    fn by_proxy(&self, mut error: SourceError) -> SourceError {
        if error.kind == ErrorKind::Unreachable {
            error.message.push_str(self.by);
        }
        error
    }

    async fn exchange(&self, request: &Request) -> Result<Response, SourceError> {
        let host = request.url.host_str().unwrap_or_default();
        if !self.hosts.contains(host) {
            return Err(SourceError::new(
                ErrorKind::WrongHost,
                format!("the host `{host}` is not one of the connector's hosts"),
            ));
        }
        self.wait_for_turn().await;
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
        let mut received = builder.send().await.map_err(|error| self.by_proxy(failure(&error, host, false)))?;
        let header =
            |name: HeaderName| received.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if let Some(date) = header(DATE) {
            self.server_clock.note(&date);
        }
        let mut response = Response {
            status: received.status().as_u16(),
            content_type: header(CONTENT_TYPE),
            retry_after: header(RETRY_AFTER),
            location: header(LOCATION),
            content_range: header(CONTENT_RANGE),
            authenticate: header(WWW_AUTHENTICATE),
            headers: kept_headers(&received, &request.kept_headers),
            body: Vec::new(),
        };
        let coding = header(CONTENT_ENCODING);
        while let Some(chunk) = received.chunk().await.map_err(|error| failure(&error, host, true))? {
            if (response.body.len() + chunk.len()) as u64 > self.max_body_bytes {
                let message = format!("the response body is longer than {} bytes", self.max_body_bytes);
                return Err(SourceError::new(ErrorKind::BodyTooLarge, message));
            }
            response.body.extend_from_slice(&chunk);
        }
        if let Some(coding) = coding {
            response.body = inflate::content(response.body, &coding, self.max_body_bytes)?;
        }
        Ok(response)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        Box::pin(async move { self.exchange(request).await.map_err(|error| error.on(&request.label)) })
    }
}

/// The coding that every request asks for.
fn accepted_codings() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))])
}

fn kept_headers(response: &reqwest::Response, names: &[String]) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for name in names {
        let values = response.headers().get_all(name.as_str()).into_iter();
        kept.extend(values.filter_map(|value| Some((name.clone(), value.to_str().ok()?.to_owned()))));
    }
    kept
}

/// The error of a failed exchange. The text of `reqwest::Error` is not used: it may contain the address with its query.
pub(super) fn failure(error: &reqwest::Error, host: &str, in_body: bool) -> SourceError {
    if error.is_timeout() {
        return SourceError::new(ErrorKind::Timeout, format!("`{host}` did not respond in time"));
    }
    if error.is_builder() {
        return SourceError::new(ErrorKind::Misconfigured, "the address or a header is not valid in HTTP");
    }
    if let Some(error) = tls::handshake_error(error, host) {
        return error;
    }
    if in_body {
        return SourceError::new(ErrorKind::BodyCutShort, format!("the response of `{host}` ended early"));
    }
    let message = if error.is_connect() {
        let port = error.url().and_then(reqwest::Url::port_or_known_default);
        format!("no connection to `{host}{}`", port.map(|port| format!(":{port}")).unwrap_or_default())
    } else {
        format!("`{host}` closed the connection without a response")
    };
    SourceError::new(ErrorKind::Unreachable, message)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
