//! Applies a rule set to dossiers: adds when each becomes overdue, when it ends, whether it is on time, and its state.
//!
//! Three instants and two flags do not depend on the period: the reception, `overdue_from` (null: never overdue),
//! `ends_at` (null: open, or ended by its status without a date), `ended_on_time` and `ended_late`. The columns of
//! [`STATE_COLUMNS`](crate::model::predicate::STATE_COLUMNS) say what the dossier is at the rule set's moment; those of
//! another moment are expressions that depend on its [`Phase`] then. A flag is null if it is not known.

use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{ProcedureTime, WorkingDayTable};
use crate::indicators::local_time::{OFFSET, is_before_reception, is_date, local_day, micros};
use crate::model::instant::DAY_MICROS;
use crate::model::rules::{
    CutOff, DueChoice, DueComparison, EndDate, LateOrUnknown, MissingDue, RuleSet, SupplementRule, WithoutDue,
};

/// 15:00, for procedures that are not in the registry (NĐ 61/2018/NĐ-CP art. 18(2)), in microseconds of the day.
const USUAL_CUT_OFF: i64 = 15 * 3600 * 1_000_000;

/// What a dossier is at a moment, as far as predicates over its state need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Ended; `ended_on_time` and `ended_late` say how.
    Ended,
    /// Ended on time: what a dossier that is open in time can still become.
    EndedOnTime,
    /// Open and not overdue.
    OpenInTime,
    /// Open and overdue.
    Overdue,
}

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

/// Adds the rule set's columns: `overdue_from`, `late_from`, `ends_at`, `ended_on_time`, `ended_late`, `ends_early`,
/// and the state at `now`.
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
    let is_between_limits = col("overdue_from").lt(lit(now)).and(col("open_overdue_from").gt_eq(lit(now)));
    let undated = match rules.undated_end {
        LateOrUnknown::Late => lit(false),
        LateOrUnknown::Unknown => lit(NULL).cast(DataType::Boolean),
    };
    let undated_on_time = match always_on_time_statuses[..] {
        [] => undated,
        _ => when(status_is_in(&always_on_time_statuses)).then(lit(true)).otherwise(undated),
    };
    // Whether such a dossier is late or overdue is not known: no source and no registry gives it a limit.
    let has_no_known_limit = match (rules.without_due, rules.missing_limit) {
        (WithoutDue::OnTime, _) | (_, LateOrUnknown::Late) => lit(false),
        (WithoutDue::NotOnTime, LateOrUnknown::Unknown) => {
            let has_none = col("overdue_from").is_null().and(col("procedure_known").not());
            has_none.and(status_is_in(&clock_stopped).not())
        }
    };
    let unknown_if = |condition: Expr, otherwise: Expr| when(condition).then(lit(NULL)).otherwise(otherwise);

    let facts = facts
        .with_columns([
            last_moment_on_time(rules, col("portal_due")).alias("overdue_from"),
            // Later than `overdue_from` if the due date that counts is not known.
            last_moment_on_time(rules, col("portal_due_latest")).alias("late_from"),
            end.alias("ends_at"),
            status_is_in(&rules.ended_statuses()).alias("ended_status"),
            ends_before_reception.alias("ends_before_reception"),
        ])
        .with_columns([
            // An end after `now` is ignored. Without an end the status decides.
            col("ends_at").lt_eq(lit(now)).fill_null(col("ended_status")).alias("is_ended"),
            when(col("ends_at").is_not_null())
                .then(
                    always_on_time
                        .or(when(is_undecided).then(lit(NULL)).otherwise(
                            col("ends_at").lt_eq(col("overdue_from")).fill_null(on_time_without_due.clone()),
                        ))
                        .and(col("ends_before_reception").not()),
                )
                .otherwise(undated_on_time)
                .alias("ended_on_time"),
            has_no_known_limit.alias("has_no_known_limit"),
            // A dossier whose clock is stopped does not become overdue. Only its newest status is known, so that one is
            // used.
            when(status_is_in(&clock_stopped)).then(lit(NULL)).otherwise(col("late_from")).alias("open_overdue_from"),
            local_day(col("ends_at")).lt(local_day(col("overdue_from"))).fill_null(lit(false)).alias("ends_early"),
            (col("overdue_from").gt_eq(lit(now)).or(col("late_from").eq(col("overdue_from"))))
                .fill_null(on_time_without_due)
                .alias("can_end_on_time"),
        ])
        .with_columns([
            unknown_if(col("has_no_known_limit").and(col("ends_before_reception").not()), col("ended_on_time").not())
                .alias("ended_late"),
            // Past the last moment that is on time for certain, and not past the last one that may be: not known.
            unknown_if(
                col("has_no_known_limit").or(is_between_limits),
                col("open_overdue_from").lt(lit(now)).fill_null(lit(false)),
            )
            .alias("is_past_due"),
            unknown_if(col("is_ended").and(col("ends_at").is_null()), col("ends_early")).alias("ends_early"),
        ]);
    let of_open = |value: Expr| when(col("is_ended")).then(lit(false)).otherwise(value);
    let open_on_time =
        if rules.open_in_time_counts { col("is_past_due").not().and(col("can_end_on_time")) } else { lit(false) };
    facts.with_columns([
        when(col("is_ended")).then(col("ended_on_time")).otherwise(open_on_time).alias("is_on_time"),
        when(col("is_ended")).then(col("ended_late")).otherwise(lit(false)).alias("is_late"),
        of_open(col("is_past_due").not()).alias("is_pending"),
        of_open(col("is_past_due")).alias("is_overdue"),
    ])
}

/// Value that a column of predicates has in a phase; `None` if the column does not depend on the state.
pub(super) fn value_in(phase: Phase, column: &str, rules: &RuleSet) -> Option<Expr> {
    let is_ended = matches!(phase, Phase::Ended | Phase::EndedOnTime);
    let of_open = |is_so: bool| {
        let value = lit(is_so);
        if is_ended { value } else { when(col("has_no_known_limit")).then(lit(NULL)).otherwise(value) }
    };
    Some(match (column, phase) {
        ("is_ended", _) => lit(is_ended),
        ("is_on_time", Phase::Ended) => col("ended_on_time"),
        ("is_late", Phase::Ended) => col("ended_late"),
        // A dossier that is open in time counts only if it can become late, or if the rule set needs no due date.
        ("is_on_time", Phase::OpenInTime) if rules.open_in_time_counts => col("can_end_on_time"),
        ("is_on_time", _) => lit(phase == Phase::EndedOnTime),
        ("is_late", _) => lit(false),
        ("is_pending", _) => of_open(phase == Phase::OpenInTime),
        ("is_overdue", _) => of_open(phase == Phase::Overdue),
        _ => return None,
    })
}
