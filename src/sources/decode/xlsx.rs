//! Workbooks (XLSX): sheets with title rows, a header row, records, perhaps a footer, read cell by cell through calamine.
//!
//! SheetRow numbers are the sheet's. Cells become text as a CSV file would hold them: a whole number its plain digits, a date
//! [`CELL_FORMAT`](crate::model::instant::CELL_FORMAT), a boolean `true` or `false`. Hidden sheets are passed over.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use calamine::{Dimensions, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use globset::{GlobBuilder, GlobMatcher};

use crate::model::connector::Merged;
use crate::model::field::fold;
use crate::model::page::{Page, Reason};
use crate::sources::decode::table::{TITLE_ROWS, TableColumns, TableLayout, rows_below_footer};
use crate::sources::decode::xlsx_cell::{CellText, text_of};
use crate::sources::decode::{inflate, xlsx_strings};
use crate::sources::error::{ErrorKind, SourceError};

/// Rows and columns of the largest sheet (ECMA-376).
const ROWS: u32 = 1_048_576;
const COLUMNS: u32 = 16_384;

type Workbook = Xlsx<Cursor<Vec<u8>>>;

/// How a connector's workbooks are laid out.
#[derive(Debug, Clone)]
pub struct XlsxLayout {
    pub(crate) table: TableLayout,
    sheets: Option<GlobMatcher>,
    merged: Merged,
    max_expanded_bytes: u64,
}

impl XlsxLayout {
    /// # Errors
    /// `misconfigured` if `sheets` is no pattern.
    pub fn compile(
        sheets: Option<&str>,
        merged: Merged,
        max_expanded_bytes: u64,
        table: TableLayout,
    ) -> Result<Self, SourceError> {
        let matcher = |glob: &str| {
            let built = GlobBuilder::new(glob).case_insensitive(true).build();
            let wrong =
                |_| SourceError::new(ErrorKind::Misconfigured, format!("`decode.sheets` `{glob}` is no pattern"));
            built.map(|glob| glob.compile_matcher()).map_err(wrong)
        };
        Ok(Self { table, sheets: sheets.map(matcher).transpose()?, merged, max_expanded_bytes })
    }
}

/// Where pages go; false ends the reading.
pub(crate) type PageSink<'a> = &'a mut dyn FnMut(Page) -> bool;

/// Reads a workbook into pages of at most `most` rows of one sheet each, whose origin names the sheet.
///
/// # Errors
/// As [`inflate::workbook`]; `header_not_found`, `trailer_missing`, `trailer_disagrees`, `file_damaged`.
pub(crate) fn read(
    layout: &XlsxLayout,
    bytes: Vec<u8>,
    fields: &Arc<[String]>,
    most: usize,
    give: PageSink<'_>,
) -> Result<(), SourceError> {
    // The workbook's readers are not ours: what they did not foresee costs the file only.
    catch_unwind(AssertUnwindSafe(|| {
        let stored = inflate::workbook(bytes, layout.max_expanded_bytes)?;
        xlsx_strings::check(&stored)?;
        let mut book: Workbook = Xlsx::new(Cursor::new(stored)).map_err(|error| damaged(&error))?;
        read_book(layout, &mut book, fields, most, give)
    }))
    .unwrap_or_else(|_| Err(SourceError::new(ErrorKind::FileDamaged, "the workbook cannot be read")))
}

fn damaged(error: &XlsxError) -> SourceError {
    // Its text may quote cells.
    let message = match error {
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound | XlsxError::WorksheetNotFound(_) => {
            "the workbook lacks a part"
        }
        XlsxError::Xml(_) | XlsxError::XmlAttr(_) | XlsxError::XmlEof(_) => "a part of the workbook is no whole XML",
        _ => "the workbook cannot be read",
    };
    SourceError::new(ErrorKind::FileDamaged, message)
}

fn read_book(
    layout: &XlsxLayout,
    book: &mut Workbook,
    fields: &Arc<[String]>,
    most: usize,
    give: PageSink<'_>,
) -> Result<(), SourceError> {
    let visible =
        |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let wanted = |name: &String| layout.sheets.as_ref().is_none_or(|glob| glob.is_match(name));
    let names: Vec<String> =
        book.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).filter(wanted).collect();
    let mut found = false;
    for name in &names {
        let mut sheet = SheetReader::new(layout, fields, most, format!("sheet `{name}`"));
        let went_on = sheet.read(book, name, give).map_err(|error| error.on(format!("sheet `{name}`")))?;
        found |= sheet.columns.is_some();
        if !went_on {
            return Ok(());
        }
    }
    if found {
        Ok(())
    } else {
        let message = format!("no row of {} sheets has the column `{}`", names.len(), layout.table.header);
        Err(SourceError::new(ErrorKind::HeaderNotFound, message))
    }
}

/// One sheet under way.
struct SheetReader<'a> {
    layout: &'a XlsxLayout,
    most: usize,
    page: Page,
    columns: Option<TableColumns>,
    /// Cells of a row above the header.
    above: Vec<String>,
    rows_above: usize,
    row: SheetRow,
    spans: MergedCells,
    footer: Option<String>,
    /// Number of the footer row; 0 before it.
    footer_row: u32,
}

/// The row under way. Its number is 0 before the first.
#[derive(Default)]
struct SheetRow {
    number: u32,
    begun: bool,
    spoiled: Option<Reason>,
    /// CellText of the column that the footer row sums.
    summed: String,
    /// Kept columns that are filled below the footer row.
    below: usize,
}

impl<'a> SheetReader<'a> {
    fn new(layout: &'a XlsxLayout, fields: &Arc<[String]>, most: usize, origin: String) -> Self {
        Self {
            layout,
            most,
            page: Page::new(0, origin, String::new(), Arc::clone(fields)),
            columns: None,
            above: Vec::new(),
            rows_above: 0,
            row: SheetRow::default(),
            spans: MergedCells::default(),
            footer: None,
            footer_row: 0,
        }
    }

    /// False if nobody wants more pages.
    fn read(&mut self, book: &mut Workbook, name: &str, give: PageSink<'_>) -> Result<bool, SourceError> {
        if self.layout.merged == Merged::Repeat {
            let merged = book.merge_cells_by_sheet_name(name).map_err(|error| damaged(&error))?;
            self.spans = MergedCells::new(&merged);
        }
        let mut cells = book.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
        let end = cells.dimensions().end;
        if end.0 >= ROWS || end.1 >= COLUMNS {
            return Err(SourceError::new(ErrorKind::FileDamaged, "it declares more cells than a sheet has"));
        }
        let mut buffer = String::new();
        while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
            let (row, column) = cell.get_position();
            if row >= ROWS || column >= COLUMNS || row + 1 < self.row.number {
                return Err(SourceError::new(ErrorKind::FileDamaged, "a cell stands where a sheet has none"));
            }
            if row + 1 != self.row.number {
                self.end_row()?;
                if self.columns.is_none() && self.rows_above >= TITLE_ROWS {
                    break;
                }
                if self.page.len() >= self.most && !give(self.turn_page()) {
                    return Ok(false);
                }
                self.row.number = row + 1;
            }
            buffer.clear();
            self.take(column as usize, text_of(cell.get_value(), &mut buffer));
        }
        self.end_row()?;
        if let Some(TableColumns { tally: Some(tally), .. }) = &self.columns {
            tally.close(self.footer.as_deref())?;
        }
        Ok(self.page.is_empty() || give(self.turn_page()))
    }

    fn turn_page(&mut self) -> Page {
        let next = Page::new(0, self.page.origin.clone(), String::new(), Arc::clone(&self.page.fields));
        std::mem::replace(&mut self.page, next)
    }

    fn take(&mut self, column: usize, text: CellText<'_>) {
        let CellText::Of(shown) = text else {
            if let (CellText::Error, Some(columns)) = (text, &self.columns)
                && columns.fills.get(column).is_some_and(|fields| !fields.is_empty())
                && self.footer_row == 0
            {
                self.begin();
                self.row.spoiled.get_or_insert(Reason::CellError);
            }
            return;
        };
        if shown.trim().is_empty() {
            return;
        }
        let Some(columns) = &self.columns else {
            if self.above.len() <= column {
                self.above.resize(column + 1, String::new());
            }
            self.above[column] = fold(shown);
            return;
        };
        if self.footer_row > 0 {
            if self.footer_row < self.row.number {
                self.row.below += usize::from(columns.fills.get(column).is_some_and(|fields| !fields.is_empty()));
            } else if columns.tally.as_ref().is_some_and(|tally| tally.column == column) {
                self.footer = Some(shown.to_owned());
            }
            return;
        }
        if !self.row.begun && self.layout.table.is_footer(shown.trim().as_bytes()) {
            self.footer_row = self.row.number;
            // The footer's own first cell may be the number's column; another cell of it may follow.
            self.footer = Some(String::new());
            return;
        }
        if !self.row.begun {
            self.row.begun = true;
            self.page.begin_row(self.row.number);
        }
        match columns.fills.get(column) {
            None => {
                self.row.spoiled.get_or_insert(Reason::WrongColumnCount);
            }
            Some(fields) => {
                for &field in fields {
                    self.page.set(field, shown);
                    self.spans.see(field, column, self.row.number - 1, shown);
                }
            }
        }
        if columns.tally.as_ref().is_some_and(|tally| tally.of == column) {
            self.row.summed.clear();
            self.row.summed.push_str(shown);
        }
    }

    fn begin(&mut self) {
        if !self.row.begun {
            self.row.begun = true;
            self.page.begin_row(self.row.number);
        }
    }

    fn end_row(&mut self) -> Result<(), SourceError> {
        let row = &mut self.row;
        if let Some(columns) = &mut self.columns {
            if columns.is_record(row.below) {
                return Err(rows_below_footer(format_args!("row {}", row.number)));
            }
            if row.begun {
                if let Some(tally) = &mut columns.tally {
                    tally.add(row.spoiled.is_none().then_some(row.summed.as_str()));
                }
                self.spans.repeat(row.number - 1, &mut self.page);
                if let Some(reason) = row.spoiled {
                    self.page.spoil_row(reason);
                }
            }
        } else if !self.above.is_empty() {
            self.rows_above += 1;
            if self.above.contains(&self.layout.table.header) {
                self.columns = Some(self.layout.table.columns(&self.above)?);
            }
            self.above.clear();
        }
        self.row.begun = false;
        self.row.spoiled = None;
        self.row.summed.clear();
        self.row.below = 0;
        Ok(())
    }
}

/// Merged cells that span several rows, and the values that they still give.
#[derive(Debug, Default)]
struct MergedCells {
    /// SheetRow and column of a first cell, and the last row that it spans; sorted.
    ahead: Vec<((u32, u32), u32)>,
    /// Field, last row, value.
    held: Vec<(usize, u32, String)>,
}

impl MergedCells {
    fn new(merged: &[Dimensions]) -> Self {
        let tall = merged.iter().filter(|span| span.end.0 > span.start.0);
        let mut ahead: Vec<_> = tall.map(|span| (span.start, span.end.0)).collect();
        ahead.sort_unstable();
        Self { ahead, held: Vec::new() }
    }

    fn see(&mut self, field: usize, column: usize, row: u32, text: &str) {
        let Ok(column) = u32::try_from(column) else { return };
        if let Ok(at) = self.ahead.binary_search_by_key(&(row, column), |(start, _)| *start) {
            self.held.retain(|(held, ..)| *held != field);
            self.held.push((field, self.ahead[at].1, text.to_owned()));
        }
    }

    fn repeat(&mut self, row: u32, page: &mut Page) {
        self.held.retain(|(_, last, _)| *last >= row);
        for (field, _, text) in &self.held {
            page.set(*field, text);
        }
    }
}

#[cfg(test)]
#[path = "test_workbook.rs"]
pub(crate) mod test_workbook;

#[cfg(test)]
#[path = "xlsx_tests.rs"]
mod tests;
