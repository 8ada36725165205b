//! Applies a rule set to dossiers: adds when each becomes overdue, when it ends, whether it is on time, and its state.
//!
//! Three instants and a flag do not depend on the period: the reception, `overdue_from` (null: never overdue),
//! `ends_at` (null: open) and `ended_on_time`. At the rule set's moment a dossier is in exactly one of the four
//! [`STATES`]. A predicate over the state is evaluated once for each state.

use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{ProcedureTime, WorkingDayTable};
use crate::indicators::apologies;
use crate::indicators::local_time::{OFFSET, is_before_reception, is_date, local_day, micros};
use crate::model::instant::DAY_MICROS;
use crate::model::rules::{CutOff, DueChoice, DueComparison, EndDate, MissingDue, RuleSet, SupplementRule, WithoutDue};

/// 15:00, for procedures that are not in the registry (NĐ 61/2018/NĐ-CP art. 18(2)), in microseconds of the day.
const USUAL_CUT_OFF: i64 = 15 * 3600 * 1_000_000;

/// The four states: boolean columns that [`state_columns`] adds. [`ON_TIME`] to [`OVERDUE`] are positions in it.
pub(super) const STATES: [&str; 4] = ["state_on_time", "state_late", "state_pending", "state_overdue"];

/// Ended on time.
pub(super) const ON_TIME: usize = 0;
/// Ended late.
pub(super) const LATE: usize = 1;
/// Open and not overdue.
pub(super) const PENDING: usize = 2;
/// Open and overdue.
pub(super) const OVERDUE: usize = 3;

/// Adds `computed_due`: the last moment that is on time by the procedure's statutory time or its same-day rule. Null if
/// the rule set does not need it for the dossier, or if neither applies.
///
/// It counts like [`WorkingCalendar::due`](crate::calendar::WorkingCalendar::due). Needs the columns `procedure` and `portal_due`.
pub(super) fn computed_due(
    facts: LazyFrame,
    rules: &RuleSet,
    days: &Arc<WorkingDayTable>,
    allowed: &Arc<[ProcedureTime]>,
) -> LazyFrame {
    // If only the portal's due date counts, it is computed for dossiers without one; else for every dossier.
    let for_every_dossier = rules.due != DueChoice::Portal;
    let both = [MissingDue::CutOff, MissingDue::Statutory];
    let choices = if for_every_dossier { both.to_vec() } else { rules.missing_due.clone() };
    if choices.is_empty() {
        return facts.with_columns([lit(NULL).cast(DataType::Int64).alias("computed_due")]);
    }
    let (days, allowed, cut_off_for_every) = (Arc::clone(days), Arc::clone(allowed), rules.cut_off == CutOff::Every);
    let last_moment = move |from: i64, procedure: Option<IdxSize>, certification: bool| {
        let known = procedure.and_then(|number| allowed.get(number as usize));
        let cut_off = known.map_or(USUAL_CUT_OFF, |known| known.cut_off);
        choices.iter().find_map(|choice| match choice {
            MissingDue::CutOff if is_resolved_same_day(known, certification) => days.immediate_due(from, cut_off),
            MissingDue::CutOff => None,
            MissingDue::Statutory => days.statutory_due(from, known?.time?, cut_off_for_every.then_some(cut_off)),
        })
    };
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let (from, due) = (columns[0].i64()?, columns[1].i64()?);
        let (procedure, certification) = (columns[2].idx()?, columns[3].bool()?);
        let rows = from.iter().zip(due.iter()).zip(procedure.iter().zip(certification.iter()));
        let computed: Int64Chunked = rows
            .map(|((from, due), (procedure, certification))| {
                let from = from.filter(|_| for_every_dossier || due.is_none())?;
                last_moment(from, procedure, certification == Some(true))
            })
            .collect();
        Ok(computed.with_name(columns[0].name().clone()).into_column())
    };
    let arguments = [col("portal_due"), col("procedure"), col("certification")];
    let due = clock_from(rules)
        .map_many(compute, &arguments, |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)));
    facts.with_columns([due.alias("computed_due")])
}

/// Whether a dossier is due on the day of reception: procedures with immediate result, and certification unless its
/// procedure has a statutory time (NĐ 23/2015/NĐ-CP art. 7: copies in quantity, signatures and contracts have a time of
/// their own). `procedure`: `None` if it is not in the registry.
fn is_resolved_same_day(procedure: Option<&ProcedureTime>, certification: bool) -> bool {
    match procedure {
        Some(known) => known.immediate || (certification && known.time.is_none()),
        None => certification,
    }
}

/// The moment from which a statutory time runs: the reception, or that of the last supplement if the rule set restarts
/// it.
fn clock_from(rules: &RuleSet) -> Expr {
    match rules.supplement {
        SupplementRule::Restart => coalesce(&[micros("supplement_received_at"), micros("received_at")]),
        SupplementRule::Pause => micros("received_at"),
    }
}

/// The last moment that is on time by a due date: the end of the day if it has no time of day.
pub(super) fn end_of_due(due: Expr) -> Expr {
    when(is_date(due.clone())).then(due.clone() + lit(DAY_MICROS - 1)).otherwise(due)
}

/// The last microsecond of the local day of an instant.
fn end_of_day(instant: Expr) -> Expr {
    (instant + lit(OFFSET)).floor_div(lit(DAY_MICROS)) * lit(DAY_MICROS) + lit(DAY_MICROS - OFFSET - 1)
}

/// The last moment that is on time by the rule set, given the source's; null if there is no due date of any kind.
pub(super) fn last_moment_on_time(rules: &RuleSet, portal: Expr) -> Expr {
    let computed = col("computed_due");
    let chosen = match rules.due {
        DueChoice::Portal => coalesce(&[portal, computed]),
        DueChoice::Statutory => coalesce(&[computed, portal]),
        DueChoice::Earlier => {
            let computed_is_earlier = computed.clone().lt(portal.clone()).fill_null(portal.clone().is_null());
            when(computed_is_earlier).then(computed).otherwise(portal)
        }
    };
    let paused = match rules.supplement {
        SupplementRule::Restart => chosen,
        SupplementRule::Pause => {
            let pause = micros("supplement_received_at") - micros("supplement_requested_at");
            chosen + when(pause.clone().gt(lit(0))).then(pause).otherwise(lit(0_i64)).fill_null(lit(0_i64))
        }
    };
    let by_day = if rules.compare == DueComparison::Date { end_of_day(paused) } else { paused };
    if rules.second_supplement_is_late {
        // One microsecond before reception, so that any end is late.
        when(asked_more_than_once()).then(micros("received_at") - lit(1_i64)).otherwise(by_day)
    } else {
        by_day
    }
}

fn asked_more_than_once() -> Expr {
    col("supplement_requests").gt(lit(1_i64)).fill_null(lit(false))
}

/// Whether the status is one of the words.
pub(super) fn status_is_in(words: &[&str]) -> Expr {
    // Not `is_in`: the streaming engine turns it into a join.
    let is = words.iter().map(|word| col("status").eq(lit(*word)));
    is.reduce(Expr::or).map_or(lit(false), |is| is.fill_null(lit(false)))
}

fn end_date(end: EndDate) -> Expr {
    micros(match end {
        EndDate::Finished => return finished_at(),
        EndDate::Completed => "completed_at",
        EndDate::Returned => "returned_at",
        EndDate::Withdrawn => "withdrawn_at",
        EndDate::Refused => "refused_at",
        EndDate::Stopped => "stopped_at",
    })
}

/// The earlier of completion and return.
fn finished_at() -> Expr {
    let [completed, returned] = ["completed_at", "returned_at"].map(micros);
    let completed_first = completed.clone().lt_eq(returned.clone()).fill_null(returned.clone().is_null());
    when(completed_first).then(completed).otherwise(returned)
}

/// Adds `processing_hours`: whole working hours from reception to the end; null if the end is before the reception.
/// Needs [`state_columns`].
pub(super) fn processing_hours(facts: LazyFrame, days: &Arc<WorkingDayTable>) -> LazyFrame {
    let days = Arc::clone(days);
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let (from, to) = (columns[0].i64()?, columns[1].i64()?);
        let hours: Int64Chunked =
            from.iter().zip(to.iter()).map(|(from, to)| Some(days.hours_between(from?, to?))).collect();
        Ok(hours.with_name(columns[0].name().clone()).into_column())
    };
    let end = when(col("ends_before_reception")).then(lit(NULL)).otherwise(col("ends_at"));
    let hours = micros("received_at")
        .map_many(compute, &[end], |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)));
    facts.with_columns([hours.alias("processing_hours")])
}

/// Adds the rule set's columns: `overdue_from`, `late_from`, `ends_at`, `ended_on_time` (null if undecided), `ends_early`,
/// `apology` and the four [`STATES`] at `now`.
pub(super) fn state_columns(facts: LazyFrame, rules: &RuleSet, now: i64) -> LazyFrame {
    let ends: Vec<Expr> = rules.ends.iter().map(|end| end_date(*end)).collect();
    let mut end = coalesce(&ends);
    let ends_before_reception = is_before_reception(end.clone());
    if rules.supplement == SupplementRule::Pause {
        // A dossier that waits for its first supplement ends with the request.
        let waits = status_is_in(&["supplement"]).and(asked_more_than_once().not());
        end = coalesce(&[end, when(waits).then(micros("supplement_requested_at")).otherwise(lit(NULL))]);
    }
    // The dossier's end is of a kind that is always on time, if no kind that precedes it in `ends` has a date.
    let always_on_time = rules.on_time_ends.iter().map(|kind| {
        let before = rules.ends.iter().take_while(|end| *end != kind).map(|end| end_date(*end).is_null());
        before.fold(end_date(*kind).is_not_null(), Expr::and)
    });
    let always_on_time = always_on_time.reduce(Expr::or).unwrap_or(lit(false));
    let always_on_time_statuses: Vec<&str> = rules
        .on_time_ends
        .iter()
        .flat_map(|end| RuleSet { ends: vec![*end], ..rules.clone() }.ended_statuses())
        .collect();
    let on_time_without_due = lit(rules.without_due == WithoutDue::OnTime);
    let clock_stopped: Vec<&str> = rules.clock_stopped.iter().map(|status| status.name()).collect();

    // The end lies between the last moment that is on time for certain and the last one that may be.
    let is_undecided = col("ends_at").gt(col("overdue_from")).and(col("ends_at").lt_eq(col("late_from")));

    let facts = facts
        .with_columns([
            last_moment_on_time(rules, col("portal_due")).alias("overdue_from"),
            // Later than `overdue_from` if the due date that counts is not known.
            last_moment_on_time(rules, col("portal_due_latest")).alias("late_from"),
            apologies::timing(rules),
            end.alias("ends_at"),
            status_is_in(&rules.ended_statuses()).alias("ended_status"),
            ends_before_reception.alias("ends_before_reception"),
        ])
        .with_columns([
            // An end after `now` is ignored. Without an end the status decides.
            col("ends_at").lt_eq(lit(now)).fill_null(col("ended_status")).alias("is_ended_now"),
        ])
        .with_columns([
            when(col("ends_at").is_not_null())
                .then(
                    always_on_time
                        .or(when(is_undecided).then(lit(NULL)).otherwise(
                            col("ends_at").lt_eq(col("overdue_from")).fill_null(on_time_without_due.clone()),
                        ))
                        .and(col("ends_before_reception").not()),
                )
                // A dossier that has ended by its status, without a date, is late unless its kind of end is always on
                // time.
                .otherwise(status_is_in(&always_on_time_statuses))
                .alias("ended_on_time"),
            // A dossier whose clock is stopped does not become overdue. Only its newest status is known, so that one is
            // used.
            when(status_is_in(&clock_stopped)).then(lit(NULL)).otherwise(col("late_from")).alias("open_overdue_from"),
            local_day(col("ends_at")).lt(local_day(col("overdue_from"))).fill_null(lit(false)).alias("ends_early"),
            (col("overdue_from").gt_eq(lit(now)).or(col("late_from").eq(col("overdue_from"))))
                .fill_null(on_time_without_due)
                .alias("can_end_on_time"),
        ])
        .with_columns([col("open_overdue_from").lt(lit(now)).fill_null(lit(false)).alias("is_past_due_now")]);
    let ended = || col("is_ended_now");
    let is_on_time = || col("ended_on_time").fill_null(lit(false));
    facts.with_columns([
        // What is undecided counts as not on time.
        ended().and(is_on_time()).alias(STATES[ON_TIME]),
        ended().and(is_on_time().not()).alias(STATES[LATE]),
        ended().not().and(col("is_past_due_now").not()).alias(STATES[PENDING]),
        ended().not().and(col("is_past_due_now")).alias(STATES[OVERDUE]),
    ])
}

/// Value that a column of predicates has in a state; `None` if the column does not depend on the state.
pub(super) fn value_in(state: usize, column: &str, rules: &RuleSet) -> Option<Expr> {
    let [on_time, late, pending, overdue] = [ON_TIME, LATE, PENDING, OVERDUE].map(|one| state == one);
    let has_limit = || col("overdue_from").is_not_null().or(lit(rules.without_due == WithoutDue::OnTime));
    let value = match column {
        "is_ended" => on_time || late,
        // A dossier that is open in time counts only if it can become late, or if the rule set needs no due date.
        "is_on_time" if pending && rules.open_in_time_counts => return Some(col("can_end_on_time")),
        "is_on_time" => on_time,
        // Without any limit nobody knows whether a dossier is late, although it is not on time.
        "is_late" if late => {
            let is_known = has_limit().or(col("ends_before_reception"));
            return Some(when(is_known).then(lit(true)).otherwise(lit(NULL)));
        }
        "is_overdue" if pending => return Some(when(has_limit()).then(lit(false)).otherwise(lit(NULL))),
        "is_late" => late,
        "is_pending" => pending,
        "is_overdue" => overdue,
        _ => return None,
    };
    Some(lit(value))
}
