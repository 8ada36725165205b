//! A rule set as three instants and a flag, none of which depends on the period.
//!
//! `counts_from` (reception), `overdue_from` (null: never), `ends_at` (null: open) and `ended_on_time`. At the rule
//! set's moment a dossier is in one of four states; a predicate that speaks of the state is evaluated for each.

use polars::prelude::*;

use crate::calendar::clock;
use crate::indicators::registers::Days;
use crate::model::indicator::{
    ApologyDue, Compare, CutOff, DueChoice, EndDate, MidnightDue, MissingDue, RuleSet, SupplementRule, WithoutDue,
};
use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};

/// Vietnam's offset in microseconds.
const OFFSET: i64 = VIETNAM_OFFSET_SECS * 1_000_000;

/// Office hours in microseconds.
const SECOND: i64 = 1_000_000;
const HOUR: i64 = clock::HOUR * SECOND;
const OPENING: i64 = clock::OPENING_SECS * SECOND;
const AFTERNOON: i64 = clock::AFTERNOON_SECS * SECOND;
const MORNING: i64 = clock::MORNING * SECOND;
const WORKING_DAY: i64 = clock::WORKING_DAY * SECOND;

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

/// Adds the moment that the law gives where a rule set needs it, as `stand_in_day` and `stand_in_time`, its time of day: the
/// last microsecond, or for a statutory time in hours the very moment
/// ([`WorkingCalendar::due`](crate::calendar::WorkingCalendar::due) is the same rule for one dossier).
///
/// Needs the columns of procedures.
pub(super) fn stand_in_due(facts: LazyFrame, rules: &RuleSet, days: &Days) -> LazyFrame {
    let time_of_day = || (clock_from(rules) + lit(OFFSET)) % lit(DAY_MICROS);
    let cut_off = || col("cut_off").fill_null(lit(15 * HOUR));
    let facts = facts.with_columns([Days::row(local_day(clock_from(rules))).alias("clock_row")]).with_columns([
        days.ordinal(col("clock_row")).alias("ordinal"),
        days.working(col("clock_row")).eq(lit(1)).alias("working"),
        local_day(clock_from(rules)).alias("clock_day"),
    ]);
    let at_once = || col("immediate").or(col("certification"));
    let in_time = || col("working").and(time_of_day().lt(cut_off()));
    let same_day = || col("ordinal") + when(in_time()).then(lit(0)).otherwise(lit(1));
    // Papers that came after the cut-off move on the next working day, and the time runs from its opening.
    let moves_on = || match rules.cut_off {
        CutOff::AtOnce => lit(false),
        CutOff::Every => col("working").and(time_of_day().gt_eq(cut_off())),
    };
    let begun = || col("ordinal") + moves_on().cast(DataType::Int32);
    // No working day at all ends with the day itself, or with the next that is worked.
    let from_day_off = || col("statutory_days").eq(lit(0)).and(col("working").not()).cast(DataType::Int32);
    // Working time since the first day of the calendar: a day off stands where the working day before it closed.
    let passed = when(moves_on()).then(lit(WORKING_DAY)).otherwise(working_time(time_of_day()));
    let until = (col("ordinal").cast(DataType::Int64) - col("working").cast(DataType::Int64)) * lit(WORKING_DAY)
        + when(col("working")).then(passed).otherwise(lit(0_i64))
        + col("statutory_hours").cast(DataType::Int64) * lit(HOUR);
    // The end of a day is its own, not the next one's beginning.
    let day = || (until.clone() - lit(1_i64)).floor_div(lit(WORKING_DAY));
    let rest = || until.clone() - day() * lit(WORKING_DAY);
    let by_hours =
        when(rest().lt_eq(lit(MORNING))).then(rest() + lit(OPENING)).otherwise(rest() + lit(AFTERNOON - MORNING));
    let on_day = || when(moves_on()).then(days.worked(col("ordinal") + lit(1))).otherwise(col("clock_day"));
    let statutory = || {
        coalesce(&[
            days.worked(begun() + col("statutory_days") + from_day_off()),
            days.open(Days::row(on_day() + col("statutory_calendar_days"))),
            days.worked((day() + lit(1_i64)).cast(DataType::Int32)),
        ])
    };
    let of = |choice: &MissingDue| match choice {
        MissingDue::CutOff => when(at_once()).then(days.worked(same_day())).otherwise(lit(NULL)),
        MissingDue::Statutory => statutory(),
    };
    let both = [MissingDue::CutOff, MissingDue::Statutory];
    let choices = if rules.due == DueChoice::Portal { &rules.missing_due[..] } else { &both };
    let computed: Vec<Expr> = choices.iter().map(of).collect();
    let chosen = if computed.is_empty() { lit(NULL).cast(DataType::Int32) } else { coalesce(&computed) };
    let by_day = if choices.contains(&MissingDue::CutOff) { at_once() } else { lit(false) };
    let by_day = by_day.or(col("statutory_hours").is_null());
    facts.with_columns([
        chosen.cast(DataType::Int32).alias("stand_in_day"),
        when(by_day).then(lit(DAY_MICROS - 1)).otherwise(by_hours).alias("stand_in_time"),
    ])
}

/// Working time of a working day that has passed at a time of day (domain D: 07:00–11:30 and 13:30–17:00).
fn working_time(time_of_day: Expr) -> Expr {
    let morning = (time_of_day.clone() - lit(OPENING)).clip(lit(0_i64), lit(MORNING));
    morning + (time_of_day - lit(AFTERNOON)).clip(lit(0_i64), lit(WORKING_DAY - MORNING))
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
    let computed = col("stand_in_day").cast(DataType::Int64) * lit(DAY_MICROS) + col("stand_in_time") - lit(OFFSET);
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
    if words.is_empty() {
        return lit(false);
    }
    col("status").is_in(lit(Series::new("".into(), words)).implode(false), false).fill_null(lit(false))
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
pub(super) fn processing(facts: LazyFrame, days: &Days) -> LazyFrame {
    let worked = |instant: Expr| {
        let row = || Days::row(local_day(instant.clone()));
        let working = || days.working(row()).cast(DataType::Int64);
        let time_of_day = (instant.clone() + lit(OFFSET)) % lit(DAY_MICROS);
        (days.ordinal(row()).cast(DataType::Int64) - working()) * lit(WORKING_DAY)
            + working() * working_time(time_of_day)
    };
    let hours = (worked(col("ends_at")) - worked(micros("received_at"))).floor_div(lit(HOUR));
    // What ends before it was received, by its dates, took no time.
    facts.with_columns([when(hours.clone().lt(lit(0_i64))).then(lit(0_i64)).otherwise(hours).alias("processing_hours")])
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
