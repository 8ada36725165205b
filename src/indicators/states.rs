//! A rule set as three instants and a flag, none of which depends on the period.
//!
//! `counts_from` (reception), `overdue_from` (null: never), `ends_at` (null: open) and `ended_on_time`. At the rule
//! set's moment a dossier is in one of four states; a predicate that speaks of the state is evaluated for each.

use polars::prelude::*;

use crate::model::indicator::{DueChoice, MidnightDue, MissingDue, OtherEnds, RuleSet};
use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};

/// Statuses after which nothing more is done, whether or not the source gave an end.
const ENDED_STATUSES: [&str; 5] = ["refused", "withdrawn", "stopped", "completed", "returned"];
/// Vietnam's offset in microseconds.
const OFFSET: i64 = VIETNAM_OFFSET_SECS * 1_000_000;

/// The four states, as the columns that [`columns`] makes.
pub(super) const STATES: [&str; 4] = ["state_on_time", "state_late", "state_pending", "state_overdue"];

/// Microseconds of an instant column.
pub(super) fn micros(name: &str) -> Expr {
    col(name).cast(DataType::Int64)
}

/// Number of the local day of an instant in microseconds.
pub(super) fn local_day(instant: Expr) -> Expr {
    (instant + lit(OFFSET)).floor_div(lit(DAY_MICROS)).cast(DataType::Int32)
}

/// Adds `ordinal_due`: the working day that stands in for a missing due date, by the rule set's order.
/// Needs the columns of `days` and `procedures` joined on the day of reception.
pub(super) fn stand_in_due(facts: LazyFrame, rules: &RuleSet) -> LazyFrame {
    let time_of_day = (micros("received_at") + lit(OFFSET)) % lit(DAY_MICROS);
    let in_time =
        col("working").eq(lit(1)).and(time_of_day.lt(col("cut_off").fill_null(lit(15 * 3600 * 1_000_000_i64))));
    let same_day = col("ordinal") + when(in_time).then(lit(0)).otherwise(lit(1));
    let at_once = col("immediate").fill_null(lit(false)).or(col("certification").fill_null(lit(false)));
    let choices: Vec<Expr> = rules
        .missing_due
        .iter()
        .map(|choice| match choice {
            MissingDue::CutOff => when(at_once.clone()).then(same_day.clone()).otherwise(lit(NULL)),
            MissingDue::Statutory => col("ordinal") + col("statutory_days"),
        })
        .collect();
    let chosen = if choices.is_empty() { lit(NULL).cast(DataType::Int32) } else { coalesce(&choices) };
    facts.with_column(chosen.cast(DataType::Int32).alias("stand_in_ordinal"))
}

/// Adds the rule set's columns: `overdue_from`, `ends_at`, `ended_on_time` and the four states at `now`.
pub(super) fn columns(facts: LazyFrame, rules: &RuleSet, now: i64) -> LazyFrame {
    let DueChoice::BeforeApology = rules.due;
    let extended = col("apology_new_due_at").is_not_null().and(col("due_at").eq(col("apology_new_due_at")));
    let own_due =
        when(extended).then(coalesce(&[micros("first_due_at"), micros("due_at")])).otherwise(micros("due_at"));
    let MidnightDue::EndOfDay = rules.midnight_due;
    let is_date = ((own_due.clone() + lit(OFFSET)) % lit(DAY_MICROS)).eq(lit(0_i64));
    let own_due = when(is_date).then(own_due.clone() + lit(DAY_MICROS - 1)).otherwise(own_due);
    let stand_in = (col("stand_in_day").cast(DataType::Int64) + lit(1_i64)) * lit(DAY_MICROS) - lit(OFFSET + 1);
    let OtherEnds::OwnEnd = rules.other_ends;
    let ends = coalesce(&[micros("completed_at"), micros("withdrawn_at"), micros("refused_at"), micros("stopped_at")]);
    let ended_status =
        col("status").is_in(lit(Series::new("".into(), ENDED_STATUSES)).implode(false), false).fill_null(lit(false));

    let facts = facts
        .with_columns([
            coalesce(&[own_due, stand_in]).alias("overdue_from"),
            ends.alias("ends_at"),
            ended_status.alias("ended_status"),
        ])
        .with_columns([
            // No due date, or a status that says ended without saying when: never on time.
            col("ends_at").lt_eq(col("overdue_from")).fill_null(lit(false)).alias("ended_on_time"),
            // An end that lies ahead has not come yet; without an end the status decides.
            col("ends_at").lt_eq(lit(now)).fill_null(col("ended_status")).alias("is_ended_now"),
            col("overdue_from").lt(lit(now)).fill_null(lit(false)).alias("is_past_due_now"),
        ]);
    let ended = || col("is_ended_now");
    facts.with_columns([
        ended().and(col("ended_on_time")).alias(STATES[0]),
        ended().and(col("ended_on_time").not()).alias(STATES[1]),
        ended().not().and(col("is_past_due_now").not()).alias(STATES[2]),
        ended().not().and(col("is_past_due_now")).alias(STATES[3]),
    ])
}

/// Value of a state column of predicates in each of the four states.
pub(super) fn value_in(state: usize, column: &str, rules: &RuleSet) -> Option<bool> {
    let [on_time, late, pending, overdue] = [state == 0, state == 1, state == 2, state == 3];
    match column {
        "is_ended" => Some(on_time || late),
        "is_on_time" => Some(on_time || (pending && rules.open_in_time_counts)),
        "is_late" => Some(late),
        "is_pending" => Some(pending),
        "is_overdue" => Some(overdue),
        _ => None,
    }
}
