//! A page as it came: the kept fields of its records as text, in one buffer.
//!
//! Cells are spans of one string, so a page of a thousand records costs a handful of allocations.

use std::sync::Arc;

use crate::model::person::{is_person, names_no_body};
use crate::model::pull::{Sighting, SliceRef};

/// Fields beside the kept ones that a page remembers: keys may be data, without end.
const OTHER_FIELDS: usize = 200;
/// Longest name of such a field.
const FIELD_CHARS: usize = 80;

/// Why a row or a value was not taken. Codes are stable: they stand in quarantine, in `rejects.jsonl` and in docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A required field is absent or empty.
    Missing,
    /// The text is no date in any of the field's formats.
    NotAnInstant,
    /// The text is in none of the field's `codes`.
    UnknownCode,
    /// The text has a character that its type does not allow, or is too long for it.
    NotOfType,
    /// The text does not match the field's `pattern` or its type's form.
    WrongForm,
    /// The check digit of a postal item code is wrong (UPU S10).
    CheckDigit,
    /// A row of a CSV file has another number of columns than its header.
    WrongColumnCount,
    /// A record is not an object, says one thing twice, or its text is not valid.
    Malformed,
    /// Its dates stand in an order that cannot be.
    ImpossibleOrder,
    /// A row of a CSV file is longer than 1 MiB.
    RowTooLong,
    /// A kept cell of a workbook holds an error such as `#REF!`.
    CellError,
}

impl Reason {
    /// Every reason, in the order of the docs.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::NotAnInstant,
        Self::UnknownCode,
        Self::NotOfType,
        Self::WrongForm,
        Self::CheckDigit,
        Self::WrongColumnCount,
        Self::Malformed,
        Self::ImpossibleOrder,
        Self::RowTooLong,
        Self::CellError,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotAnInstant => "not_an_instant",
            Self::UnknownCode => "unknown_code",
            Self::NotOfType => "not_of_type",
            Self::WrongForm => "wrong_form",
            Self::CheckDigit => "check_digit",
            Self::WrongColumnCount => "wrong_column_count",
            Self::Malformed => "malformed",
            Self::ImpossibleOrder => "impossible_order",
            Self::RowTooLong => "row_too_long",
            Self::CellError => "cell_error",
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// How the name of a field that nobody declared is written: keys may be data, so a name that could be somebody's, or hold
/// a number of theirs, is not.
fn field_name(name: &str) -> String {
    let plain = |symbol: char| symbol.is_alphanumeric() || "_-.:$@ /()".contains(symbol);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let spaced = name.contains(' ') && is_person(name);
    let personal = spaced
        || (name.split(' ').all(|word| word.starts_with(char::is_uppercase))
            && name.contains(' ')
            && names_no_body(name));
    if name.chars().count() <= FIELD_CHARS && digits < 6 && name.chars().all(plain) && !personal && !name.is_empty() {
        name.to_owned()
    } else {
        "(a name withheld)".to_owned()
    }
}

/// Start and length in the page's buffer; `u32::MAX` as start means null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

const NULL: Span = Span { start: u32::MAX, len: 0 };

/// One answer of a source, or one stretch of a file, cut down to the fields that the connector keeps.
#[derive(Debug, Clone)]
pub struct Page {
    /// Position in the pull, from 1.
    pub number: u32,
    /// Where it came from, without query values: a request path and its pass, or a file name.
    pub origin: String,
    /// SHA-256 of the bytes as received, hexadecimal.
    pub body_digest: String,
    /// The kept source fields, in cell order.
    pub fields: Arc<[String]>,
    /// Ordinal of its page chain in the pull, from 0.
    pub chain: u32,
    /// The stretch of time that its chain reads; `None` where the connector has no passes.
    pub slice: Option<SliceRef>,
    /// Which kept fields at least one record had, with a value or null.
    seen: Vec<bool>,
    /// Fields beside the kept ones: where they hang, their own name, how they are written, where they were met.
    others: Vec<(usize, Box<str>, String, Sighting)>,
    text: String,
    cells: Vec<Span>,
    /// Row number in the source page or file, from 1, and why the row is unreadable if it is.
    rows: Vec<(u32, Option<Reason>)>,
}

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
            others: Vec::new(),
            text: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Notes that the row opened last has a kept field, whatever it holds.
    pub fn see(&mut self, field: usize) {
        self.seen[field] = true;
    }

    /// Notes that the row opened last has a field that is not kept: `name` below the place `at`, whose path is `path`.
    pub fn see_other(&mut self, at: usize, path: &str, name: &str) {
        let row = self.rows.last().map_or(0, |(row, _)| *row);
        if let Some(known) = self.others.iter_mut().find(|known| known.0 == at && *known.1 == *name) {
            known.3.rows += 1;
        } else if self.others.len() < OTHER_FIELDS {
            let written = if path.is_empty() { field_name(name) } else { format!("{path}.{}", field_name(name)) };
            self.others.push((at, name.into(), written, Sighting { page: self.number, row, rows: 1 }));
        }
    }

    /// The kept fields that at least one record had.
    pub fn fields_seen(&self) -> impl Iterator<Item = &String> {
        self.fields.iter().zip(&self.seen).filter(|(_, seen)| **seen).map(|(field, _)| field)
    }

    /// Fields beside the kept ones, with where they were first met.
    pub fn other_fields(&self) -> impl Iterator<Item = (&str, Sighting)> {
        self.others.iter().map(|(_, _, written, sighting)| (written.as_str(), *sighting))
    }

    /// Opens a row whose cells are all null; fill them with [`Page::set`].
    pub fn begin_row(&mut self, row: u32) {
        self.cells.resize(self.cells.len() + self.fields.len(), NULL);
        self.rows.push((row, None));
    }

    /// Sets a cell of the row opened last. The first value set stays.
    ///
    /// # Panics
    /// If no row was opened, the field is out of range, or the page's kept text passes 4 GiB.
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

    /// Marks the row opened last as unreadable and forgets its cells: only its place is kept.
    ///
    /// # Panics
    /// If no row was opened.
    pub fn spoil_row(&mut self, reason: Reason) {
        let from = self.cells.len() - self.fields.len();
        self.cells[from..].fill(NULL);
        self.rows.last_mut().expect("a row was opened").1 = Some(reason);
    }

    /// Takes over a row of a page of the same fields.
    ///
    /// # Panics
    /// If the fields differ.
    pub fn copy_row(&mut self, other: &Self, index: usize) {
        assert!(self.fields == other.fields, "rows are copied between pages of one connector");
        let (row, reason) = other.place(index);
        self.begin_row(row);
        for field in 0..self.fields.len() {
            if let Some(text) = other.cell(index, field) {
                self.set(field, text);
            }
        }
        if let Some(reason) = reason {
            self.spoil_row(reason);
        }
    }

    /// Takes over every row of a page of the same fields.
    pub fn append(&mut self, other: &Self) {
        for index in 0..other.len() {
            self.copy_row(other, index);
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Row number in the source, from 1, and why it is unreadable if it is.
    #[must_use]
    pub fn place(&self, index: usize) -> (u32, Option<Reason>) {
        self.rows[index]
    }

    /// The cell's text; `None` where the source had nothing or null.
    #[must_use]
    pub fn cell(&self, index: usize, field: usize) -> Option<&str> {
        let span = self.cells[index * self.fields.len() + field];
        (span != NULL).then(|| &self.text[span.start as usize..(span.start + span.len) as usize])
    }
}
