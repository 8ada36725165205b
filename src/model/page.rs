//! Pages: the kept fields of records as text, as a source delivered them.
//!
//! All cells of a page are spans of one string, so a page of a thousand records needs few allocations.

use std::sync::Arc;

use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::model::pull::{Sighting, SliceRef};
use crate::model::table_remarks::TableRemarks;

/// Maximum number of unmapped fields that are stored for a page. The keys of JSON objects may be data, so their number
/// has no bound.
const UNMAPPED_FIELDS: usize = 200;

/// Text of a cell that holds an error, such as `#REF!`, instead of a value. Every field refuses it with
/// [`Reason::CellError`], and landing stores it as it is.
pub const CELL_ERROR: &str = "?:0 cell_error";

/// Text of a cell for which a record has a list or an object instead of a value. Every field refuses it with
/// [`Reason::NotOfType`], unless another path of the field has a value. Landing stores it as it is.
pub const CELL_STRUCTURE: &str = "?:0 not_of_type";

/// Why a row or a value was rejected. The codes are stored in quarantine and landing, and quoted in the docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// A required field is absent or empty.
    Missing,
    /// The text matches none of the field's date formats.
    NotAnInstant,
    /// The text is in none of the field's `codes`.
    UnknownCode,
    /// The text has a character that its type does not allow, is too long, or looks like personal data.
    NotOfType,
    /// The text does not match the field's `pattern` or the syntax of its type.
    WrongForm,
    /// The letters are those of an old Vietnamese font (TCVN3, VNI), read as if they were others.
    LegacyFont,
    /// The check digit of a postal item code is wrong (UPU S10).
    CheckDigit,
    /// A row of a CSV file has a different number of columns than the header.
    WrongColumnCount,
    /// A record is not an object, has a key twice, or its text is not valid.
    Malformed,
    /// Dates or counts of the record contradict each other.
    ImpossibleOrder,
    /// A row of a CSV file is longer than 1 MiB.
    RowTooLong,
    /// A quoted cell of a CSV file closes before anything but a delimiter or a line end.
    StrayQuote,
    /// A kept cell of a workbook has an error value such as `#REF!`, or a formula without a stored value.
    CellError,
    /// A kept column has a merged cell that spans several rows, and the connector does not say what the others have.
    MergedCell,
    /// A number in which a dot or comma may stand before decimals or between groups of three digits.
    AmbiguousNumber,
    /// A record has no list where `decode.explode` names one, or an empty one.
    NoList,
    /// The source has no details of a record, or they cannot be asked for.
    NoDetail,
    /// Reading the row met an unexpected error of motcua itself; the log has its place.
    OwnError,
    /// No procedure of the registry has this name.
    UnknownProcedure,
    /// Procedures with different codes have this name.
    AmbiguousProcedure,
    /// A date, number or period outside its bounds: before 1900, in year 2569, due eleven years after reception.
    OutOfRange,
    /// A row of a key of which the pull has more rows than can be merged. The row itself may be right.
    TooManyRowsOfKey,
}

impl Reason {
    /// Code in quarantine, `rejects.jsonl` and landed rows.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// Start and length of a cell in the page's text; a start of `u32::MAX` means null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

const NULL: Span = Span { start: u32::MAX, len: 0 };

/// A source field that the connector does not map.
#[derive(Debug, Clone)]
struct UnmappedField {
    /// Place in the record, as the reader of records numbers it.
    at: usize,
    name: Box<str>,
    /// Path under which it is reported.
    path: String,
    sighting: Sighting,
}

/// One reply of a source, or one part of a file, reduced to the fields that the connector keeps.
#[derive(Debug, Clone)]
pub struct Page {
    /// Number in the pull, from 1.
    pub number: u32,
    /// Request path and pass without query values, or file name.
    pub origin: String,
    /// SHA-256 of the bytes as received, hexadecimal.
    pub body_digest: String,
    /// Kept source fields, in cell order.
    pub fields: Arc<[String]>,
    /// Ordinal of its page chain in the pull, from 0.
    pub chain: u32,
    /// Time range of its page chain; `None` if the connector has no passes.
    pub slice: Option<SliceRef>,
    /// For each kept field whether at least one record has it, with a value or null.
    seen: Vec<bool>,
    unmapped: Vec<UnmappedField>,
    text: String,
    cells: Vec<Span>,
    /// Row number in the source page or file, from 1, and a reason if the row is unreadable.
    rows: Vec<(u32, Option<Reason>)>,
    /// Number of rows that lack empty cells at their end.
    short_rows: u64,
    /// Number of rows up to the end of each record, if a record may give several rows or none.
    record_ends: Vec<usize>,
    /// What else was noticed in its table.
    pub remarks: TableRemarks,
}

/// Cells of a row that was taken back, for the rows that it gives.
#[derive(Debug, Clone)]
pub struct RowCells(Vec<Span>);

impl Page {
    #[must_use]
    pub fn new(number: u32, origin: String, body_digest: String, fields: Arc<[String]>) -> Self {
        let seen = vec![false; fields.len()];
        Self {
            number,
            origin,
            body_digest,
            fields,
            chain: 0,
            slice: None,
            seen,
            unmapped: Vec::new(),
            text: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            short_rows: 0,
            record_ends: Vec::new(),
            remarks: TableRemarks::default(),
        }
    }

    /// Notes that the current row has a kept field, with a value or null.
    pub fn note_field(&mut self, field: usize) {
        self.seen[field] = true;
    }

    /// Notes that the current row has the unmapped field `name` at place `at` of the record. `path` returns the path
    /// under which the field is reported; it is called at most once for each field.
    pub fn note_unmapped(&mut self, at: usize, name: &str, path: impl FnOnce() -> String) {
        let row = self.rows.last().map_or(0, |(row, _)| *row);
        if let Some(known) = self.unmapped.iter_mut().find(|known| known.at == at && *known.name == *name) {
            known.sighting.rows += 1;
        } else if self.unmapped.len() < UNMAPPED_FIELDS {
            let sighting = Sighting { page: self.number, row, rows: 1 };
            self.unmapped.push(UnmappedField { at, name: name.into(), path: path(), sighting });
        }
    }

    /// Notes that the current row lacks empty cells at its end.
    pub fn note_short_row(&mut self) {
        self.short_rows += 1;
    }

    /// Number of rows that lack empty cells at their end.
    #[must_use]
    pub fn short_rows(&self) -> u64 {
        self.short_rows
    }

    /// Kept fields that at least one record has.
    pub fn fields_seen(&self) -> impl Iterator<Item = &String> {
        self.fields.iter().zip(&self.seen).filter(|(_, seen)| **seen).map(|(field, _)| field)
    }

    /// Unmapped fields by the path under which they are reported.
    pub fn unmapped_fields(&self) -> impl Iterator<Item = (&str, Sighting)> {
        self.unmapped.iter().map(|field| (field.path.as_str(), field.sighting))
    }

    /// Starts a row whose cells are all null; [`Page::set`] fills them.
    pub fn begin_row(&mut self, row: u32) {
        self.cells.resize(self.cells.len() + self.fields.len(), NULL);
        self.rows.push((row, None));
    }

    /// Starts a row with the cells of one that was taken back.
    pub fn begin_row_like(&mut self, row: u32, cells: &RowCells) {
        self.cells.extend_from_slice(&cells.0);
        self.rows.push((row, None));
    }

    /// Takes the current row back, and returns its cells.
    pub fn take_row(&mut self) -> RowCells {
        let cells = RowCells(self.cells[self.cells.len() - self.fields.len()..].to_vec());
        self.drop_row();
        cells
    }

    /// A page with the same origin and noted fields, and no rows.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let (text, cells, rows, record_ends) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        Self { text, cells, rows, record_ends, ..self.clone() }
    }

    /// Number of the next row, if rows are numbered in their order.
    #[must_use]
    pub fn next_row(&self) -> u32 {
        u32::try_from(self.rows.len() + 1).unwrap_or(u32::MAX)
    }

    /// Sets the cells of the current row that a row of another page with the same fields has.
    pub fn fill_row(&mut self, other: &Self, index: usize) {
        for field in 0..self.fields.len() {
            if let Some(text) = other.cell(index, field) {
                self.set(field, text);
            }
        }
    }

    /// Notes the fields that were noted of another page with the same fields.
    pub fn note_fields_of(&mut self, other: &Self) {
        for (seen, also) in self.seen.iter_mut().zip(&other.seen) {
            *seen |= also;
        }
        for field in &other.unmapped {
            let known = self.unmapped.iter().position(|known| known.at == field.at && known.name == field.name);
            match known {
                Some(known) => self.unmapped[known].sighting.rows += field.sighting.rows,
                None if self.unmapped.len() < UNMAPPED_FIELDS => self.unmapped.push(field.clone()),
                None => {}
            }
        }
    }

    /// Whether the current row has no other cells than one that was taken back.
    #[must_use]
    pub fn has_row_like(&self, cells: &RowCells) -> bool {
        self.cells.ends_with(&cells.0)
    }

    /// Whether the current row is unreadable.
    #[must_use]
    pub fn is_row_unreadable(&self) -> bool {
        self.rows.last().is_some_and(|(_, reason)| reason.is_some())
    }

    /// Notes that the rows since the last record are those of one record.
    pub fn end_record(&mut self) {
        self.record_ends.push(self.rows.len());
    }

    /// Number of records: of rows, unless records give several rows or none.
    #[must_use]
    pub fn records(&self) -> usize {
        if self.record_ends.is_empty() { self.rows.len() } else { self.record_ends.len() }
    }

    /// A row of a record, from the index of the record; `None` if it has none.
    #[must_use]
    pub fn row_of_record(&self, record: usize) -> Option<usize> {
        if self.record_ends.is_empty() {
            return (record < self.rows.len()).then_some(record);
        }
        let end = *self.record_ends.get(record)?;
        let start = record.checked_sub(1).map_or(0, |before| self.record_ends[before]);
        (start < end).then_some(start)
    }

    /// Takes the current row back.
    pub fn drop_row(&mut self) {
        self.rows.pop();
        self.cells.truncate(self.rows.len() * self.fields.len());
    }

    /// Sets a cell of the current row, unless it has been set before.
    ///
    /// # Panics
    /// If there is no row, the field is out of range, or the page's text exceeds 4 GiB.
    pub fn set(&mut self, field: usize, value: &str) {
        let at = self.cells.len() - self.fields.len() + field;
        if self.cells[at] == NULL {
            let start = u32::try_from(self.text.len()).expect("kept text of a page is bounded by the body limit");
            let len = u32::try_from(value.len()).expect("kept text of a page is bounded by the body limit");
            self.text.push_str(value);
            self.seen[field] = true;
            self.cells[at] = Span { start, len };
        }
    }

    /// Sets a cell of every row that has none there and whose cells are kept.
    ///
    /// # Panics
    /// If the field is out of range, or the page's text exceeds 4 GiB.
    pub fn set_in_all_rows(&mut self, field: usize, value: &str) {
        let start = u32::try_from(self.text.len()).expect("kept text of a page is bounded by the body limit");
        let len = u32::try_from(value.len()).expect("kept text of a page is bounded by the body limit");
        self.text.push_str(value);
        self.seen[field] |= !self.rows.is_empty();
        let rows = self.cells.chunks_exact_mut(self.fields.len()).zip(&self.rows);
        for (cells, _) in
            rows.filter(|(cells, (_, reason))| matches!(reason, None | Some(Reason::NoDetail)) && cells[field] == NULL)
        {
            cells[field] = Span { start, len };
        }
    }

    /// Marks the current row as unreadable and clears its cells; only its row number is kept.
    ///
    /// # Panics
    /// If there is no row.
    pub fn mark_unreadable(&mut self, reason: Reason) {
        let from = self.cells.len() - self.fields.len();
        self.cells[from..].fill(NULL);
        self.rows.last_mut().expect("a row was opened").1 = Some(reason);
    }

    /// Refuses the current row, and keeps its cells: they identify the record.
    ///
    /// # Panics
    /// If there is no row.
    pub fn refuse_row(&mut self, reason: Reason) {
        self.rows.last_mut().expect("a row was opened").1 = Some(reason);
    }

    /// Copies a row of another page with the same fields.
    ///
    /// # Panics
    /// If the fields differ.
    pub fn copy_row(&mut self, other: &Self, index: usize) {
        assert!(self.fields == other.fields, "rows are copied between pages of one connector");
        let (row, reason) = other.row(index);
        self.begin_row(row);
        for field in 0..self.fields.len() {
            if let Some(text) = other.cell(index, field) {
                self.set(field, text);
            }
        }
        if let Some(reason) = reason {
            self.refuse_row(reason);
        }
    }

    /// Copies every row of another page with the same fields.
    pub fn append(&mut self, other: &Self) {
        for index in 0..other.len() {
            self.copy_row(other, index);
        }
        self.remarks.add(&other.remarks);
    }

    /// The text of all cells, in the order in which they were read. Pages with the same records have the same text.
    #[must_use]
    pub fn kept_text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Row number in the source page or file, from 1, and a reason if the row is unreadable.
    #[must_use]
    pub fn row(&self, index: usize) -> (u32, Option<Reason>) {
        self.rows[index]
    }

    /// Text of a cell; `None` if the source has null or no such field.
    #[must_use]
    pub fn cell(&self, index: usize, field: usize) -> Option<&str> {
        let span = self.cells[index * self.fields.len() + field];
        (span != NULL).then(|| &self.text[span.start as usize..(span.start + span.len) as usize])
    }
}
