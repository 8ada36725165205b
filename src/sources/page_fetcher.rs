//! Fetches one page over HTTP: builds the request, sends it, retries, renews a rejected token, decodes the response.
//! Shared by the page chains of a pull.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::model::connector::{ConnectorFile, Decode, PageEnd, Pages, RequestTemplate, Retry};
use crate::model::page::Page;
use crate::model::pull::PagePlace;
use crate::model::values::PlaceholderValues;
use crate::sources::auth::{Login, Token};
use crate::sources::content_range::ContentRange;
use crate::sources::decode::envelope::EnvelopeValues;
use crate::sources::decode::{Decoder, hex_digest};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::paginate::KeysetEdge;
use crate::sources::plan::TimeSlice;
use crate::sources::request::{self, Request, TemplateContext};
use crate::sources::transport::{Response, Transport};
use crate::sources::{follow, response, retry};

/// Longest `Retry-After` that a message quotes, in seconds: a week. A larger number may be a telephone number.
const SHOWN_WAIT_SECS: u64 = 7 * 86_400;

/// Longest cursor or next address. Every page of a chain keeps its own until the chain ends.
const MAX_CURSOR_BYTES: usize = 8 << 10;

/// Sends the requests of one pull and decodes their responses.
pub(crate) struct PageFetcher {
    connector: String,
    transport: Box<dyn Transport>,
    login: Login,
    base_url: Url,
    template: RequestTemplate,
    pages: Pages,
    retry: Retry,
    /// `complete.end_statuses`.
    end_statuses: Vec<u16>,
    values: PlaceholderValues,
    decoder: Arc<Decoder>,
    kept_headers: Vec<String>,
    /// Retries so far in this pull, over all requests.
    retries: AtomicU32,
    /// Wall clock (microseconds UTC) and monotonic clock at the pull's start: together they give the current time, with
    /// which dates in `Retry-After` are compared.
    now: i64,
    started: Instant,
}

/// A page to fetch.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    pub(crate) slice: Option<Arc<TimeSlice>>,
    pub(crate) place: PagePlace,
    /// Ordinal of the page in its chain, from 1.
    pub(crate) ordinal: usize,
    /// Body digest that the page had when it was last read; `None` if it was not read before.
    pub(crate) expected_digest: Option<String>,
    /// Page size to request instead of that of `[pages]`.
    pub(crate) size: Option<u32>,
    /// Whether the page may be behind the end of the list, where some sources respond with 204, 404 or 416.
    pub(crate) may_be_behind_end: bool,
}

/// Response to a [`PageRequest`].
#[derive(Debug)]
pub(crate) enum PageReply {
    /// The body has the expected digest; it was not decoded again.
    Unchanged,
    Page(Box<FetchedPage>),
}

/// A decoded page with the values of its envelope.
#[derive(Debug)]
pub(crate) struct FetchedPage {
    pub(crate) page: Page,
    /// SHA-256 of the kept text of the records; of the body if no text is kept.
    pub(crate) records: String,
    pub(crate) envelope: EnvelopeValues,
    /// Place of the next page, if the response states it.
    pub(crate) next: Option<PagePlace>,
    /// Part of the list that the response states, counted in records.
    pub(crate) range: Option<ContentRange>,
    pub(crate) edge: Option<KeysetEdge>,
}

impl PageFetcher {
    pub(crate) fn new(
        connector: &str,
        file: &ConnectorFile,
        (base_url, login): (Url, Login),
        values: &PlaceholderValues,
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
            Decode::Xml { .. } => "application/xml, text/xml",
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
            end_statuses: file.complete.end_statuses.clone(),
            values: values.clone(),
            decoder,
            kept_headers: kept_headers(&file.pages),
            retries: AtomicU32::new(retries),
            now,
            started: Instant::now(),
        })
    }

    /// Retries so far in this pull.
    pub(crate) fn retries(&self) -> u32 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Label of a page for logs and errors: `GET /pa/dossier/search pass=accepted 2026-01-01..2026-01-31 page=0`. A
    /// cursor or an address is never part of it, since it may contain values of records.
    pub(crate) fn origin(&self, wanted: &PageRequest) -> String {
        let mut origin = format!("{} {}", request::method_name(self.template.method), self.template.path);
        if let Some(slice) = &wanted.slice {
            origin = format!("{origin} pass={} {}", slice.reference.pass, slice.days);
        }
        match (&wanted.place, &self.pages) {
            (_, Pages::None) => origin,
            (PagePlace::Number(number), _) => format!("{origin} page={number}"),
            (PagePlace::Offset(offset), _) => format!("{origin} offset={offset}"),
            _ => format!("{origin} page={}", wanted.ordinal),
        }
    }

    /// Fetches a page. Transient errors are retried according to `[retry]`. A page whose list is `null` is requested a
    /// second time: some sources send `null` when they fail.
    pub(crate) async fn fetch(&self, wanted: &PageRequest) -> Result<PageReply, SourceError> {
        let origin = self.origin(wanted);
        let mut attempt = 1;
        let mut is_second_null = false;
        loop {
            let error = match self.fetch_once(wanted, &origin).await {
                Err(error) if error.is_retryable() => error,
                Ok(PageReply::Page(fetched)) if fetched.envelope.null_list && !is_second_null => {
                    is_second_null = true;
                    continue;
                }
                done => return done,
            };
            let passed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
            let now = self.now.saturating_add(passed);
            let Some(wait) = retry::wait(&self.retry, attempt, error.retry_after.as_deref(), now) else {
                return Err(given_up(error, attempt));
            };
            if self.retries.fetch_add(1, Ordering::Relaxed) >= self.retry.budget {
                let message = format!("{error}, and the pull's {} retries are used up", self.retry.budget);
                return Err(SourceError::new(ErrorKind::RetryBudget, message));
            }
            log_retry(&self.connector, &error, attempt, wait);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Fetches a page without retries. A token that the source rejects, by the status or in the envelope, is renewed
    /// once.
    async fn fetch_once(&self, wanted: &PageRequest, origin: &str) -> Result<PageReply, SourceError> {
        let mut token = self.login.token(&*self.transport).await?;
        let mut renewed = false;
        loop {
            let request = self.request(wanted, token.as_ref(), origin)?;
            let mut response = self.transport.send(&request).await?;
            if self.is_behind_end(wanted, response.status) {
                return Ok(self.page_behind_end(&request));
            }
            if !self.login.is_rejected_by(&response) {
                let headers = Response {
                    headers: std::mem::take(&mut response.headers),
                    content_range: response.content_range.clone(),
                    ..Response::default()
                };
                let is_fault = response.status >= 400 && self.decoder.is_answer(&response.body);
                let body =
                    if is_fault { response.body } else { response::successful_body(response, &request, &self.retry)? };
                let reply = self.decode(wanted, &request, &headers, &body).map_err(|error| error.on(origin))?;
                if let Some(reply) = reply {
                    return Ok(reply);
                }
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

    fn request(&self, wanted: &PageRequest, token: Option<&Token>, origin: &str) -> Result<Request, SourceError> {
        let session = self.login.session(token);
        let (slice, page) = (wanted.slice.as_deref(), Some(&wanted.place));
        let context = TemplateContext { slice, page, size: wanted.size, session };
        let mut request = request::build(&self.base_url, &self.template, &self.pages, context, &self.values)?;
        origin.clone_into(&mut request.label);
        request.kept_headers.clone_from(&self.kept_headers);
        self.login.add_credentials(&mut request, token);
        Ok(request)
    }

    /// Decodes a body; `None` if the envelope reports an expired session. `headers` holds the kept headers only.
    fn decode(
        &self,
        wanted: &PageRequest,
        request: &Request,
        headers: &Response,
        body: &[u8],
    ) -> Result<Option<PageReply>, SourceError> {
        if wanted.expected_digest.as_ref().is_some_and(|digest| *digest == hex_digest(body)) {
            return Ok(Some(PageReply::Unchanged));
        }
        let (page, mut envelope) = self.decoder.page(body, 0, request.label.clone())?;
        if envelope.expired {
            return Ok(None);
        }
        if let Some(PageEnd::Total { header: Some(name), .. }) = self.pages.end() {
            let text = headers.header(&name.to_ascii_lowercase());
            envelope.total = text.and_then(|text| total_in_header(&text));
        }
        envelope.next = envelope.next.filter(|next| !self.is_no_cursor(next));
        let next = self.next_place(&page, &envelope, headers, request)?;
        let is_too_long = |place: &PagePlace| match place {
            PagePlace::Cursor(text) | PagePlace::Address(text) => text.len() > MAX_CURSOR_BYTES,
            PagePlace::First | PagePlace::Number(_) | PagePlace::Offset(_) => false,
        };
        if next.as_ref().is_some_and(is_too_long) {
            let message = format!("the cursor or address of the next page is longer than {MAX_CURSOR_BYTES} bytes");
            return Err(SourceError::new(ErrorKind::NoCursor, message));
        }
        let (records, edge) = (self.records_digest(&page), self.keyset_edge(&page));
        let range = response::record_range(headers);
        Ok(Some(PageReply::Page(Box::new(FetchedPage { page, records, envelope, next, range, edge }))))
    }

    /// Whether a cursor or address, as the response states it, is one that means that there is none.
    fn is_no_cursor(&self, stated: &str) -> bool {
        matches!(self.pages.end(), Some(PageEnd::NullCursor { none }) if none.iter().any(|word| word == stated))
    }

    /// Whether a status means that the page is behind the last one.
    fn is_behind_end(&self, wanted: &PageRequest, status: u16) -> bool {
        let is_declared = self.end_statuses.contains(&status) && (status == 204 || wanted.ordinal > 1);
        is_declared || wanted.may_be_behind_end && matches!(status, 204 | 404 | 416)
    }

    /// An empty page in place of one that does not exist.
    fn page_behind_end(&self, request: &Request) -> PageReply {
        let page = Page::new(0, request.label.clone(), hex_digest(&[]), self.decoder.fields());
        let records = self.records_digest(&page);
        let envelope = EnvelopeValues::default();
        PageReply::Page(Box::new(FetchedPage { page, records, envelope, next: None, range: None, edge: None }))
    }

    /// Digest by which a page is recognised when it comes again. Records without any kept text are recognised by the
    /// body.
    fn records_digest(&self, page: &Page) -> String {
        let text = page.kept_text();
        let is_only_page = self.pages == Pages::None;
        if is_only_page || (text.is_empty() && !page.is_empty()) {
            page.body_digest.clone()
        } else {
            hex_digest(text.as_bytes())
        }
    }

    /// Keys of the first and the last two records; `None` unless the chain is paged by key.
    fn keyset_edge(&self, page: &Page) -> Option<KeysetEdge> {
        let Pages::Keyset { path, .. } = &self.pages else { return None };
        let field = page.fields.iter().position(|field| field == path)?;
        let last = page.len().checked_sub(1)?;
        let before = last.checked_sub(1).and_then(|before| page.cell(before, field));
        let first = page.cell(0, field).unwrap_or_default().to_owned();
        Some(KeysetEdge { first, is_tied: before.is_some() && before == page.cell(last, field) })
    }

    /// Place of the next page, if the response states it: in the envelope, in a header, or as the key of the last
    /// record.
    fn next_place(
        &self,
        page: &Page,
        envelope: &EnvelopeValues,
        headers: &Response,
        request: &Request,
    ) -> Result<Option<PagePlace>, SourceError> {
        let address = |link: &str| {
            let next = follow::next_address(&self.base_url, &request.url, link)?;
            Ok(Some(PagePlace::Address(self.without_secrets(next))))
        };
        Ok(match &self.pages {
            Pages::Cursor { header: Some(name), .. } => {
                let cursor = headers.header(&name.to_ascii_lowercase());
                let cursor = cursor.filter(|cursor| !cursor.is_empty() && !self.is_no_cursor(cursor));
                cursor.map(PagePlace::Cursor)
            }
            Pages::Cursor { .. } => envelope.next.clone().map(PagePlace::Cursor),
            Pages::NextUrl { .. } => envelope.next.as_deref().map_or(Ok(None), address)?,
            Pages::LinkHeader { .. } => {
                let header = headers.header("link").unwrap_or_default();
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

    /// Removes the parameters that hold secrets: the address may be saved in a position. [`request::build`] adds them
    /// again.
    fn without_secrets(&self, mut address: Url) -> String {
        let is_secret = |name: &str| {
            let template = self.template.query.get(name);
            self.login.is_credential_parameter(name) || template.is_some_and(request::has_secret)
        };
        request::remove_parameters(&mut address, is_secret);
        address.into()
    }
}

/// The total in a header: a number, or the end of a `Content-Range`.
fn total_in_header(text: &str) -> Option<u64> {
    text.trim().parse().ok().or_else(|| ContentRange::parse(text)?.total)
}

/// Lowercase names of the response headers that the page chain needs: the next cursor or link, the total.
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
