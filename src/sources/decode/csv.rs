//! Decodes CSV files as spreadsheet programs save them: title rows, a header row, records, perhaps a footer row.
//!
//! Columns are found by name. The row number of a record is its line in the file. Of a row whose number of columns
//! differs from the header only the line and the reason are kept: its cells may be shifted, so that a kept column could
//! contain a person's name. The one exception are rows that lack cells at their end, which spreadsheet programs leave
//! out where they are empty (see `CsvFile::is_short_record`).

use std::fmt;

use memchr::memmem;

use self::row_state::RowState;
use crate::fields::Readers;
use crate::model::connector::Encoding;
use crate::model::folder::FileEnd;
use crate::model::page::{Page, Reason};
use crate::model::text::fold;
use crate::sources::decode::csv_last_cells::LastCells;
use crate::sources::decode::csv_rows::CsvRows;
use crate::sources::decode::encoding;
use crate::sources::decode::line_counter::LineCounter;
use crate::sources::decode::record_test::RecordTest;
use crate::sources::decode::table::{
    MAX_TITLE_BYTES, MAX_TITLE_ROWS, TableColumns, TableLayout, numbers_columns, rows_below_footer,
};
use crate::sources::error::{ErrorKind, SourceError};

/// Delimiters that are tried. Of those that find the header row with equally many columns, the last is used.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// As many NULs as the smallest block of a disk has in UTF-16, 512 bytes: a part of the file was never written.
const LOST_BLOCK: [u8; 256] = [0; 256];
/// Fewer NULs at the end of a file are padding by a program; more may be a part that was never written.
const MIN_LOST_BYTES: usize = 16;

/// Layout of a connector's CSV files.
#[derive(Debug, Clone)]
pub struct CsvLayout {
    delimiter: Option<u8>,
    encoding: Encoding,
    max_expanded_bytes: u64,
    pub(crate) table: TableLayout,
    record_test: RecordTest,
}

impl CsvLayout {
    /// Whether the encoding is not declared.
    pub(crate) fn follows_charset(&self) -> bool {
        self.encoding == Encoding::Auto
    }

    /// # Errors
    /// `misconfigured` if the delimiter is not a one-byte character.
    pub fn compile(
        delimiter: Option<char>,
        encoding: Encoding,
        max_expanded_bytes: u64,
        table: TableLayout,
        readers: &Readers,
    ) -> Result<Self, SourceError> {
        let delimiter = delimiter.map(u8::try_from).transpose().map_err(|_| {
            SourceError::new(ErrorKind::Misconfigured, "`decode.delimiter` is not a one-byte character")
        })?;
        Ok(Self { delimiter, encoding, max_expanded_bytes, table, record_test: RecordTest::new(readers) })
    }
}

/// A CSV file, read row by row from below its header row. `Debug` shows no cell.
pub struct CsvFile {
    bytes: Vec<u8>,
    rows: CsvRows,
    layout: TableLayout,
    columns: TableColumns,
    /// Column of `decode.header`.
    header_at: usize,
    /// Whether no row below the header row was read yet.
    is_below_header: bool,
    record_test: RecordTest,
    /// Whether the last column has dates.
    has_last_dates: bool,
    last_cells: LastCells,
    lines: LineCounter,
    /// Text above the header row.
    titles: String,
    /// Whether the text has [`LOST_BLOCK`]s.
    has_lost_blocks: bool,
    /// Whether NULs were removed behind a last row without a line end.
    is_padded_in_row: bool,
    /// Number of NULs at the end that may stand for a lost part.
    lost_bytes: usize,
    /// Line of a record without a line end that lacks cells or a part of one: the file was cut in it.
    cut_at: Option<u32>,
    /// That of what was read.
    end: FileEnd,
    /// Whether the file was read to its end or its footer row.
    ended: bool,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CsvFile").field("lines", &self.lines).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl CsvFile {
    /// Decodes the text and finds the header row.
    ///
    /// # Errors
    /// `file_empty`, `header_not_found`, `not_utf8`, `wrong_encoding`; for a gzip file also `body_cut_short`,
    /// `file_damaged`, `expands_too_far`.
    pub fn open(layout: &CsvLayout, bytes: Vec<u8>) -> Result<Self, SourceError> {
        let mut bytes = encoding::text_of(bytes, layout.encoding, layout.max_expanded_bytes)?;
        let Padding { nuls, is_in_row: is_padded_in_row } = remove_padding(&mut bytes);
        let candidates = layout.delimiter.map_or_else(|| DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let found = candidates
            .into_iter()
            .filter_map(|delimiter| find_header(&bytes, delimiter, &layout.table))
            .max_by_key(|found| found.header.len());
        let Some(FoundHeader { rows, start, header, lower }) = found else {
            return Err(match std::str::from_utf8(&bytes) {
                Ok(text) if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {
                    SourceError::new(ErrorKind::FileEmpty, "the file is empty")
                }
                Ok(_) => {
                    let message = format!("no row has the column `{}`", layout.table.header_name);
                    SourceError::new(ErrorKind::HeaderNotFound, message)
                }
                Err(error) => {
                    let message = format!("byte {} of the file is not UTF-8", error.valid_up_to() + 1);
                    SourceError::new(ErrorKind::NotUtf8, message)
                }
            });
        };
        let columns = match &lower {
            Some(lower) => layout.table.columns_below(&header, lower)?,
            None => layout.table.columns(&header)?,
        };
        let record_test = layout.record_test.in_columns(&columns);
        Ok(Self {
            has_last_dates: columns.fills.len().checked_sub(1).is_some_and(|last| record_test.is_instant(last)),
            last_cells: LastCells::default(),
            header_at: header.iter().position(|cell| *cell == layout.table.header).unwrap_or_default(),
            has_lost_blocks: memmem::find(&bytes, &LOST_BLOCK).is_some(),
            is_below_header: true,
            record_test,
            titles: titles_of(&bytes[..start], rows.delimiter()),
            bytes,
            rows,
            layout: layout.table.clone(),
            columns,
            lines: LineCounter::default(),
            is_padded_in_row,
            lost_bytes: if is_padded_in_row || nuls >= MIN_LOST_BYTES { nuls } else { 0 },
            cut_at: None,
            end: FileEnd::default(),
            ended: false,
        })
    }

    /// Text of the title rows, which stand above the header row; the cells are separated by spaces.
    #[must_use]
    pub fn titles(&self) -> &str {
        &self.titles
    }

    /// Whether the file was read to its end or its footer row.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What shows that the file is whole, once it was read to its end.
    #[must_use]
    pub fn end(&self) -> FileEnd {
        self.end
    }

    /// Reads up to `max_rows` records into `page`.
    ///
    /// # Errors
    /// `unclosed_quote`, `body_cut_short`, `ends_in_nuls`, `headings_moved`, `trailer_missing`, `trailer_disagrees`,
    /// `rows_below_footer`.
    pub fn read(&mut self, page: &mut Page, max_rows: usize) -> Result<(), SourceError> {
        let before = page.len();
        while !self.ended && page.len() - before < max_rows {
            if !self.rows.next(&self.bytes) {
                // Whole rows before many NULs count: they are returned before the error.
                if self.lost_bytes > 0 && !self.is_padded_in_row && page.len() > before {
                    return Ok(());
                }
                self.ended = true;
                if let Some(trailer) = &self.columns.trailer {
                    trailer.check(None)?;
                }
                if self.lost_bytes > 0 {
                    let message = format!("the file ends in {} NULs: a part of it was never written", self.lost_bytes);
                    let kind = if self.is_padded_in_row { ErrorKind::BodyCutShort } else { ErrorKind::EndsInNuls };
                    return Err(SourceError::new(kind, message));
                }
                return self.cut_at.map_or(Ok(()), |line| Err(cut_in(line)));
            }
            self.end = if self.rows.has_line_end { FileEnd::LineEnd } else { FileEnd::Open };
            let first = self.rows.first_text(&self.bytes);
            if first.is_none() && self.rows.spoiled.is_none() {
                continue;
            }
            let is_footer = first.is_some_and(|first| self.layout.is_footer(first));
            if self.repeats_header()? || self.numbers_columns() {
                page.remarks.heading_rows += 1;
                continue;
            }
            if is_footer && !self.is_record_in_spite_of_footer() {
                self.ended = true;
                self.end = FileEnd::Footer;
                if let Some(trailer) = &self.columns.trailer {
                    let number = self.rows.cell(&self.bytes, trailer.column);
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
            let kept = rows.cells(bytes).zip(&columns.fills).filter(|(_, fields)| !fields.is_empty());
            if columns.is_record(kept.filter(|(cell, _)| !cell.trim_ascii().is_empty()).count()) {
                return Err(rows_below_footer(format_args!("line {}", lines.of(bytes, rows.start))));
            }
        }
        Ok(())
    }

    /// Whether the current row repeats the header row.
    fn repeats_header(&mut self) -> Result<bool, SourceError> {
        let Self { bytes, rows, columns, lines, layout, .. } = self;
        if rows.cells(bytes).any(|cell| !layout.may_be_heading(cell)) {
            return Ok(false);
        }
        let texts: Vec<&str> = rows.cells(bytes).map(|cell| std::str::from_utf8(cell).unwrap_or_default()).collect();
        layout.repeats_header(columns, &texts, format_args!("line {}", lines.of(bytes, rows.start)))
    }

    /// Whether the current row is the first below the header row, and numbers the columns.
    fn numbers_columns(&mut self) -> bool {
        if !std::mem::take(&mut self.is_below_header) {
            return false;
        }
        let Self { bytes, rows, record_test, .. } = self;
        let texts: Vec<&str> = rows.cells(bytes).map(|cell| std::str::from_utf8(cell).unwrap_or_default()).collect();
        let cell = |column| rows.cell(bytes, column);
        numbers_columns(&texts) && !(record_test.is_record(cell) && record_test.fits(cell))
    }

    /// Adds the current row to the page: its cells, or the reason why it is unreadable.
    fn take_row(&mut self, page: &mut Page) -> Result<(), SourceError> {
        let line = self.lines.of(&self.bytes, self.rows.start);
        if let Some(quote) = self.quote_over_rows() {
            self.rows.end_at_quote(&self.bytes, quote);
        }
        let (spoiled, is_short) = match self.state_of_row() {
            RowState::Whole => (None, false),
            RowState::Short => (None, true),
            RowState::Spoiled(reason) => (Some(reason), false),
            RowState::Open => {
                let message = format!("the file ends inside a quoted cell of the row in line {line}");
                return Err(SourceError::new(ErrorKind::UnclosedQuote, message));
            }
        };
        let is_cut = self.rows.spoiled.is_none() && self.is_cut_record();
        if is_cut {
            self.cut_at = Some(line);
        }
        if self.has_last_dates && self.rows.count() == self.columns.fills.len() {
            self.last_cells.note(self.rows.cell(&self.bytes, self.rows.count() - 1));
        }
        // What is left of a record is none.
        let spoiled = spoiled.or(is_cut.then_some(Reason::Malformed));
        page.begin_row(line);
        let Self { bytes, rows, columns, .. } = self;
        if let Some(trailer) = &mut columns.trailer {
            let summed = rows.cell(bytes, trailer.summed);
            trailer.add(if spoiled.is_none() { std::str::from_utf8(summed).ok() } else { None });
        }
        if let Some(reason) = spoiled {
            page.mark_unreadable(reason);
            return Ok(());
        }
        if is_short {
            page.note_short_row();
        }
        for (cell, fields) in rows.cells(bytes).zip(&columns.fills) {
            if !fields.is_empty()
                && !cell.is_empty()
                && let Ok(text) = std::str::from_utf8(cell)
            {
                for &field in fields {
                    page.set(field, text);
                }
            }
        }
        Ok(())
    }
}

/// Title rows as one text, at most its first [`MAX_TITLE_BYTES`].
fn titles_of(rows: &[u8], delimiter: u8) -> String {
    let text = |byte: &u8| if *byte == delimiter || *byte == b'"' { b' ' } else { *byte };
    let bytes: Vec<u8> = rows.iter().take(MAX_TITLE_BYTES).map(text).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn cut_in(line: u32) -> SourceError {
    SourceError::new(ErrorKind::BodyCutShort, format!("the file ends within the row in line {line}"))
}

/// What [`remove_padding`] removed.
struct Padding {
    /// Number of NULs.
    nuls: usize,
    /// Whether NULs stood behind a row without a line end.
    is_in_row: bool,
}

/// Removes NULs and the end mark of DOS (^Z) from the end of a text; line ends and spaces may stand between them.
fn remove_padding(bytes: &mut Vec<u8>) -> Padding {
    let text = bytes.iter().rposition(|byte| !matches!(byte, 0 | 0x1a | b'\r' | b'\n' | b' ' | b'\t'));
    let text_end = text.map_or(0, |last| last + 1);
    let Some(padding) = bytes[text_end..].iter().position(|byte| matches!(byte, 0 | 0x1a)) else {
        return Padding { nuls: 0, is_in_row: false };
    };
    let is_in_row = bytes[text_end + padding] == 0
        && text.is_some()
        && !bytes[text_end..text_end + padding].iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let nuls = memchr::memchr_iter(0, &bytes[text_end + padding..]).count();
    bytes.truncate(text_end + padding);
    Padding { nuls, is_in_row }
}

/// The header row, or the two rows of headings.
struct FoundHeader {
    /// At the last of them.
    rows: CsvRows,
    /// Where the first of them begins.
    start: usize,
    /// Its folded cells.
    header: Vec<String>,
    /// Folded cells of the second.
    lower: Option<Vec<String>>,
}

/// Finds the row with the column of `decode.header`; `None` if there is none, or if it lacks the second row of headings.
fn find_header(bytes: &[u8], delimiter: u8, table: &TableLayout) -> Option<FoundHeader> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut rows = CsvRows::new(delimiter, start);
    let folded = |rows: &CsvRows| -> Vec<String> {
        rows.cells(bytes).map(|cell| std::str::from_utf8(cell).map(fold).unwrap_or_default()).collect()
    };
    for _ in 0..MAX_TITLE_ROWS {
        if !rows.next(bytes) {
            return None;
        }
        let mut header = folded(&rows);
        if !header.contains(&table.header) {
            continue;
        }
        let start = rows.start;
        if !table.has_two_header_rows() {
            table.trim_header(&mut header);
            return Some(FoundHeader { rows, start, header, lower: None });
        }
        let lower = rows.next(bytes).then(|| folded(&rows))?;
        return Some(FoundHeader { rows, start, header, lower: Some(lower) });
    }
    None
}

#[path = "csv_row_state.rs"]
mod row_state;

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "csv_damage_tests.rs"]
mod damage_tests;
