//! The columns of a list of dossiers.

use jiff::civil::date;
use polars::prelude::*;
use serde_json::{Map, Value};

use crate::indicators::agencies::Agencies;
use crate::indicators::local_time::{local_day, micros};
use crate::model::list::{ListCell, ListColumn, ListColumnType, row_json};
use crate::model::predicate::FactType;

/// A row of cells in JSON, by the names of [`DOSSIER_COLUMNS`].
#[must_use]
pub fn dossier_json(row: &[ListCell]) -> Map<String, Value> {
    row_json(DOSSIER_COLUMNS, row)
}

/// The columns, in the order in which they are shown.
pub const DOSSIER_COLUMNS: &[ListColumn] = &[
    ListColumn::new("dossier_code", ListColumnType::Text, "mã hồ sơ", "code of the dossier"),
    ListColumn::new("agency", ListColumnType::Text, "cơ quan", "agency that it counts for"),
    ListColumn::new("agency_name", ListColumnType::Text, "tên cơ quan", "its name"),
    ListColumn::new("procedure_code", ListColumnType::Text, "thủ tục", "procedure"),
    ListColumn::new("received_at", ListColumnType::Instant, "tiếp nhận", "received"),
    ListColumn::new("due_at", ListColumnType::Instant, "hạn trả của nguồn", "due date of the source"),
    ListColumn::new(
        "last_on_time_at",
        ListColumnType::Instant,
        "lúc cuối cùng còn, hoặc có thể còn, đúng hạn",
        "last moment that is, or may be, on time, by the rule set",
    ),
    ListColumn::new("ended_at", ListColumnType::Instant, "kết thúc", "end, by the rule set"),
    ListColumn::new("returned_at", ListColumnType::Instant, "trả kết quả", "result returned, by portal or post"),
    ListColumn::new(
        "days_late",
        ListColumnType::Number,
        "số ngày trễ (ngày lịch; 0: trễ trong ngày)",
        "days from the last moment on time to the end, or to the night while it is open",
    ),
    ListColumn::new("status", ListColumnType::Word, "trạng thái của nguồn", "status of the source"),
    ListColumn::new("submission_channel", ListColumnType::Word, "hình thức nộp", "submission channel"),
    ListColumn::new("supplement_requests", ListColumnType::Number, "số lần yêu cầu bổ sung", "requests to supplement"),
    ListColumn::new("apology", ListColumnType::Word, "văn bản xin lỗi", "apology"),
    ListColumn::new("late_cause", ListColumnType::Word, "nguyên nhân trễ", "who caused the delay"),
    ListColumn::new("excluded_by", ListColumnType::Text, "không thỏa điều kiện", "condition that leaves it out"),
    ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
    ListColumn::new("source_key", ListColumnType::Text, "khóa ở nguồn", "key in the source"),
    ListColumn::new("run", ListColumnType::Number, "lượt chạy", "run that brought the newest version"),
    ListColumn::new("page", ListColumnType::Number, "trang hoặc tệp", "page or file of that run"),
    ListColumn::new("row", ListColumnType::Number, "dòng", "row of that page"),
];

/// The columns of a list of feedback.
pub const FEEDBACK_COLUMNS: &[ListColumn] = &[
    ListColumn::new("feedback_code", ListColumnType::Text, "mã phản ánh", "code of the feedback"),
    ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency that it counts for"),
    ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
    ListColumn::new("subject", ListColumnType::Word, "về", "subject"),
    ListColumn::new("procedure_code", ListColumnType::Text, "thủ tục", "procedure"),
    ListColumn::new("received_at", ListColumnType::Instant, "tiếp nhận", "received"),
    ListColumn::new("due_at", ListColumnType::Instant, "hạn xử lý", "due date"),
    ListColumn::new("handled_at", ListColumnType::Instant, "xử lý xong", "handled"),
    ListColumn::new("outcome", ListColumnType::Word, "kết quả xử lý", "outcome"),
    ListColumn::new("answered_at", ListColumnType::Instant, "trả lời", "answered"),
    ListColumn::new("published_at", ListColumnType::Instant, "công khai", "published"),
    ListColumn::new("excluded_by", ListColumnType::Text, "không thỏa điều kiện", "condition that leaves it out"),
    ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
    ListColumn::new("source_key", ListColumnType::Text, "khóa ở nguồn", "key in the source"),
    ListColumn::new("run", ListColumnType::Number, "lượt chạy", "run that brought the newest version"),
    ListColumn::new("page", ListColumnType::Number, "trang hoặc tệp", "page or file of that run"),
    ListColumn::new("row", ListColumnType::Number, "dòng", "row of that page"),
];

/// The cells of a list of feedback, row by row.
pub(super) fn feedback_cells(
    listed: &DataFrame,
    agencies: &Agencies,
    conditions: &[ListCell],
) -> PolarsResult<Vec<Vec<ListCell>>> {
    let mut listed = listed.clone();
    listed.with_column(listed.column("agency")?.clone().with_name("agency_name".into()))?;
    for column in FEEDBACK_COLUMNS {
        let wanted = match column.column_type {
            ListColumnType::Text | ListColumnType::Word
                if !matches!(column.name, "agency" | "agency_name" | "excluded_by") =>
            {
                DataType::String
            }
            ListColumnType::Instant => DataType::Int64,
            _ => continue,
        };
        listed.with_column(listed.column(column.name)?.cast(&wanted)?)?;
    }
    cells_of(&listed, &FEEDBACK_COLUMNS.iter().collect::<Vec<_>>(), agencies, conditions)
}

/// All columns as [`expressions_of`] has them.
pub(super) fn expressions(moment: i64) -> Vec<Expr> {
    expressions_of(&DOSSIER_COLUMNS.iter().collect::<Vec<_>>(), moment)
}

/// Columns as expressions over facts, with `excluded_by` and `agency` as numbers. `moment`: when states are read.
pub(in crate::indicators) fn expressions_of(columns: &[&ListColumn], moment: i64) -> Vec<Expr> {
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
    conditions: &[ListCell],
) -> PolarsResult<Vec<Vec<ListCell>>> {
    cells_of(listed, &DOSSIER_COLUMNS.iter().collect::<Vec<_>>(), agencies, conditions)
}

/// The cells of a list, row by row.
pub(in crate::indicators) fn cells_of(
    listed: &DataFrame,
    columns: &[&ListColumn],
    agencies: &Agencies,
    conditions: &[ListCell],
) -> PolarsResult<Vec<Vec<ListCell>>> {
    let mut rows = vec![Vec::with_capacity(columns.len()); listed.height()];
    for declared in columns {
        let column = listed.column(declared.name)?;
        let cells: Vec<ListCell> = match (declared.name, declared.column_type) {
            ("agency" | "agency_name", _) => {
                let text = |number: u32| {
                    let agency = &agencies.known[agencies.attributed_to(number) as usize];
                    let text = if declared.name == "agency" { &agency.code } else { &agency.name };
                    ListCell::Text(text.to_string())
                };
                column.u32()?.iter().map(|number| number.map_or(ListCell::Null, text)).collect()
            }
            ("excluded_by", _) => {
                let condition = |number: u32| conditions[number as usize].clone();
                column.u32()?.iter().map(|number| number.map_or(ListCell::Null, condition)).collect()
            }
            (_, ListColumnType::Text | ListColumnType::Word) => {
                let text = |text: &str| ListCell::Text(text.to_owned());
                column.str()?.iter().map(|value| value.map_or(ListCell::Null, text)).collect()
            }
            (_, column_type) => {
                let cell = if column_type == ListColumnType::Number { ListCell::Number } else { ListCell::Instant };
                let numbers = column.cast(&DataType::Int64)?;
                numbers.i64()?.iter().map(|number| number.map_or(ListCell::Null, cell)).collect()
            }
        };
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
    }
    Ok(rows)
}

/// The value of a fact in a row.
pub(super) fn cell(column: &Column, fact_type: FactType, row: usize) -> PolarsResult<ListCell> {
    let number = || Ok::<_, PolarsError>(column.cast(&DataType::Int64)?.i64()?.get(row));
    let cell = match fact_type {
        FactType::Flag => column.cast(&DataType::Boolean)?.bool()?.get(row).map(ListCell::Flag),
        FactType::Text | FactType::Word(_) => {
            column.cast(&DataType::String)?.str()?.get(row).map(|text| ListCell::Text(text.to_owned()))
        }
        FactType::Number => number()?.map(ListCell::Number),
        FactType::Instant => number()?.map(ListCell::Instant),
        FactType::Day => number()?.and_then(day_of).map(ListCell::Text),
    };
    Ok(cell.unwrap_or(ListCell::Null))
}

/// A day by its number since 1970-01-01, as `yyyy-MM-dd`.
fn day_of(number: i64) -> Option<String> {
    let span = jiff::Span::new().try_days(number).ok()?;
    date(1970, 1, 1).checked_add(span).ok().map(|day| day.to_string())
}
