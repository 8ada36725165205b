//! The pages of one pull while they are landed, and the certificate that is made of them.

use crate::fields::Readers;
use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::page::Page;
use crate::model::pull::{Certificate, Cursor, FieldsSeen, LandedPage, Outcome, Purpose, ReadBy, Sighting};
use crate::model::table_remarks::TableRemarks;
use crate::run::clock;
use crate::run::failure::PullError;
use crate::run::progress::Progress;
use crate::run::reading::PullTask;
use crate::sources::{ErrorKind, PullStart, SourceError, SourceReader};

/// A pull whose pages are being landed.
pub(super) struct PageLanding<'t> {
    task: PullTask<'t>,
    folder: &'t LandedPull,
    readers: &'t Readers,
    started_at: i64,
    is_resumed: bool,
    /// Cursor at which the pull starts.
    before: Cursor,
    /// Landed pages, those of the task first.
    pages: Vec<LandedPage>,
    /// Number of the pages that were landed before the pull reads its first.
    landed_before: usize,
    /// Added to the page numbers of the source, which start at 1 unless the pull is resumed.
    number_shift: u32,
    /// Source fields that the pages have.
    fields: FieldsSeen,
    /// Rows of all pages.
    received: u64,
    /// Rows that lacked empty cells at their end.
    short_rows: u64,
    /// What else was noticed while tables were read.
    tables: TableRemarks,
}

/// Why a pull that was read is known to be incomplete.
struct Incompleteness {
    reason: &'static str,
    message: String,
    hint: &'static str,
}

impl<'t> PageLanding<'t> {
    pub(super) fn new(mut task: PullTask<'t>, start: &PullStart, folder: &'t LandedPull, readers: &'t Readers) -> Self {
        let pages = std::mem::take(&mut task.landed);
        let is_resumed = start.resume.is_some();
        Self {
            task,
            folder,
            readers,
            started_at: start.now,
            is_resumed,
            before: start.cursor.clone(),
            landed_before: pages.len(),
            number_shift: if is_resumed { 0 } else { u32::try_from(pages.len()).unwrap_or(u32::MAX) },
            received: pages.iter().map(|page| page.rows).sum(),
            pages,
            short_rows: 0,
            tables: TableRemarks::default(),
            fields: FieldsSeen::default(),
        }
    }

    pub(super) fn connector(&self) -> &'t Connector {
        self.task.connector
    }

    /// Lands page after page until the source has no more. Returns the error that ended an incomplete reading: what was
    /// read until then counts, its cursor does not. Any other error of the source fails the pull.
    pub(super) async fn land_pages(
        &mut self,
        source: &mut SourceReader,
        progress: &Progress<'_>,
    ) -> Result<Option<SourceError>, PullError> {
        let is_files = matches!(self.connector().file.access, Access::Files { .. });
        loop {
            match source.next().await {
                Ok(Some(page)) => self.land_page(page, source, progress)?,
                Ok(None) => return Ok(None),
                // What the good files of a folder have counts, whatever is wrong with the others.
                Err(error) if source.has_good_file() => return Ok(Some(error)),
                // Of a web source that sent nothing yet nothing is lost: the pull fails and is resumed later.
                Err(error) if error.is_incomplete() && (self.received > 0 || is_files) => return Ok(Some(error)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn land_page(&mut self, mut page: Page, source: &SourceReader, progress: &Progress<'_>) -> Result<(), PullError> {
        let name = &self.task.connector.name;
        page.number += self.number_shift;
        let landed = self.folder.write(&page, self.readers, source.position())?;
        self.pages.push(LandedPage { read_by: self.first_reading(&page), ..landed });
        self.note_fields(&page);
        self.received += page.len() as u64;
        self.short_rows += page.short_rows();
        self.tables.add(&page.remarks);
        progress(&format!("{name}: page {}, {} records", page.number, self.received));
        tracing::debug!(run = self.task.run, connector = name, page = page.number, rows = page.len(), "page landed");
        Ok(())
    }

    /// Where a page of a file that is read again was read first; its rows are as old as that.
    fn first_reading(&self, page: &Page) -> Option<ReadBy> {
        let pages_of_file = self.task.old_files.get(&page.body_digest)?;
        let read = self.pages.iter().skip(self.landed_before);
        let index = read.filter(|landed| landed.body_digest == page.body_digest).count();
        pages_of_file.get(index).or(pages_of_file.last()).copied()
    }

    fn note_fields(&mut self, page: &Page) {
        for field in page.fields_seen() {
            if !self.fields.kept.contains(field) {
                self.fields.kept.insert(field.clone());
            }
        }
        for (field, sighting) in page.unmapped_fields() {
            let here = Sighting { page: page.number, ..sighting };
            let others = self.fields.others.entry(field.to_owned());
            others.and_modify(|known| known.rows += sighting.rows).or_insert(here);
        }
    }

    /// The certificate of the pages. `interruption`: the error that ended the reading early.
    pub(super) fn certificate(self, source: &SourceReader, interruption: Option<SourceError>) -> Certificate {
        let connector = self.task.connector;
        let reached = Cursor { connector: connector.digest.clone(), ..source.cursor() };
        // Only nights move the cursor in time. A file that was read is read, whatever for.
        let is_night = self.task.purpose == Purpose::Night;
        let cursor = if is_night { reached } else { Cursor { files: reached.files, ..self.before.clone() } };
        let incompleteness = incompleteness(connector, source, interruption, cursor.files.len());
        let certificate = Certificate {
            connector: connector.name.clone(),
            run: self.task.run,
            purpose: self.task.purpose,
            chains: source.chains(),
            files: source.file_notes(),
            mends: self.mends(),
            // The fields of the pages before the cut are not known any more: without them no drift is judged.
            fields: if self.is_resumed { FieldsSeen::default() } else { self.fields },
            sweep: self.task.sweep,
            short_rows: self.short_rows,
            tables: self.tables,
            undated_files: source.undated_files().to_vec(),
            pages: self.pages,
            cursor,
            source_ahead_secs: source.server_time().map(|theirs| (theirs - clock::now()) / 1_000_000),
            started_at: self.started_at,
            finished_at: clock::now(),
            ..Certificate::default()
        };
        match incompleteness {
            None => certificate,
            Some(Incompleteness { reason, message, hint }) => Certificate {
                outcome: Outcome::Incomplete,
                reason: reason.to_owned(),
                message,
                hint: hint.to_owned(),
                ..certificate
            },
        }
    }

    /// Rejections that this pull read again. Those of a file that no longer exists were not read: they stay open.
    fn mends(&self) -> Vec<i64> {
        let was_read = |file: &String| self.pages.iter().any(|page| page.body_digest == *file);
        let read = self.task.mends.iter().filter(|(_, file)| file.as_ref().is_none_or(was_read));
        read.map(|(id, _)| *id).collect()
    }
}

/// Why the pull is incomplete; `None` if it may be complete. `files_read`: files that this pull and earlier ones have
/// read.
fn incompleteness(
    connector: &Connector,
    source: &SourceReader,
    interruption: Option<SourceError>,
    files_read: usize,
) -> Option<Incompleteness> {
    let growing = source.growing_files();
    if !growing.is_empty() {
        let message = format!("still being written, left for the next run: `{}`", growing.join("`, `"));
        let kind = ErrorKind::FileGrowing;
        return Some(Incompleteness { reason: kind.code(), message, hint: kind.hint() });
    }
    if let Some(error) = interruption {
        return Some(Incompleteness { reason: error.kind.code(), message: error.to_string(), hint: error.hint });
    }
    // A wrong folder, a share that is not mounted, or a post office that did not deliver: not an empty night.
    (source.files_found() == Some(0) && connector.file.contract.least_of_usual > 0.0).then(|| Incompleteness {
        reason: "no_file",
        message: match files_read {
            0 => "the folder has no file that matches `glob`, and never had one".to_owned(),
            read => format!("the folder has no file that matches `glob`; {read} were read from it before"),
        },
        hint: "check that the folder is the right one and that its share is mounted; if files are taken away once they are \
               read, set `contract.least_of_usual = 0.0`",
    })
}
