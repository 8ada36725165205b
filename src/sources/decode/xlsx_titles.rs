//! The title rows of a workbook: what stands above the header rows of its sheets.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};

use crate::model::text::fold;
use crate::sources::decode::table::{MAX_TITLE_BYTES, MAX_TITLE_ROWS};
use crate::sources::decode::xlsx_cell::{CellText, text_of, text_of_formula};
use crate::sources::decode::xlsx_layout::{Workbook, XlsxLayout, damaged, wanted_sheets};
use crate::sources::decode::{foreign_workbook, xlsx_parts};
use crate::sources::error::SourceError;

/// Text of the title rows of every sheet that has a table: a row is a line, its cells are separated by spaces.
///
/// # Errors
/// Why the workbook cannot be opened.
pub(super) fn titles(layout: &XlsxLayout, bytes: Vec<u8>) -> Result<String, SourceError> {
    let stored = foreign_workbook::stored(bytes, layout.max_expanded_bytes)?;
    xlsx_parts::check(&stored)?;
    let mut workbook: Workbook = Xlsx::new(Cursor::new(stored)).map_err(|error| damaged(&error))?;
    let mut text = String::new();
    for name in wanted_sheets(layout, &workbook) {
        text.push_str(&sheet_titles(layout, &mut workbook, &name)?.unwrap_or_default());
    }
    Ok(text)
}

/// The rows above the header row of a sheet; `None` if it has no header row.
fn sheet_titles(layout: &XlsxLayout, workbook: &mut Workbook, name: &str) -> Result<Option<String>, SourceError> {
    let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
    let (mut above, mut line, mut buffer) = (String::new(), String::new(), String::new());
    let (mut row, mut rows) = (0, 0);
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(|error| damaged(&error))? {
        if cell.pos.0 != row {
            rows += usize::from(!line.is_empty());
            if rows >= MAX_TITLE_ROWS || above.len() + line.len() > MAX_TITLE_BYTES {
                return Ok(None);
            }
            above.push_str(&line);
            above.push('\n');
            line.clear();
            row = cell.pos.0;
        }
        buffer.clear();
        let text = if cell.formula.is_some() { text_of_formula } else { text_of };
        if let CellText::Of(shown) = text(&cell.value, &mut buffer) {
            if fold(shown) == layout.table.header {
                return Ok(Some(above));
            }
            line.push(' ');
            line.push_str(shown);
        }
    }
    Ok(None)
}
