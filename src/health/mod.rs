//! Health of a connector: its state, since when, the reason, and a hint what to do.
//!
//! Pure: health is assessed from past pulls, the schedule and `now`, not reported by the pulls themselves. So a
//! scheduler that has stopped is noticed, too.

use serde::Serialize;
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::calendar::Slots;
use crate::model::connector::{Connector, Schedule};
use crate::model::instant;
use crate::model::pull::Outcome;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// Longest duration of a pull, and longest time from a pull to its publication, in hours. After that the process is
/// assumed to have died.
const UNDER_WAY_HOURS: i64 = 6;
/// Hours for which a drift is reported after the pull that found it: a week.
const DRIFT_HOURS: i64 = 7 * 24;

/// Whether a pull is still running. It has no result yet, so the pull before it decides the health.
#[must_use]
pub fn is_under_way(outcome: Option<Outcome>, started_at: i64, now: i64) -> bool {
    outcome.is_none() && now - started_at < UNDER_WAY_HOURS * HOUR_MICROS
}

/// Reason codes that only [`assess`] gives; all others are those of pulls.
pub const CODES: [&str; 8] =
    ["paused", "night_failed", NIGHT_STOPPED, "slot_missed", "late", "silent", "drifted", "not_ended"];
/// Reason code of a night that somebody stopped. It is no failure, so no alert reports it.
pub const NIGHT_STOPPED: &str = "night_stopped";

/// State of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = State)]
pub enum HealthState {
    Healthy,
    /// No complete pull within the freshness that the connector promises.
    Late,
    /// The last pull ended before its source was read completely.
    Incomplete,
    /// The last pull stored nothing.
    Failing,
    /// The source has new fields, or lacks fields that it had before.
    Drifted,
    /// The last pull rejected more rows than the connector allows.
    Degraded,
    NeverRun,
    Disabled,
}

impl HealthState {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether the state needs no attention.
    #[must_use]
    pub fn is_fine(self) -> bool {
        matches!(self, Self::Healthy | Self::Disabled)
    }
}

/// A past pull, as far as health needs it. Moments are in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPull {
    /// `None` if the pull has not ended.
    pub outcome: Option<Outcome>,
    /// Reason code.
    pub reason: Option<String>,
    pub message: Option<String>,
    pub hint: Option<String>,
    /// New and missing fields, as text; `None` if there are none.
    pub drift: Option<String>,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

/// The newest slot of the schedule, if its run did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedSlot {
    /// Moment of the slot, microseconds UTC.
    pub slot: i64,
    pub cause: UnrunCause,
    pub message: Option<String>,
}

/// Why the run of a slot did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnrunCause {
    /// It was never started.
    Missed,
    /// It was started and failed.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

/// Why a connector is switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisabledReason {
    BySettings,
    /// Paused by a user, since a moment in microseconds UTC.
    Paused {
        since: i64,
        by: String,
    },
}

/// Facts about a connector from which its health is assessed. Moments are in microseconds UTC.
#[derive(Debug, Clone, Default)]
pub struct ConnectorHistory {
    /// `None` if the connector is switched on.
    pub off: Option<DisabledReason>,
    /// Newest first.
    pub pulls: Vec<PastPull>,
    pub unrun: Option<MissedSlot>,
    /// Who stopped the run of the newest pull.
    pub stopped_by: Option<String>,
    /// Start of the newest run that has published.
    pub published_from: Option<i64>,
    /// Newest date among the connector's records.
    pub data_until: Option<i64>,
}

/// Health of a connector. Moments are in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: HealthState,
    /// Start of the state; `None` if it is unknown.
    pub since: Option<i64>,
    /// Code of the reason; texts in other languages are looked up by it.
    pub code: Option<String>,
    pub reason: Option<String>,
    pub hint: Option<String>,
    pub last_success: Option<i64>,
    pub next_run: Option<i64>,
}

impl Health {
    fn of(state: HealthState) -> Self {
        Self { state, since: None, code: None, reason: None, hint: None, last_success: None, next_run: None }
    }

    fn since(self, since: Option<i64>) -> Self {
        Self { since, ..self }
    }

    fn because(self, code: &str, reason: String, hint: &str) -> Self {
        Self { code: Some(code.to_owned()), reason: Some(reason), hint: Some(hint.to_owned()), ..self }
    }
}

/// Assesses the health of a connector.
#[must_use]
pub fn assess(connector: &Connector, history: &ConnectorHistory, now: i64) -> Health {
    let schedule = &connector.file.schedule;
    let succeeded = |pull: &&PastPull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
    let last_success = history.pulls.iter().find(succeeded).and_then(|pull| pull.finished_at);
    let next_slot = || Slots::new(&schedule.cron, &schedule.zone).ok()?.next_after(now);
    let next_run = if history.off.is_some() { None } else { next_slot() };
    let by_pulls = || history.pulls.first().map(|last| after_pull(last, history, schedule, last_success, now));
    let health = switched_off(history).or_else(|| unrun_slot(history)).or_else(by_pulls).unwrap_or_else(never_run);
    Health { last_success, next_run, ..health }
}

fn never_run() -> Health {
    let hint = Some("`motcua run` reads it for the first time".to_owned());
    Health { hint, ..Health::of(HealthState::NeverRun) }
}

fn switched_off(history: &ConnectorHistory) -> Option<Health> {
    let disabled = Health::of(HealthState::Disabled);
    Some(match history.off.as_ref()? {
        DisabledReason::BySettings => disabled,
        DisabledReason::Paused { since, by } => disabled.since(Some(*since)).because(
            "paused",
            format!("paused by `{by}`"),
            "resume it on its page, or with `POST /api/v1/connectors/NAME/resume`",
        ),
    })
}

/// Health while the newest slot was not run. A missed slot counts until a later pull has started. One that failed or was
/// stopped counts until a later run has also published, because a pull alone gives no figures.
fn unrun_slot(history: &ConnectorHistory) -> Option<Health> {
    let unrun = history.unrun.as_ref()?;
    let is_later = |moment: Option<i64>| moment.is_some_and(|moment| moment >= unrun.slot);
    let read_since = is_later(history.pulls.first().map(|last| last.started_at));
    if read_since && (unrun.cause == UnrunCause::Missed || is_later(history.published_from)) {
        return None;
    }
    let moment = instant::display(unrun.slot);
    let message = unrun.message.as_deref().unwrap_or("no reason is known");
    let health = match unrun.cause {
        UnrunCause::Failed => Health::of(HealthState::Failing).because(
            "night_failed",
            format!("the run of {moment} failed: {message}"),
            "fix what the message names, then start the night with `motcua run`",
        ),
        UnrunCause::Stopped => night_stopped(format!("the run of {moment} was {message}")),
        UnrunCause::Missed => Health::of(HealthState::Late).because(
            "slot_missed",
            format!("the run of {moment} was missed: {message}"),
            "start it with `motcua run`, or wait for the next slot",
        ),
    };
    Some(health.since(Some(unrun.slot)))
}

fn night_stopped(reason: String) -> Health {
    let hint = "for figures before the next slot, start the night with `motcua run` or with the button of the pages";
    Health::of(HealthState::Late).because(NIGHT_STOPPED, reason, hint)
}

/// Health by the last pull.
fn after_pull(
    last: &PastPull,
    history: &ConnectorHistory,
    schedule: &Schedule,
    last_success: Option<i64>,
    now: i64,
) -> Health {
    // The state began with the first of the newest pulls that have the same outcome.
    let same = history.pulls.iter().take_while(|pull| pull.outcome == last.outcome);
    let since = same.last().map(|pull| pull.started_at);
    if let Some(by) = &history.stopped_by
        && match last.outcome {
            None => true,
            Some(Outcome::Complete) => is_unpublished(last, history, now),
            // Its run was stopped before it landed a page, and another run has ended it since.
            Some(Outcome::Failed) => last.reason.as_deref() == Some("stopped"),
            Some(Outcome::Incomplete | Outcome::Degraded) => false,
        }
    {
        let reason = format!("the run of {} was stopped by `{by}`", instant::display(last.started_at));
        return night_stopped(reason).since(Some(last.started_at));
    }
    let state = match last.outcome {
        Some(Outcome::Complete) => {
            return after_complete_pull(last, history, schedule, last_success, now)
                .unwrap_or_else(|| Health::of(HealthState::Healthy).since(since));
        }
        None => {
            return Health::of(HealthState::Incomplete).since(since).because(
                "not_ended",
                format!("the last pull has not ended in {UNDER_WAY_HOURS} hours"),
                "the run takes very long, or its process died: the next run finishes the pull",
            );
        }
        Some(Outcome::Failed) => HealthState::Failing,
        Some(Outcome::Incomplete) => HealthState::Incomplete,
        Some(Outcome::Degraded) => HealthState::Degraded,
    };
    let PastPull { reason, message, hint, .. } = last.clone();
    Health { since, code: reason, reason: message, hint, ..Health::of(state) }
}

/// Health after a complete pull; `None` if nothing is wrong.
fn after_complete_pull(
    last: &PastPull,
    history: &ConnectorHistory,
    schedule: &Schedule,
    last_success: Option<i64>,
    now: i64,
) -> Option<Health> {
    if is_unpublished(last, history, now) {
        let read = instant::display(last.started_at);
        return Some(Health::of(HealthState::Failing).since(Some(last.started_at)).because(
            "night_failed",
            format!("the data read at {read} has not been published in {UNDER_WAY_HOURS} hours"),
            "`motcua run` computes and publishes it, or reports what prevents it",
        ));
    }
    if let Some(since) = late_since(schedule, last_success, now) {
        return Some(Health::of(HealthState::Late).since(Some(since)).because(
            "late",
            format!("no complete pull for more than {} hours", schedule.fresh_within_hours),
            "is `motcua serve` running, or does anything else start `motcua run` every night?",
        ));
    }
    if let Some(since) = silent_since(schedule, history.data_until, now) {
        let newest = history.data_until.map(instant::display).unwrap_or_default();
        let days = schedule.silent_after_days.unwrap_or_default();
        return Some(Health::of(HealthState::Late).since(Some(since)).because(
            "silent",
            format!("the source answers, but its newest record is of {newest}: more than {days} days ago"),
            "are new records still entered into the source? ask its `contact`",
        ));
    }
    let (since, fields) = drifted(&history.pulls, now)?;
    Some(Health::of(HealthState::Drifted).since(Some(since)).because(
        "drifted",
        fields,
        "compare the source with `map` and `contract.known`; after a change of the connector everything is read again",
    ))
}

/// Whether a complete pull has not been published in time. Nobody else learns of it, so it is reported here.
fn is_unpublished(last: &PastPull, history: &ConnectorHistory, now: i64) -> bool {
    history.published_from.is_none_or(|published| published < last.started_at)
        && now - last.started_at >= UNDER_WAY_HOURS * HOUR_MICROS
}

/// Start and fields of the drift to report: that of the oldest pull with drift within the last week.
fn drifted(pulls: &[PastPull], now: i64) -> Option<(i64, String)> {
    let recent = pulls.iter().take_while(|pull| now - pull.started_at < DRIFT_HOURS * HOUR_MICROS);
    let last = recent.filter(|pull| pull.drift.is_some()).last()?;
    Some((last.started_at, last.drift.clone()?))
}

/// Moment since which the source is silent; `None` if it is not.
fn silent_since(schedule: &Schedule, data_until: Option<i64>, now: i64) -> Option<i64> {
    let due = data_until? + i64::from(schedule.silent_after_days?) * instant::DAY_MICROS;
    (now > due).then_some(due)
}

/// Moment since which the connector is late; `None` if it is not.
fn late_since(schedule: &Schedule, last_success: Option<i64>, now: i64) -> Option<i64> {
    let due = last_success? + i64::from(schedule.fresh_within_hours) * HOUR_MICROS;
    (now > due).then_some(due)
}
