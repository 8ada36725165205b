//! A rule set as three instants and a flag, none of which depends on the period.
//!
//! `counts_from` (reception), `overdue_from` (null: never), `ends_at` (null: open) and `ended_on_time`. At the rule
//! set's moment a dossier is in one of four states; a predicate that speaks of the state is evaluated for each.

use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{Allowed, WorkingDays};
use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};
use crate::model::rules::{
    ApologyDue, Compare, CutOff, DueChoice, EndDate, MidnightDue, MissingDue, RuleSet, SupplementRule, WithoutDue,
};

/// Vietnam's offset in microseconds.
const OFFSET: i64 = VIETNAM_OFFSET_SECS * 1_000_000;

/// 15:00, for procedures that no registry knows (NĐ 61/2018/NĐ-CP art. 18(2)).
const USUAL_CUT_OFF: i64 = 15 * 3600 * 1_000_000;

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

/// Adds `computed_due`, the last moment in time by what the law allows, where the rule set needs it
/// ([`WorkingCalendar::due`](crate::calendar::WorkingCalendar::due) is the same clock).
///
/// Needs the numbers of procedures.
pub(super) fn computed_due(
    facts: LazyFrame,
    rules: &RuleSet,
    days: &Arc<WorkingDays>,
    allowed: &Arc<[Allowed]>,
) -> LazyFrame {
    // By the law's own date every dossier is read; else those alone that have no date.
    let always = rules.due != DueChoice::Portal;
    let both = [MissingDue::CutOff, MissingDue::Statutory];
    let choices = if always { both.to_vec() } else { rules.missing_due.clone() };
    if choices.is_empty() {
        return facts.with_columns([lit(NULL).cast(DataType::Int64).alias("computed_due")]);
    }
    let (days, allowed, every) = (Arc::clone(days), Arc::clone(allowed), rules.cut_off == CutOff::Every);
    let last_moment = move |from: i64, procedure: Option<IdxSize>, certification: bool| {
        let known = procedure.and_then(|number| allowed.get(number as usize));
        let cut_off = known.map_or(USUAL_CUT_OFF, |known| known.cut_off);
        choices.iter().find_map(|choice| match choice {
            MissingDue::CutOff if is_resolved_same_day(known, certification) => days.at_once(from, cut_off),
            MissingDue::CutOff => None,
            MissingDue::Statutory => days.statutory(from, known?.time?, every.then_some(cut_off)),
        })
    };
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let (from, due) = (columns[0].i64()?, columns[1].i64()?);
        let (procedure, certification) = (columns[2].idx()?, columns[3].bool()?);
        let rows = from.iter().zip(due.iter()).zip(procedure.iter().zip(certification.iter()));
        let computed: Int64Chunked = rows
            .map(|((from, due), (procedure, certification))| {
                let from = from.filter(|_| always || due.is_none())?;
                last_moment(from, procedure, certification == Some(true))
            })
            .collect();
        Ok(computed.with_name(columns[0].name().clone()).into_column())
    };
    let arguments = [portal_due(rules), col("procedure"), col("certification")];
    let due = clock_from(rules)
        .map_many(compute, &arguments, |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)));
    facts.with_columns([due.alias("computed_due")])
}

/// Whether a dossier is due on the day of reception: what is resolved at once, and certification, except where a known
/// procedure has a statutory time (NĐ 23/2015/NĐ-CP art. 7: copies in quantity, signatures and contracts have a time of
/// their own). `procedure`: `None` if no registry knows it.
fn is_resolved_same_day(procedure: Option<&Allowed>, certification: bool) -> bool {
    match procedure {
        Some(known) => known.immediate || (certification && known.time.is_none()),
        None => certification,
    }
}

/// The moment from which a statutory time runs: reception, or the last supplement's where that starts it again.
pub(super) fn clock_from(rules: &RuleSet) -> Expr {
    match rules.supplement {
        SupplementRule::Restart => coalesce(&[micros("supplement_received_at"), micros("received_at")]),
        SupplementRule::Pause => micros("received_at"),
    }
}

/// Last moment that is on time by the portal's due date; null without one.
fn portal_due(rules: &RuleSet) -> Expr {
    let due = match rules.apology {
        ApologyDue::After => micros("due_at"),
        ApologyDue::Before => {
            let extended = col("apology_new_due_at").is_not_null().and(col("due_at").eq(col("apology_new_due_at")));
            when(extended).then(coalesce(&[micros("first_due_at"), micros("due_at")])).otherwise(micros("due_at"))
        }
    };
    let is_date = is_date(due.clone());
    let moment = match rules.compare {
        Compare::Instant | Compare::Date => due.clone(),
        Compare::InstantStrict => due.clone() - lit(1_i64),
    };
    match rules.midnight_due {
        MidnightDue::EndOfDay => when(is_date).then(due + lit(DAY_MICROS - 1)).otherwise(moment),
        MidnightDue::Moment => moment,
    }
}

/// Whether an instant is midnight in Viet Nam: a date without a time of day.
fn is_date(instant: Expr) -> Expr {
    ((instant + lit(OFFSET)) % lit(DAY_MICROS)).eq(lit(0_i64))
}

/// The last moment in time by a due date as it stands; one without a time of day is the whole day.
pub(super) fn end_of_due(due: Expr) -> Expr {
    when(is_date(due.clone())).then(due.clone() + lit(DAY_MICROS - 1)).otherwise(due)
}

/// Last microsecond of the local day of an instant.
fn end_of_day(instant: Expr) -> Expr {
    (instant + lit(OFFSET)).floor_div(lit(DAY_MICROS)) * lit(DAY_MICROS) + lit(DAY_MICROS - OFFSET - 1)
}

/// The last moment that is on time, by the rule set; null where nothing says it.
fn last_in_time(rules: &RuleSet) -> Expr {
    let own = portal_due(rules);
    let computed = col("computed_due");
    let chosen = match rules.due {
        DueChoice::Portal => coalesce(&[own, computed]),
        DueChoice::Statutory => coalesce(&[computed, own]),
        DueChoice::Earlier => {
            let computed_is_earlier = computed.clone().lt(own.clone()).fill_null(own.clone().is_null());
            when(computed_is_earlier).then(computed).otherwise(own)
        }
    };
    let paused = match rules.supplement {
        SupplementRule::Restart => chosen,
        SupplementRule::Pause => {
            let pause = micros("supplement_received_at") - micros("supplement_requested_at");
            chosen + when(pause.clone().gt(lit(0))).then(pause).otherwise(lit(0_i64)).fill_null(lit(0_i64))
        }
    };
    let by_day = if rules.compare == Compare::Date { end_of_day(paused) } else { paused };
    if rules.second_supplement_is_late {
        // The moment before reception: whenever it ends, it is late.
        when(asked_again()).then(micros("received_at") - lit(1_i64)).otherwise(by_day)
    } else {
        by_day
    }
}

fn asked_again() -> Expr {
    col("supplement_requests").gt(lit(1_i64)).fill_null(lit(false))
}

/// Whether the status is one of these.
pub(super) fn status_is_in(words: &[&str]) -> Expr {
    // Not `is_in`: the streaming engine makes a join of it.
    let is = words.iter().map(|word| col("status").eq(lit(*word)));
    is.reduce(Expr::or).map_or(lit(false), |is| is.fill_null(lit(false)))
}

fn end_date(end: EndDate) -> Expr {
    micros(match end {
        EndDate::Completed => "completed_at",
        EndDate::Returned => "returned_at",
        EndDate::Withdrawn => "withdrawn_at",
        EndDate::Refused => "refused_at",
        EndDate::Stopped => "stopped_at",
    })
}

/// Adds `processing_hours`, whole working hours from reception to the end; needs [`columns`].
pub(super) fn processing(facts: LazyFrame, days: &Arc<WorkingDays>) -> LazyFrame {
    let days = Arc::clone(days);
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let (from, to) = (columns[0].i64()?, columns[1].i64()?);
        let hours: Int64Chunked =
            from.iter().zip(to.iter()).map(|(from, to)| Some(days.hours_between(from?, to?))).collect();
        Ok(hours.with_name(columns[0].name().clone()).into_column())
    };
    let hours = micros("received_at")
        .map_many(compute, &[col("ends_at")], |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)));
    facts.with_columns([hours.alias("processing_hours")])
}

/// Adds the rule set's columns: `overdue_from`, `ends_at`, `ended_on_time`, `ends_early` and the four states at `now`.
pub(super) fn columns(facts: LazyFrame, rules: &RuleSet, now: i64) -> LazyFrame {
    let ends: Vec<Expr> = rules.ends.iter().map(|end| end_date(*end)).collect();
    let mut end = coalesce(&ends);
    if rules.supplement == SupplementRule::Pause {
        // It waits for its first supplement: the end is the request.
        let waits = status_is_in(&["supplement"]).and(asked_again().not());
        end = coalesce(&[end, when(waits).then(micros("supplement_requested_at")).otherwise(lit(NULL))]);
    }
    // An end that counts as on time is the dossier's own where no date of higher rank stands before it.
    let forgiven = rules.on_time_ends.iter().map(|kind| {
        let before = rules.ends.iter().take_while(|end| *end != kind).map(|end| end_date(*end).is_null());
        before.fold(end_date(*kind).is_not_null(), Expr::and)
    });
    let forgiven = forgiven.reduce(Expr::or).unwrap_or(lit(false));
    let forgiven_statuses: Vec<&str> = rules
        .on_time_ends
        .iter()
        .flat_map(|end| RuleSet { ends: vec![*end], ..rules.clone() }.ended_statuses())
        .collect();
    let without = lit(rules.without_due == WithoutDue::OnTime);
    let clock_stopped: Vec<&str> = rules.clock_stopped.iter().map(|status| status.name()).collect();

    let facts = facts
        .with_columns([
            last_in_time(rules).alias("overdue_from"),
            end.alias("ends_at"),
            status_is_in(&rules.ended_statuses()).alias("ended_status"),
        ])
        .with_columns([
            // An end that lies ahead has not come yet; without an end the status decides.
            col("ends_at").lt_eq(lit(now)).fill_null(col("ended_status")).alias("is_ended_now"),
        ])
        .with_columns([
            when(col("ends_at").is_not_null())
                .then(forgiven.or(col("ends_at").lt_eq(col("overdue_from")).fill_null(without.clone())))
                // A status that says ended without saying when is not on time, unless that end always is.
                .otherwise(status_is_in(&forgiven_statuses))
                .alias("ended_on_time"),
            // Nothing runs while the clock stands. The status is that of today: what it was before is not known.
            when(status_is_in(&clock_stopped))
                .then(lit(NULL))
                .otherwise(col("overdue_from"))
                .alias("open_overdue_from"),
            local_day(col("ends_at")).lt(local_day(col("overdue_from"))).fill_null(lit(false)).alias("ends_early"),
            col("overdue_from").is_not_null().or(without).alias("can_end_on_time"),
        ])
        .with_columns([col("open_overdue_from").lt(lit(now)).fill_null(lit(false)).alias("is_past_due_now")]);
    let ended = || col("is_ended_now");
    facts.with_columns([
        ended().and(col("ended_on_time")).alias(STATES[0]),
        ended().and(col("ended_on_time").not()).alias(STATES[1]),
        ended().not().and(col("is_past_due_now").not()).alias(STATES[2]),
        ended().not().and(col("is_past_due_now")).alias(STATES[3]),
    ])
}

/// Value of a state column of predicates in each of the four states.
pub(super) fn value_in(state: usize, column: &str, rules: &RuleSet) -> Option<Expr> {
    let [on_time, late, pending, overdue] = [state == 0, state == 1, state == 2, state == 3];
    let value = match column {
        "is_ended" => on_time || late,
        // Open in time counts only where something says when it would be late.
        "is_on_time" if pending && rules.open_in_time_counts => return Some(col("can_end_on_time")),
        "is_on_time" => on_time,
        "is_late" => late,
        "is_pending" => pending,
        "is_overdue" => overdue,
        _ => return None,
    };
    Some(lit(value))
}
