//! Sends the requests of one pull: adds credentials, renews a rejected token, counts and waits for retries. At most
//! `limits.concurrency` requests are in flight.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::model::connector::{ConnectorFile, Retry};
use crate::model::values::PlaceholderValues;
use crate::sources::auth::{Login, Token};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::retry;
use crate::sources::transport::{Response, Transport};

/// Longest `Retry-After` that a message quotes, in seconds: a week. A larger number may be a telephone number.
const SHOWN_WAIT_SECS: u64 = 7 * 86_400;

/// The connection to one source during one pull.
pub(crate) struct Exchange {
    connector: String,
    transport: Box<dyn Transport>,
    pub(crate) login: Login,
    pub(crate) base_url: Url,
    pub(crate) retry: Retry,
    pub(crate) values: PlaceholderValues,
    permits: Semaphore,
    /// Retries so far in this pull, over all requests.
    retries: AtomicU32,
    /// Wall clock (microseconds UTC) and monotonic clock at the pull's start: together they give the current time, with
    /// which dates in `Retry-After` are compared.
    now: i64,
    started: Instant,
}

impl Exchange {
    /// `now`: start of the pull; `retries`: those of a pull that is resumed.
    pub(crate) fn new(
        connector: &str,
        file: &ConnectorFile,
        (base_url, login): (Url, Login),
        values: &PlaceholderValues,
        (now, retries): (i64, u32),
        transport: Box<dyn Transport>,
    ) -> Self {
        Self {
            connector: connector.to_owned(),
            transport,
            login,
            base_url,
            retry: file.retry.clone(),
            values: values.clone(),
            permits: Semaphore::new(file.limits.concurrency.max(1) as usize),
            retries: AtomicU32::new(retries),
            now,
            started: Instant::now(),
        }
    }

    /// Retries so far in this pull.
    pub(crate) fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Sends a request without retries. A token that the source rejects, by the status or because `read` returns `None`, is
    /// renewed once. `build` makes the request, without credentials; `read` gets the response.
    pub(crate) async fn send<T>(
        &self,
        origin: &str,
        build: impl Fn(Option<&Token>) -> Result<Request, SourceError>,
        read: impl Fn(&Request, Response) -> Result<Option<T>, SourceError>,
    ) -> Result<T, SourceError> {
        let mut token = self.login.token(&*self.transport).await?;
        let mut renewed = false;
        loop {
            let mut request = build(token.as_ref())?;
            origin.clone_into(&mut request.label);
            let response = {
                let _permit = self.permits.acquire().await.expect("the permits are never closed");
                self.login.add_credentials(&mut request, token.as_ref(), self.now());
                self.transport.send(&request).await?
            };
            let is_rejected = self.login.is_rejected_by(&response);
            if !is_rejected && let Some(read) = read(&request, response)? {
                return Ok(read);
            }
            token = match token {
                Some(rejected) if !renewed => self.login.renew(&rejected, &*self.transport).await?,
                _ => {
                    let message = format!("{origin}: {}", self.login.refusal_message());
                    return Err(SourceError::new(ErrorKind::LoginRefused, message));
                }
            };
            renewed = true;
        }
    }

    /// Microseconds UTC.
    fn now(&self) -> i64 {
        let passed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.now.saturating_add(passed)
    }

    /// Waits before a request that failed is sent again. `attempt` counts its attempts, from 1.
    ///
    /// # Errors
    /// `error` if it is not sent again, `retry_budget`.
    pub(crate) async fn wait_to_retry(&self, error: SourceError, attempt: &mut u32) -> Result<(), SourceError> {
        if !error.is_retryable() {
            return Err(error);
        }
        let Some(wait) = retry::wait(&self.retry, *attempt, error.retry_after.as_deref(), self.now()) else {
            return Err(given_up(error, *attempt));
        };
        if self.retries.fetch_add(1, Ordering::Relaxed) >= self.retry.budget {
            let message = format!("{error}, and the pull's {} retries are used up", self.retry.budget);
            return Err(SourceError::new(ErrorKind::RetryBudget, message));
        }
        log_retry(&self.connector, &error, *attempt, wait);
        tokio::time::sleep(wait).await;
        *attempt += 1;
        Ok(())
    }
}

/// The error of the last attempt, with `Retry-After` and the number of attempts in its message.
fn given_up(mut error: SourceError, attempts: u32) -> SourceError {
    match error.retry_after.as_deref().and_then(|text| text.parse::<u64>().ok()) {
        Some(seconds) if seconds <= SHOWN_WAIT_SECS => {
            error.message = format!("{} and `Retry-After: {seconds}`", error.message);
        }
        Some(_) => error.message = format!("{} and demands a wait of more than a week", error.message),
        None => {}
    }
    if attempts > 1 {
        error.message = format!("{}, tried {attempts} times", error.message);
    }
    error
}

fn log_retry(connector: &str, error: &SourceError, attempt: u32, wait: Duration) {
    let wait_millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(connector, error = error.kind.code(), attempt, wait_millis, "{error}; retrying");
}
