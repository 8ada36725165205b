//! Whether an apology for a late dossier (thư xin lỗi và hẹn lại ngày trả kết quả) was sent in time.
//!
//! NĐ 61/2018/NĐ-CP art. 19(9): it is sent at the latest one day before the limit, and a new date is given once only.

use std::sync::Arc;

use polars::prelude::*;

use crate::indicators::due_dates::portal_due;
use crate::indicators::local_time::{OFFSET, local_day, micros};
use crate::indicators::states::last_moment_on_time;
use crate::model::instant::DAY_MICROS;
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

/// The new due dates that the notes of a dossier promise, for dossiers of which several notes promise different ones.
#[derive(Debug)]
pub(super) struct Promises(Arc<PlHashMap<IdxSize, Vec<i64>>>);

impl Promises {
    /// Reads one list of instants for each row of the table of notes.
    pub(super) fn read(lists: &Column) -> PolarsResult<Self> {
        let mut promises = PlHashMap::new();
        for (row, list) in (0..).zip(lists.list()?.series_iter()) {
            let Some(list) = list else { continue };
            let instants: Vec<i64> = list.i64()?.iter().flatten().collect();
            if instants.iter().any(|instant| *instant != instants[0]) {
                promises.insert(row, instants);
            }
        }
        Ok(Self(Arc::new(promises)))
    }

    /// `apology_new_due_at`: the promise that is the dossier's due date, if there is one; else its value as it is. `note` is
    /// the dossier's row in the table of notes.
    ///
    /// A due date that any of the apologies gave is not the one that the office had to keep.
    pub(super) fn kept(&self, note: Expr) -> Expr {
        let newest = col("apology_new_due_at");
        if self.0.is_empty() {
            return newest;
        }
        let promises = Arc::clone(&self.0);
        let choose = move |columns: &mut [Column]| -> PolarsResult<Column> {
            let (notes, dues) = (columns[0].idx()?, columns[1].i64()?);
            let promise_of_due = |(note, due): (Option<IdxSize>, Option<i64>)| {
                let due = due?;
                promises.get(&note?)?.iter().copied().find(|promise| is_same_date(due, *promise))
            };
            let chosen: Int64Chunked = notes.iter().zip(dues.iter()).map(promise_of_due).collect();
            Ok(chosen.with_name(columns[0].name().clone()).into_column())
        };
        let of_due = note.map_many(choose, &[micros("due_at")], |_, fields| {
            Ok(Field::new(fields[0].name().clone(), DataType::Int64))
        });
        coalesce(&[of_due.cast(DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))), newest])
            .alias("apology_new_due_at")
    }
}

/// Whether two due dates are the same. Midnight stands for a date without a time of day, which is compared by its day.
fn is_same_date(due: i64, promise: i64) -> bool {
    let local = |instant: i64| instant + OFFSET;
    let is_date = |instant: i64| local(instant).rem_euclid(DAY_MICROS) == 0;
    let day = |instant: i64| local(instant).div_euclid(DAY_MICROS);
    due == promise || (is_date(due) || is_date(promise)) && day(due) == day(promise)
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
