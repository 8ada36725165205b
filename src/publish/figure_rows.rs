//! Figures as rows for other programs: CSV and JSON with the columns of [`row_columns`], and their OpenAPI schema.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::indicators::{FigureCell, FigureColumn, FigureColumnType, FigureOfNight, Rank, met_word, row_columns};
use crate::locale::without_formula;
use crate::model::figure::{Figure, Met, Night};
use crate::model::instant;

/// A figure as one row.
#[derive(Debug, Clone)]
pub struct FigureRow<'a> {
    figure: FigureOfNight<'a>,
    /// Column `rank`, which a row has only if ranks were asked for.
    rank: Option<RankCell>,
    /// Column `change`, which a row has only if periods were compared.
    change: Option<ChangeCell>,
}

impl<'a> FigureRow<'a> {
    #[must_use]
    pub fn new(figure: &'a Figure, night: &Night) -> Self {
        Self { figure: FigureOfNight { figure, night: *night, is_gone: false }, rank: None, change: None }
    }

    /// Adds column `rank`.
    #[must_use]
    pub fn with_rank(mut self, rank: Option<Rank>) -> Self {
        self.rank = Some(RankCell(rank));
        self
    }

    /// Adds column `change`: the value of the period asked for, minus the value of this row.
    #[must_use]
    pub fn with_change(mut self, change: Option<f64>) -> Self {
        self.change = Some(ChangeCell(change));
        self
    }

    /// The value in `column`.
    pub(super) fn cell(&self, column: &FigureColumn) -> FigureCell<'a> {
        (column.read)(&self.figure)
    }

    pub(super) fn figure(&self) -> FigureOfNight<'a> {
        self.figure
    }
}

impl Serialize for FigureRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_as(RowFormat::Json, serializer)
    }
}

/// A row in CSV.
struct CsvRow<'a>(FigureRow<'a>);

impl Serialize for CsvRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_as(RowFormat::Csv, serializer)
    }
}

/// The format of a row. People open CSV in spreadsheets, so no text in it is a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowFormat {
    Json,
    Csv,
}

impl FigureRow<'_> {
    fn serialize_as<S: Serializer>(&self, format: RowFormat, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = row_columns().count() + usize::from(self.rank.is_some()) + usize::from(self.change.is_some());
        let mut row = serializer.serialize_struct("FigureRow", columns)?;
        for column in row_columns() {
            row.serialize_field(column.name, &SerializedCell(self.cell(column), format))?;
        }
        if let Some(rank) = &self.rank {
            row.serialize_field("rank", rank)?;
        }
        if let Some(change) = &self.change {
            row.serialize_field("change", change)?;
        }
        row.end()
    }
}

/// A cell in JSON and CSV: days and instants are ISO 8601; null is empty in CSV.
struct SerializedCell<'a>(FigureCell<'a>, RowFormat);

impl Serialize for SerializedCell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            FigureCell::Null => serializer.serialize_none(),
            FigureCell::Text(text) if self.1 == RowFormat::Csv => serializer.serialize_str(&without_formula(text)),
            FigureCell::Text(text) => serializer.serialize_str(text),
            FigureCell::Integer(number) => serializer.serialize_i64(*number),
            FigureCell::Float(number) => serializer.serialize_f64(*number),
            FigureCell::Flag(flag) => serializer.serialize_bool(*flag),
            FigureCell::Day(day) => serializer.collect_str(day),
            FigureCell::Instant(micros) => serializer.serialize_str(&instant::display(*micros)),
            FigureCell::Met(Met::Yes) => serializer.serialize_bool(true),
            FigureCell::Met(Met::No) => serializer.serialize_bool(false),
            FigureCell::Met(undecided) => serializer.serialize_str(met_word(*undecided)),
        }
    }
}

/// The difference to the value of another period; null on the row of that period.
#[derive(Debug, Clone, Serialize)]
struct ChangeCell(Option<f64>);

/// A rank from 1, `"too_few"`, `"nothing"`, `"no_data"`, or null for a figure that is not ranked.
#[derive(Debug, Clone)]
struct RankCell(Option<Rank>);

impl Serialize for RankCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Rank::Place(place)) => serializer.serialize_u64(place as u64),
            Some(Rank::TooFew) => serializer.serialize_str("too_few"),
            Some(Rank::NoDossiers) => serializer.serialize_str("nothing"),
            Some(Rank::NoData) => serializer.serialize_str("no_data"),
            None => serializer.serialize_none(),
        }
    }
}

/// Schema of a cell of type [`FigureColumnType::Met`].
#[derive(Debug, ToSchema)]
#[schema(as = Met)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the JSON that `SerializedCell` writes")]
enum MetSchema {
    Decided(bool),
    Undecided(UndecidedWord),
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the JSON that `SerializedCell` writes")]
enum UndecidedWord {
    Open,
    Unknown,
}

impl PartialSchema for FigureRow<'_> {
    fn schema() -> RefOr<Schema> {
        let row = row_columns().fold(ObjectBuilder::new(), |row, column| {
            let row = row.property(column.name, schema_of(column));
            if column.is_nullable { row } else { row.required(column.name) }
        });
        row.description(Some("One figure; the fields are those of `report --format json`, in this order.")).into()
    }
}

impl ToSchema for FigureRow<'_> {
    fn name() -> Cow<'static, str> {
        "FigureRow".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MetSchema::name().into_owned(), MetSchema::schema()));
        MetSchema::schemas(schemas);
    }
}

fn schema_of(column: &FigureColumn) -> RefOr<Schema> {
    let (schema_type, format) = match column.column_type {
        FigureColumnType::Met => {
            let one_of = OneOfBuilder::new()
                .item(ObjectBuilder::new().schema_type(Type::Null))
                .item(Ref::from_schema_name(MetSchema::name()))
                .description(Some(column.description));
            return one_of.into();
        }
        FigureColumnType::Text => (Type::String, None),
        FigureColumnType::Integer | FigureColumnType::Count => (Type::Integer, Some(KnownFormat::Int64)),
        FigureColumnType::Float => (Type::Number, Some(KnownFormat::Double)),
        FigureColumnType::Flag => (Type::Boolean, None),
        FigureColumnType::Day => (Type::String, Some(KnownFormat::Date)),
        FigureColumnType::Instant => (Type::String, Some(KnownFormat::DateTime)),
    };
    let schema_type =
        if column.is_nullable { SchemaType::from_iter([schema_type, Type::Null]) } else { schema_type.into() };
    ObjectBuilder::new()
        .schema_type(schema_type)
        .format(format.map(SchemaFormat::KnownFormat))
        .minimum((column.column_type == FigureColumnType::Count).then_some(0))
        .description(Some(column.description))
        .into()
}

/// Writes rows as a JSON array, one row per line.
///
/// # Errors
/// Those of `out`.
pub fn json<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = FigureRow<'a>>) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut between = "\n";
    for row in rows {
        out.write_all(between.as_bytes())?;
        serde_json::to_writer(&mut *out, &row)?;
        between = ",\n";
    }
    out.write_all(if between == "\n" { b"]\n" } else { b"\n]\n" })
}

/// Writes rows as CSV with a header (RFC 4180, UTF-8); null is empty. Without rows, the header is that of rows without
/// `rank` and `change`.
///
/// # Errors
/// Those of `out`.
pub fn csv<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = FigureRow<'a>>) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        writer.write_record(row_columns().map(|column| column.name))?;
    }
    for row in rows {
        writer.serialize(CsvRow(row))?;
    }
    writer.flush()
}
