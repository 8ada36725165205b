//! Lists with named columns: of dossiers, procedures, agencies, postal items. Each column is declared once; the command line,
//! the API, the pages, CSV and workbooks are made from the declaration.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::model::instant;

/// A column of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListColumn {
    /// Name in CSV and JSON.
    pub name: &'static str,
    /// Heading in Vietnamese.
    pub vi: &'static str,
    /// Heading in English.
    pub en: &'static str,
    pub column_type: ListColumnType,
}

impl ListColumn {
    #[must_use]
    pub const fn new(name: &'static str, column_type: ListColumnType, vi: &'static str, en: &'static str) -> Self {
        Self { name, vi, en, column_type }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListColumnType {
    Text,
    /// A word of a closed list.
    Word,
    /// An integer.
    Number,
    /// Microseconds UTC.
    Instant,
    Day,
}

/// A value of such a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListCell {
    Null,
    Text(String),
    Number(i64),
    /// Microseconds UTC.
    Instant(i64),
    Day(Date),
    Flag(bool),
    /// A name for programs, with its meaning in Vietnamese and English.
    Named {
        name: &'static str,
        meaning: [&'static str; 2],
    },
    Worded(Arc<WordedText>),
}

/// A text for programs that is no name of a closed list, such as a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordedText {
    pub text: String,
    /// In Vietnamese and English.
    pub meaning: [String; 2],
}

impl ListCell {
    /// [`ListCell::Null`] for `None`.
    #[must_use]
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, cell)
    }

    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A text for programs with its meaning in Vietnamese and English.
    #[must_use]
    pub fn worded(text: String, meaning: [String; 2]) -> Self {
        Self::Worded(Arc::new(WordedText { text, meaning }))
    }

    /// A count.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The cell in JSON, days and instants as ISO 8601.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Instant(micros) => json!(instant::display(*micros)),
            Self::Day(day) => json!(day.to_string()),
            Self::Named { name, .. } => json!(name),
            Self::Worded(worded) => json!(worded.text),
        }
    }

    /// The cell in CSV for programs.
    #[must_use]
    pub fn to_csv(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Instant(micros) => instant::display(*micros),
            Self::Day(day) => day.to_string(),
            Self::Named { name, .. } => (*name).to_owned(),
            Self::Worded(worded) => worded.text.clone(),
        }
    }
}

/// Columns and rows. Each row has one cell for each column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    pub columns: Vec<ListColumn>,
    pub rows: Vec<Vec<ListCell>>,
}

impl List {
    #[must_use]
    pub fn new(columns: &[ListColumn], rows: Vec<Vec<ListCell>>) -> Self {
        debug_assert!(rows.iter().all(|row| row.len() == columns.len()), "a row has a cell for each column");
        Self { columns: columns.to_vec(), rows }
    }

    /// The rows as objects, by the names of the columns.
    #[must_use]
    pub fn to_json(&self) -> Vec<Map<String, Value>> {
        self.rows.iter().map(|row| row_json(&self.columns, row)).collect()
    }
}

/// A row in JSON, by the names of its columns.
#[must_use]
pub fn row_json(columns: &[ListColumn], row: &[ListCell]) -> Map<String, Value> {
    columns.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.to_json())).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_kind_of_cell_is_written_for_programs() {
        let meaning = ["khớp", "matched"];
        for (cell, json_text, csv_text) in [
            (ListCell::Null, "null", ""),
            (ListCell::text("=1+1"), "\"=1+1\"", "=1+1"),
            (ListCell::count(12_345), "12345", "12345"),
            (ListCell::Flag(true), "true", "true"),
            (ListCell::Instant(0), "\"1970-01-01T07:00:00+07:00\"", "1970-01-01T07:00:00+07:00"),
            (ListCell::Day(date(2026, 3, 5)), "\"2026-03-05\"", "2026-03-05"),
            (ListCell::Named { name: "matched", meaning }, "\"matched\"", "matched"),
            (ListCell::worded("a AND b".to_owned(), meaning.map(str::to_owned)), "\"a AND b\"", "a AND b"),
            (ListCell::of(None::<i64>, ListCell::Number), "null", ""),
        ] {
            assert_eq!((cell.to_json().to_string().as_str(), cell.to_csv().as_str()), (json_text, csv_text));
        }
    }
}
