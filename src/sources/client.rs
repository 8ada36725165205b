//! Asking a source over HTTP for one page until it comes or is given up. Shared by the chains of a pull.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::model::connector::{ConnectorFile, Decode, PageEnd, Pages, RequestTemplate, Retry};
use crate::model::page::Page;
use crate::model::pull::PagePlace;
use crate::model::values::Values;
use crate::sources::auth::{Login, Token};
use crate::sources::decode::facts::Facts;
use crate::sources::decode::{Decoder, hex_digest};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::plan::TimeSlice;
use crate::sources::request::{self, Request, TemplateContext};
use crate::sources::transport::{Response, Transport};
use crate::sources::{answer, follow, retry};

/// What all requests of a pull have in common.
pub(crate) struct Client {
    connector: String,
    transport: Box<dyn Transport>,
    login: Login,
    base_url: Url,
    template: RequestTemplate,
    pages: Pages,
    retry: Retry,
    values: Values,
    decoder: Arc<Decoder>,
    kept_headers: Vec<String>,
    retries: AtomicU32,
    /// Time of the pull's start, and how long ago that is: dates in `Retry-After` are held against it.
    now: i64,
    started: Instant,
}

/// A page to ask for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) slice: Option<Arc<TimeSlice>>,
    pub(crate) place: PagePlace,
    /// Ordinal of the page in its chain, from 1.
    pub(crate) ordinal: usize,
    /// Digest that the page had; `None` the first time.
    pub(crate) expected: Option<String>,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Came {
    /// The body that was expected; it was not read again.
    Same,
    Page(Box<Fetched>),
}

/// A page, what else it says, and the place of the page after it where the answer names that.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) page: Page,
    pub(crate) facts: Facts,
    pub(crate) next: Option<PagePlace>,
}

impl Client {
    pub(crate) fn new(
        connector: &str,
        file: &ConnectorFile,
        (base_url, login): (Url, Login),
        values: &Values,
        decoder: Arc<Decoder>,
        (now, retries): (i64, u32),
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
        Ok(Self {
            connector: connector.to_owned(),
            transport,
            login,
            base_url,
            template,
            pages: file.pages.clone(),
            retry: file.retry.clone(),
            values: values.clone(),
            decoder,
            kept_headers: kept_headers(&file.pages),
            retries: AtomicU32::new(retries),
            now,
            started: Instant::now(),
        })
    }

    /// Further tries so far.
    pub(crate) fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// `GET /pa/dossier/search pass=accepted 2026-01-01..2026-01-31 page=0`: never a cursor or an address, they may hold values.
    pub(crate) fn origin(&self, asked: &Asked) -> String {
        let mut origin = format!("{} {}", request::method_name(self.template.method), self.template.path);
        if let Some(slice) = &asked.slice {
            origin = format!("{origin} pass={} {}", slice.reference.pass, slice.days);
        }
        match (&asked.place, &self.pages) {
            (_, Pages::None) => origin,
            (PagePlace::Number(number), _) => format!("{origin} page={number}"),
            (PagePlace::Offset(offset), _) => format!("{origin} offset={offset}"),
            _ => format!("{origin} page={}", asked.ordinal),
        }
    }

    /// Asks for a page; what passes is tried again.
    pub(crate) async fn fetch(&self, asked: &Asked) -> Result<Came, SourceError> {
        let origin = self.origin(asked);
        let mut attempt = 1;
        loop {
            let error = match self.ask(asked, &origin).await {
                Err(error) if error.is_retryable() => error,
                done => return done,
            };
            let passed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
            let now = self.now.saturating_add(passed);
            let Some(wait) = retry::wait(&self.retry, attempt, error.retry_after.as_deref(), now) else {
                return Err(given_up(error, attempt));
            };
            if self.retries.fetch_add(1, Ordering::Relaxed) >= self.retry.budget {
                let message = format!("{error}, and the pull's {} further tries are used up", self.retry.budget);
                return Err(SourceError::new(ErrorKind::RetryBudget, message));
            }
            log_retry(&self.connector, &error, attempt, wait);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Asks once. What is granted is renewed once if the source refuses it, by its status or in its reply.
    async fn ask(&self, asked: &Asked, origin: &str) -> Result<Came, SourceError> {
        let mut token = self.login.token(&*self.transport).await?;
        let mut renewed = false;
        loop {
            let request = self.request(asked, token.as_ref(), origin)?;
            let mut response = self.transport.send(&request).await?;
            // A refusal by status carries no page.
            if response.status != 401 {
                let heads = Response { headers: std::mem::take(&mut response.headers), ..Response::default() };
                let body = answer::body(response, &request, &self.retry)?;
                if let Some(came) = self.read(asked, &request, &heads, &body).map_err(|error| error.on(origin))? {
                    return Ok(came);
                }
            }
            token = match token {
                Some(refused) if !renewed => self.login.renew(&refused, &*self.transport).await?,
                _ => {
                    let message = format!("{origin}: {}", self.login.refusal());
                    return Err(SourceError::new(ErrorKind::LoginRefused, message));
                }
            };
            renewed = true;
        }
    }

    fn request(&self, asked: &Asked, token: Option<&Token>, origin: &str) -> Result<Request, SourceError> {
        let session = self.login.session(token);
        let place = TemplateContext { slice: asked.slice.as_deref(), page: Some(&asked.place), session };
        let mut request = request::build(&self.base_url, &self.template, &self.pages, place, &self.values)?;
        origin.clone_into(&mut request.label);
        request.kept_headers.clone_from(&self.kept_headers);
        self.login.sign(&mut request, token);
        Ok(request)
    }

    /// What a body holds; `None` if it says that the session is over.
    fn read(
        &self,
        asked: &Asked,
        request: &Request,
        heads: &Response,
        body: &[u8],
    ) -> Result<Option<Came>, SourceError> {
        // A page that came as it was is not read a second time.
        if asked.expected.as_ref().is_some_and(|digest| *digest == hex_digest(body)) {
            return Ok(Some(Came::Same));
        }
        let (page, mut facts) = self.decoder.page(body, 0, request.label.clone())?;
        if facts.expired {
            return Ok(None);
        }
        if let Some(PageEnd::Total { header: Some(name), .. }) = self.pages.end() {
            let text = heads.header(&name.to_ascii_lowercase());
            facts.total = text.and_then(|text| text.trim().parse().ok());
        }
        let next = self.next_place(&page, &facts, heads, request)?;
        Ok(Some(Came::Page(Box::new(Fetched { page, facts, next }))))
    }

    /// Where the page after this one is, as far as the answer names it.
    fn next_place(
        &self,
        page: &Page,
        facts: &Facts,
        heads: &Response,
        request: &Request,
    ) -> Result<Option<PagePlace>, SourceError> {
        let address = |link: &str| {
            let next = follow::next_address(&self.base_url, &request.url, link)?;
            Ok(Some(PagePlace::Address(self.without_secrets(next))))
        };
        Ok(match &self.pages {
            Pages::Cursor { header: Some(name), .. } => {
                let cursor = heads.header(&name.to_ascii_lowercase()).filter(|cursor| !cursor.is_empty());
                cursor.map(PagePlace::Cursor)
            }
            Pages::Cursor { .. } => facts.next.clone().map(PagePlace::Cursor),
            Pages::NextUrl { .. } => facts.next.as_deref().map_or(Ok(None), address)?,
            Pages::LinkHeader { .. } => {
                let header = heads.header("link").unwrap_or_default();
                follow::next_link(&header).map_or(Ok(None), address)?
            }
            Pages::Keyset { path, .. } => {
                let field = page.fields.iter().position(|field| field == path);
                let last = page.len().checked_sub(1);
                let key = last.zip(field).and_then(|(last, field)| page.cell(last, field));
                key.filter(|key| !key.is_empty()).map(|key| PagePlace::Cursor(key.to_owned()))
            }
            Pages::None | Pages::PageNumber { .. } | Pages::Offset { .. } => None,
        })
    }

    /// Secrets come from the template again when the address is asked for: it may be written down.
    fn without_secrets(&self, mut address: Url) -> String {
        let is_secret = |name: &str| {
            self.login.is_key(name) || self.template.query.get(name).is_some_and(|text| request::is_secret(text))
        };
        request::without(&mut address, is_secret);
        address.into()
    }
}

/// Headers of an answer that say how the chain goes on.
fn kept_headers(pages: &Pages) -> Vec<String> {
    let next = match pages {
        Pages::Cursor { header, .. } => header.clone(),
        Pages::LinkHeader { .. } => Some("link".to_owned()),
        _ => None,
    };
    let total = match pages.end() {
        Some(PageEnd::Total { header, .. }) => header.clone(),
        _ => None,
    };
    [next, total].into_iter().flatten().map(|name| name.to_ascii_lowercase()).collect()
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
