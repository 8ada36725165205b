//! Writes the versions of one pull: a file for every [`GROUP_ROWS`] rows, and one commit.
//!
//! `source` and `run` are the same in all rows of a pull, and the file names state them. Within one pull, all versions
//! of a key have the same partition.

use polars::prelude::*;

use super::column_builder::ColumnBuilder;
use super::data_files::{UncommittedFile, pull_stem};
use super::error::{LakeError, blocking, rows_error};
use super::image;
use super::layout::{PART, StoredType};
use super::rows::{GROUP_ROWS, sink};
use super::table::{Table, remove_uncommitted};
use super::transactions;
use crate::model::record::{Record, Value};
use crate::model::table::{PROVENANCE, RecordKind};

/// Writes the accepted records of one pull. Readers see none of them before [`VersionWriter::commit`].
pub struct VersionWriter {
    table: Table,
    kind: RecordKind,
    source: String,
    run: i64,
    columns: Vec<ColumnBuilder>,
    buffered: usize,
    files: Vec<UncommittedFile>,
}

impl std::fmt::Debug for VersionWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("VersionWriter")
            .field("table", &self.table.layout.name)
            .field("source", &self.source)
            .field("run", &self.run)
            .field("buffered", &self.buffered)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl VersionWriter {
    pub(super) fn new(table: Table, kind: RecordKind, source: &str, run: i64) -> Self {
        let columns = builders(&table);
        Self { table, kind, source: source.to_owned(), run, columns, buffered: 0, files: Vec::new() }
    }

    /// Buffers records, each with the partition of its key (`yyyy-MM`), and writes full row groups to files. Blocks the
    /// thread.
    pub fn write(&mut self, records: &[(Record, String)]) -> Result<(), LakeError> {
        for chunk in records.chunks(GROUP_ROWS) {
            self.buffer(chunk)?;
            if self.buffered >= GROUP_ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn buffer(&mut self, records: &[(Record, String)]) -> Result<(), LakeError> {
        let own = self.kind.columns();
        let misfit = |record: &Record, column| LakeError::Misfit {
            table: self.table.layout.name,
            column,
            page: record.page,
            row: record.row,
        };
        for (record, part) in records {
            // All records are checked before the first cell is appended, so that the columns keep one length.
            let fits = |(value, column): (&Value, &crate::model::table::Column)| {
                let fits = StoredType::from(column.column_type).accepts(value);
                fits && (column.name != "source_key" || matches!(value, Value::Text(_)))
            };
            if record.values.len() != own.len() {
                return Err(misfit(record, own.last().map_or("", |column| column.name)));
            }
            if let Some(at) = record.values.iter().zip(own).position(|pair| !fits(pair)) {
                return Err(misfit(record, own[at].name));
            }
            if !is_part(part) {
                return Err(misfit(record, PART));
            }
        }
        for (index, cells) in self.columns[..own.len()].iter_mut().enumerate() {
            for (record, _) in records {
                cells.push(&record.values[index]);
            }
        }
        for (cells, (name, _)) in self.columns[own.len()..].iter_mut().zip(PROVENANCE) {
            for (record, part) in records {
                match *name {
                    "source" => cells.push_text(&self.source),
                    "run" => cells.push_long(self.run),
                    "page" => cells.push_long(record.page.into()),
                    "row" => cells.push_long(record.row.into()),
                    "digest" => cells.push_text(&format!("{:032x}", record.digest)),
                    _ => cells.push_text(part),
                }
            }
        }
        self.buffered += records.len();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LakeError> {
        let error = || rows_error("write", self.table.layout.name);
        let cells = std::mem::replace(&mut self.columns, builders(&self.table));
        let frame =
            DataFrame::new(self.buffered, cells.into_iter().map(ColumnBuilder::finish).collect()).map_err(error())?;
        let (layout, folder, stem) = (&self.table.layout, &self.table.folder, pull_stem(self.run, &self.source));
        // On its own thread: the caller may be a worker of an async runtime, which Polars must not block. A sink and
        // not `ParquetWriter`: that always declares Arrow's view types, which other readers cannot filter.
        let written = std::thread::scope(|scope| {
            let sinking = scope.spawn(|| sink(layout, frame.lazy(), folder, &stem, None));
            sinking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        self.files.push(written);
        self.buffered = 0;
        Ok(())
    }

    /// Commits the pull and returns the table's version. Nothing changes if the run is committed already or the pull
    /// has no records. It is an error if the run is not committed and a later one of its source is.
    pub async fn commit(mut self) -> Result<u64, LakeError> {
        let table = self.table.clone();
        let application = transactions::pull(&self.source);
        let (run, source) = (self.run, self.source.clone());
        let written = blocking(table.layout.name, move || {
            if self.buffered > 0 {
                self.flush()?;
            }
            Ok(self.files)
        })
        .await?;
        let loaded = table.load().await?;
        let committed = image::pulls(&table, &loaded).await?;
        if committed.get(&source).is_some_and(|runs| runs.contains(&run)) {
            remove_uncommitted(&written);
            return Ok(loaded.version().unwrap_or_default());
        }
        table.append(&application, run, written).await
    }
}

/// Empty builders for the columns of a table.
fn builders(table: &Table) -> Vec<ColumnBuilder> {
    table.layout.columns.iter().map(|(name, stored)| ColumnBuilder::new(name, *stored)).collect()
}

/// Whether a text is a partition, `yyyy-MM`. It becomes the name of a folder.
fn is_part(part: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| part.as_bytes()[range].iter().all(u8::is_ascii_digit);
    part.len() == 7 && part.as_bytes()[4] == b'-' && digits(0..4) && digits(5..7)
}
