//! The columns of a list of dossiers, declared once: command line, API, pages, CSV and workbooks are made from them.

use jiff::civil::date;
use polars::prelude::*;
use serde_json::{Map, Value, json};

use crate::indicators::agencies::Agencies;
use crate::indicators::local_time::{local_day, micros};
use crate::model::instant;
use crate::model::predicate::FactType;

/// A column of a list of dossiers.
#[derive(Debug, Clone, Copy)]
pub struct DossierColumn {
    pub name: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
    pub column_type: DossierColumnType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DossierColumnType {
    Text,
    /// A word of a closed list.
    Word,
    /// An integer.
    Number,
    /// Microseconds UTC.
    Instant,
}

/// A value of such a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DossierCell {
    Null,
    Text(String),
    Number(i64),
    Instant(i64),
    Flag(bool),
}

impl DossierCell {
    /// The cell in JSON, instants as ISO 8601.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Instant(micros) => json!(instant::display(*micros)),
        }
    }
}

/// A row of cells in JSON, by the names of [`DOSSIER_COLUMNS`].
#[must_use]
pub fn dossier_json(row: &[DossierCell]) -> Map<String, Value> {
    DOSSIER_COLUMNS.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.to_json())).collect()
}

const fn column(
    name: &'static str,
    column_type: DossierColumnType,
    vi: &'static str,
    en: &'static str,
) -> DossierColumn {
    DossierColumn { name, vi, en, column_type }
}

/// The columns, in the order in which they are shown.
pub const DOSSIER_COLUMNS: &[DossierColumn] = &[
    column("dossier_code", DossierColumnType::Text, "mã hồ sơ", "code of the dossier"),
    column("agency", DossierColumnType::Text, "cơ quan", "agency that it counts for"),
    column("agency_name", DossierColumnType::Text, "tên cơ quan", "its name"),
    column("procedure_code", DossierColumnType::Text, "thủ tục", "procedure"),
    column("received_at", DossierColumnType::Instant, "tiếp nhận", "received"),
    column("due_at", DossierColumnType::Instant, "hạn trả của nguồn", "due date of the source"),
    column(
        "last_on_time_at",
        DossierColumnType::Instant,
        "lúc cuối cùng còn, hoặc có thể còn, đúng hạn",
        "last moment that is, or may be, on time, by the rule set",
    ),
    column("ended_at", DossierColumnType::Instant, "kết thúc", "end, by the rule set"),
    column("returned_at", DossierColumnType::Instant, "trả kết quả", "result returned, by portal or post"),
    column(
        "days_late",
        DossierColumnType::Number,
        "số ngày trễ (ngày lịch; 0: trễ trong ngày)",
        "days from the last moment on time to the end, or to the night while it is open",
    ),
    column("status", DossierColumnType::Word, "trạng thái của nguồn", "status of the source"),
    column("submission_channel", DossierColumnType::Word, "hình thức nộp", "submission channel"),
    column("supplement_requests", DossierColumnType::Number, "số lần yêu cầu bổ sung", "requests to supplement"),
    column("apology", DossierColumnType::Word, "văn bản xin lỗi", "apology"),
    column("late_cause", DossierColumnType::Word, "nguyên nhân trễ", "who caused the delay"),
    column("excluded_by", DossierColumnType::Text, "không thỏa điều kiện", "condition that leaves it out"),
    column("source", DossierColumnType::Text, "nguồn", "connector"),
    column("source_key", DossierColumnType::Text, "khóa ở nguồn", "key in the source"),
    column("run", DossierColumnType::Number, "lượt chạy", "run that brought the newest version"),
    column("page", DossierColumnType::Number, "trang hoặc tệp", "page or file of that run"),
    column("row", DossierColumnType::Number, "dòng", "row of that page"),
];

/// All columns as [`expressions_of`] has them.
pub(super) fn expressions(moment: i64) -> Vec<Expr> {
    expressions_of(&DOSSIER_COLUMNS.iter().collect::<Vec<_>>(), moment)
}

/// Columns as expressions over facts, with `excluded_by` and `agency` as numbers. `moment`: when states are read.
pub(in crate::indicators) fn expressions_of(columns: &[&DossierColumn], moment: i64) -> Vec<Expr> {
    let ended_at = when(col("is_ended")).then(micros("ends_at")).otherwise(lit(NULL)).cast(DataType::Int64);
    // Where it is not known which due date counts, the later one: so many days it is late in any case.
    let limit = when(col("is_ended")).then(col("late_from")).otherwise(col("open_overdue_from"));
    // An end without a date is late by an unknown number of days.
    let until = when(col("is_ended")).then(micros("ends_at")).otherwise(lit(moment));
    let is_late = until.clone().gt(limit.clone());
    let days_late = local_day(until).cast(DataType::Int64) - local_day(limit).cast(DataType::Int64);
    let of_name = |name: &'static str| match name {
        "agency_name" => col("agency"),
        "last_on_time_at" => col("late_from"),
        "ended_at" => ended_at.clone(),
        "returned_at" => micros("result_returned_at"),
        "days_late" => when(is_late.clone()).then(days_late.clone()).otherwise(lit(NULL)),
        "received_at" | "due_at" => micros(name),
        other => col(other),
    };
    columns.iter().map(|column| of_name(column.name).alias(column.name)).collect()
}

/// The cells of a list with all columns, row by row.
pub(super) fn cells(
    listed: &DataFrame,
    agencies: &Agencies,
    conditions: &[String],
) -> PolarsResult<Vec<Vec<DossierCell>>> {
    cells_of(listed, &DOSSIER_COLUMNS.iter().collect::<Vec<_>>(), agencies, conditions)
}

/// The cells of a list, row by row.
pub(in crate::indicators) fn cells_of(
    listed: &DataFrame,
    columns: &[&DossierColumn],
    agencies: &Agencies,
    conditions: &[String],
) -> PolarsResult<Vec<Vec<DossierCell>>> {
    let mut rows = vec![Vec::with_capacity(columns.len()); listed.height()];
    for declared in columns {
        let column = listed.column(declared.name)?;
        let cells: Vec<DossierCell> = match (declared.name, declared.column_type) {
            ("agency" | "agency_name", _) => {
                let text = |number: u32| {
                    let agency = &agencies.known[agencies.attributed_to(number) as usize];
                    let text = if declared.name == "agency" { &agency.code } else { &agency.name };
                    DossierCell::Text(text.to_string())
                };
                column.u32()?.iter().map(|number| number.map_or(DossierCell::Null, text)).collect()
            }
            ("excluded_by", _) => {
                let text = |number: u32| DossierCell::Text(conditions[number as usize].clone());
                column.u32()?.iter().map(|number| number.map_or(DossierCell::Null, text)).collect()
            }
            (_, DossierColumnType::Text | DossierColumnType::Word) => {
                let text = |text: &str| DossierCell::Text(text.to_owned());
                column.str()?.iter().map(|value| value.map_or(DossierCell::Null, text)).collect()
            }
            (_, column_type) => {
                let cell =
                    if column_type == DossierColumnType::Number { DossierCell::Number } else { DossierCell::Instant };
                let numbers = column.cast(&DataType::Int64)?;
                numbers.i64()?.iter().map(|number| number.map_or(DossierCell::Null, cell)).collect()
            }
        };
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
    }
    Ok(rows)
}

/// The value of a fact in a row.
pub(super) fn cell(column: &Column, fact_type: FactType, row: usize) -> PolarsResult<DossierCell> {
    let number = || Ok::<_, PolarsError>(column.cast(&DataType::Int64)?.i64()?.get(row));
    let cell = match fact_type {
        FactType::Flag => column.cast(&DataType::Boolean)?.bool()?.get(row).map(DossierCell::Flag),
        FactType::Text | FactType::Word(_) => {
            column.cast(&DataType::String)?.str()?.get(row).map(|text| DossierCell::Text(text.to_owned()))
        }
        FactType::Number => number()?.map(DossierCell::Number),
        FactType::Instant => number()?.map(DossierCell::Instant),
        FactType::Day => number()?.and_then(day_of).map(DossierCell::Text),
    };
    Ok(cell.unwrap_or(DossierCell::Null))
}

/// A day by its number since 1970-01-01, as `yyyy-MM-dd`.
fn day_of(number: i64) -> Option<String> {
    let span = jiff::Span::new().try_days(number).ok()?;
    date(1970, 1, 1).checked_add(span).ok().map(|day| day.to_string())
}
