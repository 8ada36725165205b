//! Decodes workbooks (XLSX, and what is rewritten to it: `.xls`, `.xlsb`, `.ods`): sheets with title rows, a header row, records, perhaps a footer row. Cells are read one by
//! one through calamine.
//!
//! Row numbers are those of the sheet. Cells become the text that a CSV file would have: a whole number its plain
//! digits, a date `CELL_FORMAT`, a boolean `true` or `false`. Hidden sheets are
//! skipped, and counted if they have records.

use std::io::Cursor;
use std::sync::Arc;

use calamine::{Reader as _, Xlsx};

use crate::fields::shown_name;
use crate::model::connector::Merged;
use crate::model::page::Page;
use crate::model::table_remarks::TableRemarks;
use crate::sources::decode::xlsx_layout::{Workbook, XlsxLayout, damaged, hidden_sheets, wanted_sheets};
use crate::sources::decode::xlsx_merged::MergedCells;
use crate::sources::decode::xlsx_sheet::{PageSink, SheetReader};
use crate::sources::decode::{foreign_workbook, without_panic, xlsx_parts};
use crate::sources::error::{ErrorKind, SourceError};

/// Reads a workbook into pages of at most `max_rows` rows. A page has rows of one sheet, which its origin names.
///
/// # Errors
/// As [`foreign_workbook::stored`]; `header_not_found`, `trailer_missing`, `trailer_disagrees`, `rows_below_footer`,
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
        let stored = foreign_workbook::stored(bytes, layout.max_expanded_bytes)?;
        let facts = xlsx_parts::check(&stored)?;
        if facts.counts_from_1904 && layout.reads_serials {
            let message = "the workbook counts days from 1904, and `spreadsheet_serial` from 1899: give the cells the format of dates";
            return Err(SourceError::new(ErrorKind::FileDamaged, message));
        }
        let mut workbook: Workbook = Xlsx::new(Cursor::new(stored)).map_err(|error| damaged(&error))?;
        read_workbook(layout, &mut workbook, facts.has_merged_cells, fields, max_rows, send)
    })
}

fn read_workbook(
    layout: &XlsxLayout,
    workbook: &mut Workbook,
    has_merged_cells: bool,
    fields: &Arc<[String]>,
    max_rows: usize,
    send: PageSink<'_>,
) -> Result<(), SourceError> {
    let names = wanted_sheets(layout, workbook);
    let (mut tables, mut other_sheets) = (0_u64, 0);
    for name in &names {
        let origin = format!("sheet `{}`", shown_name(name));
        let mut sheet = SheetReader::new(layout, fields, max_rows, origin.clone());
        if has_merged_cells && layout.merged != Merged::Empty {
            let merged = workbook.merge_cells_by_sheet_name(name).map_err(|error| damaged(&error).on(&origin))?;
            sheet.merged = MergedCells::new(&merged);
        }
        let goes_on = sheet.read(workbook, name, send).map_err(|error| error.on(origin))?;
        tables += u64::from(sheet.columns.is_some());
        other_sheets += u64::from(sheet.columns.is_none() && sheet.title_rows > 0);
        if !goes_on {
            return Ok(());
        }
    }
    if tables == 0 {
        let message = format!("no row of {} sheets has the column `{}`", names.len(), layout.table.header_name);
        return Err(SourceError::new(ErrorKind::HeaderNotFound, message));
    }
    let hidden_tables = hidden_tables(layout, workbook, fields);
    let remarks = TableRemarks { other_sheets, hidden_tables, ..TableRemarks::default() };
    if !remarks.is_empty() {
        let mut page = Page::new(0, "workbook".to_owned(), String::new(), Arc::clone(fields));
        page.remarks = remarks;
        send(page);
    }
    Ok(())
}

/// Number of hidden sheets that have a table with rows.
fn hidden_tables(layout: &XlsxLayout, workbook: &mut Workbook, fields: &Arc<[String]>) -> u64 {
    let mut found = 0;
    for name in hidden_sheets(layout, workbook) {
        let mut has_rows = false;
        let mut sheet = SheetReader::new(layout, fields, 1, String::new());
        let read = sheet.read(workbook, &name, &mut |page| {
            has_rows |= !page.is_empty();
            false
        });
        found += u64::from(read.is_ok() && has_rows);
    }
    found
}

#[cfg(test)]
#[path = "test_workbook.rs"]
pub(crate) mod test_workbook;

#[cfg(test)]
#[path = "xlsx_tests.rs"]
mod tests;
