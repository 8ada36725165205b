//! Splits the text of a CSV file into rows and cells.
//!
//! A cell that begins with a quotation mark is quoted: it may contain delimiters and line ends, and two quotation marks
//! stand for one. Any other cell is taken as it is. If a quoted cell closes before anything but a delimiter or a line
//! end, its first quotation mark is a stray one: the row is spoiled, and the next row begins at the line after that
//! mark. So a stray quotation mark costs its own row, whatever it seems to enclose.

use memchr::{memchr, memchr2, memchr3};

/// Longest row that is read.
pub(super) const MAX_ROW_BYTES: usize = 1 << 20;
/// Maximum number of cells in a row: the number of columns of a sheet (ECMA-376).
const MAX_ROW_CELLS: usize = 16_384;

/// Why the cells of a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoiled {
    /// More than [`MAX_ROW_BYTES`] or [`MAX_ROW_CELLS`].
    TooLong,
    /// A quoted cell closes before anything but a delimiter or a line end.
    StrayQuote,
    /// The text ends inside a quoted cell.
    OpenQuote,
}

/// Place of a cell's text: in the file, or in the buffer of quoted cells.
#[derive(Debug, Clone, Copy)]
struct Cell {
    from: usize,
    to: usize,
    is_buffered: bool,
}

/// Reads rows one after the other.
#[derive(Debug)]
pub(super) struct CsvRows {
    delimiter: u8,
    /// Byte position of the current row.
    pub(super) start: usize,
    /// Byte position after the current row and its line end.
    pub(super) at: usize,
    /// Whether a line end closes the current row, not the end of the text.
    pub(super) has_line_end: bool,
    pub(super) spoiled: Option<Spoiled>,
    /// Byte position of the first quotation mark whose cell spans several lines.
    pub(super) lines_quoted_at: Option<usize>,
    cells: Vec<Cell>,
    /// Text of the quoted cells that contain quotation marks.
    unescaped: Vec<u8>,
}

impl CsvRows {
    pub(super) fn new(delimiter: u8, at: usize) -> Self {
        Self {
            delimiter,
            start: at,
            at,
            has_line_end: false,
            spoiled: None,
            lines_quoted_at: None,
            cells: Vec::new(),
            unescaped: Vec::new(),
        }
    }

    /// A reader of the rows after the current one.
    pub(super) fn following(&self) -> Self {
        Self::new(self.delimiter, self.at)
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads the next row; false at the end of the text. Empty lines are skipped. A spoiled row has no cells.
    pub(super) fn next(&mut self, bytes: &[u8]) -> bool {
        self.at += bytes[self.at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.start = self.at;
        self.spoiled = None;
        self.lines_quoted_at = None;
        self.has_line_end = false;
        self.cells.clear();
        self.unescaped.clear();
        if self.at == bytes.len() {
            return false;
        }
        while self.take_cell(bytes) {}
        if self.at - self.start > MAX_ROW_BYTES || self.cells.len() > MAX_ROW_CELLS {
            self.spoiled.get_or_insert(Spoiled::TooLong);
        }
        // A cell that is too long because it spans lines has swallowed other rows.
        if let (Some(Spoiled::TooLong), Some(quote)) = (self.spoiled, self.lines_quoted_at) {
            self.end_at_quote(bytes, quote);
        }
        if self.spoiled.is_some() {
            self.cells.clear();
        }
        true
    }

    /// Takes the cell at the current position; false if the row ends with it.
    fn take_cell(&mut self, bytes: &[u8]) -> bool {
        let cell = if bytes.get(self.at) == Some(&b'"') {
            match self.quoted_cell(bytes) {
                Some(cell) => cell,
                None => return false,
            }
        } else {
            let rest = &bytes[self.at..];
            let length = memchr3(self.delimiter, b'\r', b'\n', rest).unwrap_or(rest.len());
            let from = self.at;
            self.at += length;
            Cell { from, to: self.at, is_buffered: false }
        };
        // Of a row that is too long no more cells are kept.
        if self.cells.len() <= MAX_ROW_CELLS {
            self.cells.push(cell);
        }
        match bytes.get(self.at) {
            None => false,
            Some(&byte) if byte == self.delimiter => {
                self.at += 1;
                true
            }
            Some(_) => {
                self.pass_line_end(bytes);
                false
            }
        }
    }

    /// Reads to the end of a quoted cell; `None` if the row is spoiled by it.
    fn quoted_cell(&mut self, bytes: &[u8]) -> Option<Cell> {
        let quote = self.at;
        let (mut from, buffered_from) = (quote + 1, self.unescaped.len());
        let end = loop {
            let Some(length) = memchr(b'"', &bytes[from..]) else {
                self.at = bytes.len();
                self.spoiled = Some(Spoiled::OpenQuote);
                return None;
            };
            let end = from + length;
            if bytes.get(end + 1) != Some(&b'"') {
                break end;
            }
            // One of the two quotation marks belongs to the text. A text that is too long is not kept.
            if self.unescaped.len() <= MAX_ROW_BYTES {
                self.unescaped.extend_from_slice(&bytes[from..=end]);
            }
            from = end + 2;
        };
        let is_closed = bytes.get(end + 1).is_none_or(|&byte| byte == self.delimiter || matches!(byte, b'\r' | b'\n'));
        if !is_closed {
            self.spoiled = Some(Spoiled::StrayQuote);
            self.end_at_quote(bytes, quote);
            return None;
        }
        self.at = end + 1;
        if self.lines_quoted_at.is_none() && memchr2(b'\r', b'\n', &bytes[quote..end]).is_some() {
            self.lines_quoted_at = Some(quote);
        }
        if self.unescaped.len() == buffered_from {
            return Some(Cell { from, to: end, is_buffered: false });
        }
        if self.unescaped.len() <= MAX_ROW_BYTES {
            self.unescaped.extend_from_slice(&bytes[from..end]);
        }
        Some(Cell { from: buffered_from, to: self.unescaped.len(), is_buffered: true })
    }

    /// Ends the current row as one with a stray quotation mark: the next row begins at the line after it.
    pub(super) fn end_at_quote(&mut self, bytes: &[u8], quote: usize) {
        self.spoiled = Some(Spoiled::StrayQuote);
        self.cells.clear();
        self.at = quote + memchr2(b'\r', b'\n', &bytes[quote..]).unwrap_or(bytes.len() - quote);
        self.pass_line_end(bytes);
    }

    fn pass_line_end(&mut self, bytes: &[u8]) {
        self.has_line_end = self.at < bytes.len();
        self.at += match bytes[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
    }

    /// The first line of the current row.
    pub(super) fn first_line<'t>(&self, bytes: &'t [u8]) -> &'t [u8] {
        let row = &bytes[self.start..self.at];
        &row[..memchr2(b'\r', b'\n', row).unwrap_or(row.len())]
    }

    /// Number of cells; 0 if the row is spoiled.
    pub(super) fn count(&self) -> usize {
        self.cells.len()
    }

    /// The text of a cell; empty if the row has no such cell.
    pub(super) fn cell<'r>(&'r self, bytes: &'r [u8], index: usize) -> &'r [u8] {
        self.cells.get(index).map_or(&[], |cell| self.text(bytes, *cell))
    }

    pub(super) fn cells<'r>(&'r self, bytes: &'r [u8]) -> impl Iterator<Item = &'r [u8]> {
        self.cells.iter().map(|cell| self.text(bytes, *cell))
    }

    fn text<'r>(&'r self, bytes: &'r [u8], cell: Cell) -> &'r [u8] {
        let text = if cell.is_buffered { self.unescaped.as_slice() } else { bytes };
        &text[cell.from..cell.to]
    }

    /// First cell with a text.
    pub(super) fn first_text<'r>(&'r self, bytes: &'r [u8]) -> Option<&'r [u8]> {
        self.cells(bytes).find(|cell| !cell.trim_ascii().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row as its cells joined by `|`, or why it is spoiled.
    fn rows(text: &str) -> Vec<String> {
        let (bytes, mut rows, mut found) = (text.as_bytes(), CsvRows::new(b';', 0), Vec::new());
        while rows.next(bytes) {
            let cells = rows.cells(bytes).map(|cell| String::from_utf8_lossy(cell).into_owned()).collect::<Vec<_>>();
            found.push(rows.spoiled.map_or_else(|| cells.join("|"), |spoiled| format!("{spoiled:?}")));
        }
        found
    }

    #[test]
    fn rows_are_split_as_spreadsheet_programs_write_them() {
        for (text, expected) in [
            ("", [].as_slice()),
            ("\r\n\n\r", &[]),
            ("a;b", &["a|b"]),
            ("a;b\n", &["a|b"]),
            ("a;b\r\n\r\nc;d\r", &["a|b", "c|d"]),
            ("a\rb", &["a", "b"]),
            (";", &["|"]),
            ("a;\n;b", &["a|", "|b"]),
            ("\"a;b\";\"c\nd\"\ne;f", &["a;b|c\nd", "e|f"]),
            ("\"a\"\"b\";\"\"\"\";\"\"", &["a\"b|\"|"]),
            // Quotation marks inside a cell that does not begin with one are text.
            ("a \"b\";5\" x\n", &["a \"b\"|5\" x"]),
        ] {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_stray_quote_spoils_its_row_and_no_other() {
        for (text, expected) in [
            ("1;\"a;b\n2;a;b\n3;\"a\";b\n4;a;b\n", ["StrayQuote", "2|a|b", "3|a|b", "4|a|b"].as_slice()),
            ("1;\"a\"x;b\n2;a;b\n", &["StrayQuote", "2|a|b"]),
            ("1;\"a\" ;b\n2;a;b", &["StrayQuote", "2|a|b"]),
            ("1;\"a\"\"\"x;b\n2;a;b", &["StrayQuote", "2|a|b"]),
            // The mark opens in the second line of its row: the row ends after that line.
            ("1;\"a\nb\";\"c;d\n2;\"a\";b\n3;a;b", &["StrayQuote", "2|a|b", "3|a|b"]),
            ("1;\"a\"x", &["StrayQuote"]),
            ("1;a\n2;\"a;b\n3;c", &["1|a", "OpenQuote"]),
        ] {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }

    #[test]
    fn rows_beyond_the_bounds_are_spoiled() {
        let long = "x".repeat(MAX_ROW_BYTES);
        assert_eq!(rows(&format!("1;{long}\n2;b")), ["TooLong", "2|b"]);
        assert_eq!(rows(&format!("{}\n2;b", ";".repeat(MAX_ROW_CELLS))), ["TooLong", "2|b"]);
        assert_eq!(rows(&format!("1;\"{long}\"\n2;b")), ["TooLong", "2|b"]);
        // A cell of so many lines is one that was not closed.
        let lines = "2;b\n".repeat(MAX_ROW_BYTES / 4);
        let found = rows(&format!("1;\"a\n{lines}3;\"b\"\n"));
        assert_eq!((found.len(), found[0].as_str(), found[1].as_str()), (MAX_ROW_BYTES / 4 + 2, "StrayQuote", "2|b"));
        let found = rows(&format!("1;\"a\n{lines}3;b\"\n"));
        assert_eq!((found.len(), found[0].as_str(), found[1].as_str()), (MAX_ROW_BYTES / 4 + 2, "StrayQuote", "2|b"));
    }
}
