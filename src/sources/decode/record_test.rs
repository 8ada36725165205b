//! Tests whether the cells of a line can be those of a record.

use crate::fields::{FieldReader, Readers};
use crate::model::page::Reason;
use crate::model::record::Value;
use crate::sources::decode::table::TableColumns;

/// The fields of a connector, to tell a record from a remark or from a part of a broken row.
#[derive(Debug, Clone)]
pub(crate) struct RecordTest {
    fields: Vec<TestedField>,
}

#[derive(Debug, Clone)]
struct TestedField {
    reader: FieldReader,
    /// Page cells of its source fields.
    cells: Vec<usize>,
    /// Columns that fill them, in order of preference.
    columns: Vec<usize>,
}

impl TestedField {
    /// Whether a record must have the field. One with a default may be empty.
    fn is_required(&self) -> bool {
        self.reader.absent().is_err()
    }

    /// The value of its text, or why it has none; `None` if there is no text.
    fn value<'t>(&self, cell: &impl Fn(usize) -> &'t [u8]) -> Option<Result<Value, Reason>> {
        let texts = self.columns.iter().map(|&column| cell(column)).filter(|text| !text.trim_ascii().is_empty());
        let mut values = texts.map(|text| self.reader.read(std::str::from_utf8(text).map_err(|_| Reason::Malformed)?));
        values.next()
    }
}

impl RecordTest {
    pub(crate) fn new(readers: &Readers) -> Self {
        let cells = |reader: &FieldReader| {
            reader.from.iter().filter_map(|field| readers.fields.iter().position(|kept| kept == field)).collect()
        };
        let field =
            |reader: &FieldReader| TestedField { reader: reader.clone(), cells: cells(reader), columns: Vec::new() };
        Self { fields: readers.readers.iter().map(field).collect() }
    }

    /// The test for a table with these columns.
    pub(crate) fn in_columns(&self, columns: &TableColumns) -> Self {
        let column_of = |cell: &usize| columns.fills.iter().position(|fields| fields.contains(cell));
        let mut test = self.clone();
        for field in &mut test.fields {
            field.columns = field.cells.iter().filter_map(column_of).collect();
        }
        test
    }

    fn required(&self) -> impl Iterator<Item = &TestedField> {
        self.fields.iter().filter(|field| field.is_required())
    }

    /// Whether every required field of a line can be read. `cell` returns the text of a column, empty if there is none.
    pub(crate) fn is_record<'t>(&self, cell: impl Fn(usize) -> &'t [u8]) -> bool {
        self.required().next().is_some()
            && self.required().all(|field| matches!(field.value(&cell), Some(Ok(value)) if value != Value::Null))
    }

    /// Whether a column has the instants of a field.
    pub(crate) fn is_instant(&self, column: usize) -> bool {
        self.fields.iter().any(|field| field.reader.is_instant() && field.columns.contains(&column))
    }

    /// Whether a column has a text that its field refuses.
    pub(crate) fn refuses<'t>(&self, column: usize, cell: impl Fn(usize) -> &'t [u8]) -> bool {
        let only = |at: usize| if at == column { cell(at) } else { &[] };
        let mut fields = self.fields.iter().filter(|field| field.columns.contains(&column));
        fields.any(|field| matches!(field.value(&only), Some(Err(_))))
    }

    /// Whether every field of a line that has a text can be read. If a cell is missing before others, the texts of the
    /// others stand in the wrong columns and do not fit.
    pub(crate) fn fits<'t>(&self, cell: impl Fn(usize) -> &'t [u8]) -> bool {
        self.fields.iter().all(|field| !matches!(field.value(&cell), Some(Err(_))))
    }
}
