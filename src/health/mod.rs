//! Health of a connector: judged from its pulls, its schedule and `now`, so that a dead scheduler is seen.

use serde::Serialize;
use utoipa::ToSchema;

use crate::calendar::Slots;
use crate::model::connector::{Connector, Schedule};
use crate::model::instant;
use crate::model::pull::Outcome;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// How long a pull may be under way before it is thought to be dead.
const UNDER_WAY_HOURS: i64 = 6;

/// Whether a pull is under way: it says nothing yet, the one before it does.
#[must_use]
pub fn is_under_way(outcome: Option<Outcome>, started_at: i64, now: i64) -> bool {
    outcome.is_none() && now - started_at < UNDER_WAY_HOURS * HOUR_MICROS
}

/// How long a drift is told: a week.
const DRIFT_HOURS: i64 = 7 * 24;

/// The codes that health gives of its own, beside those of the pulls.
pub const CODES: [&str; 7] = ["paused", "night_failed", "slot_missed", "late", "silent", "drifted", "not_ended"];

/// State of a connector (design: health).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Healthy,
    /// No complete pull within the freshness that the connector promises.
    Late,
    /// The last pull ended before its source was read whole.
    Incomplete,
    /// The last pull took nothing.
    Failing,
    /// The source has fields that it did not have, or lacks some that it had.
    Drifted,
    /// The last pull rejected more rows than the connector allows.
    Degraded,
    NeverRun,
    Disabled,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Late,
        Self::Incomplete,
        Self::Failing,
        Self::Drifted,
        Self::Degraded,
        Self::NeverRun,
        Self::Disabled,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Late => "late",
            Self::Incomplete => "incomplete",
            Self::Failing => "failing",
            Self::Drifted => "drifted",
            Self::Degraded => "degraded",
            Self::NeverRun => "never_run",
            Self::Disabled => "disabled",
        }
    }

    /// Whether nobody needs to look.
    #[must_use]
    pub fn is_fine(self) -> bool {
        matches!(self, Self::Healthy | Self::Disabled)
    }
}

/// One past pull, as far as health is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPull {
    pub outcome: Option<Outcome>,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub hint: Option<String>,
    /// New and missing fields of the pull, in words; none where it met what earlier pulls had met.
    pub drift: Option<String>,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

/// What became of the newest slot of the schedule, where it was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnrunSlot {
    pub slot: i64,
    /// The run was begun and could not be done; else nobody began it.
    pub failed: bool,
    pub message: Option<String>,
}

/// A connector that is not to be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Off {
    BySettings,
    Paused { since: i64, by: String },
}

/// All that is known of a connector.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub off: Option<Off>,
    /// Newest first.
    pub pulls: Vec<PastPull>,
    /// The newest slot, if it was missed or failed.
    pub unrun: Option<UnrunSlot>,
    /// When the newest run that published began.
    pub published_from: Option<i64>,
    /// Newest date among its records.
    pub data_until: Option<i64>,
}

/// A state with since when, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub since: Option<i64>,
    /// Code of the reason; texts in other languages go by it.
    pub code: Option<String>,
    pub reason: Option<String>,
    pub hint: Option<String>,
    pub last_success: Option<i64>,
    pub next_run: Option<i64>,
}

/// Judges a connector.
#[must_use]
pub fn assess(connector: &Connector, seen: &Seen, now: i64) -> Health {
    let schedule = &connector.file.schedule;
    let next_run = Slots::new(&schedule.cron, &schedule.zone).ok().and_then(|slots| slots.next_after(now));
    let pulls = &seen.pulls;
    let succeeded = |pull: &&PastPull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
    let last_success = pulls.iter().find(succeeded).and_then(|pull| pull.finished_at);
    let health = |state, since, code: Option<&str>, reason: Option<String>, hint: Option<String>| Health {
        state,
        since,
        code: code.map(str::to_owned),
        reason,
        hint,
        last_success,
        next_run: if seen.off.is_some() { None } else { next_run },
    };
    match &seen.off {
        Some(Off::BySettings) => return health(State::Disabled, None, None, None, None),
        Some(Off::Paused { since, by }) => {
            let hint = "let it run again on its page, or with `POST /api/v1/connectors/NAME/resume`".to_owned();
            return health(
                State::Disabled,
                Some(*since),
                Some("paused"),
                Some(format!("paused by `{by}`")),
                Some(hint),
            );
        }
        None => {}
    }
    let last = pulls.first();
    // Read since; and, where the run failed, published since: sources that were read say nothing of figures that were not made.
    let is_over = |slot: &UnrunSlot| {
        let since = |moment: Option<i64>| moment.is_some_and(|moment| moment >= slot.slot);
        since(last.map(|last| last.started_at)) && (!slot.failed || since(seen.published_from))
    };
    if let Some(slot) = seen.unrun.as_ref().filter(|slot| !is_over(slot)) {
        return unrun(slot, health);
    }
    let Some(last) = last else {
        let hint = "`motcua run` reads it for the first time".to_owned();
        return health(State::NeverRun, None, None, None, Some(hint));
    };
    // The state holds since the first of the pulls at the head that ended the same way.
    let since = pulls.iter().take_while(|pull| pull.outcome == last.outcome).last().map(|pull| pull.started_at);
    let as_it_ended = |state| health(state, since, last.reason.as_deref(), last.message.clone(), last.hint.clone());
    match last.outcome {
        Some(Outcome::Failed) => as_it_ended(State::Failing),
        Some(Outcome::Incomplete) => as_it_ended(State::Incomplete),
        Some(Outcome::Degraded) => as_it_ended(State::Degraded),
        Some(Outcome::Complete) if is_unpublished(last, seen, now) => {
            let read = instant::display(last.started_at);
            let reason = format!("what was read at {read} has not been published in {UNDER_WAY_HOURS} hours");
            let hint = "`motcua run` computes and publishes it; what keeps it from that, it says".to_owned();
            health(State::Failing, Some(last.started_at), Some("night_failed"), Some(reason), Some(hint))
        }
        Some(Outcome::Complete) => match late_since(schedule, last_success, now) {
            Some(since) => {
                let reason = format!("no complete pull for more than {} hours", schedule.fresh_within_hours);
                let hint =
                    "is `motcua serve` running, or does anything else start `motcua run` every night?".to_owned();
                health(State::Late, Some(since), Some("late"), Some(reason), Some(hint))
            }
            None if silent_since(schedule, seen.data_until, now).is_some() => {
                let newest = seen.data_until.map(instant::display).unwrap_or_default();
                let days = schedule.silent_after_days.unwrap_or_default();
                let reason =
                    format!("the source answers, but its newest record is of {newest}: more than {days} days ago");
                let hint = "does the source still take in what happens? ask its `contact`".to_owned();
                let since = silent_since(schedule, seen.data_until, now);
                health(State::Late, since, Some("silent"), Some(reason), Some(hint))
            }
            None => match drifted(pulls, now) {
                Some((since, fields)) => {
                    let hint = "compare the source with `map` and `contract.known`; a changed connector reads everything again";
                    health(State::Drifted, Some(since), Some("drifted"), Some(fields), Some(hint.to_owned()))
                }
                None => health(State::Healthy, since, None, None, None),
            },
        },
        None => {
            let hint = "a run takes very long, or was cut: the next one finishes it".to_owned();
            let reason = format!("the last pull has not ended in {UNDER_WAY_HOURS} hours");
            health(State::Incomplete, since, Some("not_ended"), Some(reason), Some(hint))
        }
    }
}

/// Whether the run of a pull read its sources and then came to nothing, nor any since. Whoever started it was told, nobody else.
fn is_unpublished(last: &PastPull, seen: &Seen, now: i64) -> bool {
    seen.published_from.is_none_or(|published| published < last.started_at)
        && now - last.started_at >= UNDER_WAY_HOURS * HOUR_MICROS
}

/// Of a slot that was not run, and after which nothing was read.
fn unrun(
    slot: &UnrunSlot,
    health: impl FnOnce(State, Option<i64>, Option<&str>, Option<String>, Option<String>) -> Health,
) -> Health {
    let moment = instant::display(slot.slot);
    let message = slot.message.as_deref().unwrap_or("no reason is known");
    if slot.failed {
        let reason = format!("the run of {moment} could not be done: {message}");
        let hint = "mend what the message names; `motcua run` does the night by hand".to_owned();
        health(State::Failing, Some(slot.slot), Some("night_failed"), Some(reason), Some(hint))
    } else {
        let reason = format!("the run of {moment} was missed: {message}");
        let hint = "`motcua run` does it by hand; else it is read at its next slot".to_owned();
        health(State::Late, Some(slot.slot), Some("slot_missed"), Some(reason), Some(hint))
    }
}

/// Since when fields drifted, and which: told for a week, unless the connector was changed since.
fn drifted(pulls: &[PastPull], now: i64) -> Option<(i64, String)> {
    let recent = pulls.iter().take_while(|pull| now - pull.started_at < DRIFT_HOURS * HOUR_MICROS);
    let last = recent.filter(|pull| pull.drift.is_some()).last()?;
    Some((last.started_at, last.drift.clone()?))
}

fn silent_since(schedule: &Schedule, data_until: Option<i64>, now: i64) -> Option<i64> {
    let due = data_until? + i64::from(schedule.silent_after_days?) * instant::DAY_MICROS;
    (now > due).then_some(due)
}

fn late_since(schedule: &Schedule, last_success: Option<i64>, now: i64) -> Option<i64> {
    let due = last_success? + i64::from(schedule.fresh_within_hours) * HOUR_MICROS;
    (now > due).then_some(due)
}
