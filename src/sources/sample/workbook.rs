//! Workbooks: the sheet whose header row is most likely.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};

use crate::sources::decode::xlsx_cell::{CellText, text_of};
use crate::sources::decode::xlsx_layout::{Workbook, damaged};
use crate::sources::decode::{foreign_workbook, xlsx_parts};
use crate::sources::error::SourceError;
use crate::sources::sample::{MAX_BYTES, MAX_RECORDS, Sample, SampleFormat, no_records, table};

pub(super) fn sample(bytes: Vec<u8>, is_heading: &dyn Fn(&str) -> bool) -> Result<Sample, SourceError> {
    let stored = foreign_workbook::stored(bytes, MAX_BYTES)?;
    xlsx_parts::check(&stored)?;
    let mut workbook: Workbook = Xlsx::new(Cursor::new(stored)).map_err(|error| damaged(&error))?;
    let mut best: Option<(usize, Vec<Vec<String>>, usize)> = None;
    let names = workbook.sheet_names();
    for name in names {
        let rows = rows_of(&mut workbook, &name)?;
        let Some((score, header)) = table::header_of(&rows, is_heading) else { continue };
        if best.as_ref().is_none_or(|(known, ..)| score > *known) {
            best = Some((score, rows, header));
        }
    }
    let (_, rows, header) = best.ok_or_else(|| no_records("sheet with a header row of two headings or more"))?;
    Ok(table::of_rows(SampleFormat::Workbook, &rows, header))
}

/// The first rows of a sheet; rows without cells are empty.
fn rows_of(workbook: &mut Workbook, name: &str) -> Result<Vec<Vec<String>>, SourceError> {
    let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
    let (mut rows, mut buffer): (Vec<Vec<String>>, String) = (Vec::new(), String::new());
    while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
        let (row, column) = (cell.get_position().0 as usize, cell.get_position().1 as usize);
        if row >= MAX_RECORDS || column >= 1_000 {
            continue;
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
        buffer.clear();
        let CellText::Of(text) = text_of(cell.get_value(), &mut buffer) else { continue };
        if rows[row].len() <= column {
            rows[row].resize(column + 1, String::new());
        }
        text.clone_into(&mut rows[row][column]);
    }
    Ok(rows)
}
