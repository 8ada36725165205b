//! Sources: from a connector to the pages that its source holds, cut down to the kept fields.
//!
//! ```text
//! plan ──► request ──► transport ──► answer ──► decode (select) ──► paginate
//!           auth ──┘        └── retry ◄───┘                            │
//!             ▲────────────────────── next page, next slice ◄──────────┘
//! ```
//! Everything but `transport` is a function from values to values. A pull ends with `None` only when its end is
//! proved; everything else is a [`SourceError`], classed by what happens next.

pub mod answer;
pub mod auth;
mod client;
pub mod decode;
pub mod error;
mod folder_reader;
mod follow;
mod http_reader;
pub mod paginate;
pub mod plan;
pub mod request;
pub mod retry;
pub mod select;
pub mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use crate::sources::decode::decode_page;
pub use crate::sources::error::{Class, ErrorKind, SourceError};
pub use crate::sources::transport::{RecordedTransport, Response, Transport};

use crate::model::connector::{Access, Connector, Limits};
use crate::model::field::Readers;
use crate::model::page::Page;
use crate::model::pull::{ChainFacts, Cursor, Position, SliceRef};
use crate::model::values::Values;
use crate::sources::auth::Login;
use crate::sources::client::Client;
use crate::sources::decode::Decoder;
use crate::sources::folder_reader::FolderReader;
use crate::sources::http_reader::HttpReader;
use crate::sources::request::TemplateContext;
use crate::sources::transport::http::HttpTransport;

/// Where a pull begins.
#[derive(Debug, Clone, Default)]
pub struct PullStart {
    /// Microseconds UTC.
    pub now: i64,
    /// Where the last complete pull ended.
    pub cursor: Cursor,
    /// Canonical instant column → its oldest value among dossiers that have not ended.
    pub oldest_open: BTreeMap<String, i64>,
    /// Name of the pass that is read from its first date on, whatever the cursor says.
    pub whole: Option<String>,
    /// Where an earlier pull of the same plan stood that was cut: what it gave out is not asked for again. HTTP only.
    pub resume: Option<Position>,
    /// Slices that are read instead of the plan, for a backfill; the cursor then stays. HTTP only.
    pub only: Option<Vec<SliceRef>>,
    /// The newest file alone, for a trial.
    pub newest_only: bool,
}

/// A pull under way.
#[derive(Debug)]
pub struct SourceReader {
    connector: String,
    decoder: Arc<Decoder>,
    kind: ReaderKind,
    limits: Limits,
    start: PullStart,
    pages: u32,
    records: u64,
    proved: bool,
    /// An error ends the pull: a page may be missing after it.
    failed: Option<SourceError>,
}

#[derive(Debug)]
enum ReaderKind {
    Http(Box<HttpReader>),
    Folder(Box<FolderReader>),
}

/// Opens a connector's source: nothing is asked for yet, a folder is listed.
///
/// # Errors
/// What is missing or wrong before the first request.
pub async fn open(
    connector: &Connector,
    readers: &Readers,
    values: &Values,
    start: PullStart,
) -> Result<SourceReader, SourceError> {
    open_source(None, connector, readers, values, start)
        .await
        .map_err(|error| error.on(format!("connector `{}`", connector.name)))
}

/// As [`open`], with requests carried by `transport`. A connector of files does not use it.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    transport: Box<dyn Transport>,
    connector: &Connector,
    readers: &Readers,
    values: &Values,
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
    values: &Values,
    start: PullStart,
) -> Result<SourceReader, SourceError> {
    let file = &connector.file;
    let decoder = Arc::new(Decoder::compile(file, readers)?);
    let position = start.resume.as_ref().map_or((0, 0, 0), |at| (at.pages, at.records, at.retries));
    let (mut pages, mut records, retries) = position;
    let kind = match &file.access {
        Access::Http { base_url, allowed_hosts } => {
            let base_url = request::address("access.base_url", base_url, values)?;
            let login = Login::new(&file.auth, &base_url, values, &file.retry)?;
            let transport = if let Some(transport) = transport {
                transport
            } else {
                let mut hosts: BTreeSet<String> = allowed_hosts.iter().cloned().collect();
                hosts.extend([base_url.host_str(), login.host()].into_iter().flatten().map(str::to_owned));
                Box::new(HttpTransport::new(&file.limits, hosts)?)
            };
            let (name, at) = (&connector.name, (start.now, retries));
            let client = Client::new(name, file, (base_url, login), values, Arc::clone(&decoder), at, transport)?;
            ReaderKind::Http(Box::new(HttpReader::new(client, file, &start)?))
        }
        Access::Files { folder, glob, settle_secs } => {
            let folder = request::fill(folder, TemplateContext::default(), values)?;
            let known = &start.cursor.files;
            (pages, records) = (0, 0);
            let (most, settle) = (file.limits.max_body_bytes, Duration::from_secs(*settle_secs));
            ReaderKind::Folder(Box::new(
                FolderReader::open(&folder, glob, known, most, settle, start.newest_only).await?,
            ))
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
    })
}

impl SourceReader {
    /// The next page; `None` when the source was read to its proved end.
    ///
    /// # Errors
    /// Why there is no next page. What came before stays true; the pull is incomplete, and every later call gives
    /// the same error.
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
            ReaderKind::Http(reading) => reading.next(number).await?,
            ReaderKind::Folder(reading) => reading.next(&self.decoder, number).await?,
        };
        let Some(page) = next else { return Ok(None) };
        self.pages = number;
        self.records += page.len() as u64;
        if self.records > self.limits.max_records {
            let message = format!("{}: more than {} records", page.origin, self.limits.max_records);
            return Err(SourceError::new(ErrorKind::RecordLimit, message));
        }
        tracing::debug!(connector = self.connector, page = number, rows = page.len(), "page read");
        Ok(Some(page))
    }

    /// What the page chains held that were read to their end so far, in the order of the plan; none for files.
    #[must_use]
    pub fn chains(&self) -> Vec<ChainFacts> {
        match &self.kind {
            ReaderKind::Http(reading) => reading.chains(),
            ReaderKind::Folder(_) => Vec::new(),
        }
    }

    /// Where the pull stands after the pages that were given out, for [`PullStart::resume`]; `None` for files.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match &self.kind {
            ReaderKind::Http(reading) => Some(reading.position(self.pages, self.records)),
            ReaderKind::Folder(_) => None,
        }
    }

    /// How many files the folder held when the pull began; `None` for HTTP.
    #[must_use]
    pub fn files_found(&self) -> Option<usize> {
        match &self.kind {
            ReaderKind::Http(_) => None,
            ReaderKind::Folder(reading) => Some(reading.found()),
        }
    }

    /// Names of the files that are still being written and were left for the next pull: then this one is incomplete, for
    /// the reason `file_growing`.
    #[must_use]
    pub fn growing_files(&self) -> Vec<String> {
        match &self.kind {
            ReaderKind::Http(_) => Vec::new(),
            ReaderKind::Folder(reading) => reading.left().to_vec(),
        }
    }

    /// Where the next pull begins: after [`Reading::next`] gave `None` the end of this one, before that its start.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let mut cursor = self.start.cursor.clone();
        if self.proved {
            if self.start.only.is_none() {
                cursor.read_until = Some(self.start.now);
            }
            if let ReaderKind::Folder(reading) = &self.kind {
                cursor.files.extend_from_slice(reading.taken());
            }
        }
        cursor
    }
}
