//! Decodes CSV files as spreadsheet programs save them: title rows, a header row, records, perhaps a footer row.
//!
//! Columns are found by name. The row number of a record is its line in the file. Of a row whose number of columns
//! differs from the header only the line and the reason are kept: its cells may be shifted, so that a kept column could
//! contain a person's name. At most 1 MiB of a row is buffered.

use std::fmt;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::model::connector::Encoding;
use crate::model::page::{Page, Reason};
use crate::model::text::fold;
use crate::sources::decode::encoding;
use crate::sources::decode::table::{MAX_TITLE_ROWS, TableColumns, TableLayout, rows_below_footer};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest row that is read; a longer one is rejected (`row_too_long`).
const MAX_ROW_BYTES: usize = 1 << 20;
/// Maximum number of cells in a row: the number of columns of a sheet (ECMA-376).
const MAX_ROW_CELLS: usize = 16_384;

/// Layout of a connector's CSV files.
#[derive(Debug, Clone)]
pub struct CsvLayout {
    delimiter: Option<u8>,
    encoding: Encoding,
    max_expanded_bytes: u64,
    pub(crate) table: TableLayout,
}

impl CsvLayout {
    /// # Errors
    /// `misconfigured` if the delimiter is not a one-byte character.
    pub fn compile(
        delimiter: Option<char>,
        encoding: Encoding,
        max_expanded_bytes: u64,
        table: TableLayout,
    ) -> Result<Self, SourceError> {
        let delimiter = delimiter.map(u8::try_from).transpose().map_err(|_| {
            SourceError::new(ErrorKind::Misconfigured, "`decode.delimiter` is not a one-byte character")
        })?;
        Ok(Self { delimiter, encoding, max_expanded_bytes, table })
    }
}

/// A CSV file, read row by row from below its header row. `Debug` shows no cell.
pub struct CsvFile {
    bytes: Vec<u8>,
    rows: CsvRows,
    layout: TableLayout,
    columns: TableColumns,
    lines: LineCounter,
    /// Whether the file was read to its end or its footer row.
    ended: bool,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CsvFile").field("lines", &self.lines).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Splits a text into rows. One buffer holds the current row.
struct CsvRows {
    core: Reader,
    delimiter: u8,
    /// Byte position of the current row.
    start: usize,
    /// Byte position after the current row.
    at: usize,
    /// Cells of the current row, without separators and quotes.
    text: Vec<u8>,
    /// End of each cell in `text`.
    ends: Vec<usize>,
    /// Number of cells of the current row; 0 if it is too long.
    count: usize,
    too_long: bool,
}

impl CsvRows {
    fn new(delimiter: u8, at: usize) -> Self {
        let core = ReaderBuilder::new().delimiter(delimiter).build();
        Self { core, delimiter, start: at, at, text: vec![0; 8 << 10], ends: vec![0; 64], count: 0, too_long: false }
    }

    /// Reads the next row; false at the end of the text. Empty lines are skipped.
    fn next(&mut self, bytes: &[u8]) -> bool {
        self.start = self.at;
        self.too_long = false;
        let (mut written, mut count) = (0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.core.read_record(&bytes[self.at..], &mut self.text[written..], &mut self.ends[count..]);
            self.at += read;
            written += wrote;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < MAX_ROW_BYTES => {
                    self.text.resize((self.text.len() * 2).min(MAX_ROW_BYTES), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_ROW_CELLS => {
                    self.ends.resize((self.ends.len() * 2).min(MAX_ROW_CELLS), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    self.too_long = true;
                    (written, count) = (0, 0);
                }
                ReadRecordResult::Record => {
                    self.count = if self.too_long { 0 } else { count };
                    return true;
                }
                ReadRecordResult::End => return false,
            }
        }
    }

    fn cell(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| self.cell(index))
    }
}

/// Line numbers of byte positions. The positions must not decrease from call to call.
#[derive(Debug, Default)]
struct LineCounter {
    at: usize,
    /// Line ends before `at`.
    before: u32,
}

impl LineCounter {
    /// Line number (from 1) and byte position of the row at `position`. Line ends at `position` are skipped first.
    fn of(&mut self, bytes: &[u8], position: usize) -> (u32, usize) {
        let gap = bytes[position..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = position + gap;
        let passed: u32 = bytes[self.at..start].iter().map(|byte| u32::from(*byte == b'\n')).sum();
        self.before = self.before.saturating_add(passed);
        self.at = start;
        (self.before.saturating_add(1), start)
    }
}

impl CsvFile {
    /// Decodes the text and finds the header row.
    ///
    /// # Errors
    /// `header_not_found`, `not_utf8`, `wrong_encoding`; for a gzip file also `body_cut_short`, `file_damaged`,
    /// `expands_too_far`.
    pub fn open(layout: &CsvLayout, bytes: Vec<u8>) -> Result<Self, SourceError> {
        let bytes = encoding::text_of(bytes, layout.encoding, layout.max_expanded_bytes)?;
        let candidates = layout.delimiter.map_or_else(|| vec![b';', b','], |delimiter| vec![delimiter]);
        let found = candidates
            .into_iter()
            .filter_map(|delimiter| find_header(&bytes, delimiter, &layout.table.header))
            .max_by_key(|(_, cells)| cells.len());
        let Some((rows, header)) = found else {
            return Err(match std::str::from_utf8(&bytes) {
                Ok(text) if text.trim().is_empty() => SourceError::new(ErrorKind::HeaderNotFound, "the file is empty"),
                Ok(_) => {
                    let message = format!("no row has the column `{}`", layout.table.header);
                    SourceError::new(ErrorKind::HeaderNotFound, message)
                }
                Err(error) => {
                    let message = format!("byte {} of the file is not UTF-8", error.valid_up_to() + 1);
                    SourceError::new(ErrorKind::NotUtf8, message)
                }
            });
        };
        let columns = layout.table.columns(&header)?;
        Ok(Self { bytes, rows, layout: layout.table.clone(), columns, lines: LineCounter::default(), ended: false })
    }

    /// Whether the file was read to its end or its footer row.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads up to `max_rows` records into `page`.
    ///
    /// # Errors
    /// `unclosed_quote`, `trailer_missing`, `trailer_disagrees`, `rows_below_footer`.
    pub fn read(&mut self, page: &mut Page, max_rows: usize) -> Result<(), SourceError> {
        let before = page.len();
        while !self.ended && page.len() - before < max_rows {
            if !self.rows.next(&self.bytes) {
                self.ended = true;
                return self.columns.trailer.as_ref().map_or(Ok(()), |trailer| trailer.check(None));
            }
            let first = self.rows.cells().find(|cell| !cell.trim_ascii().is_empty());
            if first.is_none() && !self.rows.too_long {
                continue;
            }
            if first.is_some_and(|first| self.layout.is_footer(first)) {
                self.ended = true;
                if let Some(trailer) = &self.columns.trailer {
                    let number = if trailer.column < self.rows.count { self.rows.cell(trailer.column) } else { &[] };
                    trailer.check(Some(std::str::from_utf8(number).unwrap_or_default()))?;
                }
                return self.check_below_footer();
            }
            self.take_row(page)?;
        }
        Ok(())
    }

    /// Reads the rows below the footer row, which may be signatures and remarks.
    ///
    /// # Errors
    /// `rows_below_footer` if one of them looks like a record.
    fn check_below_footer(&mut self) -> Result<(), SourceError> {
        let Self { bytes, rows, columns, lines, .. } = self;
        while rows.next(bytes) {
            let kept = rows.cells().zip(&columns.fills).filter(|(_, fields)| !fields.is_empty());
            if columns.is_record(kept.filter(|(cell, _)| !cell.trim_ascii().is_empty()).count()) {
                return Err(rows_below_footer(format_args!("line {}", lines.of(bytes, rows.start).0)));
            }
        }
        Ok(())
    }

    /// Adds the current row to the page: its cells, or the reason why it is unreadable.
    fn take_row(&mut self, page: &mut Page) -> Result<(), SourceError> {
        let Self { bytes, rows, columns, lines, .. } = self;
        let (line, start) = lines.of(bytes, rows.start);
        if rows.at == bytes.len() && is_open_quote(rows.delimiter, &bytes[start..]) {
            let message = format!("the file ends inside a quoted cell of the row in line {line}");
            return Err(SourceError::new(ErrorKind::UnclosedQuote, message));
        }
        page.begin_row(line);
        let width = columns.fills.len();
        let spoiled = if rows.too_long {
            Some(Reason::RowTooLong)
        } else if rows.count < width || (width..rows.count).any(|at| !rows.cell(at).trim_ascii().is_empty()) {
            Some(Reason::WrongColumnCount)
        } else if rows.cells().any(|cell| std::str::from_utf8(cell).is_err()) {
            Some(Reason::Malformed)
        } else {
            None
        };
        if let Some(reason) = spoiled {
            page.mark_unreadable(reason);
        }
        if let Some(trailer) = &mut columns.trailer {
            trailer.add(if spoiled.is_none() { std::str::from_utf8(rows.cell(trailer.summed)).ok() } else { None });
        }
        if spoiled.is_none() {
            for (cell, fields) in rows.cells().zip(&columns.fills) {
                if !fields.is_empty()
                    && !cell.is_empty()
                    && let Ok(text) = std::str::from_utf8(cell)
                {
                    for &field in fields {
                        page.set(field, text);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads to the header row: returns the rows after it and its folded cells. Empty cells at its end are not columns.
/// `None` if no row has the column `header`.
fn find_header(bytes: &[u8], delimiter: u8, header: &str) -> Option<(CsvRows, Vec<String>)> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut rows = CsvRows::new(delimiter, start);
    for _ in 0..MAX_TITLE_ROWS {
        if !rows.next(bytes) {
            return None;
        }
        let mut cells: Vec<String> =
            rows.cells().map(|cell| std::str::from_utf8(cell).map(fold).unwrap_or_default()).collect();
        if cells.iter().any(|cell| cell == header) {
            let last = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            cells.truncate(last);
            return Some((rows, cells));
        }
    }
    None
}

/// Whether the last row of a file ends inside a quoted cell. A line end is appended: if it does not end the row, it is
/// part of an open cell.
fn is_open_quote(delimiter: u8, row: &[u8]) -> bool {
    if !row.contains(&b'"') {
        return false;
    }
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let (mut scratch, mut ends) = (vec![0; 64 << 10], [0; 64]);
    for part in [row, b"\n"] {
        let mut at = 0;
        while at < part.len() {
            let (result, read, ..) = reader.read_record(&part[at..], &mut scratch, &mut ends);
            at += read;
            if result == ReadRecordResult::Record {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
