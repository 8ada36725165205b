//! A page as it came: the kept fields of its records as text, in one buffer.
//!
//! Cells are spans of one string, so a page of a thousand records costs a handful of allocations.

use std::sync::Arc;

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
    /// A record is not an object, or its text is not valid.
    Malformed,
    /// A row of a CSV file is longer than 1 MiB.
    RowTooLong,
    /// A kept cell of a workbook holds an error such as `#REF!`.
    CellError,
}

impl Reason {
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
            Self::RowTooLong => "row_too_long",
            Self::CellError => "cell_error",
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Missing,
            Self::NotAnInstant,
            Self::UnknownCode,
            Self::NotOfType,
            Self::WrongForm,
            Self::CheckDigit,
            Self::WrongColumnCount,
            Self::Malformed,
            Self::RowTooLong,
            Self::CellError,
        ]
        .into_iter()
        .find(|reason| reason.code() == code)
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
    text: String,
    cells: Vec<Span>,
    /// Row number in the source page or file, from 1, and why the row is unreadable if it is.
    rows: Vec<(u32, Option<Reason>)>,
}

impl Page {
    #[must_use]
    pub fn new(number: u32, origin: String, body_digest: String, fields: Arc<[String]>) -> Self {
        Self { number, origin, body_digest, fields, text: String::new(), cells: Vec::new(), rows: Vec::new() }
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

    /// Adds the rows of another page of the same fields.
    pub fn append(&mut self, other: &Self) {
        for index in 0..other.len() {
            let (row, spoiled) = other.place(index);
            self.begin_row(row);
            for field in 0..self.fields.len() {
                if let Some(text) = other.cell(index, field) {
                    self.set(field, text);
                }
            }
            if let Some(reason) = spoiled {
                self.spoil_row(reason);
            }
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
