//! Reads `.ods`, the workbooks of LibreOffice (OpenDocument 1.3), cell by cell into a plain workbook.
//!
//! Not through calamine: it repeats rows and cells as often as they declare, into memory. Here repeated cells count like cells
//! that stand in the file, and empty ones are not written. What is collected before it is written is bounded too: a few bytes
//! of the file can stand for many spaces.

use std::collections::BTreeSet;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion, escape::resolve_xml_entity};

use crate::sources::decode::plain_workbook::{Budget, PlainCell, PlainWorkbook, Span, damaged};
use crate::sources::error::SourceError;

/// The content of a workbook (`content.xml`) as plain XLSX of at most `limit` bytes.
///
/// # Errors
/// `file_damaged`, `expands_too_far`.
pub(super) fn plain(content: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
    let mut book = Book {
        workbook: PlainWorkbook::new(limit),
        budget: Budget::new(limit),
        hidden_styles: BTreeSet::new(),
        style: String::new(),
        table: None,
        tables: 0,
    };
    let mut reader = Reader::from_str(content);
    // Names of the elements that are open: what is a table depends on where it stands.
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| not_xml())? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                book.start(&name, &start, &open)?;
                open.push(name);
            }
            Event::Empty(start) => {
                let name = start.local_name().as_ref().to_owned();
                book.start(&name, &start, &open)?;
                book.end(&name, &open)?;
            }
            Event::End(_) => {
                let name = open.pop().ok_or_else(not_xml)?;
                book.end(&name, &open)?;
            }
            Event::Text(text) => book.text(&text.xml10_content(), &open)?,
            Event::CData(text) => book.text(&text.xml10_content(), &open)?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| not_xml())? {
                Some(letter) => book.text(letter.encode_utf8(&mut [0; 4]), &open)?,
                None => book.text(resolve_xml_entity(&reference.xml10_content()).ok_or_else(not_xml)?, &open)?,
            },
            Event::DocType(_) => {
                return Err(damaged("the workbook has a document type, which OpenDocument does not have"));
            }
            Event::Eof if open.is_empty() => break,
            Event::Eof => return Err(not_xml()),
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(damaged("the workbook has elements that are nested too deeply"));
        }
    }
    if book.tables == 0 {
        return Err(damaged("the workbook has no sheet"));
    }
    book.workbook.finish(false)
}

/// Depth of elements. A cell lies six to ten deep.
const MAX_DEPTH: usize = 100;
/// Rows of a sheet.
const MAX_ROWS: u32 = 1_048_576;

fn not_xml() -> SourceError {
    damaged("the content of the workbook is not complete XML")
}

struct Book {
    workbook: PlainWorkbook,
    /// Bytes of texts, cells and merged cells that may still be collected, over all rows and sheets.
    budget: Budget,
    /// Names of the styles of hidden sheets.
    hidden_styles: BTreeSet<String>,
    /// The style that is being read.
    style: String,
    table: Option<Table>,
    tables: usize,
}

#[derive(Default)]
struct Table {
    /// Row and column of the next cell.
    row: u32,
    column: u32,
    /// How often the current row comes.
    row_repeats: u32,
    /// Filled cells of the current row: first column, how often it comes, content.
    cells: Vec<(u32, u32, Content)>,
    cell: Option<Cell>,
    merged: Vec<Span>,
}

#[derive(Default)]
struct Cell {
    kind: String,
    value: String,
    has_formula: bool,
    is_error: bool,
    repeats: u32,
    /// Columns and rows that it spans.
    spans: (u32, u32),
    text: String,
    paragraphs: usize,
}

#[derive(Clone)]
enum Content {
    Text(String),
    Number(f64),
    IsoDate(String),
    Flag(bool),
    Error,
    Formula,
}

impl Book {
    fn start(&mut self, name: &str, start: &BytesStart<'_>, open: &[String]) -> Result<(), SourceError> {
        let parent = open.last().map_or("", String::as_str);
        match name {
            "style" => self.style = attribute(start, "name")?.unwrap_or_default(),
            "table-properties" if attribute(start, "display")?.as_deref() == Some("false") => {
                // A style has these properties once. An unnamed style is that of no sheet.
                let style = std::mem::take(&mut self.style);
                if !style.is_empty() {
                    self.hidden_styles.insert(style);
                }
            }
            // Tables also stand in changes, links and cells.
            "table" if parent == "spreadsheet" => {
                let name = attribute(start, "name")?.unwrap_or_default();
                let style = attribute(start, "style-name")?.unwrap_or_default();
                self.tables += 1;
                self.workbook.begin_sheet(&name, self.hidden_styles.contains(&style))?;
                self.table = Some(Table::default());
            }
            "table" if self.table.is_some() => return Err(damaged("a cell of the workbook has a table")),
            "table-row" => {
                if let Some(table) = &mut self.table {
                    table.row_repeats = count(start, "number-rows-repeated")?;
                    table.column = 0;
                }
            }
            "table-cell" | "covered-table-cell" if parent == "table-row" => {
                if let Some(table) = &mut self.table {
                    let cell = cell(start)?;
                    self.budget.charge(cell.kind.len() + cell.value.len())?;
                    table.cell = Some(cell);
                }
            }
            "p" if parent == "table-cell" || parent == "covered-table-cell" => {
                if let Some(cell) = self.cell() {
                    cell.paragraphs += 1;
                    if cell.paragraphs > 1 {
                        self.put("\n", 1)?;
                    }
                }
            }
            "s" | "tab" | "line-break" if is_in_text(open) => {
                let times = if name == "s" { count(start, "c")? } else { 1 };
                self.put(if name == "line-break" { "\n" } else { " " }, times)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str, open: &[String]) -> Result<(), SourceError> {
        if is_in_text(open) { self.put(text, 1) } else { Ok(()) }
    }

    /// Appends a text to that of the open cell, if there is one, so many times.
    fn put(&mut self, text: &str, times: u32) -> Result<(), SourceError> {
        let Some(cell) = self.table.as_mut().and_then(|table| table.cell.as_mut()) else { return Ok(()) };
        let times = usize::try_from(times).unwrap_or(usize::MAX);
        self.budget.charge(text.len().saturating_mul(times))?;
        for _ in 0..times {
            cell.text.push_str(text);
        }
        Ok(())
    }

    fn cell(&mut self) -> Option<&mut Cell> {
        self.table.as_mut()?.cell.as_mut()
    }

    fn end(&mut self, name: &str, open: &[String]) -> Result<(), SourceError> {
        let parent = open.last().map_or("", String::as_str);
        let Some(table) = &mut self.table else { return Ok(()) };
        match name {
            "table-cell" | "covered-table-cell" if parent == "table-row" => {
                if let Some(cell) = table.cell.take() {
                    table.take(cell, name == "covered-table-cell", &mut self.budget)?;
                }
            }
            "table-row" => {
                let next =
                    table.row.checked_add(table.row_repeats).ok_or_else(|| damaged("a sheet has too many rows"))?;
                if !table.cells.is_empty() {
                    if next > MAX_ROWS {
                        return Err(damaged(&format!(
                            "row {next} of a sheet has cells, but a sheet has {MAX_ROWS} rows"
                        )));
                    }
                    for row in table.row..next {
                        for (first, repeats, content) in &table.cells {
                            for column in *first..first.saturating_add(*repeats) {
                                self.workbook.cell(row, column, content.as_plain())?;
                            }
                        }
                    }
                    table.cells.clear();
                }
                table.row = next;
            }
            "table" if parent == "spreadsheet" => {
                let merged = std::mem::take(&mut table.merged);
                self.table = None;
                self.workbook.end_sheet(&merged)?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Table {
    fn take(&mut self, cell: Cell, is_covered: bool, budget: &mut Budget) -> Result<(), SourceError> {
        let first = self.column;
        self.column = first.checked_add(cell.repeats).ok_or_else(|| damaged("a row has too many columns"))?;
        let (columns, rows) = cell.spans;
        if (columns > 1 || rows > 1) && !is_covered {
            budget.charge(size_of::<Span>())?;
            self.merged.push((self.row, first, self.row.saturating_add(rows - 1), first.saturating_add(columns - 1)));
        }
        // What a merged cell covers is not shown: its value is that of the merged cell.
        if let Some(content) = cell.content()?.filter(|_| !is_covered) {
            budget.charge(size_of::<(u32, u32, Content)>())?;
            self.cells.push((first, self.column - first, content));
        }
        Ok(())
    }
}

impl Content {
    fn as_plain(&self) -> PlainCell<'_> {
        match self {
            Self::Text(text) => PlainCell::Text(text),
            Self::Number(number) => PlainCell::Number(*number),
            Self::IsoDate(date) => PlainCell::IsoDate(date),
            Self::Flag(flag) => PlainCell::Flag(*flag),
            Self::Error => PlainCell::Error,
            Self::Formula => PlainCell::Formula,
        }
    }
}

impl Cell {
    fn content(self) -> Result<Option<Content>, SourceError> {
        Ok(Some(match self.kind.as_str() {
            _ if self.is_error => Content::Error,
            "float" | "percentage" | "currency" => {
                let number = self.value.parse().ok().filter(|number: &f64| number.is_finite());
                Content::Number(number.ok_or_else(|| damaged("a number of the workbook is none"))?)
            }
            "date" => Content::IsoDate(self.value),
            "boolean" => Content::Flag(self.value == "true"),
            "time" => Content::Text(self.value),
            "" if self.has_formula && self.text.is_empty() => Content::Formula,
            "" | "string" if self.text.is_empty() && self.value.is_empty() => return Ok(None),
            _ if self.value.is_empty() => Content::Text(self.text),
            _ => Content::Text(self.value),
        }))
    }
}

/// Whether the innermost elements are those of a cell's text: not of a comment, nor of a picture in the cell.
fn is_in_text(open: &[String]) -> bool {
    let of_text = |name: &&String| matches!(name.as_str(), "p" | "span" | "a");
    let inside = open.iter().rev().take_while(of_text).count();
    let around = open.len().checked_sub(inside + 1).map(|at| open[at].as_str());
    inside > 0 && matches!(around, Some("table-cell" | "covered-table-cell"))
}

fn cell(start: &BytesStart<'_>) -> Result<Cell, SourceError> {
    let mut cell = Cell {
        repeats: count(start, "number-columns-repeated")?,
        spans: (count(start, "number-columns-spanned")?, count(start, "number-rows-spanned")?),
        ..Cell::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| not_xml())?;
        let value = || attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| not_xml());
        match (attribute.key.prefix().as_ref().map(AsRef::as_ref), attribute.key.local_name().as_ref()) {
            (Some("calcext"), "value-type") => cell.is_error = value()? == "error",
            (_, "value-type") => cell.kind = value()?.into_owned(),
            (_, "value" | "date-value" | "boolean-value" | "string-value" | "time-value") => {
                cell.value = value()?.into_owned();
            }
            (_, "formula") => cell.has_formula = true,
            _ => {}
        }
    }
    Ok(cell)
}

/// The value of an attribute, whatever its prefix.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, SourceError> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| not_xml())?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| not_xml())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// A number of times; 1 if it is not stated.
fn count(start: &BytesStart<'_>, name: &str) -> Result<u32, SourceError> {
    let Some(text) = attribute(start, name)? else { return Ok(1) };
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| damaged("a number of repetitions in the workbook is none"))
}
