//! The due date of the source as a rule set reads it (rule e of `seed-2639`).
//!
//! Two moments: the last one that is on time for certain, and the last one that may be on time. They are equal unless the
//! due date that counts is not known. A dossier that ended between them is neither on time nor late.

use polars::prelude::*;

use crate::indicators::local_time::{is_before_reception, is_date, local_day, micros};
use crate::model::instant::DAY_MICROS;
use crate::model::rules::{ApologyDue, DueComparison, DueMoves, MidnightDue, RuleSet};

/// The columns that show whether a source states supplements and suspensions at all.
const PAUSES: [&str; 4] = ["status", "supplement_requests", "supplement_requested_at", "supplement_received_at"];

/// Whether the due date was moved to a later one than supplements and suspensions explain. Null if the source states
/// neither: the move is then unknown.
pub(super) fn is_moved_unexplained() -> Expr {
    let moved = micros("due_at").gt(micros("explained_due_at")).fill_null(lit(false));
    when(moved.clone().and(states_no_pauses())).then(lit(NULL)).otherwise(moved)
}

fn states_no_pauses() -> Expr {
    PAUSES.iter().map(|name| col(*name).is_null()).reduce(Expr::and).unwrap_or(lit(false))
}

/// Whether the due date is the one that an apology announced. Dates without a time of day are compared by their day.
fn is_extended(due: Expr) -> Expr {
    let apology = micros("apology_new_due_at");
    let by_day =
        is_date(due.clone()).or(is_date(apology.clone())).and(local_day(due.clone()).eq(local_day(apology.clone())));
    due.eq(apology).or(by_day).fill_null(lit(false))
}

/// Adds `portal_due`, the last moment that is on time by the source's due date, and `portal_due_latest`, the last moment
/// that may be. Both are null if the source states no due date.
pub(super) fn with_portal_due(facts: LazyFrame, rules: &RuleSet) -> LazyFrame {
    let (certain, possible) = portal_due(rules);
    facts.with_columns([certain.alias("portal_due"), possible.alias("portal_due_latest")])
}

/// The last moment that is on time for certain by the source's due date, and the last one that may be.
pub(super) fn portal_due(rules: &RuleSet) -> (Expr, Expr) {
    match rules.due_moves {
        DueMoves::Portal => {
            let due = last_moment(rules, due_of_portal(rules));
            (due.clone(), due)
        }
        DueMoves::Explained => explained_due(rules),
    }
}

/// The due date that the source shows, or the one before an apology if the source states it.
fn due_of_portal(rules: &RuleSet) -> Expr {
    let due = micros("due_at");
    match rules.apology {
        ApologyDue::After => due,
        ApologyDue::Before => {
            let extended = col("apology_new_due_at").is_not_null().and(col("due_at").eq(col("apology_new_due_at")));
            when(extended).then(coalesce(&[micros("first_due_at"), due.clone()])).otherwise(due)
        }
    }
}

/// The earlier of the due date and the latest one that is explained.
fn explained_due(rules: &RuleSet) -> (Expr, Expr) {
    let (first, explained) = (micros("known_first_due_at"), micros("explained_due_at"));
    // A due date before the reception is none.
    let due = when(is_before_reception(micros("due_at"))).then(lit(NULL)).otherwise(micros("due_at"));
    let is_moved = explained.clone().lt(due.clone());
    let held_to = when(is_moved.clone()).then(explained.clone()).otherwise(coalesce(&[due.clone(), explained.clone()]));
    let is_unknown = is_moved.and(states_no_pauses());
    let latest = when(is_unknown).then(due.clone()).otherwise(held_to.clone());
    let is_extended = is_extended(due.clone());
    let (held_to, latest) = (last_moment(rules, held_to), last_moment(rules, latest));
    match rules.apology {
        ApologyDue::After => {
            let due = last_moment(rules, due);
            let or_due = |other: Expr| when(is_extended.clone()).then(due.clone()).otherwise(other);
            (or_due(held_to), or_due(latest))
        }
        ApologyDue::Before => {
            // The date before the apology. If no version stated it, only the apology's own date is certain to be too late.
            let before =
                |due_before: Expr| when(due_before.clone().lt(micros("due_at"))).then(due_before).otherwise(lit(NULL));
            let before = last_moment(rules, coalesce(&[before(explained), before(first)]));
            let extended = coalesce(&[before.clone(), micros("received_at") - lit(1_i64)]);
            let extended_latest = coalesce(&[before, last_moment(rules, due)]);
            (
                when(is_extended.clone()).then(extended).otherwise(held_to),
                when(is_extended.clone()).then(extended_latest).otherwise(latest),
            )
        }
    }
}

/// The last moment that is on time by a due date.
fn last_moment(rules: &RuleSet, due: Expr) -> Expr {
    let moment = match rules.compare {
        DueComparison::Instant | DueComparison::Date => due.clone(),
        DueComparison::InstantStrict => due.clone() - lit(1_i64),
    };
    match rules.midnight_due {
        MidnightDue::EndOfDay => when(is_date(due.clone())).then(due + lit(DAY_MICROS - 1)).otherwise(moment),
        MidnightDue::Moment => moment,
    }
}
