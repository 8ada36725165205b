//! Reading a source over HTTP: slice after slice, page after page, each asked for until it comes or is given up.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::model::connector::{ConnectorFile, Decode, Limits, Pages, RequestTemplate, Retry};
use crate::model::page::Page;
use crate::model::values::Values;
use crate::sources::auth::Login;
use crate::sources::decode::Decoder;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::paginate::{Chain, Step};
use crate::sources::plan::Slice;
use crate::sources::request::{self, Place, Request};
use crate::sources::transport::{Response, Transport};
use crate::sources::{PullStart, answer, plan, retry};

/// One pull over HTTP.
pub(crate) struct WebReading {
    connector: String,
    transport: Box<dyn Transport>,
    login: Login,
    base_url: Url,
    template: RequestTemplate,
    pages: Pages,
    limits: Limits,
    retry: Retry,
    values: Values,
    /// Chains to read; one without a slice where the connector has no passes.
    ahead: VecDeque<Option<Slice>>,
    current: Option<(Option<Slice>, Chain)>,
    read_pages: u32,
    /// Time of the pull's start, and how long ago that is: dates in `Retry-After` are held against it.
    now: i64,
    started: Instant,
}

impl fmt::Debug for WebReading {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = out.debug_struct("WebReading");
        debug.field("connector", &self.connector).field("read_pages", &self.read_pages).finish_non_exhaustive()
    }
}

impl WebReading {
    pub(crate) fn new(
        connector: &str,
        file: &ConnectorFile,
        (base_url, login): (Url, Login),
        values: &Values,
        start: &PullStart,
        transport: Box<dyn Transport>,
    ) -> Result<Self, SourceError> {
        let mut template = file
            .request
            .clone()
            .ok_or_else(|| SourceError::new(ErrorKind::Misconfigured, "an http connector has no `[request]`"))?;
        let accept = match file.decode {
            Decode::Json { .. } => "application/json",
            Decode::Csv { .. } => "text/csv",
            Decode::Xlsx { .. } => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Decode::Spreadsheet { .. } => "*/*",
        };
        if !template.headers.keys().any(|name| name.eq_ignore_ascii_case("accept")) {
            template.headers.insert("accept".to_owned(), accept.to_owned());
        }
        let ahead = if file.window.passes.is_empty() {
            VecDeque::from([None])
        } else {
            let slices = plan::plan(&file.window, start.now, &start.cursor, &start.oldest_open)?;
            slices.into_iter().map(Some).collect()
        };
        Ok(Self {
            connector: connector.to_owned(),
            transport,
            login,
            base_url,
            template,
            pages: file.pages.clone(),
            limits: file.limits.clone(),
            retry: file.retry.clone(),
            values: values.clone(),
            ahead,
            current: None,
            read_pages: 0,
            now: start.now,
            started: Instant::now(),
        })
    }

    /// The next page; `None` when every chain was followed to its end.
    pub(crate) async fn next(&mut self, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        if self.current.is_none() {
            let Some(slice) = self.ahead.pop_front() else { return Ok(None) };
            self.current = Some((slice, Chain::new(&self.pages)));
        }
        let (slice, chain) = self.current.as_ref().expect("a chain was opened above");
        let place = Place { slice: slice.as_ref(), page: chain.page() };
        let mut request = request::build(&self.base_url, &self.template, &self.pages, place, &self.values)?;
        let origin = origin(&request.label, place);
        request.label.clone_from(&origin);
        if self.read_pages >= self.limits.max_pages {
            let message = format!("{origin}: {} pages were read and more follow", self.read_pages);
            return Err(SourceError::new(ErrorKind::PageLimit, message));
        }
        let (page, last) = self.fetch(request, decoder, number, &origin).await?;
        self.read_pages += 1;
        let (_, chain) = self.current.as_mut().expect("a chain was opened above");
        if chain.advance(&page.body_digest, last).map_err(|error| error.on(&origin))? == Step::End {
            self.current = None;
        }
        Ok(Some(page))
    }

    async fn fetch(
        &self,
        mut request: Request,
        decoder: &Decoder,
        number: u32,
        origin: &str,
    ) -> Result<(Page, Option<bool>), SourceError> {
        let mut attempt = 1;
        loop {
            let read = match self.send(&mut request).await {
                Ok(body) => decoder.page(&body, number, origin.to_owned()).map_err(|error| error.on(origin)),
                Err(error) => Err(error),
            };
            let error = match read {
                Err(error) if error.is_retryable() => error,
                done => return done,
            };
            let passed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
            let now = self.now.saturating_add(passed);
            let Some(wait) = retry::wait(&self.retry, attempt, error.retry_after.as_deref(), now) else {
                return Err(given_up(error, attempt));
            };
            log_retry(&self.connector, &error, attempt, wait);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends a request with its token, which is renewed once if it is refused.
    async fn send(&self, request: &mut Request) -> Result<Vec<u8>, SourceError> {
        let token = self.login.token(&*self.transport).await?;
        request.bearer = token.as_ref().map(|token| token.bearer.clone());
        let mut response = self.transport.send(request).await?;
        if is_refused(&response)
            && let Some(refused) = &token
        {
            request.bearer = self.login.renew(refused, &*self.transport).await?.map(|token| token.bearer);
            response = self.transport.send(request).await?;
        }
        if is_refused(&response) {
            let what = if token.is_some() { "a fresh token was refused" } else { "the source wants a login" };
            return Err(SourceError::new(ErrorKind::LoginRefused, format!("{}: {what}", request.label)));
        }
        answer::body(response, request, &self.retry)
    }
}

fn is_refused(response: &Response) -> bool {
    response.status == 401
}

fn given_up(mut error: SourceError, attempt: u32) -> SourceError {
    if let Some(asked) = error.retry_after.as_deref().filter(|text| text.parse::<u64>().is_ok()) {
        error.message = format!("{} and `Retry-After: {asked}`", error.message);
    }
    if attempt > 1 {
        error.message = format!("{}, tried {attempt} times", error.message);
    }
    error
}

fn log_retry(connector: &str, error: &SourceError, attempt: u32, wait: Duration) {
    let wait_millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(connector, error = error.kind.code(), attempt, wait_millis, "{error}; trying again");
}

/// `GET /pa/dossier/search pass=accepted 2026-01-01..2026-01-31 page=0`.
fn origin(label: &str, place: Place<'_>) -> String {
    let mut origin = label.to_owned();
    if let Some(slice) = place.slice {
        origin = format!("{origin} pass={} {}", slice.pass, slice.days);
    }
    if let Some(page) = place.page {
        origin = format!("{origin} page={page}");
    }
    origin
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;
