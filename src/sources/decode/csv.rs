//! CSV files as spreadsheets save them: title rows, a header row, records, perhaps a footer.
//!
//! Columns are found by name, compared as [`fold`] writes it. The row number of a record is its line in the file.
//! A row that does not fit the header keeps its place only: a shifted cell may hold anybody's name.

use std::fmt;
use std::io::Cursor;

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use crate::model::field::{FieldReader, Readers, fold};
use crate::model::page::{Page, Reason};
use crate::model::record::Value;
use crate::sources::error::{ErrorKind, SourceError};

/// Rows above the header that are looked at.
const TITLE_ROWS: usize = 100;

/// How a connector's files are laid out.
#[derive(Debug, Clone)]
pub struct CsvLayout {
    delimiter: Option<u8>,
    header: String,
    footers: Vec<String>,
    /// Kept fields as they are compared, in cell order.
    fields: Vec<String>,
    /// For each column without a default its source fields: the header must have one of them.
    required: Vec<Vec<String>>,
}

impl CsvLayout {
    /// # Errors
    /// `misconfigured` if the delimiter is no single byte.
    pub fn compile(
        delimiter: Option<char>,
        header: &str,
        footers: &[String],
        readers: &Readers,
    ) -> Result<Self, SourceError> {
        let delimiter = delimiter.map(u8::try_from).transpose().map_err(|_| {
            SourceError::new(ErrorKind::Misconfigured, "`decode.delimiter` is no character of one byte")
        })?;
        // A column that has gone is no empty column: only a `default` says what its absence means.
        let has_default = |reader: &FieldReader| matches!(reader.absent(), Ok(value) if value != Value::Null);
        let required = readers.readers.iter().filter(|reader| !has_default(reader)).map(|reader| reader.from.clone());
        Ok(Self {
            delimiter,
            header: fold(header),
            footers: footers.iter().map(|footer| fold(footer)).filter(|footer| !footer.is_empty()).collect(),
            fields: readers.fields.iter().map(|field| fold(field)).collect(),
            required: required.collect(),
        })
    }
}

/// A file whose header was found, read row by row. Its Debug shows no cell.
pub struct CsvFile {
    reader: Reader<Cursor<Vec<u8>>>,
    /// Cells that each column of the file fills.
    columns: Vec<Vec<usize>>,
    footers: Vec<String>,
    row: ByteRecord,
    lines: Lines,
    ended: bool,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CsvFile").field("lines", &self.lines).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Line numbers of byte positions, which must not decrease.
#[derive(Debug, Default)]
struct Lines {
    at: usize,
    before: u32,
}

impl Lines {
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
    /// `not_utf8`, `header_not_found`.
    pub fn open(layout: &CsvLayout, mut bytes: Vec<u8>) -> Result<Self, SourceError> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(SourceError::new(ErrorKind::NotUtf8, "the file is UTF-16"));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let candidates = layout.delimiter.map_or_else(|| vec![b';', b','], |delimiter| vec![delimiter]);
        let found = candidates
            .into_iter()
            .filter_map(|delimiter| find_header(&bytes, delimiter, &layout.header).map(|found| (delimiter, found)))
            .max_by_key(|(_, (_, cells))| cells.len());
        let Some((delimiter, (rows_above, header))) = found else {
            return Err(match std::str::from_utf8(&bytes) {
                Ok(_) => {
                    let message = format!("no row has the column `{}`", layout.header);
                    SourceError::new(ErrorKind::HeaderNotFound, message)
                }
                Err(error) => {
                    let message = format!("byte {} of the file is no UTF-8", error.valid_up_to() + 1);
                    SourceError::new(ErrorKind::NotUtf8, message)
                }
            });
        };
        for alternatives in &layout.required {
            if !alternatives.iter().any(|field| header.contains(&fold(field))) {
                let names = alternatives.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(" or ");
                return Err(SourceError::new(
                    ErrorKind::HeaderNotFound,
                    format!("the header row has no column {names}"),
                ));
            }
        }
        let columns = columns(&header, &layout.fields);
        let mut reader = reader(bytes, delimiter);
        let mut row = ByteRecord::new();
        for _ in 0..=rows_above {
            reader.read_byte_record(&mut row).map_err(|_| cut_short())?;
        }
        Ok(Self { reader, columns, footers: layout.footers.clone(), row, lines: Lines::default(), ended: false })
    }

    /// Whether the file was read to its end or its footer.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads up to `most` records into `page`.
    ///
    /// # Errors
    /// `body_cut_short` if the file ends inside a quoted cell.
    pub fn read(&mut self, page: &mut Page, most: usize) -> Result<(), SourceError> {
        let before = page.len();
        while !self.ended && page.len() - before < most {
            if !self.reader.read_byte_record(&mut self.row).map_err(|_| cut_short())? {
                self.ended = true;
                break;
            }
            let Some(first) = self.row.iter().find(|cell| !cell.trim_ascii().is_empty()) else { continue };
            if is_footer(&self.footers, first) {
                self.ended = true;
                break;
            }
            self.take_row(page)?;
        }
        Ok(())
    }

    fn take_row(&mut self, page: &mut Page) -> Result<(), SourceError> {
        let position = self.row.position().map_or(0, ::csv::Position::byte);
        let bytes = self.reader.get_ref().get_ref();
        let (line, start) = self.lines.of(bytes, usize::try_from(position).unwrap_or(bytes.len()).min(bytes.len()));
        let end = usize::try_from(self.reader.position().byte()).unwrap_or(bytes.len()).min(bytes.len());
        let text = &bytes[start..end.max(start)];
        if end == bytes.len() && text.contains(&b'\n') && is_open_quote(text) {
            let message = format!("the file ends inside a quoted cell of the row in line {line}");
            return Err(SourceError::new(ErrorKind::BodyCutShort, message));
        }
        page.begin_row(line);
        let width = self.columns.len();
        if self.row.len() < width || self.row.iter().skip(width).any(|cell| !cell.trim_ascii().is_empty()) {
            page.spoil_row(Reason::WrongColumnCount);
        } else if self.row.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
            page.spoil_row(Reason::Malformed);
        } else {
            for (cell, fields) in self.row.iter().zip(&self.columns) {
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

fn reader(bytes: Vec<u8>, delimiter: u8) -> Reader<Cursor<Vec<u8>>> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(Cursor::new(bytes))
}

/// Rows above the header row, and its cells as they are compared; empty cells at its end are no columns.
fn find_header(bytes: &[u8], delimiter: u8, header: &str) -> Option<(usize, Vec<String>)> {
    let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    for (above, row) in rows.byte_records().take(TITLE_ROWS).enumerate() {
        let Ok(row) = row else { return None };
        let mut cells: Vec<String> =
            row.iter().map(|cell| std::str::from_utf8(cell).map(fold).unwrap_or_default()).collect();
        if cells.iter().any(|cell| cell == header) {
            let last = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            cells.truncate(last);
            return Some((above, cells));
        }
    }
    None
}

/// For each column of the file the cells that it fills; of two columns with one name the first counts.
fn columns(header: &[String], fields: &[String]) -> Vec<Vec<usize>> {
    let mut columns = vec![Vec::new(); header.len()];
    for (field, name) in fields.iter().enumerate() {
        if let Some(at) = header.iter().position(|cell| cell == name) {
            columns[at].push(field);
        }
    }
    columns
}

fn is_footer(footers: &[String], first: &[u8]) -> bool {
    // Most rows begin with their number: those are not folded.
    let number = first.first().is_some_and(u8::is_ascii_digit);
    footers
        .iter()
        .filter(|footer| !number || footer.as_bytes()[0].is_ascii_digit())
        .any(|footer| std::str::from_utf8(first).is_ok_and(|text| fold(text).starts_with(footer.as_str())))
}

fn is_open_quote(row: &[u8]) -> bool {
    row.iter().fold(false, |open, byte| open ^ (*byte == b'"'))
}

fn cut_short() -> SourceError {
    SourceError::new(ErrorKind::BodyCutShort, "the file cannot be read to its end")
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
