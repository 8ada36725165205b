//! Reads the files of a folder whose content is new for their name, cut into pages.
//!
//! A file that cannot be read does not stop the files after it. The pull then ends with an error that names all failed
//! files, and is incomplete: what the other files have counts, but no file is marked as taken, and the next pull reads
//! them again. If no file can be read, the pull fails. A file that is still being written is left for the next pull.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::model::folder::{FileEnd, FileNote};
use crate::model::page::Page;
use crate::sources::decode::csv::CsvFile;
use crate::sources::decode::xlsx;
use crate::sources::decode::xlsx_layout::XlsxLayout;
use crate::sources::decode::{self, Decoder, TableFile, TableFormats, without_panic};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::folder_files::FolderFiles;
use crate::sources::transport::files::FoundFile;
use crate::sources::transport::folder::Folder;

/// Maximum number of records in a page.
pub(crate) const PAGE_ROWS: usize = 5_000;

/// Files that may give no answer until the other files are not tried any more: the share hangs, and each file would be
/// waited for.
const MAX_TIMEOUTS: usize = 2;

/// One pull of a folder.
#[derive(Debug)]
pub(crate) struct FolderReader {
    /// Files that were not opened yet, in reading order.
    pending: VecDeque<FoundFile>,
    /// What is known about the files, and what this pull finds out.
    files: FolderFiles,
    /// Number of matching files in the folder when the pull began.
    files_found: usize,
    open: Option<OpenFile>,
    /// Names of the files that are still being written.
    growing: Vec<String>,
    /// Names and errors of the files that could not be read.
    failures: Vec<(String, SourceError)>,
    /// Whether a file of the folder was read to its end, by this pull or an earlier one.
    has_good_file: bool,
    /// Whether the files to read are still to be chosen, by their title rows.
    is_to_choose: bool,
    newest_only: bool,
    folder: Folder,
}

#[derive(Debug)]
struct OpenFile {
    file: FoundFile,
    digest: String,
    rows: FileRows,
    /// Whether a page of it was returned already.
    has_pages: bool,
}

#[derive(Debug)]
enum FileRows {
    Csv(Box<CsvFile>),
    /// A blocking thread reads the workbook, one page ahead. It ends when the receiver is dropped.
    Workbook(mpsc::Receiver<Result<Page, SourceError>>),
}

impl FileRows {
    /// What shows that the file is whole. A workbook is not opened otherwise.
    fn end(&self) -> FileEnd {
        match self {
            Self::Csv(file) => file.end(),
            Self::Workbook(_) => FileEnd::default(),
        }
    }

    /// The next page, which may be empty, and whether the file has ended.
    async fn next(&mut self, decoder: &Decoder) -> Result<(Page, bool), SourceError> {
        let empty = || Page::new(0, String::new(), String::new(), decoder.fields());
        match self {
            Self::Csv(file) => {
                let mut page = empty();
                without_panic(|| file.read(&mut page, PAGE_ROWS))?;
                Ok((page, file.ended()))
            }
            Self::Workbook(pages) => match pages.recv().await {
                Some(page) => Ok((page?, false)),
                None => Ok((empty(), true)),
            },
        }
    }
}

impl FolderReader {
    pub(crate) fn new(files: FolderFiles, folder: Folder, newest_only: bool) -> Self {
        let (files_found, is_to_choose) = (files.found(), files.are_chosen_by_titles(newest_only));
        let (pending, growing, failures) = (VecDeque::new(), Vec::new(), Vec::new());
        let (open, has_good_file) = (None, false);
        let mut reader = Self {
            pending,
            files,
            files_found,
            open,
            growing,
            failures,
            has_good_file,
            is_to_choose,
            newest_only,
            folder,
        };
        reader.choose();
        reader
    }

    /// Chooses the files to read.
    fn choose(&mut self) {
        self.pending = self.files.to_read().into();
        if self.newest_only {
            self.pending.drain(..self.pending.len().saturating_sub(1));
        }
    }

    /// Reads the title rows of every file, and chooses the files to read by them. A file whose date cannot be read may be
    /// the newest: then no other file is read as the whole list.
    async fn choose_by_titles(&mut self, tables: &TableFormats, fields: &Arc<[String]>) {
        let (mut growing, mut errors) = (Vec::new(), Vec::new());
        let (mut timeouts, mut is_any_read) = (0, false);
        for file in self.files.all() {
            let is_tried = timeouts < MAX_TIMEOUTS;
            let noted = if is_tried { self.note_date(&file, tables, fields).await } else { Err(not_tried()) };
            match noted {
                Ok(true) => is_any_read = true,
                Ok(false) => growing.push(file.shown()),
                Err(error) => {
                    timeouts += usize::from(error.kind == ErrorKind::Timeout);
                    errors.push((file.shown(), error));
                }
            }
        }
        self.files.sort();
        self.choose();
        // Of other lists `motcua check` reads one; a pull reads every file, and reports each error then.
        if self.files.are_whole_lists() && !(errors.is_empty() && growing.is_empty()) {
            self.pending.clear();
            self.has_good_file |= is_any_read && self.files.has_known();
            self.growing = growing;
            for (name, error) in errors {
                self.fail(&name, error);
            }
        }
    }

    /// Notes the date in the title rows of a file. `false` if the file is still being written.
    async fn note_date(
        &mut self,
        file: &FoundFile,
        tables: &TableFormats,
        fields: &Arc<[String]>,
    ) -> Result<bool, SourceError> {
        let Some(content) = self.folder.read(file).await? else { return Ok(false) };
        if self.files.wants_titles(file, &content.digest) {
            let titles = readable_titles_of(tables, content.bytes, Arc::clone(fields)).await?;
            self.files.note_titles(file, &titles);
        }
        Ok(true)
    }

    /// Names of files that were read although they lack the date that `access.order` declares.
    pub(crate) fn undated_files(&self) -> &[String] {
        self.files.undated()
    }

    /// Content digests of the files that this pull read to their end, in reading order.
    pub(crate) fn taken(&self) -> &[String] {
        self.files.taken()
    }

    /// What changed in the folder so far. `is_ended`: every file was met.
    pub(crate) fn notes(&self, is_ended: bool) -> Vec<FileNote> {
        let mut notes = self.files.notes(is_ended);
        if let Some(open) = self.open.as_ref().filter(|open| open.has_pages) {
            notes.push(self.files.unfinished(&open.file, open.digest.clone()));
        }
        notes
    }

    /// Number of matching files in the folder when the pull began.
    pub(crate) fn files_found(&self) -> usize {
        self.files_found
    }

    /// Names of the files that are still being written.
    pub(crate) fn growing_files(&self) -> &[String] {
        &self.growing
    }

    /// Whether a file of the folder was read to its end, by this pull or an earlier one: then a file that failed makes
    /// the pull incomplete, not failed.
    pub(crate) fn has_good_file(&self) -> bool {
        self.has_good_file
    }

    /// The next page; `None` after the last file.
    ///
    /// # Errors
    /// After the last file, the error of the files that failed.
    pub(crate) async fn next(&mut self, decoder: &Decoder, number: u32) -> Result<Option<Page>, SourceError> {
        if std::mem::take(&mut self.is_to_choose)
            && let Some(tables) = decoder.tables()
        {
            self.choose_by_titles(tables, &decoder.fields()).await;
        }
        loop {
            if let Some(open) = self.open.take() {
                if let Some(page) = self.next_page(open, decoder, number).await {
                    return Ok(Some(page));
                }
                continue;
            }
            let Some(file) = self.pending.pop_front() else {
                return self.failure().map_or(Ok(None), Err);
            };
            match self.open_file(&file, decoder, number).await {
                Ok(Some(page)) => return Ok(Some(page)),
                Ok(None) => {}
                Err(error) => self.fail(&file.shown(), error),
            }
        }
    }

    /// Opens a table (CSV, XLSX) for reading; a file of another format becomes one page. `None` if there is no page
    /// yet, or if the file is skipped: it was taken before, or is still being written.
    async fn open_file(
        &mut self,
        file: &FoundFile,
        decoder: &Decoder,
        number: u32,
    ) -> Result<Option<Page>, SourceError> {
        if self.failures.iter().filter(|(_, error)| error.kind == ErrorKind::Timeout).count() >= MAX_TIMEOUTS {
            return Err(not_tried());
        }
        let Some(content) = self.folder.read(file).await? else {
            tracing::info!(file = file.shown(), "file is still being written; the next pull reads it");
            self.growing.push(file.shown());
            return Ok(None);
        };
        if let Some(tables) = decoder.tables().filter(|_| self.files.wants_titles(file, &content.digest)) {
            // The content that is read now: it may have been replaced since it was chosen.
            let titles = titles_of(tables, content.bytes.clone()).await;
            self.files.note_titles(file, &titles);
        }
        if self.files.is_known(file, &content.digest) {
            tracing::debug!(file = file.shown(), "content was read before");
            self.has_good_file = true;
            return Ok(None);
        }
        self.files.note_undated(file);
        if let Some(tables) = decoder.tables() {
            let rows = match tables.of(&content.bytes)? {
                TableFile::Csv(layout) => {
                    FileRows::Csv(Box::new(without_panic(|| CsvFile::open(layout, content.bytes))?))
                }
                TableFile::Xlsx(layout) => {
                    FileRows::Workbook(read_workbook(Arc::clone(layout), content.bytes, decoder.fields()))
                }
            };
            self.open = Some(OpenFile { file: file.clone(), digest: content.digest, rows, has_pages: false });
            return Ok(None);
        }
        let (page, envelope) = without_panic(|| decoder.page(&content.bytes, number, file.shown()))?;
        // A response can prove that a null is an empty list; a file cannot.
        if envelope.null_list {
            return Err(SourceError::new(ErrorKind::NoRecords, "the file has no list of records at `decode.records`"));
        }
        self.mark_taken(file, content.digest, FileEnd::default());
        Ok(Some(page))
    }

    /// The next page of an open file; `None` if it has ended or failed. A table without rows gives one empty page.
    async fn next_page(&mut self, mut open: OpenFile, decoder: &Decoder, number: u32) -> Option<Page> {
        let (mut page, ended) = match open.rows.next(decoder).await {
            Ok(next) => next,
            Err(error) => {
                self.fail(&open.file.shown(), error);
                if open.has_pages {
                    self.files.mark_unfinished(&open.file, open.digest);
                }
                return None;
            }
        };
        page.number = number;
        page.body_digest.clone_from(&open.digest);
        let sheet = if page.origin.is_empty() { String::new() } else { format!(" {}", page.origin) };
        let last = page.len().checked_sub(1);
        page.origin = match last {
            Some(last) => format!("{}{sheet} rows {}-{}", open.file.shown(), page.row(0).0, page.row(last).0),
            None => format!("{}{sheet} no rows", open.file.shown()),
        };
        // What was noticed at the end of a file, such as sheets that were not read, comes with an empty page.
        let is_returned = last.is_some() || (ended && !open.has_pages) || !page.remarks.is_empty();
        if ended {
            self.mark_taken(&open.file, open.digest, open.rows.end());
        } else {
            open.has_pages = true;
            self.open = Some(open);
        }
        is_returned.then_some(page)
    }

    fn mark_taken(&mut self, file: &FoundFile, digest: String, end: FileEnd) {
        self.has_good_file = true;
        self.files.mark_taken(file, digest, end);
    }

    fn fail(&mut self, name: &str, error: SourceError) {
        tracing::debug!(file = name, error = error.kind.code(), "file failed: {error}");
        self.failures.push((name.to_owned(), error));
    }

    /// The error of the pull: the first failure, with the names and codes of the others. A failure that makes the pull
    /// failed comes before one that makes it incomplete.
    fn failure(&self) -> Option<SourceError> {
        const MAX_NAMES: usize = 20;
        let first = self.failures.iter().position(|(_, error)| !error.is_incomplete()).unwrap_or(0);
        let (name, error) = self.failures.get(first)?;
        let mut error = error.clone().of_file().on(format!("file `{name}`"));
        let others: Vec<String> = self
            .failures
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != first)
            .map(|(_, (name, error))| format!("`{name}` {}", error.kind.code()))
            .collect();
        if !others.is_empty() {
            let more = others.len().saturating_sub(MAX_NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = others.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
            error.message = format!("{}; other files failed: {named}{more}", error.message);
        }
        Some(error)
    }
}

fn not_tried() -> SourceError {
    let message = format!("not tried: {MAX_TIMEOUTS} other files of the folder gave no answer");
    SourceError::new(ErrorKind::Timeout, message)
}

/// As [`titles_of`], but fails if the file cannot be read: only a file that can be read has no title rows.
async fn readable_titles_of(
    tables: &TableFormats,
    bytes: Vec<u8>,
    fields: Arc<[String]>,
) -> Result<String, SourceError> {
    let tables = tables.clone();
    let read = move || {
        let titles = decode::titles(&tables, &bytes);
        let check = || match tables.of(&bytes)? {
            TableFile::Csv(layout) => CsvFile::open(layout, bytes).map(drop),
            TableFile::Xlsx(layout) => xlsx::read(layout, bytes, &fields, PAGE_ROWS, &mut |_: Page| true),
        };
        if titles.is_empty() { without_panic(check).map(|()| titles) } else { Ok(titles) }
    };
    let failed = |_| SourceError::new(ErrorKind::FileUnreadable, "reading it failed; the log has the place");
    tokio::task::spawn_blocking(read).await.map_err(failed)?
}

/// Title rows of a file, read in a blocking thread: a workbook is inflated for them.
async fn titles_of(tables: &TableFormats, bytes: Vec<u8>) -> String {
    let tables = tables.clone();
    tokio::task::spawn_blocking(move || decode::titles(&tables, &bytes)).await.unwrap_or_default()
}

/// Reads a workbook in a blocking thread; a closed channel is its end.
fn read_workbook(
    layout: Arc<XlsxLayout>,
    bytes: Vec<u8>,
    fields: Arc<[String]>,
) -> mpsc::Receiver<Result<Page, SourceError>> {
    let (sender, pages) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut send = |page: Page| sender.blocking_send(Ok(page)).is_ok();
        if let Err(error) = xlsx::read(&layout, bytes, &fields, PAGE_ROWS, &mut send) {
            // Fails if the pull was dropped: then nobody reads the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    pages
}

#[cfg(test)]
#[path = "folder_reader_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "title_order_tests.rs"]
mod title_order_tests;
