//! Rows of examples as tables: named by the columns of the tables, one agency an example.

use motcua::model::table::{ColumnType, PROVENANCE, RecordKind};
use polars::prelude::{Column, DataFrame, DataType, IntoLazy as _, LazyFrame, TimeUnit, TimeZone};
use toml::Value;

use super::super::province::at;
use super::examples::Example;

/// A row by the names of its columns.
pub(super) type Row = toml::Table;

/// The rows of an example.
pub(super) struct Rows<'a> {
    pub(super) number: usize,
    pub(super) dossiers: &'a [Row],
    pub(super) postal_items: &'a [Row],
    pub(super) feedback: &'a [Row],
    pub(super) measures: &'a [Row],
    pub(super) dossier_notes: &'a [Row],
}

/// Columns that hold codes of dossiers: examples may use the same codes, so each gets its number in front.
const CODES: [&str; 4] = ["dossier_code", "national_code", "parent_code", "source_key"];

/// The tables of dossiers, postal items, feedback, measures and notes.
pub(super) fn tables_of(examples: &[Rows<'_>]) -> [LazyFrame; 5] {
    let of = |kind: RecordKind, rows: fn(&Rows<'_>) -> Vec<Row>| {
        let complete = |example: &Rows<'_>| {
            let number = example.number;
            rows(example).into_iter().enumerate().map(move |(place, row)| completed(kind, row, (number, place)))
        };
        table(kind, &examples.iter().flat_map(complete).collect::<Vec<Row>>())
    };
    [
        of(RecordKind::Dossiers, |example| example.dossiers.to_vec()),
        of(RecordKind::PostalItems, |example| example.postal_items.to_vec()),
        of(RecordKind::Feedback, |example| example.feedback.to_vec()),
        of(RecordKind::Measures, |example| example.measures.to_vec()),
        of(RecordKind::DossierNotes, |example| example.dossier_notes.to_vec()),
    ]
}

/// The row with what every row of its kind has unless it states something else, and with codes of the example alone.
fn completed(kind: RecordKind, mut row: Row, (number, place): (usize, usize)) -> Row {
    let mut usual = |name: &str, value: &str| {
        row.entry(name).or_insert_with(|| Value::String(value.to_owned()));
    };
    let (code, own) = (format!("{place}"), Example::agency_code(number));
    match kind {
        RecordKind::Dossiers => {
            usual("dossier_code", &code);
            usual("competent_agency", &own);
            usual("procedure_code", "1.000001");
            usual("submission_channel", "counter");
            usual("status", "processing");
            usual("received_at", "2025-05-05T08:00");
        }
        RecordKind::PostalItems => {
            usual("item_code", &code);
            usual("status", "delivered");
        }
        RecordKind::Feedback | RecordKind::Measures => usual("agency", &own),
        _ => {}
    }
    // An empty text is a value that the source does not state.
    row.retain(|_, value| value.as_str() != Some(""));
    for name in CODES {
        if let Some(Value::String(code)) = row.get_mut(name) {
            code.insert_str(0, &format!("{number}/"));
        }
    }
    let key = row.get("dossier_code").and_then(Value::as_str).filter(|_| kind == RecordKind::Dossiers);
    let key = key.map_or_else(|| format!("{number}/{place}"), str::to_owned);
    row.entry("source_key").or_insert(Value::String(key));
    row.entry("source").or_insert_with(|| Value::String("law".to_owned()));
    row
}

/// A table with every column of its image; columns that a row does not have are null.
fn table(kind: RecordKind, rows: &[Row]) -> LazyFrame {
    let columns: Vec<(&str, ColumnType)> = kind
        .columns()
        .iter()
        .map(|column| (column.name, column.column_type))
        .chain(PROVENANCE.iter().copied())
        .chain(kind.derived_columns().iter().copied())
        .collect();
    for name in rows.iter().flat_map(Row::keys) {
        assert!(columns.iter().any(|(known, _)| known == name), "table {kind:?} has no column `{name}`");
    }
    let columns = columns.into_iter().map(|(name, column_type)| {
        // A source's own first due date is the first one that the image knows.
        let same_as = (name == "known_first_due_at").then_some("first_due_at");
        let values = rows.iter().map(|row| row.get(name).or_else(|| row.get(same_as?)));
        let wrong = |value: &Value| -> ! { panic!("`{name}` cannot be {value}") };
        match column_type {
            ColumnType::Text => {
                let text = |value: &Value| value.as_str().unwrap_or_else(|| wrong(value)).to_owned();
                Column::new(name.into(), values.map(|value| value.map(text)).collect::<Vec<_>>())
            }
            ColumnType::Flag => {
                let flag = |value: &Value| value.as_bool().unwrap_or_else(|| wrong(value));
                Column::new(name.into(), values.map(|value| value.map(flag)).collect::<Vec<_>>())
            }
            ColumnType::Integer => {
                let number = |value: &Value| value.as_integer().unwrap_or_else(|| wrong(value));
                Column::new(name.into(), values.map(|value| value.map(number)).collect::<Vec<_>>())
            }
            ColumnType::Instant => {
                let micros = |value: &Value| at(value.as_str().unwrap_or_else(|| wrong(value)));
                let numbers = Column::new(name.into(), values.map(|value| value.map(micros)).collect::<Vec<_>>());
                let instants = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
                numbers.cast(&instants).expect("numbers are instants")
            }
        }
    });
    DataFrame::new(rows.len(), columns.collect()).expect("columns of the same length").lazy()
}
