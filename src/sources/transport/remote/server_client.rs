//! The HTTP client of WebDAV and S3: OpenDAL builds the requests, this client sends them, bounded in size and time.
#![expect(clippy::disallowed_methods, reason = "edge: the HTTP client of file servers is built here")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream;
use opendal::{Buffer, HttpBody, HttpTransport};
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;

use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::transport::http::failure;
use crate::sources::transport::remote::ServerLimits;
use crate::sources::transport::tls;

/// Timeout of a whole answer, in read timeouts. As for HTTP sources.
const WHOLE_ANSWER_TIMEOUTS: u32 = 10;

/// Sends the requests of one pull. Redirects are not followed: credentials go to the declared host only.
#[derive(Clone)]
pub(super) struct ServerClient {
    client: reqwest::Client,
    /// Longest answer.
    max_bytes: Arc<AtomicU64>,
    /// Why the last request failed: OpenDAL's errors do not say.
    failed: Arc<Mutex<Option<SourceError>>>,
    /// Whether the last answer had the status 404.
    is_missing: Arc<AtomicBool>,
}

impl ServerClient {
    /// # Errors
    /// `misconfigured`.
    pub(super) fn new(limits: &ServerLimits, ca_file: Option<&str>) -> Result<Self, SourceError> {
        let authorities =
            ca_file.map_or(Ok(Vec::new()), |path| tls::read_authorities("access.server.ca_certificates", path))?;
        let client = reqwest::Client::builder()
            .user_agent(concat!("motcua/", env!("CARGO_PKG_VERSION")))
            .no_gzip()
            .no_proxy()
            .referer(false)
            .redirect(Policy::none())
            .tls_certs_merge(authorities)
            .connect_timeout(limits.connect)
            .read_timeout(limits.silence)
            .timeout(limits.silence.saturating_mul(WHOLE_ANSWER_TIMEOUTS))
            .build()
            .map_err(|_| SourceError::new(ErrorKind::Misconfigured, "the HTTP client cannot be built"))?;
        Ok(Self { client, max_bytes: Arc::default(), failed: Arc::default(), is_missing: Arc::default() })
    }

    /// Sets how long the next answers may be.
    pub(super) fn limit(&self, max_bytes: u64) {
        self.max_bytes.store(max_bytes, Ordering::Relaxed);
    }

    /// Whether what the last request asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.is_missing.load(Ordering::Relaxed)
    }

    /// The error of the last request, which is forgotten.
    pub(super) fn take_error(&self) -> Option<SourceError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn send(&self, request: http::Request<Buffer>) -> Result<http::Response<Vec<u8>>, SourceError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let request = reqwest::Request::try_from(request.map(|body| reqwest::Body::from(body.to_bytes())))
            .map_err(|_| SourceError::new(ErrorKind::Misconfigured, "the address is not valid in HTTP"))?;
        // The answer to this request has no body, whatever its length says.
        let has_body = request.method() != reqwest::Method::HEAD;
        let mut received = self.client.execute(request).await.map_err(|error| failure(&error, &host, false))?;
        refusal(&received, &host)?;
        self.is_missing.store(received.status() == reqwest::StatusCode::NOT_FOUND, Ordering::Relaxed);
        let max_bytes = self.max_bytes.load(Ordering::Relaxed);
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = received.status();
        answer.headers_mut().clone_from(received.headers());
        while has_body && let Some(chunk) = received.chunk().await.map_err(|error| failure(&error, &host, true))? {
            if (answer.body().len() + chunk.len()) as u64 > max_bytes {
                let message = format!("the answer is longer than {max_bytes} bytes");
                return Err(SourceError::new(ErrorKind::BodyTooLarge, message));
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

impl HttpTransport for ServerClient {
    async fn fetch(&self, request: http::Request<Buffer>) -> opendal::Result<http::Response<HttpBody>> {
        match self.send(request).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                let size = Some(body.len() as u64);
                let body = HttpBody::new(stream::iter([Ok(Buffer::from(body))]), size);
                Ok(http::Response::from_parts(parts, body))
            }
            Err(error) => {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(opendal::Error::new(opendal::ErrorKind::Unexpected, "the request failed"))
            }
        }
    }
}

/// The error of a status that is the same for every server and request. 404 is not: it depends on what was asked for.
fn refusal(received: &reqwest::Response, host: &str) -> Result<(), SourceError> {
    let status = received.status().as_u16();
    let message = format!("`{host}` answered with status {status}");
    Err(match status {
        200..=299 | 404 => return Ok(()),
        401 | 403 => SourceError::new(ErrorKind::LoginRefused, message),
        408 | 425 => {
            SourceError { class: ErrorClass::Transient, ..SourceError::new(ErrorKind::UnexpectedStatus, message) }
        }
        429 => {
            let after = received.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
            SourceError { retry_after: after, ..SourceError::new(ErrorKind::RateLimited, message) }
        }
        300..=399 if received.headers().contains_key(LOCATION) => {
            SourceError::new(ErrorKind::WrongHost, format!("{message}, a redirect to another address"))
        }
        500.. => SourceError::new(ErrorKind::Unavailable, message),
        _ => SourceError::new(ErrorKind::UnexpectedStatus, message),
    })
}
