//! Reading the files of a folder: every new one, cut into pages.
//!
//! A file that cannot be read does not stop those after it; the pull then ends with its error, so nothing counts as
//! read and all are looked at again.

use std::collections::{BTreeSet, VecDeque};

use crate::model::page::Page;
use crate::sources::decode::Decoder;
use crate::sources::decode::csv::CsvFile;
use crate::sources::error::SourceError;
use crate::sources::transport::files::{self, FoundFile};

/// Records of one page.
pub(crate) const PAGE_ROWS: usize = 5_000;

/// One pull of a folder.
#[derive(Debug)]
pub(crate) struct FolderReading {
    ahead: VecDeque<FoundFile>,
    open: Option<OpenFile>,
    /// Digests of files that were taken, before and now.
    known: BTreeSet<String>,
    taken: Vec<String>,
    failure: Option<SourceError>,
    max_body_bytes: u64,
}

#[derive(Debug)]
struct OpenFile {
    name: String,
    digest: String,
    rows: CsvFile,
    /// Whether a page of it was given out.
    begun: bool,
}

impl FolderReading {
    pub(crate) async fn open(
        folder: &str,
        glob: &str,
        known: &[String],
        max_body_bytes: u64,
    ) -> Result<Self, SourceError> {
        let ahead = files::list(folder, glob).await?.into();
        let known = known.iter().cloned().collect();
        Ok(Self { ahead, open: None, known, taken: Vec::new(), failure: None, max_body_bytes })
    }

    /// Digests of the files that were read whole, in order.
    pub(crate) fn taken(&self) -> &[String] {
        &self.taken
    }

    /// The next page; `None` when every file was read.
    pub(crate) async fn next(&mut self, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        loop {
            if let Some(open) = self.open.take() {
                if let Some(page) = self.page(open, decoder, number) {
                    return Ok(Some(page));
                }
                continue;
            }
            let Some(file) = self.ahead.pop_front() else {
                return self.failure.clone().map_or(Ok(None), Err);
            };
            match self.begin(&file, decoder, number).await {
                Ok(Some(page)) => return Ok(Some(page)),
                Ok(None) => {}
                Err(error) => self.fail(&file.name, error),
            }
        }
    }

    /// Opens a file; one that is no CSV is a page.
    async fn begin(&mut self, file: &FoundFile, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        let content = files::read(file, self.max_body_bytes).await?;
        if self.known.contains(&content.digest) {
            tracing::debug!(file = file.name, "file was taken before");
            return Ok(None);
        }
        if let Some(layout) = decoder.csv() {
            let rows = CsvFile::open(layout, content.bytes)?;
            self.open = Some(OpenFile { name: file.name.clone(), digest: content.digest, rows, begun: false });
            return Ok(None);
        }
        let (page, _) = decoder.page(&content.bytes, number, file.name.clone())?;
        self.take(content.digest);
        Ok(Some(page))
    }

    /// The next page of a CSV file; `None` at its end.
    fn page(&mut self, mut open: OpenFile, decoder: &Decoder, number: u32) -> Option<Page> {
        let mut page = Page::new(number, String::new(), open.digest.clone(), decoder.fields());
        if let Err(error) = open.rows.read(&mut page, PAGE_ROWS) {
            self.fail(&open.name, error);
            return None;
        }
        let last = page.len().checked_sub(1);
        page.origin = match last {
            Some(last) => format!("{} rows {}-{}", open.name, page.place(0).0, page.place(last).0),
            None => format!("{} no rows", open.name),
        };
        let wanted = last.is_some() || !open.begun;
        if open.rows.ended() {
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
        let error = error.on(format!("file `{name}`"));
        if self.failure.is_none() {
            self.failure = Some(error);
        } else {
            // The pull ends with the first; the others would be lost.
            tracing::warn!(error = error.kind.code(), "{error}");
        }
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
