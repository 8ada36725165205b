//! Writing the versions of one pull: a file for every [`GROUP_ROWS`] rows, one commit.
//!
//! A pull's rows are its own: `source` and `run` are the same in all of them, and stand in the log with the
//! file. Within one pull, a key is filed under one part.

use polars::prelude::*;

use super::cells::Cells;
use super::error::{LakeError, blocking, rows_error};
use super::layout::{PART, StoredType};
use super::rows::{GROUP_ROWS, sink};
use super::table::{Table, Written};
use crate::model::record::{Record, Value};
use crate::model::table::{Kind, PROVENANCE};

/// Takes the accepted records of one pull. Nothing counts before [`VersionWriter::commit`].
pub struct VersionWriter {
    table: Table,
    kind: Kind,
    source: String,
    run: i64,
    columns: Vec<Cells>,
    buffered: usize,
    files: Vec<Written>,
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
    pub(super) fn new(table: Table, kind: Kind, source: &str, run: i64) -> Self {
        let columns = table.layout.columns.iter().map(|(name, stored)| Cells::new(name, *stored)).collect();
        Self { table, kind, source: source.to_owned(), run, columns, buffered: 0, files: Vec::new() }
    }

    /// Buffers records, each with the part (`yyyy-MM`) that its key is filed under; full row groups go to files. Blocks.
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
            // Checked before the first cell is taken: columns stay of one length.
            let fits = |(value, column): (&Value, &crate::model::table::Column)| {
                let fits = StoredType::from(column.column_type).takes(value);
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
        let fresh = self.table.layout.columns.iter().map(|(name, stored)| Cells::new(name, *stored)).collect();
        let cells = std::mem::replace(&mut self.columns, fresh);
        let frame = DataFrame::new(self.buffered, cells.into_iter().map(Cells::finish).collect()).map_err(error())?;
        let (layout, folder, stem) = (&self.table.layout, &self.table.folder, stem(self.run, &self.source));
        // A thread of its own: the caller may be a worker of an asynchronous runtime, in which Polars must not wait.
        // The sink is used because `ParquetWriter` always states Arrow's view types, which other readers cannot filter.
        let written = std::thread::scope(|scope| {
            let sinking = scope.spawn(|| sink(layout, frame.lazy(), folder, &stem, None));
            sinking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        self.files.push(written);
        self.buffered = 0;
        Ok(())
    }

    /// Commits the pull and gives the table's version. A run that was committed before changes nothing; so does a pull without
    /// records.
    pub async fn commit(mut self) -> Result<u64, LakeError> {
        let table = self.table.clone();
        let application = application(&self.source);
        let run = self.run;
        let written = blocking(table.layout.name, move || {
            if self.buffered > 0 {
                self.flush()?;
            }
            Ok(self.files)
        })
        .await?;
        table.append(&application, run, written).await
    }
}

/// The application of a connector's transaction numbers.
pub(super) fn application(source: &str) -> String {
    format!("pull/{source}")
}

/// `yyyy-MM`: it becomes a folder's name.
fn is_part(part: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| part.as_bytes()[range].iter().all(u8::is_ascii_digit);
    part.len() == 7 && part.as_bytes()[4] == b'-' && digits(0..4) && digits(5..7)
}

/// Names a file after its run and source: `run-00000042-portal-igate`. Names of connectors are lowercase letters, digits and `-`.
fn stem(run: i64, source: &str) -> String {
    format!("run-{run:08}-{source}")
}

/// Source and run of a file that [`stem`] named: `run-00000042-portal-igate-0.parquet`.
pub(super) fn pull_of(path: &str) -> Option<(String, i64)> {
    let (run, rest) = path.strip_prefix("run-")?.split_once('-')?;
    let (source, number) = rest.strip_suffix(".parquet")?.rsplit_once('-')?;
    number.parse::<u32>().ok()?;
    Some((source.to_owned(), run.parse().ok()?))
}
