//! Writes the sheets of a workbook in another format (`.xls`, `.ods`) as XLSX without compression, in memory: one reader then
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

/// A workbook that is being written.
pub(super) struct PlainWorkbook {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    limit: u64,
    left: u64,
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
            limit,
            left: limit,
            pending: String::new(),
            sheets: String::new(),
            relations: String::new(),
            count: 0,
            row: 0,
        }
    }

    /// Begins a sheet.
    pub(super) fn begin_sheet(&mut self, name: &str, is_hidden: bool) -> Result<(), SourceError> {
        self.count += 1;
        let (number, state) = (self.count, if is_hidden { " state=\"hidden\"" } else { "" });
        let mut shown = String::new();
        put_escaped(&mut shown, name);
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
        let text = &mut self.pending;
        text.push_str("<c r=\"");
        put_place(text, row, column);
        match cell {
            PlainCell::Text(shown) => {
                text.push_str("\" t=\"str\"><v>");
                put_escaped(text, shown);
                text.push_str("</v></c>");
            }
            PlainCell::IsoDate(date) => {
                text.push_str("\" t=\"d\"><v>");
                put_escaped(text, date);
                text.push_str("</v></c>");
            }
            PlainCell::Number(number) => write!(text, "\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Date(number) => write!(text, "\" s=\"1\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Duration(number) => write!(text, "\" s=\"2\"><v>{number}</v></c>").expect(STRING),
            PlainCell::Flag(flag) => write!(text, "\" t=\"b\"><v>{}</v></c>", u8::from(flag)).expect(STRING),
            PlainCell::Error => text.push_str("\" t=\"e\"><v>#REF!</v></c>"),
            PlainCell::Formula => text.push_str("\"><f>0</f></c>"),
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

    fn flush(&mut self) -> Result<(), SourceError> {
        self.left = self.left.checked_sub(self.pending.len() as u64).ok_or_else(|| expands_too_far(self.limit))?;
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

/// Writes a text as XML has it. Characters that XML does not allow become the replacement character: no format reads them.
fn put_escaped(text: &mut String, shown: &str) {
    for (at, letter) in shown.char_indices() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            // `_x0041_` would be read as `A`.
            '_' if shown[at..].starts_with("_x") => text.push_str("_x005F_"),
            '\t' | '\n' | '\r' => text.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => text.push('\u{fffd}'),
            letter => text.push(letter),
        }
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
}
