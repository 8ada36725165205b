//! Reading the files of a folder: every new one, cut into pages.
//!
//! A file that cannot be read does not stop those after it; the pull then ends with its error, which names the others that failed, so
//! nothing counts as read and all are looked at again. A file that is still being written is left for the next pull.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::model::page::Page;
use crate::sources::decode::csv::CsvFile;
use crate::sources::decode::xlsx::{self, XlsxLayout};
use crate::sources::decode::{Decoder, TableFile};
use crate::sources::error::SourceError;
use crate::sources::transport::files::{self, FoundFile};

/// Records of one page.
pub(crate) const PAGE_ROWS: usize = 5_000;

/// One pull of a folder.
#[derive(Debug)]
pub(crate) struct FolderReader {
    ahead: VecDeque<FoundFile>,
    /// Files that the folder held.
    found: usize,
    open: Option<OpenFile>,
    /// Digests of files that were taken, before and now.
    known: BTreeSet<String>,
    taken: Vec<String>,
    left: Vec<String>,
    failures: Vec<(String, SourceError)>,
    max_body_bytes: u64,
    settle: Duration,
}

#[derive(Debug)]
struct OpenFile {
    name: String,
    digest: String,
    rows: FileRows,
    /// Whether a page of it was given out.
    begun: bool,
}

#[derive(Debug)]
enum FileRows {
    Csv(Box<CsvFile>),
    /// A thread reads the workbook, one page ahead; it ends with the receiver.
    Book(mpsc::Receiver<Result<Page, SourceError>>),
}

impl FileRows {
    /// The next page, which may be empty, and whether the file has ended.
    async fn next(&mut self, decoder: &Decoder) -> Result<(Page, bool), SourceError> {
        let empty = || Page::new(0, String::new(), String::new(), decoder.fields());
        match self {
            Self::Csv(file) => {
                let mut page = empty();
                file.read(&mut page, PAGE_ROWS)?;
                Ok((page, file.ended()))
            }
            Self::Book(pages) => match pages.recv().await {
                Some(page) => Ok((page?, false)),
                None => Ok((empty(), true)),
            },
        }
    }
}

impl FolderReader {
    pub(crate) async fn open(
        folder: &str,
        glob: &str,
        known: &[String],
        max_body_bytes: u64,
        settle: Duration,
        newest_only: bool,
    ) -> Result<Self, SourceError> {
        let mut ahead: VecDeque<FoundFile> = files::list(folder, glob).await?.into();
        let found = ahead.len();
        if newest_only {
            ahead.drain(..found.saturating_sub(1));
        }
        let known = known.iter().cloned().collect();
        let (taken, left, failures) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { ahead, found, open: None, known, taken, left, failures, max_body_bytes, settle })
    }

    /// Digests of the files that were read whole, in order.
    pub(crate) fn taken(&self) -> &[String] {
        &self.taken
    }

    /// How many files the folder held.
    pub(crate) fn files_found(&self) -> usize {
        self.found
    }

    /// Names of the files that are still being written.
    pub(crate) fn growing_files(&self) -> &[String] {
        &self.left
    }

    /// The next page; `None` when every file was read or left.
    pub(crate) async fn next(&mut self, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        loop {
            if let Some(open) = self.open.take() {
                if let Some(page) = self.page(open, decoder, number).await {
                    return Ok(Some(page));
                }
                continue;
            }
            let Some(file) = self.ahead.pop_front() else {
                return self.failure().map_or(Ok(None), Err);
            };
            match self.begin(&file, decoder, number).await {
                Ok(Some(page)) => return Ok(Some(page)),
                Ok(None) => {}
                Err(error) => self.fail(&file.name, error),
            }
        }
    }

    /// Opens a file; one that is no table is a page.
    async fn begin(&mut self, file: &FoundFile, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        let Some(content) = files::read(file, self.max_body_bytes, self.settle).await? else {
            tracing::info!(file = file.name, "file is still being written: left for the next pull");
            self.left.push(file.name.clone());
            return Ok(None);
        };
        if self.known.contains(&content.digest) {
            tracing::debug!(file = file.name, "file was taken before");
            return Ok(None);
        }
        if let Some(tables) = decoder.tables() {
            let rows = match tables.of(&content.bytes)? {
                TableFile::Csv(layout) => FileRows::Csv(Box::new(CsvFile::open(layout, content.bytes)?)),
                TableFile::Xlsx(layout) => {
                    FileRows::Book(read_book(Arc::clone(layout), content.bytes, decoder.fields()))
                }
            };
            self.open = Some(OpenFile { name: file.name.clone(), digest: content.digest, rows, begun: false });
            return Ok(None);
        }
        let (page, _) = decoder.page(&content.bytes, number, file.name.clone())?;
        self.take(content.digest);
        Ok(Some(page))
    }

    /// The next page of a file; `None` at its end.
    async fn page(&mut self, mut open: OpenFile, decoder: &Decoder, number: u32) -> Option<Page> {
        let (mut page, ended) = match open.rows.next(decoder).await {
            Ok(next) => next,
            Err(error) => {
                self.fail(&open.name, error);
                return None;
            }
        };
        page.number = number;
        page.body_digest.clone_from(&open.digest);
        let sheet = if page.origin.is_empty() { String::new() } else { format!(" {}", page.origin) };
        let last = page.len().checked_sub(1);
        page.origin = match last {
            Some(last) => format!("{}{sheet} rows {}-{}", open.name, page.place(0).0, page.place(last).0),
            None => format!("{}{sheet} no rows", open.name),
        };
        let wanted = last.is_some() || (ended && !open.begun);
        if ended {
            self.take(open.digest);
        } else {
            open.begun = true;
            self.open = Some(open);
        }
        wanted.then_some(page)
    }

    fn take(&mut self, digest: String) {
        self.known.insert(digest.clone());
        self.taken.push(digest);
    }

    fn fail(&mut self, name: &str, error: SourceError) {
        tracing::debug!(file = name, error = error.kind.code(), "file failed: {error}");
        self.failures.push((name.to_owned(), error));
    }

    /// The first failure, with the names and codes of the others. One that leaves rows unproved gives way to one that hides rows.
    fn failure(&self) -> Option<SourceError> {
        const NAMED: usize = 20;
        let first = self.failures.iter().position(|(_, error)| !error.is_incomplete()).unwrap_or(0);
        let (name, error) = self.failures.get(first)?;
        let mut error = error.clone().on(format!("file `{name}`"));
        let others: Vec<String> = self
            .failures
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != first)
            .map(|(_, (name, error))| format!("`{name}` {}", error.kind.code()))
            .collect();
        if !others.is_empty() {
            let more = others.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = others.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            error.message = format!("{}; failed too: {named}{more}", error.message);
        }
        Some(error)
    }
}

fn read_book(
    layout: Arc<XlsxLayout>,
    bytes: Vec<u8>,
    fields: Arc<[String]>,
) -> mpsc::Receiver<Result<Page, SourceError>> {
    let (give, pages) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut page = |page: Page| give.blocking_send(Ok(page)).is_ok();
        if let Err(error) = xlsx::read(&layout, bytes, &fields, PAGE_ROWS, &mut page) {
            // Nobody waits for the error of a pull that was given up.
            let _ = give.blocking_send(Err(error));
        }
    });
    pages
}

#[cfg(test)]
#[path = "folder_reader_tests.rs"]
mod tests;
