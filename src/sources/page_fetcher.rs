//! Fetches one page over HTTP: builds the request, sends it, decodes the response, completes the records by their
//! details. Shared by the page chains of a pull.

use std::sync::Arc;

use url::Url;

use crate::fields::explode_path::ASKED_PERIOD;
use crate::model::connector::{ConnectorFile, Decode, PageEnd, Pages, RequestTemplate};
use crate::model::page::Page;
use crate::model::pull::PagePlace;
use crate::sources::auth::Token;
use crate::sources::content_range::ContentRange;
use crate::sources::decode::envelope::{EnvelopeValues, InsteadOfAnswer};
use crate::sources::decode::{Decoder, hex_digest};
use crate::sources::details::DetailRequests;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::exchange::Exchange;
use crate::sources::paginate::KeysetEdge;
use crate::sources::plan::TimeSlice;
use crate::sources::request::{self, Request, TemplateContext};
use crate::sources::transport::Response;
use crate::sources::{charset, follow, response};

/// Longest cursor or next address. Every page of a chain keeps its own until the chain ends.
const MAX_CURSOR_BYTES: usize = 8 << 10;

/// Fetches the pages of one pull.
pub(crate) struct PageFetcher {
    exchange: Exchange,
    template: RequestTemplate,
    pages: Pages,
    /// `complete.end_statuses`.
    end_statuses: Vec<u16>,
    decoder: Arc<Decoder>,
    details: Option<DetailRequests>,
    kept_headers: Vec<String>,
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
    /// Digest of the records that it had then.
    pub(crate) expected_records: Option<String>,
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
        file: &ConnectorFile,
        exchange: Exchange,
        decoder: Arc<Decoder>,
        details: Option<DetailRequests>,
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
            exchange,
            template,
            pages: file.pages.clone(),
            end_statuses: file.complete.end_statuses.clone(),
            decoder,
            details,
            kept_headers: kept_headers(&file.pages),
        })
    }

    /// Retries and requests for details so far in this pull.
    pub(crate) fn sent(&self) -> (u32, u32) {
        (self.exchange.retries(), self.details.as_ref().map_or(0, DetailRequests::sent))
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

    /// Fetches a page, with the details of its records. Transient errors are retried according to `[retry]`. A page whose
    /// list is `null` is requested a second time: some sources send `null` when they fail.
    pub(crate) async fn fetch(&self, wanted: &PageRequest) -> Result<PageReply, SourceError> {
        let mut reply = self.fetch_list(wanted).await?;
        if let (PageReply::Page(fetched), Some(details)) = (&mut reply, &self.details)
            && wanted.expected_records.as_ref().is_none_or(|records| *records != fetched.records)
        {
            let list = std::mem::replace(&mut fetched.page, self.empty_page(String::new()));
            fetched.page = details.complete(&self.exchange, list).await?;
        }
        if let PageReply::Page(fetched) = &mut reply {
            state_period(wanted, &mut fetched.page);
        }
        Ok(reply)
    }

    async fn fetch_list(&self, wanted: &PageRequest) -> Result<PageReply, SourceError> {
        let origin = self.origin(wanted);
        let mut attempt = 1;
        let mut is_second_null = false;
        loop {
            let sent = self.exchange.send(
                &origin,
                |token| self.request(wanted, token),
                |request, response| self.read(wanted, request, response, &origin),
            );
            match sent.await {
                Ok(PageReply::Page(fetched)) if fetched.envelope.null_list && !is_second_null => is_second_null = true,
                Ok(reply) => return Ok(reply),
                Err(error) => self.exchange.wait_to_retry(error, &mut attempt).await?,
            }
        }
    }

    /// Reads a response; `None` if its envelope reports an expired session.
    fn read(
        &self,
        wanted: &PageRequest,
        request: &Request,
        mut response: Response,
        origin: &str,
    ) -> Result<Option<PageReply>, SourceError> {
        if self.is_behind_end(wanted, response.status) {
            return Ok(Some(self.page_behind_end(request)));
        }
        let headers = Response {
            headers: std::mem::take(&mut response.headers),
            content_range: response.content_range.clone(),
            ..Response::default()
        };
        let is_fault = response.status >= 400 && self.decoder.is_answer(&response.body);
        let body = if is_fault {
            response.body
        } else {
            let content_type = response.content_type.clone().filter(|_| self.decoder.follows_charset());
            let body = response::successful_body(response, request, &self.exchange.retry)?;
            charset::in_utf8(body, content_type.as_deref())
        };
        self.decode(wanted, request, &headers, &body).map_err(|error| error.on(origin))
    }

    fn request(&self, wanted: &PageRequest, token: Option<&Token>) -> Result<Request, SourceError> {
        let session = self.exchange.login.session(token);
        let (slice, page) = (wanted.slice.as_deref(), Some(&wanted.place));
        let context = TemplateContext { slice, page, size: wanted.size, session, record: None };
        let Exchange { base_url, values, .. } = &self.exchange;
        let mut request = request::build(base_url, &self.template, &self.pages, context, values)?;
        request.kept_headers.clone_from(&self.kept_headers);
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
        if envelope.instead == Some(InsteadOfAnswer::Expired) {
            return Ok(None);
        }
        if let Some(PageEnd::Total { header: Some(name), .. }) = self.pages.end() {
            let text = headers.header(&name.to_ascii_lowercase());
            envelope.total = text.and_then(|text| total_in_header(&text));
        }
        envelope.no_next |= self.states_no_next(envelope.next.as_deref(), headers, request);
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
        matches!(self.pages.end(), Some(PageEnd::NullCursor { none, .. }) if none.iter().any(|word| word == stated))
    }

    /// Whether a response states that no page follows, besides by an empty value: by a cursor, in the body (`stated`) or in a
    /// header, that means that there is none, or by links of which none leads to a next page.
    fn states_no_next(&self, stated: Option<&str>, headers: &Response, request: &Request) -> bool {
        match &self.pages {
            Pages::Cursor { header: Some(name), .. } => {
                let cursor = headers.header(&name.to_ascii_lowercase());
                cursor.is_some_and(|cursor| cursor.is_empty() || self.is_no_cursor(&cursor))
            }
            Pages::LinkHeader { .. } => {
                let links = headers.header("link").unwrap_or_default();
                follow::next_link(&links).is_none() && self.is_last_by_links(&links, request)
            }
            _ => stated.is_some_and(|next| self.is_no_cursor(next)),
        }
    }

    /// Whether links, of which none leads to a next page, show that this page is the last one: `last` leads to it, or to the first
    /// page; without `last`, any other page shows that the source pages by links.
    fn is_last_by_links(&self, links: &str, request: &Request) -> bool {
        let Some(last) = follow::last_link(links) else { return follow::names_earlier_page(links) };
        let address = |link: &str| {
            let address = follow::next_address(&self.exchange.base_url, &request.url, link).ok()?;
            Some(self.without_secrets(address))
        };
        let own = self.without_secrets(request.url.clone());
        address(last).is_some_and(|last| last == own || follow::first_link(links).and_then(address) == Some(last))
    }

    /// Whether a status means that the page is behind the last one.
    fn is_behind_end(&self, wanted: &PageRequest, status: u16) -> bool {
        let is_declared = self.end_statuses.contains(&status) && (status == 204 || wanted.ordinal > 1);
        is_declared || wanted.may_be_behind_end && matches!(status, 204 | 404 | 416)
    }

    /// An empty page in place of one that does not exist.
    fn page_behind_end(&self, request: &Request) -> PageReply {
        let page = self.empty_page(request.label.clone());
        let records = self.records_digest(&page);
        let envelope = EnvelopeValues::default();
        PageReply::Page(Box::new(FetchedPage { page, records, envelope, next: None, range: None, edge: None }))
    }

    fn empty_page(&self, origin: String) -> Page {
        Page::new(0, origin, hex_digest(&[]), self.decoder.fields())
    }

    /// Digest by which a page is recognised when it comes again. Records without any kept text are recognised by the
    /// body.
    fn records_digest(&self, page: &Page) -> String {
        let text = page.kept_text();
        let is_only_page = self.pages == Pages::None;
        if is_only_page || (text.is_empty() && page.records() > 0) {
            page.body_digest.clone()
        } else {
            hex_digest(text.as_bytes())
        }
    }

    /// Keys of the first and the last two records; `None` unless the chain is paged by key.
    fn keyset_edge(&self, page: &Page) -> Option<KeysetEdge> {
        let Pages::Keyset { path, .. } = &self.pages else { return None };
        let field = page.fields.iter().position(|field| field == path)?;
        let key = |record: usize| page.row_of_record(record).and_then(|row| page.cell(row, field));
        let last = page.records().checked_sub(1)?;
        let before = last.checked_sub(1).and_then(key);
        let first = key(0).unwrap_or_default().to_owned();
        Some(KeysetEdge { first, is_tied: before.is_some() && before == key(last) })
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
            let next = follow::next_address(&self.exchange.base_url, &request.url, link)?;
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
                let last = page.records().checked_sub(1).and_then(|last| page.row_of_record(last));
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
            self.exchange.login.is_credential_parameter(name) || template.is_some_and(request::has_secret)
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

/// Sets the period that was asked for in the rows of a page, if the connector maps it.
fn state_period(wanted: &PageRequest, page: &mut Page) {
    let period = wanted.slice.as_ref().and_then(|slice| slice.period.as_deref());
    let field = page.fields.iter().position(|field| field == ASKED_PERIOD);
    if let Some((field, period)) = field.zip(period) {
        page.set_in_all_rows(field, period);
    }
}
