//! CSV files as spreadsheets save them: title rows, a header row, records, perhaps a footer.
//!
//! TableColumns are found by name. The row number of a record is its line in the file. A row that does not fit the header keeps its place
//! only: a shifted cell may hold anybody's name. A row is held in a buffer of at most 1 MiB, however long it is in the file.

use std::fmt;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::model::connector::Encoding;
use crate::model::field::fold;
use crate::model::page::{Page, Reason};
use crate::sources::decode::encoding;
use crate::sources::decode::table::{TITLE_ROWS, TableColumns, TableLayout, rows_below_footer};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest row that is read.
const ROW_BYTES: usize = 1 << 20;
/// Most cells of a row: as many as a sheet has columns.
const ROW_CELLS: usize = 16_384;

/// How a connector's CSV files are laid out.
#[derive(Debug, Clone)]
pub struct CsvLayout {
    delimiter: Option<u8>,
    encoding: Encoding,
    max_expanded_bytes: u64,
    pub(crate) table: TableLayout,
}

impl CsvLayout {
    /// # Errors
    /// `misconfigured` if the delimiter is no single byte.
    pub fn compile(
        delimiter: Option<char>,
        encoding: Encoding,
        max_expanded_bytes: u64,
        table: TableLayout,
    ) -> Result<Self, SourceError> {
        let delimiter = delimiter.map(u8::try_from).transpose().map_err(|_| {
            SourceError::new(ErrorKind::Misconfigured, "`decode.delimiter` is no character of one byte")
        })?;
        Ok(Self { delimiter, encoding, max_expanded_bytes, table })
    }
}

/// A file whose header was found, read row by row. Its Debug shows no cell.
pub struct CsvFile {
    bytes: Vec<u8>,
    rows: CsvRows,
    layout: TableLayout,
    columns: TableColumns,
    lines: LineCounter,
    ended: bool,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CsvFile").field("lines", &self.lines).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// The rows of a text, one after another in one buffer.
struct CsvRows {
    core: Reader,
    delimiter: u8,
    /// Where the row and what follows it begin.
    start: usize,
    at: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Cells of the row; none if it is too long.
    count: usize,
    too_long: bool,
}

impl CsvRows {
    fn new(delimiter: u8, at: usize) -> Self {
        let core = ReaderBuilder::new().delimiter(delimiter).build();
        Self { core, delimiter, start: at, at, text: vec![0; 8 << 10], ends: vec![0; 64], count: 0, too_long: false }
    }

    /// Reads the next row; false at the end. Empty lines are passed over.
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
                ReadRecordResult::OutputFull if self.text.len() < ROW_BYTES => {
                    self.text.resize((self.text.len() * 2).min(ROW_BYTES), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < ROW_CELLS => {
                    self.ends.resize((self.ends.len() * 2).min(ROW_CELLS), 0);
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

/// Line numbers of byte positions, which must not decrease.
#[derive(Debug, Default)]
struct LineCounter {
    at: usize,
    before: u32,
}

impl LineCounter {
    /// Line, from 1, and position of the row that starts at or, after line ends, behind `position`.
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
    /// Finds the header row.
    ///
    /// # Errors
    /// `header_not_found`, `not_utf8`, `wrong_encoding`; of a gzip file `body_cut_short`, `file_damaged`, `expands_too_far`.
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
                    let message = format!("byte {} of the file is no UTF-8", error.valid_up_to() + 1);
                    SourceError::new(ErrorKind::NotUtf8, message)
                }
            });
        };
        let columns = layout.table.columns(&header)?;
        Ok(Self { bytes, rows, layout: layout.table.clone(), columns, lines: LineCounter::default(), ended: false })
    }

    /// Whether the file was read to its end or its footer.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads up to `most` records into `page`.
    ///
    /// # Errors
    /// `unclosed_quote` if the file ends inside a quoted cell; `trailer_missing`, `trailer_disagrees`.
    pub fn read(&mut self, page: &mut Page, most: usize) -> Result<(), SourceError> {
        let before = page.len();
        while !self.ended && page.len() - before < most {
            if !self.rows.next(&self.bytes) {
                self.ended = true;
                return self.columns.tally.as_ref().map_or(Ok(()), |tally| tally.close(None));
            }
            let first = self.rows.cells().find(|cell| !cell.trim_ascii().is_empty());
            if first.is_none() && !self.rows.too_long {
                continue;
            }
            if first.is_some_and(|first| self.layout.is_footer(first)) {
                self.ended = true;
                if let Some(tally) = &self.columns.tally {
                    let number = if tally.column < self.rows.count { self.rows.cell(tally.column) } else { &[] };
                    tally.close(Some(std::str::from_utf8(number).unwrap_or_default()))?;
                }
                return self.pass_below_footer();
            }
            self.take_row(page)?;
        }
        Ok(())
    }

    /// Below the footer row stand signatures and remarks, and no records.
    fn pass_below_footer(&mut self) -> Result<(), SourceError> {
        let Self { bytes, rows, columns, lines, .. } = self;
        while rows.next(bytes) {
            let kept = rows.cells().zip(&columns.fills).filter(|(_, fields)| !fields.is_empty());
            if columns.is_record(kept.filter(|(cell, _)| !cell.trim_ascii().is_empty()).count()) {
                return Err(rows_below_footer(format_args!("line {}", lines.of(bytes, rows.start).0)));
            }
        }
        Ok(())
    }

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
            page.spoil_row(reason);
        }
        if let Some(tally) = &mut columns.tally {
            tally.add(if spoiled.is_none() { std::str::from_utf8(rows.cell(tally.of)).ok() } else { None });
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

/// CsvRows up to the header row, and its cells as they are compared; empty cells at its end are no columns.
fn find_header(bytes: &[u8], delimiter: u8, header: &str) -> Option<(CsvRows, Vec<String>)> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut rows = CsvRows::new(delimiter, start);
    for _ in 0..TITLE_ROWS {
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

/// Whether the last row of a file ends inside a quoted cell: then a line end does not end it.
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
