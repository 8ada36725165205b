//! Writes the sheets of a workbook in another format (`.xls`, `.xlsb`, `.ods`) as XLSX without compression, in memory: one reader then
//! reads them all. What is written is bounded, also where a file repeats a cell that it has once.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::sources::decode::inflate::expands_too_far;
use crate::sources::error::{ErrorKind, SourceError};

/// Largest numbers of rows and columns (ECMA-376).
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: u32 = 16_384;
/// Largest number of sheets, as of the parts of an XLSX workbook (`inflate`): each takes memory in the list of sheets and in the
/// archive.
const MAX_SHEETS: usize = 10_000;
/// Longest name of a sheet in UTF-8. Excel allows 31 characters; `.xls` has room for 255.
const MAX_NAME_BYTES: usize = 1024;
/// Bytes that are collected before they are written.
const CHUNK_BYTES: usize = 64 << 10;

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PlainCell<'a> {
    Text(&'a str),
    Number(f64),
    /// Serial number of a day.
    Date(f64),
    /// Days that passed.
    Duration(f64),
    /// A date in ISO 8601.
    IsoDate(&'a str),
    Flag(bool),
    Error,
    /// A formula whose value the file does not have.
    Formula,
}

/// First row, first column, last row, last column of a merged cell, from 0.
pub(super) type Span = (u32, u32, u32, u32);

/// A number of bytes that may still be used.
pub(super) struct Budget {
    limit: u64,
    left: u64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// # Errors
    /// `expands_too_far` if fewer bytes are left.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), SourceError> {
        self.left = self.left.checked_sub(bytes as u64).ok_or_else(|| expands_too_far(self.limit))?;
        Ok(())
    }
}

/// A workbook that is being written.
pub(super) struct PlainWorkbook {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    /// Bytes that may still be written.
    budget: Budget,
    pending: String,
    /// Elements of the list of sheets.
    sheets: String,
    relations: String,
    count: usize,
    /// Current row, from 1; 0 before the first.
    row: u32,
}

impl PlainWorkbook {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            archive: ZipWriter::new(Cursor::new(Vec::new())),
            budget: Budget::new(limit),
            pending: String::new(),
            sheets: String::new(),
            relations: String::new(),
            count: 0,
            row: 0,
        }
    }

    /// Begins a sheet.
    ///
    /// # Errors
    /// `file_damaged` if the workbook has too many sheets, or if the name is too long.
    pub(super) fn begin_sheet(&mut self, name: &str, is_hidden: bool) -> Result<(), SourceError> {
        self.count += 1;
        check_sheets(self.count)?;
        check_name(name)?;
        let (number, state) = (self.count, if is_hidden { " state=\"hidden\"" } else { "" });
        let mut shown = String::new();
        for (at, letter) in name.char_indices() {
            put_escaped(&mut shown, letter, &name[at..]);
        }
        write!(self.sheets, "<sheet name=\"{shown}\" sheetId=\"{number}\"{state} r:id=\"rId{number}\"/>")
            .expect(STRING);
        write!(
            self.relations,
            "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        )
        .expect(STRING);
        self.begin_part(&format!("xl/worksheets/sheet{number}.xml"))?;
        self.pending.push_str("<worksheet><sheetData>");
        self.row = 0;
        Ok(())
    }

    /// Writes a cell. Rows and columns count from 0; rows come in their order.
    ///
    /// # Errors
    /// `file_damaged`, `expands_too_far`.
    pub(super) fn cell(&mut self, row: u32, column: u32, cell: PlainCell<'_>) -> Result<(), SourceError> {
        if row >= MAX_ROWS || column >= MAX_COLUMNS {
            return Err(damaged("a cell has a position that no workbook allows"));
        }
        if row + 1 < self.row {
            return Err(damaged("the rows of a sheet do not come in their order"));
        }
        if row + 1 != self.row {
            let end = if self.row == 0 { "" } else { "</row>" };
            self.row = row + 1;
            write!(self.pending, "{end}<row r=\"{}\">", self.row).expect(STRING);
        }
        self.pending.push_str("<c r=\"");
        put_place(&mut self.pending, row, column);
        match cell {
            PlainCell::Text(shown) => {
                self.pending.push_str("\" t=\"str\"><v>");
                self.put_text(shown)?;
                self.pending.push_str("</v></c>");
            }
            PlainCell::IsoDate(date) => {
                self.pending.push_str("\" t=\"d\"><v>");
                self.put_text(date)?;
                self.pending.push_str("</v></c>");
            }
            PlainCell::Number(number) => write!(self.pending, "\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Date(number) => write!(self.pending, "\" s=\"1\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Duration(number) => write!(self.pending, "\" s=\"2\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Flag(flag) => write!(self.pending, "\" t=\"b\"><v>{}</v></c>", u8::from(flag)).expect(STRING),
            PlainCell::Error => self.pending.push_str("\" t=\"e\"><v>#REF!</v></c>"),
            PlainCell::Formula => self.pending.push_str("\"><f>0</f></c>"),
        }
        if self.pending.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the sheet.
    pub(super) fn end_sheet(&mut self, merged: &[Span]) -> Result<(), SourceError> {
        self.pending.push_str(if self.row == 0 { "</sheetData>" } else { "</row></sheetData>" });
        if !merged.is_empty() {
            self.pending.push_str("<mergeCells>");
            for (first_row, first_column, last_row, last_column) in merged {
                if *last_row >= MAX_ROWS
                    || *last_column >= MAX_COLUMNS
                    || first_row > last_row
                    || first_column > last_column
                {
                    return Err(damaged("a merged cell has a position that no workbook allows"));
                }
                self.pending.push_str("<mergeCell ref=\"");
                put_place(&mut self.pending, *first_row, *first_column);
                self.pending.push(':');
                put_place(&mut self.pending, *last_row, *last_column);
                self.pending.push_str("\"/>");
                if self.pending.len() >= CHUNK_BYTES {
                    self.flush()?;
                }
            }
            self.pending.push_str("</mergeCells>");
        }
        self.pending.push_str("</worksheet>");
        self.flush()
    }

    /// Ends the workbook; gives its archive.
    pub(super) fn finish(mut self, counts_from_1904: bool) -> Result<Vec<u8>, SourceError> {
        let properties = if counts_from_1904 { "<workbookPr date1904=\"1\"/>" } else { "" };
        let styles = "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>";
        let (sheets, relations) = (std::mem::take(&mut self.sheets), std::mem::take(&mut self.relations));
        for (name, xml) in [
            (
                "xl/workbook.xml",
                format!("<workbook xmlns:r=\"{OFFICE}\">{properties}<sheets>{sheets}</sheets></workbook>"),
            ),
            ("xl/_rels/workbook.xml.rels", format!("<Relationships>{relations}</Relationships>")),
            ("xl/styles.xml", styles.to_owned()),
            (
                "_rels/.rels",
                format!(
                    "<Relationships><Relationship Id=\"r\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>\
                     </Relationships>"
                ),
            ),
        ] {
            self.begin_part(name)?;
            self.pending.push_str(&xml);
            self.flush()?;
        }
        Ok(self.archive.finish().map_err(|_| damaged("the workbook cannot be rewritten"))?.into_inner())
    }

    fn begin_part(&mut self, name: &str) -> Result<(), SourceError> {
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(false);
        self.archive.start_file(name, plain).map_err(|_| damaged("the workbook cannot be rewritten"))
    }

    /// Writes a text, in chunks if it is long: escaping makes it up to six times longer.
    fn put_text(&mut self, text: &str) -> Result<(), SourceError> {
        for (at, letter) in text.char_indices() {
            put_escaped(&mut self.pending, letter, &text[at..]);
            if self.pending.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SourceError> {
        self.budget.charge(self.pending.len())?;
        let written = self.archive.write_all(self.pending.as_bytes());
        self.pending.clear();
        written.map_err(|_| damaged("the workbook cannot be rewritten"))
    }
}

const STRING: &str = "a string takes all";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(super) fn damaged(message: &str) -> SourceError {
    SourceError::new(ErrorKind::FileDamaged, message)
}

/// # Errors
/// `file_damaged` if a workbook has more than the largest number of sheets.
pub(super) fn check_sheets(count: usize) -> Result<(), SourceError> {
    if count > MAX_SHEETS {
        return Err(damaged(&format!("the workbook has more than {MAX_SHEETS} sheets")));
    }
    Ok(())
}

/// # Errors
/// `file_damaged` if a sheet has a longer name than any program writes.
pub(super) fn check_name(name: &str) -> Result<(), SourceError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(damaged(&format!("a sheet has a name of more than {MAX_NAME_BYTES} bytes")));
    }
    Ok(())
}

/// The name of a cell: `A1`.
fn put_place(text: &mut String, row: u32, column: u32) {
    let (mut letters, mut rest) = ([b'A'; 4], column + 1);
    let mut at = letters.len();
    while rest > 0 && at > 0 {
        at -= 1;
        letters[at] = b'A' + u8::try_from((rest - 1) % 26).unwrap_or_default();
        rest = (rest - 1) / 26;
    }
    text.push_str(std::str::from_utf8(&letters[at..]).unwrap_or_default());
    write!(text, "{}", row + 1).expect(STRING);
}

/// Writes a letter as XML has it; `rest`: the text from this letter on. Characters that XML does not allow become the
/// replacement character: no format reads them.
fn put_escaped(written: &mut String, letter: char, rest: &str) {
    match letter {
        '&' => written.push_str("&amp;"),
        '<' => written.push_str("&lt;"),
        '>' => written.push_str("&gt;"),
        '"' => written.push_str("&quot;"),
        // `_x0041_` would be read as `A`.
        '_' if rest.starts_with("_x") => written.push_str("_x005F_"),
        '\t' | '\n' | '\r' => written.push(letter),
        letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => written.push('\u{fffd}'),
        letter => written.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_letters_and_numbers() {
        for (row, column, expected) in
            [(0, 0, "A1"), (9, 25, "Z10"), (0, 26, "AA1"), (1, 701, "ZZ2"), (1_048_575, 16_383, "XFD1048576")]
        {
            let mut text = String::new();
            put_place(&mut text, row, column);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn what_is_written_is_bounded_and_rows_keep_their_order() {
        let mut workbook = PlainWorkbook::new(200);
        workbook.begin_sheet("a & b", false).expect("it fits");
        workbook.cell(5, 0, PlainCell::Text("<x>")).expect("it fits");
        assert_eq!(workbook.cell(4, 0, PlainCell::Flag(true)).map_err(|error| error.kind), Err(ErrorKind::FileDamaged));
        let far = workbook.cell(MAX_ROWS, 0, PlainCell::Flag(true));
        assert_eq!(far.map_err(|error| error.kind), Err(ErrorKind::FileDamaged));
        for _ in 0..10 {
            workbook.cell(5, 1, PlainCell::Number(1.0)).expect("it is not written yet");
        }
        assert_eq!(workbook.end_sheet(&[]).map_err(|error| error.kind), Err(ErrorKind::ExpandsTooFar));
    }

    #[test]
    fn a_text_is_counted_while_it_is_escaped() {
        let mut workbook = PlainWorkbook::new(200_000);
        workbook.begin_sheet("a", false).expect("it fits");
        let quotes = "\"".repeat(150_000);
        assert_eq!(
            workbook.cell(0, 0, PlainCell::Text(&quotes)).map_err(|error| error.kind),
            Err(ErrorKind::ExpandsTooFar)
        );
        assert!(workbook.pending.capacity() < 1 << 20);
    }

    #[test]
    fn sheets_and_their_names_are_bounded() {
        let mut workbook = PlainWorkbook::new(1 << 20);
        assert_eq!(
            workbook.begin_sheet(&"a".repeat(1025), false).map_err(|error| error.kind),
            Err(ErrorKind::FileDamaged)
        );
        assert_eq!(check_sheets(10_000), Ok(()));
        assert_eq!(check_sheets(10_001).map_err(|error| error.kind), Err(ErrorKind::FileDamaged));
    }
}
