//! Reads one sheet of a workbook into pages.

use std::sync::Arc;

use crate::model::page::{CELL_ERROR, Page, Reason};
use crate::model::text::fold;
use crate::sources::decode::record_test::RecordTest;
use crate::sources::decode::table::{MAX_TITLE_ROWS, TableColumns, numbers_columns, rows_below_footer};
use crate::sources::decode::trailer::TrailerCheck;
use crate::sources::decode::xlsx_cell::{CellText, text_of, text_of_formula};
use crate::sources::decode::xlsx_layout::{Workbook, XlsxLayout, damaged};
use crate::sources::decode::xlsx_merged::MergedCells;
use crate::sources::error::{ErrorKind, SourceError};

/// Maximum size of a sheet (ECMA-376).
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: u32 = 16_384;

/// Takes the pages; returns false to end the reading.
pub(crate) type PageSink<'a> = &'a mut dyn FnMut(Page) -> bool;

/// Reads one sheet.
pub(super) struct SheetReader<'a> {
    layout: &'a XlsxLayout,
    max_rows: usize,
    page: Page,
    /// `None` above the header row.
    pub(super) columns: Option<TableColumns>,
    /// The test for records in these columns.
    record_test: Option<RecordTest>,
    /// Column of `decode.header`.
    header_at: usize,
    /// Whether no row below the header row was read yet.
    is_below_header: bool,
    /// Folded cells of the current row above the header row.
    title_row: Vec<String>,
    /// The first row of headings, above the second.
    upper_row: Option<Vec<String>>,
    pub(super) title_rows: usize,
    /// The first row that has headings of the table, but not that of the header row.
    other_heading_row: Option<u32>,
    row: SheetRow,
    pub(super) merged: MergedCells,
    /// Text of the declared number in the footer row; `None` before that row.
    footer: Option<String>,
    /// Number of the footer row; 0 before it.
    footer_row: u32,
}

/// The current row.
#[derive(Default)]
struct SheetRow {
    /// Row number in the sheet, from 1; 0 before the first row.
    number: u32,
    /// Columns of the cells that were read.
    cells: Vec<u32>,
    /// Whether the row was begun in the page.
    begun: bool,
    /// Why the row is unreadable.
    spoiled: Option<Reason>,
    /// Whether it begins like a footer row, in another column than that of `decode.header`.
    may_be_footer: bool,
    /// Its texts by column, as long as it may repeat the header row or be a footer row.
    texts: Vec<String>,
    /// Whether it has a cell that no header row has.
    is_no_heading: bool,
    /// Text in the column that the trailer sums.
    summed: String,
    /// Number of filled kept columns, if the row is below the footer row.
    below: usize,
}

impl SheetRow {
    /// Whether a cell of this column was read. Cells come in the order of their columns, as a rule.
    fn has_cell(&self, column: u32) -> bool {
        self.cells.last().is_some_and(|last| *last >= column) && self.cells.contains(&column)
    }
}

impl<'a> SheetReader<'a> {
    pub(super) fn new(layout: &'a XlsxLayout, fields: &Arc<[String]>, max_rows: usize, origin: String) -> Self {
        Self {
            layout,
            max_rows,
            page: Page::new(0, origin, String::new(), Arc::clone(fields)),
            columns: None,
            record_test: None,
            header_at: 0,
            is_below_header: false,
            title_row: Vec::new(),
            upper_row: None,
            title_rows: 0,
            other_heading_row: None,
            row: SheetRow::default(),
            merged: MergedCells::default(),
            footer: None,
            footer_row: 0,
        }
    }

    /// Reads the sheet to its end; false if `send` ended the reading.
    pub(super) fn read(
        &mut self,
        workbook: &mut Workbook,
        name: &str,
        send: PageSink<'_>,
    ) -> Result<bool, SourceError> {
        let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
        let end = cells.dimensions().end;
        if end.0 >= MAX_ROWS || end.1 >= MAX_COLUMNS {
            let message = "the sheet declares more rows or columns than XLSX allows";
            return Err(SourceError::new(ErrorKind::FileDamaged, message));
        }
        let mut buffer = String::new();
        while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(|error| damaged(&error))? {
            let (row, column) = cell.pos;
            if row >= MAX_ROWS || column >= MAX_COLUMNS || row + 1 < self.row.number {
                return Err(SourceError::new(ErrorKind::FileDamaged, "a cell has a position that XLSX does not allow"));
            }
            if row + 1 == self.row.number && self.row.has_cell(column) {
                let message = format!("row {} of the sheet comes twice", row + 1);
                return Err(SourceError::new(ErrorKind::FileDamaged, message));
            }
            if row + 1 != self.row.number {
                self.end_row()?;
                if self.columns.is_none() && self.title_rows >= MAX_TITLE_ROWS {
                    break;
                }
                if self.page.len() >= self.max_rows && !send(self.take_page()) {
                    return Ok(false);
                }
                self.row.number = row + 1;
            }
            self.row.cells.push(column);
            buffer.clear();
            let text = if cell.formula.is_some() { text_of_formula } else { text_of };
            self.take_cell(column as usize, text(&cell.value, &mut buffer));
        }
        self.end_row()?;
        match (&self.columns, self.other_heading_row) {
            (Some(TableColumns { trailer: Some(trailer), .. }), _) => trailer.check(self.footer.as_deref())?,
            (None, _) if self.upper_row.is_some() => {
                let message = "there is no second row of headings below the first (`decode.header_rows`)";
                return Err(SourceError::new(ErrorKind::HeaderNotFound, message));
            }
            (None, Some(row)) => {
                let column = &self.layout.table.header_name;
                let message = format!("row {row} has other headings of the table, but no column `{column}`");
                return Err(SourceError::new(ErrorKind::HeaderNotFound, message));
            }
            _ => {}
        }
        Ok(self.page.is_empty() || send(self.take_page()))
    }

    /// Takes the filled page and begins an empty one.
    fn take_page(&mut self) -> Page {
        let next = Page::new(0, self.page.origin.clone(), String::new(), Arc::clone(&self.page.fields));
        std::mem::replace(&mut self.page, next)
    }

    fn take_cell(&mut self, column: usize, text: CellText<'_>) {
        match text {
            CellText::Empty => {}
            CellText::Error => self.take_error_cell(column),
            CellText::Of(shown) if shown.trim().is_empty() => {}
            CellText::Of(shown) if self.columns.is_none() => self.take_title_cell(column, shown),
            CellText::Of(shown) if self.footer_row > 0 => self.take_footer_cell(column, shown),
            CellText::Of(shown) if !self.row.begun && self.layout.table.is_footer(shown.trim().as_bytes()) => {
                if column == self.header_at {
                    self.footer_row = self.row.number;
                    // The declared number, if any, is in a later cell of the row.
                    self.footer = Some(String::new());
                } else {
                    self.row.may_be_footer = true;
                    self.take_record_cell(column, shown);
                }
            }
            CellText::Of(shown) => self.take_record_cell(column, shown),
        }
    }

    /// An error such as `#REF!`, or a formula without a stored value, is refused by its field. Only kept columns of records
    /// count.
    fn take_error_cell(&mut self, column: usize) {
        if self.is_kept(column) && self.footer_row == 0 {
            self.take_record_cell(column, CELL_ERROR);
        }
    }

    fn take_title_cell(&mut self, column: usize, shown: &str) {
        if self.title_row.len() <= column {
            self.title_row.resize(column + 1, String::new());
        }
        self.title_row[column] = fold(shown);
    }

    /// A cell of the footer row, or of a row below it.
    fn take_footer_cell(&mut self, column: usize, shown: &str) {
        if self.footer_row < self.row.number {
            self.row.below += usize::from(self.is_kept(column));
        } else if self.trailer().is_some_and(|trailer| trailer.column == column) {
            self.footer = Some(shown.to_owned());
        }
    }

    fn take_record_cell(&mut self, column: usize, shown: &str) {
        self.begin_row();
        self.note_text(column, shown);
        match self.columns.as_ref().and_then(|columns| columns.fills.get(column)) {
            None => {
                self.row.spoiled.get_or_insert(Reason::WrongColumnCount);
            }
            Some(fields) => {
                for &field in fields {
                    self.page.set(field, shown);
                }
            }
        }
        self.merged.hold(column, self.row.number - 1, shown);
        if self.trailer().is_some_and(|trailer| trailer.summed == column) {
            self.row.summed.clear();
            self.row.summed.push_str(shown);
        }
    }

    /// Keeps the text of a cell below the header row, as long as its row may repeat that row or be a footer row.
    fn note_text(&mut self, column: usize, shown: &str) {
        let row = &mut self.row;
        row.is_no_heading |= !self.layout.table.may_be_heading(shown.as_bytes());
        if !row.is_no_heading || row.may_be_footer || self.is_below_header {
            if row.texts.len() <= column {
                row.texts.resize(column + 1, String::new());
            }
            shown.clone_into(&mut row.texts[column]);
        }
    }

    fn is_kept(&self, column: usize) -> bool {
        let fields = self.columns.as_ref().and_then(|columns| columns.fills.get(column));
        fields.is_some_and(|fields| !fields.is_empty())
    }

    fn trailer(&self) -> Option<&TrailerCheck> {
        self.columns.as_ref()?.trailer.as_ref()
    }

    fn begin_row(&mut self) {
        if !self.row.begun {
            self.row.begun = true;
            self.page.begin_row(self.row.number);
        }
    }

    /// Whether the current row, which begins like a footer row, has what a record has: an office may be called `Tổng cục`.
    fn is_record_in_spite_of_footer(&self) -> bool {
        let has_text = |column: &usize| !self.row.texts[*column].is_empty();
        let kept = (0..self.row.texts.len()).filter(|&column| self.is_kept(column)).filter(has_text);
        self.columns.as_ref().is_some_and(|columns| columns.is_record(kept.count())) && self.is_record()
    }

    /// Whether the current row numbers the columns, and is no record.
    fn numbers_columns(&self) -> bool {
        let texts: Vec<&str> = self.row.texts.iter().map(String::as_str).collect();
        numbers_columns(&texts) && !self.is_record()
    }

    /// Whether the noted texts of the current row fit the fields of a record.
    fn is_record(&self) -> bool {
        let cell = |column: usize| self.row.texts.get(column).map_or(&[][..], String::as_bytes);
        self.record_test.as_ref().is_some_and(|test| test.is_record(cell) && test.fits(cell))
    }

    /// Makes the current row, which was read as a record, the footer row.
    fn become_footer(&mut self) {
        self.page.drop_row();
        self.footer_row = self.row.number;
        let declared = self.trailer().and_then(|trailer| self.row.texts.get(trailer.column));
        self.footer = Some(declared.cloned().unwrap_or_default());
        self.row.begun = false;
    }

    /// Begins the records below the headings.
    fn begin_table(&mut self, columns: TableColumns) {
        self.record_test = Some(self.layout.record_test.in_columns(&columns));
        self.columns = Some(columns);
        self.is_below_header = true;
    }

    /// Ends the current row: completes it in the page, or looks for the header row.
    fn end_row(&mut self) -> Result<(), SourceError> {
        if self.row.may_be_footer && !self.is_record_in_spite_of_footer() {
            self.become_footer();
        }
        let numbers_columns = self.row.begun && std::mem::take(&mut self.is_below_header) && self.numbers_columns();
        let row = &mut self.row;
        if let Some(columns) = &mut self.columns {
            if columns.is_record(row.below) {
                return Err(rows_below_footer(format_args!("row {}", row.number)));
            }
            let texts: Vec<&str> = if row.begun && !row.is_no_heading {
                row.texts.iter().map(String::as_str).collect()
            } else {
                Vec::new()
            };
            if numbers_columns
                || self.layout.table.repeats_header(columns, &texts, format_args!("row {}", row.number))?
            {
                self.page.drop_row();
                self.page.remarks.heading_rows += 1;
            } else if row.begun {
                if let Some(trailer) = &mut columns.trailer {
                    trailer.add(row.spoiled.is_none().then_some(row.summed.as_str()));
                }
                let merged = self.merged.complete(row.number - 1, self.layout.merged, &columns.fills, &mut self.page);
                if let Some(reason) = row.spoiled.or(merged) {
                    self.page.mark_unreadable(reason);
                }
            }
        } else if !self.title_row.is_empty() {
            self.title_rows += 1;
            let table = &self.layout.table;
            if let Some(upper) = self.upper_row.take() {
                let columns = table.columns_below(&upper, &self.title_row)?;
                self.begin_table(columns);
            } else if let Some(at) = self.title_row.iter().position(|cell| *cell == table.header) {
                self.header_at = at;
                if table.has_two_header_rows() {
                    self.upper_row = Some(std::mem::take(&mut self.title_row));
                } else {
                    table.trim_header(&mut self.title_row);
                    let columns = table.columns(&self.title_row)?;
                    self.begin_table(columns);
                }
            } else if self.layout.table.has_most_headings(&self.title_row) {
                self.other_heading_row.get_or_insert(self.row.number);
            }
            self.title_row.clear();
        }
        self.row.cells.clear();
        self.row.begun = false;
        self.row.spoiled = None;
        self.row.texts.clear();
        self.row.is_no_heading = false;
        self.row.may_be_footer = false;
        self.row.summed.clear();
        self.row.below = 0;
        Ok(())
    }
}
