//! Reads a connector's source page by page. A page holds only the fields that the connector keeps.
//!
//! | step | module | what it does |
//! |---|---|---|
//! | plan | `plan` | splits the time to read into slices: one page chain per slice |
//! | request | `request`, `auth` | fills the templates of a connector and adds credentials |
//! | transport | `transport` | sends one request (`http`), lists and reads files (`files`) |
//! | response | `response`, `content_range`, `retry` | checks status and headers; decides whether and when to retry |
//! | decode | `decode`, `select` | turns bytes into a page: JSON, CSV, XLSX; keeps the mapped fields |
//! | details | `details` | completes the records of a page by a request for each (`[detail]`) |
//! | page chain | `paginate`, `page_proof`, `follow` | finds the next page and checks that the chain has reached its end |
//!
//! `http_reader` runs these steps for an HTTP source; `page_fetcher` fetches one page, and `exchange` sends its requests
//! and repeats them until the retries are used up. `folder_reader` does the same for a folder of files. Only `transport` performs I/O.
//!
//! A *page chain* is the sequence of pages that one query gives. A *pass* queries the source by one of its dates; a
//! *slice* is the part of a pass that one chain reads. A pull ends with `None` only if the end of every chain or file
//! is proved as the connector declares: for example by a flag, a total, an empty page or a footer row. Any other end is
//! a [`SourceError`], whose class says what the caller does next.

pub mod auth;
mod charset;
pub mod content_range;
mod cookies;
pub mod decode;
mod details;
mod embedded;
pub mod error;
mod error_hints;
mod exchange;
mod file_dates;
mod folder_files;
mod folder_reader;
mod follow;
mod http_reader;
mod json_scalar;
mod page_fetcher;
mod page_proof;
pub mod paginate;
mod path_tree;
pub mod plan;
mod pull_start;
mod record_reader;
pub mod request;
pub mod response;
pub mod retry;
pub mod sample;
pub mod select;
mod signature;
pub mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use crate::sources::decode::decode_page;
pub use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
pub use crate::sources::file_dates::FileDates;
pub use crate::sources::folder_files::{exact_name_digest, name_digest};
pub use crate::sources::pull_start::PullStart;
pub use crate::sources::transport::{RecordedTransport, Response, Transport};

use crate::fields::Readers;
use crate::model::connector::{Access, Connector, Limits};
use crate::model::folder::FileNote;
use crate::model::page::Page;
use crate::model::pull::{ChainFacts, Cursor, Position};
use crate::model::values::PlaceholderValues;
use crate::sources::auth::Login;
use crate::sources::decode::Decoder;
use crate::sources::details::DetailRequests;
use crate::sources::exchange::Exchange;
use crate::sources::folder_files::FolderFiles;
use crate::sources::folder_reader::FolderReader;
use crate::sources::http_reader::HttpReader;
use crate::sources::page_fetcher::PageFetcher;
use crate::sources::request::TemplateContext;
use crate::sources::transport::files::FileLimits;
use crate::sources::transport::folder::Folder;
use crate::sources::transport::http::HttpTransport;
use crate::sources::transport::route::Route;
use crate::sources::transport::server_clock::ServerClock;

/// Reads the pages of one pull.
#[derive(Debug)]
pub struct SourceReader {
    connector: String,
    decoder: Arc<Decoder>,
    kind: ReaderKind,
    limits: Limits,
    start: PullStart,
    /// Pages and records returned so far, including those before a resumed position.
    pages: u32,
    records: u64,
    /// Whether every page was read up to the proved end.
    proved: bool,
    /// The error that ended the pull. Every later call returns it: the next page might skip records.
    failed: Option<SourceError>,
    server_clock: ServerClock,
}

#[derive(Debug)]
enum ReaderKind {
    Http(Box<HttpReader>),
    Folder(Box<FolderReader>),
}

/// Opens a connector's source. No request is sent yet; a folder is listed.
///
/// # Errors
/// `misconfigured`, `unset_placeholder`, `plan_changed`; of a folder `folder_missing`, `file_unreadable`, `timeout`.
pub async fn open(
    connector: &Connector,
    readers: &Readers,
    values: &PlaceholderValues,
    start: PullStart,
) -> Result<SourceReader, SourceError> {
    open_source(None, connector, readers, values, start)
        .await
        .map_err(|error| error.on(format!("connector `{}`", connector.name)))
}

/// Like [`open`], but sends requests through `transport`. A connector of files ignores it.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    transport: Box<dyn Transport>,
    connector: &Connector,
    readers: &Readers,
    values: &PlaceholderValues,
    start: PullStart,
) -> Result<SourceReader, SourceError> {
    open_source(Some(transport), connector, readers, values, start)
        .await
        .map_err(|error| error.on(format!("connector `{}`", connector.name)))
}

async fn open_source(
    transport: Option<Box<dyn Transport>>,
    connector: &Connector,
    readers: &Readers,
    values: &PlaceholderValues,
    start: PullStart,
) -> Result<SourceReader, SourceError> {
    let file = &connector.file;
    let decoder = Arc::new(Decoder::compile(file, readers)?);
    let position = start.resume.as_ref().map_or((0, 0, 0, 0), |at| (at.pages, at.records, at.retries, at.details));
    let (mut pages, mut records, retries, sent) = position;
    let mut server_clock = ServerClock::default();
    let kind = match &file.access {
        Access::Http { base_url, allowed_hosts, .. } => {
            let base_url = request::address("access.base_url", base_url, values)?;
            let login = Login::new(&file.auth, &base_url, values, &file.retry)?.at(start.now);
            let transport = if let Some(transport) = transport {
                transport
            } else {
                let filled = allowed_hosts.iter().map(|host| request::fill(host, TemplateContext::default(), values));
                let mut hosts: BTreeSet<String> = filled.collect::<Result<_, _>>()?;
                hosts.extend([base_url.host_str(), login.host()].into_iter().flatten().map(str::to_owned));
                let transport = HttpTransport::new(&file.limits, hosts, Route::of(file, values)?)?;
                server_clock = transport.server_clock();
                Box::new(transport)
            };
            let (name, at) = (&connector.name, (start.now, retries));
            let exchange = Exchange::new(name, file, (base_url, login), values, at, transport);
            let details = Decoder::of_details(file, readers)?.zip(file.detail.clone());
            let details = details
                .map(|(decoder, detail)| DetailRequests::new(detail, decoder, &file.limits, (sent, start.newest_only)));
            let fetcher = PageFetcher::new(file, exchange, Arc::clone(&decoder), details)?;
            ReaderKind::Http(Box::new(HttpReader::new(fetcher, file, &start)?))
        }
        Access::Files { settle_secs, content, order, .. } => {
            (pages, records) = (0, 0);
            let limits = FileLimits {
                max_bytes: file.limits.max_body_bytes,
                max_expanded_bytes: file.limits.max_expanded_bytes,
                settle: Duration::from_secs(*settle_secs),
                silence: Duration::from_secs(file.limits.read_timeout_secs),
            };
            let (folder, found) = Folder::list(file, values, limits).await?;
            let files = FolderFiles::new((*content, file.partial.is_some()), order, found, &start)?;
            ReaderKind::Folder(Box::new(FolderReader::new(files, folder, start.newest_only)))
        }
    };
    Ok(SourceReader {
        connector: connector.name.clone(),
        decoder,
        kind,
        limits: file.limits.clone(),
        start,
        pages,
        records,
        proved: false,
        failed: None,
        server_clock,
    })
}

impl SourceReader {
    /// The next page; `None` after the proved end of the source.
    ///
    /// # Errors
    /// Why there is no next page. The pages returned before are valid, but the pull is incomplete. Every later call
    /// returns the same error.
    pub async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.read().await.map_err(|error| error.on(format!("connector `{}`", self.connector)));
        match &next {
            Ok(page) => self.proved = page.is_none(),
            Err(error) => self.failed = Some(error.clone()),
        }
        next
    }

    async fn read(&mut self) -> Result<Option<Page>, SourceError> {
        let number = self.pages + 1;
        let next = match &mut self.kind {
            ReaderKind::Http(reader) => reader.next(number).await?,
            ReaderKind::Folder(reader) => reader.next(&self.decoder, number).await?,
        };
        let Some(page) = next else { return Ok(None) };
        self.pages = number;
        self.records += page.len() as u64;
        if self.records > self.limits.max_records {
            let message =
                format!("{}: more than {} records (`limits.max_records`)", page.origin, self.limits.max_records);
            return Err(SourceError::new(ErrorKind::RecordLimit, message));
        }
        tracing::debug!(connector = self.connector, page = number, rows = page.len(), "page read");
        Ok(Some(page))
    }

    /// The page chains that were read to their end so far, in the order of the plan; empty for files.
    #[must_use]
    pub fn chains(&self) -> Vec<ChainFacts> {
        match &self.kind {
            ReaderKind::Http(reader) => reader.finished_chains(),
            ReaderKind::Folder(_) => Vec::new(),
        }
    }

    /// Position after the pages returned so far, for [`PullStart::resume`]; `None` for files.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match &self.kind {
            ReaderKind::Http(reader) => Some(reader.position(self.pages, self.records)),
            ReaderKind::Folder(_) => None,
        }
    }

    /// What the source's clock shows now by the `Date` of its responses, microseconds UTC; `None` for files, and if no
    /// response had one.
    #[must_use]
    pub fn server_time(&self) -> Option<i64> {
        self.server_clock.now()
    }

    /// Number of files in the folder when the pull began; `None` for HTTP.
    #[must_use]
    pub fn files_found(&self) -> Option<usize> {
        match &self.kind {
            ReaderKind::Http(_) => None,
            ReaderKind::Folder(reader) => Some(reader.files_found()),
        }
    }

    /// Whether a file of the folder was read to its end, by this pull or an earlier one. What the good files have then
    /// counts although others failed. Always false for HTTP.
    #[must_use]
    pub fn has_good_file(&self) -> bool {
        match &self.kind {
            ReaderKind::Http(_) => false,
            ReaderKind::Folder(reader) => reader.has_good_file(),
        }
    }

    /// Names of the files that are still being written. The next pull reads them; if there are any, this pull is
    /// incomplete (`file_growing`). Empty for HTTP.
    #[must_use]
    pub fn growing_files(&self) -> Vec<String> {
        match &self.kind {
            ReaderKind::Http(_) => Vec::new(),
            ReaderKind::Folder(reader) => reader.growing_files().to_vec(),
        }
    }

    /// Names of files that were read although they lack the date that `access.order` declares: their modification time
    /// counts. Empty for HTTP.
    #[must_use]
    pub fn undated_files(&self) -> &[String] {
        match &self.kind {
            ReaderKind::Http(_) => &[],
            ReaderKind::Folder(reader) => reader.undated_files(),
        }
    }

    /// What changed in the folder, by file name: files whose content was read to its end or is known, and names that no
    /// longer count. Empty for HTTP.
    #[must_use]
    pub fn file_notes(&self) -> Vec<FileNote> {
        match &self.kind {
            ReaderKind::Http(_) => Vec::new(),
            ReaderKind::Folder(reader) => reader.notes(self.proved),
        }
    }

    /// Cursor for the next pull: that of [`PullStart`] until [`SourceReader::next`] has returned `None`, then the end
    /// of this pull.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let mut cursor = self.start.cursor.clone();
        if self.proved {
            if self.start.only_slices.is_none() {
                cursor.read_until = Some(self.start.now);
            }
            if let ReaderKind::Folder(reader) = &self.kind {
                cursor.files.extend_from_slice(reader.taken());
            }
        }
        cursor
    }
}
