//! Decodes workbooks (XLSX): sheets with title rows, a header row, records, perhaps a footer row. Cells are read one by
//! one through calamine.
//!
//! Row numbers are those of the sheet. Cells become the text that a CSV file would have: a whole number its plain
//! digits, a date `CELL_FORMAT`, a boolean `true` or `false`. Hidden sheets are
//! skipped.

use std::io::Cursor;
use std::sync::Arc;

use calamine::{Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use globset::{GlobBuilder, GlobMatcher};

use crate::fields::shown_name;
use crate::model::connector::Merged;
use crate::model::page::{CELL_ERROR, Page, Reason};
use crate::model::text::fold;
use crate::sources::decode::table::{MAX_TITLE_ROWS, TableColumns, TableLayout, TrailerCheck, rows_below_footer};
use crate::sources::decode::xlsx_cell::{CellText, text_of, text_of_formula};
use crate::sources::decode::xlsx_merged::MergedCells;
use crate::sources::decode::{inflate, without_panic, xlsx_parts};
use crate::sources::error::{ErrorKind, SourceError};

/// Maximum size of a sheet (ECMA-376).
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: u32 = 16_384;

pub(super) type Workbook = Xlsx<Cursor<Vec<u8>>>;

/// Layout of a connector's workbooks.
#[derive(Debug, Clone)]
pub struct XlsxLayout {
    pub(crate) table: TableLayout,
    sheets: Option<GlobMatcher>,
    merged: Merged,
    pub(super) max_expanded_bytes: u64,
}

impl XlsxLayout {
    /// # Errors
    /// `misconfigured` if `sheets` is not a valid pattern.
    pub fn compile(
        sheets: Option<&str>,
        merged: Merged,
        max_expanded_bytes: u64,
        table: TableLayout,
    ) -> Result<Self, SourceError> {
        let matcher = |glob: &str| {
            let built = GlobBuilder::new(glob).case_insensitive(true).build();
            let wrong = |_| {
                SourceError::new(ErrorKind::Misconfigured, format!("`decode.sheets` `{glob}` is not a valid pattern"))
            };
            built.map(|glob| glob.compile_matcher()).map_err(wrong)
        };
        Ok(Self { table, sheets: sheets.map(matcher).transpose()?, merged, max_expanded_bytes })
    }
}

/// Takes the pages; returns false to end the reading.
pub(crate) type PageSink<'a> = &'a mut dyn FnMut(Page) -> bool;

/// Reads a workbook into pages of at most `max_rows` rows. A page has rows of one sheet, which its origin names.
///
/// # Errors
/// As [`inflate::workbook`]; `header_not_found`, `trailer_missing`, `trailer_disagrees`, `rows_below_footer`,
/// `file_damaged`.
pub(crate) fn read(
    layout: &XlsxLayout,
    bytes: Vec<u8>,
    fields: &Arc<[String]>,
    max_rows: usize,
    send: PageSink<'_>,
) -> Result<(), SourceError> {
    // A damaged file may make the libraries panic.
    without_panic(|| {
        let stored = inflate::workbook(bytes, layout.max_expanded_bytes)?;
        xlsx_parts::check(&stored)?;
        let mut workbook: Workbook = Xlsx::new(Cursor::new(stored)).map_err(|error| damaged(&error))?;
        read_workbook(layout, &mut workbook, fields, max_rows, send)
    })
}

pub(super) fn damaged(error: &XlsxError) -> SourceError {
    // Not the text of the error: it may quote cells.
    let message = match error {
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound | XlsxError::WorksheetNotFound(_) => {
            "the workbook lacks a part"
        }
        XlsxError::Xml(_) | XlsxError::XmlAttr(_) | XlsxError::XmlEof(_) => {
            "a part of the workbook is not complete XML"
        }
        _ => "the workbook cannot be read",
    };
    SourceError::new(ErrorKind::FileDamaged, message)
}

/// Names of the visible sheets that `decode.sheets` names.
pub(super) fn wanted_sheets(layout: &XlsxLayout, workbook: &Workbook) -> Vec<String> {
    let visible =
        |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let wanted = |name: &String| layout.sheets.as_ref().is_none_or(|glob| glob.is_match(name));
    workbook.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).filter(wanted).collect()
}

fn read_workbook(
    layout: &XlsxLayout,
    workbook: &mut Workbook,
    fields: &Arc<[String]>,
    max_rows: usize,
    send: PageSink<'_>,
) -> Result<(), SourceError> {
    let names = wanted_sheets(layout, workbook);
    let mut has_table = false;
    for name in &names {
        let origin = format!("sheet `{}`", shown_name(name));
        let mut sheet = SheetReader::new(layout, fields, max_rows, origin.clone());
        let goes_on = sheet.read(workbook, name, send).map_err(|error| error.on(origin))?;
        has_table |= sheet.columns.is_some();
        if !goes_on {
            return Ok(());
        }
    }
    if has_table {
        Ok(())
    } else {
        let message = format!("no row of {} sheets has the column `{}`", names.len(), layout.table.header);
        Err(SourceError::new(ErrorKind::HeaderNotFound, message))
    }
}

/// Reads one sheet.
struct SheetReader<'a> {
    layout: &'a XlsxLayout,
    max_rows: usize,
    page: Page,
    /// `None` above the header row.
    columns: Option<TableColumns>,
    /// Folded cells of the current row above the header row.
    title_row: Vec<String>,
    title_rows: usize,
    row: SheetRow,
    merged: MergedCells,
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
    /// Its texts by column, as long as it may repeat the header row.
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
    fn new(layout: &'a XlsxLayout, fields: &Arc<[String]>, max_rows: usize, origin: String) -> Self {
        Self {
            layout,
            max_rows,
            page: Page::new(0, origin, String::new(), Arc::clone(fields)),
            columns: None,
            title_row: Vec::new(),
            title_rows: 0,
            row: SheetRow::default(),
            merged: MergedCells::default(),
            footer: None,
            footer_row: 0,
        }
    }

    /// Reads the sheet to its end; false if `send` ended the reading.
    fn read(&mut self, workbook: &mut Workbook, name: &str, send: PageSink<'_>) -> Result<bool, SourceError> {
        if self.layout.merged == Merged::Repeat {
            let merged = workbook.merge_cells_by_sheet_name(name).map_err(|error| damaged(&error))?;
            self.merged = MergedCells::new(&merged);
        }
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
        if let Some(TableColumns { trailer: Some(trailer), .. }) = &self.columns {
            trailer.check(self.footer.as_deref())?;
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
                self.footer_row = self.row.number;
                // The declared number, if any, is in a later cell of the row.
                self.footer = Some(String::new());
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
                    self.merged.hold(field, column, self.row.number - 1, shown);
                }
            }
        }
        if self.trailer().is_some_and(|trailer| trailer.summed == column) {
            self.row.summed.clear();
            self.row.summed.push_str(shown);
        }
    }

    /// Keeps the text of a cell below the header row, as long as its row may repeat that row.
    fn note_text(&mut self, column: usize, shown: &str) {
        let row = &mut self.row;
        row.is_no_heading |= !self.layout.table.may_be_heading(shown.as_bytes());
        if !row.is_no_heading {
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

    /// Ends the current row: completes it in the page, or looks for the header row.
    fn end_row(&mut self) -> Result<(), SourceError> {
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
            if self.layout.table.repeats_header(columns, &texts, format_args!("row {}", row.number))? {
                self.page.drop_row();
                self.page.remarks.heading_rows += 1;
            } else if row.begun {
                if let Some(trailer) = &mut columns.trailer {
                    trailer.add(row.spoiled.is_none().then_some(row.summed.as_str()));
                }
                self.merged.repeat(row.number - 1, &mut self.page);
                if let Some(reason) = row.spoiled {
                    self.page.mark_unreadable(reason);
                }
            }
        } else if !self.title_row.is_empty() {
            self.title_rows += 1;
            if self.title_row.contains(&self.layout.table.header) {
                self.columns = Some(self.layout.table.columns(&self.title_row)?);
            }
            self.title_row.clear();
        }
        self.row.cells.clear();
        self.row.begun = false;
        self.row.spoiled = None;
        self.row.texts.clear();
        self.row.is_no_heading = false;
        self.row.summed.clear();
        self.row.below = 0;
        Ok(())
    }
}

#[cfg(test)]
#[path = "test_workbook.rs"]
pub(crate) mod test_workbook;

#[cfg(test)]
#[path = "xlsx_tests.rs"]
mod tests;
