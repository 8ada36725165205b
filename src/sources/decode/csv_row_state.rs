//! Judges the current row of a CSV file: whether it is whole, lacks cells, or is spoiled.

use memchr::memmem;

use crate::model::page::Reason;
use crate::sources::decode::csv::{CsvFile, LOST_BLOCK};
use crate::sources::decode::csv_rows::Spoiled;

/// Whether the current row can be taken.
pub(super) enum RowState {
    Whole,
    /// It lacks empty cells at its end.
    Short,
    Spoiled(Reason),
    /// The file ends inside one of its quoted cells.
    Open,
}

impl CsvFile {
    pub(super) fn state_of_row(&self) -> RowState {
        let Self { bytes, rows, columns, .. } = self;
        let width = columns.fills.len();
        let kept_cells = rows.cells(bytes).zip(&columns.fills).filter(|(_, fields)| !fields.is_empty());
        match rows.spoiled {
            Some(Spoiled::OpenQuote) => return RowState::Open,
            Some(Spoiled::TooLong) => return RowState::Spoiled(Reason::RowTooLong),
            Some(Spoiled::StrayQuote) => return RowState::Spoiled(Reason::StrayQuote),
            None => {}
        }
        if (width..rows.count()).any(|at| !rows.cell(bytes, at).trim_ascii().is_empty()) {
            RowState::Spoiled(Reason::WrongColumnCount)
        } else if self.is_in_lost_part()
            || kept_cells.map(|(cell, _)| cell).any(|cell| std::str::from_utf8(cell).is_err())
        {
            RowState::Spoiled(Reason::Malformed)
        } else if rows.count() >= width {
            RowState::Whole
        } else if self.is_short_record() {
            RowState::Short
        } else {
            RowState::Spoiled(Reason::WrongColumnCount)
        }
    }

    /// Whether the current row lacks nothing but empty cells at its end, which spreadsheet programs leave out. It has
    /// every required field, and its cells fit their fields. It ends with a line end, so that the file is not cut in
    /// it. What follows is not the rest of a record that a line end without quotation marks has broken in two.
    fn is_short_record(&self) -> bool {
        self.rows.has_line_end
            && self.record_test.is_record(|column| self.rows.cell(&self.bytes, column))
            && self.record_test.fits(|column| self.rows.cell(&self.bytes, column))
            && !self.is_before_fragment()
    }

    /// Whether a row that begins like a footer row is a record: another column than that of `decode.header` begins so, such
    /// as that of an office, and the row has what a record has.
    pub(super) fn is_record_in_spite_of_footer(&self) -> bool {
        let Self { bytes, rows, columns, .. } = self;
        let filled = |cell: &[u8]| !cell.trim_ascii().is_empty();
        let kept = rows.cells(bytes).zip(&columns.fills).filter(|(cell, fields)| !fields.is_empty() && filled(cell));
        rows.cells(bytes).position(filled) != Some(self.header_at)
            && columns.is_record(kept.count())
            && self.record_test.is_record(|column| rows.cell(bytes, column))
            && self.record_test.fits(|column| rows.cell(bytes, column))
    }

    /// Whether the file ends within the current row, which is more than a remark: it has several cells and no line end,
    /// and lacks other cells, or its last one is refused as if it were a part of one, or is shorter than all others.
    pub(super) fn is_cut_record(&self) -> bool {
        let Self { bytes, rows, columns, .. } = self;
        let filled = rows.cells(bytes).filter(|cell| !cell.trim_ascii().is_empty()).count();
        let is_last_cut = || {
            let last = columns.fills.len() - 1;
            let is_refused = self.record_test.refuses(last, |column| rows.cell(bytes, column));
            rows.count() == columns.fills.len() && (is_refused || self.last_cells.is_cut(rows.cell(bytes, last)))
        };
        !rows.has_line_end && filled > 1 && (rows.count() < columns.fills.len() || is_last_cut())
    }

    /// Whether the next row may be the rest of the current one: it has at most as many cells as the current one lacks,
    /// one more for the cell that was broken, and is no record by itself.
    fn is_before_fragment(&self) -> bool {
        let longest_rest = self.columns.fills.len() - self.rows.count() + 1;
        let mut next = self.rows.following();
        while next.next(&self.bytes) {
            if next.spoiled.is_some() {
                let line = next.first_line(&self.bytes);
                return self.cells_of_line(line).count() <= longest_rest && !self.is_record(line);
            }
            if let Some(first) = next.first_text(&self.bytes) {
                return next.count() <= longest_rest
                    && !self.layout.is_footer(first)
                    && !self.record_test.is_record(|column| next.cell(&self.bytes, column));
            }
        }
        false
    }

    /// The quotation mark in the current row that encloses several lines of which one is a row by itself: it was never
    /// meant to open a cell, and would swallow that row. A line is one if it is a record. If the line of the mark is
    /// whole without the others, a line with as many cells is one too: its code may be empty or wrong.
    pub(super) fn quote_over_rows(&self) -> Option<usize> {
        let quote = self.rows.lines_quoted_at.filter(|_| self.rows.spoiled != Some(Spoiled::OpenQuote))?;
        let first = self.rows.first_line(&self.bytes);
        let has_width = |line: &[u8], width| self.cells_of_line(line).count() >= width && self.is_filled(line);
        let is_first_whole = has_width(first, self.columns.fills.len()) && self.fits(first);
        let row = &self.bytes[quote..self.rows.at];
        let mut below = row.split(|byte| matches!(byte, b'\r' | b'\n')).skip(1);
        let is_swallowed =
            below.any(|line| self.is_record(line) || (is_first_whole && has_width(line, self.rows.count())));
        is_swallowed.then_some(quote)
    }

    /// Cells of a line, if quotation marks are taken as text.
    fn cells_of_line<'t>(&self, line: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
        let delimiter = self.rows.delimiter();
        line.split(move |byte| *byte == delimiter)
    }

    /// Whether a line is a record by itself, if quotation marks are taken as text; those around a cell do not count.
    fn is_record(&self, line: &[u8]) -> bool {
        let cells: Vec<&[u8]> = self.cells_of_line(line).map(without_quotes).collect();
        cells.len() > 1 && self.record_test.is_record(|column| cells.get(column).copied().unwrap_or_default())
    }

    /// Whether the cells of a line fit their fields, if quotation marks are taken as text.
    fn fits(&self, line: &[u8]) -> bool {
        let cells: Vec<&[u8]> = self.cells_of_line(line).map(without_quotes).collect();
        self.record_test.fits(|column| cells.get(column).copied().unwrap_or_default())
    }

    /// Whether a line has as many kept cells as a record, if quotation marks are taken as text.
    fn is_filled(&self, line: &[u8]) -> bool {
        let kept = self.cells_of_line(line).map(without_quotes).zip(&self.columns.fills);
        self.columns
            .is_record(kept.filter(|(cell, fields)| !fields.is_empty() && !cell.trim_ascii().is_empty()).count())
    }

    /// Whether a part of the current row was lost: a block of NULs, or the end of the file, filled up with NULs.
    fn is_in_lost_part(&self) -> bool {
        let row = &self.bytes[self.rows.start..self.rows.at];
        (self.has_lost_blocks && memmem::find(row, &LOST_BLOCK).is_some())
            || (self.is_padded_in_row && !self.rows.has_line_end)
    }
}

/// A cell without the quotation marks at its start and its end.
fn without_quotes(cell: &[u8]) -> &[u8] {
    let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
    cell.strip_suffix(b"\"").unwrap_or(cell)
}
