//! Whether an apology for a late dossier (thư xin lỗi và hẹn lại ngày trả kết quả) was sent in time.
//!
//! NĐ 61/2018/NĐ-CP art. 19(9): it is sent at the latest one day before the limit, and a new date is given once only.

use polars::prelude::*;

use crate::indicators::due_dates::portal_due;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::states::last_moment_on_time;
use crate::model::rules::{ApologyDue, DueMoves, RuleSet};

/// Whether a dossier or a note states an apology: its number, its date, or the new due date that it gives.
pub(super) fn is_stated() -> Expr {
    let columns = ["apology_number", "apology_at", "apology_new_due_at"];
    columns.map(|name| col(name).is_not_null()).into_iter().reduce(Expr::or).expect("there are three columns")
}

/// Whether several rows of a group state more than one extension: different numbers, or different new due dates.
pub(super) fn has_several_extensions() -> Expr {
    let several = |name: &str| col(name).drop_nulls().n_unique().gt(lit(1_u32));
    several("apology_number").or(several("apology_new_due_at"))
}

/// The fact `apology`: `absent`, `repeated` (more than one extension), `timely` (sent on a day before that of the limit)
/// or `late`. Null if an apology is stated, but its day or the limit is unknown.
///
/// The limit is the one without the apology's extension. Needs `computed_due`, `has_apology` and `has_extensions`.
pub(super) fn timing(rules: &RuleSet) -> Expr {
    let before = RuleSet { apology: ApologyDue::Before, second_supplement_is_late: false, ..rules.clone() };
    let (certain, latest) = portal_due(&before);
    let limit_day = |portal: Expr| local_day(last_moment_on_time(&before, portal));
    let day = local_day(micros("apology_at"));
    let limit_is_hidden = match rules.due_moves {
        // If the source replaced its due date by the apology's and states no earlier one, the limit is only known to lie
        // before that date.
        DueMoves::Portal => {
            col("due_at").eq(col("apology_new_due_at")).and(col("first_due_at").is_null()).fill_null(lit(false))
        }
        // `certain` and `latest` differ.
        DueMoves::Explained => lit(false),
    };
    when(col("has_apology").not())
        .then(lit("absent"))
        .when(col("has_extensions"))
        .then(lit("repeated"))
        .when(day.clone().gt_eq(limit_day(latest)))
        .then(lit("late"))
        .when(day.lt(limit_day(certain)).and(limit_is_hidden.not()))
        .then(lit("timely"))
        .otherwise(lit(NULL).cast(DataType::String))
        .alias("apology")
}
