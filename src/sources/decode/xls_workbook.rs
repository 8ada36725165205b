//! Reads `.xls`, the workbooks of Excel 97 to 2003 (MS-XLS, BIFF8), cell by cell into a plain workbook.
//!
//! Not through calamine: it holds each sheet as a full rectangle, reserves memory by what a sheet declares, and copies a shared
//! text for every cell that has it, so that a small file takes gigabytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::decode::binary_cells::{
    NumberKind, double, kind_of_format, kind_of_number, long, short, short_number,
};
use crate::sources::decode::compound_file::{self, utf16};
use crate::sources::decode::plain_workbook::{Budget, PlainCell, PlainWorkbook, Span, check_sheets, damaged};
use crate::sources::decode::xls_records::{Fields, Record, Records};
use crate::sources::error::{ErrorKind, SourceError};

const BEGIN: u16 = 0x809;
const END: u16 = 0x0a;

/// The workbook as plain XLSX of at most `limit` bytes.
///
/// # Errors
/// `file_encrypted`, `not_a_workbook`, `file_damaged`, `expands_too_far`.
pub(super) fn plain(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    let not_a_workbook = |what: &str| SourceError::new(ErrorKind::NotAWorkbook, what);
    let names = ["Workbook", "WORKBOOK", "workbook", "Book", "BOOK"];
    let stream = compound_file::stream(&bytes, &names)?.ok_or_else(|| {
        not_a_workbook("the file is an older document of an office program (such as `.doc`), not a workbook")
    })?;
    // The stream is a copy: the file is not kept beside it.
    drop(bytes);
    let mut bounds = Bounds { kept: Budget::new(limit), unread: stream.len() };
    let globals = Globals::read(&stream, &mut bounds)?;
    let mut workbook = PlainWorkbook::new(limit);
    for sheet in &globals.sheets {
        workbook.begin_sheet(&sheet.name, sheet.is_hidden)?;
        let merged = write_sheet(&stream, &globals, sheet, &mut workbook, &mut bounds)
            .map_err(|error| error.on(format!("sheet {}", sheet.number)))?;
        workbook.end_sheet(&merged)?;
    }
    workbook.finish(globals.counts_from_1904)
}

/// What may still be used while a workbook is read.
struct Bounds {
    /// Bytes of shared texts and merged cells that may still be kept in memory.
    kept: Budget,
    /// Bytes of the stream that the sheets may still read. Sheets do not overlap, so that all together have no more bytes than
    /// the stream.
    unread: usize,
}

impl Bounds {
    /// The next record of a sheet.
    fn read<'a>(&mut self, records: &mut Records<'a>) -> Result<Record<'a>, SourceError> {
        let record = records.next()?;
        let left = self.unread.checked_sub(record.bytes());
        self.unread = left.ok_or_else(|| damaged("the sheets of the workbook overlap"))?;
        Ok(record)
    }
}

/// What the beginning of the stream says about all sheets.
#[derive(Default)]
struct Globals {
    sheets: Vec<Sheet>,
    texts: Vec<String>,
    /// What the numbers of each cell format are.
    formats: Vec<NumberKind>,
    counts_from_1904: bool,
}

struct Sheet {
    number: usize,
    name: String,
    is_hidden: bool,
    start: usize,
}

impl Globals {
    fn read(stream: &[u8], bounds: &mut Bounds) -> Result<Self, SourceError> {
        let mut records = Records::from(stream, 0);
        let first = records.next()?;
        if first.kind != BEGIN || first.data.get(..2) != Some(&[0, 6]) {
            let message = "the workbook is of Excel 95 or older: save it as `.xlsx`";
            return Err(SourceError::new(ErrorKind::NotAWorkbook, message));
        }
        let mut globals = Self::default();
        let (mut written_formats, mut format_numbers) = (BTreeMap::new(), Vec::new());
        let (mut count, mut starts) = (0, BTreeSet::new());
        loop {
            let record = records.next()?;
            match record.kind {
                END => break,
                // FILEPASS
                0x2f => {
                    return Err(SourceError::new(ErrorKind::FileEncrypted, "the workbook is protected by a password"));
                }
                // DATEMODE
                0x22 => globals.counts_from_1904 = record.data.first() == Some(&1),
                // FORMAT
                0x41e => {
                    let mut fields = Fields::of(&record, 0);
                    let (number, text) = (fields.short()?, fields.text()?);
                    written_formats.insert(number, kind_of_format(&text));
                }
                // XF
                0xe0 => format_numbers.push(short(record.data, 2).ok_or_else(cut)?),
                // BOUNDSHEET
                0x85 => {
                    count += 1;
                    // Charts and macros have no cells.
                    if record.data.get(5) == Some(&0) {
                        let sheet = sheet_of(&record, count)?;
                        if !starts.insert(sheet.start) {
                            return Err(damaged("two sheets of the workbook begin at one place"));
                        }
                        globals.sheets.push(sheet);
                        check_sheets(globals.sheets.len())?;
                    }
                }
                // SST
                0xfc => globals.texts = shared_texts(&record, &mut bounds.kept)?,
                _ => {}
            }
        }
        let kind = |number: u16| written_formats.get(&number).copied().unwrap_or_else(|| kind_of_number(number));
        globals.formats = format_numbers.into_iter().map(kind).collect();
        Ok(globals)
    }

    fn number(&self, format: u16, number: f64) -> PlainCell<'static> {
        self.formats.get(usize::from(format)).copied().unwrap_or_default().cell(number)
    }
}

fn sheet_of(record: &Record<'_>, number: usize) -> Result<Sheet, SourceError> {
    let start = long(record.data, 0).and_then(|start| usize::try_from(start).ok()).ok_or_else(cut)?;
    let (letters, flags) = (*record.data.get(6).ok_or_else(cut)?, *record.data.get(7).ok_or_else(cut)?);
    let text = record.data.get(8..).ok_or_else(cut)?;
    let width = if flags & 1 == 0 { 1 } else { 2 };
    let text = text.get(..usize::from(letters) * width).ok_or_else(cut)?;
    let name = if width == 2 { utf16(text) } else { text.iter().map(|byte| char::from(*byte)).collect() };
    Ok(Sheet { number, name, is_hidden: record.data[4] & 3 != 0, start })
}

/// The texts that cells share. What the record declares is not reserved: the texts end with its bytes.
fn shared_texts(record: &Record<'_>, kept: &mut Budget) -> Result<Vec<String>, SourceError> {
    let mut fields = Fields::of(record, 0);
    fields.long()?;
    let count = fields.long()?;
    let mut texts = Vec::new();
    for _ in 0..count {
        let text = fields.text()?;
        kept.charge(size_of::<String>() + text.len())?;
        texts.push(text);
    }
    Ok(texts)
}

/// Writes the cells of a sheet; gives its merged cells.
fn write_sheet(
    stream: &[u8],
    globals: &Globals,
    sheet: &Sheet,
    workbook: &mut PlainWorkbook,
    bounds: &mut Bounds,
) -> Result<Vec<Span>, SourceError> {
    let mut records = Records::from(stream, sheet.start);
    if bounds.read(&mut records)?.kind != BEGIN {
        return Err(damaged("the sheet is not where it should be"));
    }
    let mut merged = Vec::new();
    // Charts in the sheet have records of their own.
    let mut depth = 0_usize;
    // Cell of a formula whose text comes in a later record.
    let mut formula: Option<(u32, u32)> = None;
    loop {
        let record = bounds.read(&mut records)?;
        match record.kind {
            BEGIN => depth += 1,
            END if depth > 0 => depth -= 1,
            END => break,
            _ if depth > 0 => {}
            // STRING
            0x207 => {
                if let Some((row, column)) = formula.take() {
                    let text = Fields::of(&record, 0).text()?;
                    workbook.cell(row, column, PlainCell::Text(&text))?;
                }
            }
            // MERGEDCELLS
            0xe5 => {
                let spans = record.data.get(2..).unwrap_or_default().chunks_exact(8);
                let at = |span: &[u8], index: usize| u32::from(u16::from_le_bytes([span[index], span[index + 1]]));
                bounds.kept.charge(spans.len() * size_of::<Span>())?;
                merged.extend(spans.map(|span| (at(span, 0), at(span, 4), at(span, 2), at(span, 6))));
            }
            kind => {
                if let Some((row, column)) = formula.filter(|_| is_cell(kind)) {
                    // The text that it announced did not come.
                    workbook.cell(row, column, PlainCell::Formula)?;
                    formula = None;
                }
                formula = write_record(&record, globals, workbook)?.or(formula);
            }
        }
    }
    if let Some((row, column)) = formula {
        workbook.cell(row, column, PlainCell::Formula)?;
    }
    Ok(merged)
}

fn is_cell(kind: u16) -> bool {
    matches!(kind, 0x06 | 0x203 | 0x27e | 0xbd | 0xfd | 0x204 | 0xd6 | 0x205)
}

/// Writes the cells of a record. Gives the cell of a formula whose text comes in a later record.
fn write_record(
    record: &Record<'_>,
    globals: &Globals,
    workbook: &mut PlainWorkbook,
) -> Result<Option<(u32, u32)>, SourceError> {
    if !is_cell(record.kind) {
        return Ok(None);
    }
    let data = record.data;
    let position = |at: usize| Some((u32::from(short(data, at)?), u32::from(short(data, at + 2)?)));
    let ((row, column), format) = position(0).zip(short(data, 4)).ok_or_else(cut)?;
    match record.kind {
        // NUMBER
        0x203 => workbook.cell(row, column, globals.number(format, double(data, 6).ok_or_else(cut)?))?,
        // RK
        0x27e => workbook.cell(row, column, globals.number(format, short_number(data, 6).ok_or_else(cut)?))?,
        // MULRK: row, first column, formats and numbers, last column
        0xbd => {
            let cells = data.get(4..data.len().saturating_sub(2)).ok_or_else(cut)?;
            for (column, cell) in (column..).zip(cells.chunks_exact(6)) {
                let (format, number) = short(cell, 0).zip(short_number(cell, 2)).ok_or_else(cut)?;
                workbook.cell(row, column, globals.number(format, number))?;
            }
        }
        // LABELSST
        0xfd => {
            let index = long(data, 6).and_then(|index| usize::try_from(index).ok()).ok_or_else(cut)?;
            let text = globals.texts.get(index).ok_or_else(|| damaged("a cell has a shared text that is not there"))?;
            workbook.cell(row, column, PlainCell::Text(text))?;
        }
        // LABEL, RSTRING
        0x204 | 0xd6 => {
            let text = Fields::of(record, 6).text()?;
            workbook.cell(row, column, PlainCell::Text(&text))?;
        }
        // BOOLERR
        0x205 => {
            let (value, is_error) = data.get(6).zip(data.get(7)).ok_or_else(cut)?;
            let cell = if *is_error == 0 { PlainCell::Flag(*value != 0) } else { PlainCell::Error };
            workbook.cell(row, column, cell)?;
        }
        // FORMULA
        _ => {
            let result = data.get(6..14).ok_or_else(cut)?;
            let cell = match (result[6..] == [0xff, 0xff], result[0]) {
                (false, _) => globals.number(format, double(data, 6).ok_or_else(cut)?),
                (true, 0) => return Ok(Some((row, column))),
                (true, 1) => PlainCell::Flag(result[2] != 0),
                (true, 3) => PlainCell::Text(""),
                (true, _) => PlainCell::Error,
            };
            workbook.cell(row, column, cell)?;
        }
    }
    Ok(None)
}

fn cut() -> SourceError {
    damaged("a record of the workbook is cut")
}

#[cfg(test)]
#[path = "xls_workbook_tests.rs"]
mod tests;
