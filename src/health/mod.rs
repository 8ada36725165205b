//! Health of a connector: judged from its pulls, its schedule and `now`, so that a dead scheduler is seen.

use serde::Serialize;

use crate::calendar::Slots;
use crate::model::connector::{Connector, Schedule};
use crate::model::pull::Outcome;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// How long a drift is told: a week.
const DRIFT_HOURS: i64 = 7 * 24;

/// State of a connector (design: health).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// A state with since when, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub since: Option<i64>,
    pub reason: Option<String>,
    pub hint: Option<String>,
    pub last_success: Option<i64>,
    pub next_run: Option<i64>,
}

/// Judges a connector. `pulls` are newest first.
#[must_use]
pub fn assess(connector: &Connector, disabled: bool, pulls: &[PastPull], now: i64) -> Health {
    let schedule = &connector.file.schedule;
    let next_run = Slots::new(&schedule.cron, &schedule.zone).ok().and_then(|slots| slots.next_after(now));
    let succeeded = |pull: &&PastPull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
    let last_success = pulls.iter().find(succeeded).and_then(|pull| pull.finished_at);
    let health = |state, since, reason: Option<String>, hint: Option<String>| Health {
        state,
        since,
        reason,
        hint,
        last_success,
        next_run: if disabled { None } else { next_run },
    };
    if disabled {
        return health(State::Disabled, None, None, None);
    }
    let Some(last) = pulls.first() else {
        let hint = "`motcua run` reads it for the first time".to_owned();
        return health(State::NeverRun, None, None, Some(hint));
    };
    // The state holds since the first of the pulls at the head that ended the same way.
    let since = pulls.iter().take_while(|pull| pull.outcome == last.outcome).last().map(|pull| pull.started_at);
    match last.outcome {
        Some(Outcome::Failed) => health(State::Failing, since, last.message.clone(), last.hint.clone()),
        Some(Outcome::Incomplete) => health(State::Incomplete, since, last.message.clone(), last.hint.clone()),
        Some(Outcome::Degraded) => health(State::Degraded, since, last.message.clone(), last.hint.clone()),
        Some(Outcome::Complete) => match late_since(schedule, last_success, now) {
            Some(since) => {
                let reason = format!("no complete pull for more than {} hours", schedule.fresh_within_hours);
                health(
                    State::Late,
                    Some(since),
                    Some(reason),
                    Some("does anything start `motcua run` every night?".to_owned()),
                )
            }
            None => match drifted(pulls, now) {
                Some((since, fields)) => {
                    let hint = "compare the source with `map` and `contract.known`; a changed connector reads everything again";
                    health(State::Drifted, Some(since), Some(fields), Some(hint.to_owned()))
                }
                None => health(State::Healthy, since, None, None),
            },
        },
        None => {
            let hint = "a run is under way, or was cut: the next `motcua run` finishes it".to_owned();
            health(State::Incomplete, since, Some("the last pull has not ended".to_owned()), Some(hint))
        }
    }
}

/// Since when fields drifted, and which: told for a week, unless the connector was changed since.
fn drifted(pulls: &[PastPull], now: i64) -> Option<(i64, String)> {
    let recent = pulls.iter().take_while(|pull| now - pull.started_at < DRIFT_HOURS * HOUR_MICROS);
    let last = recent.filter(|pull| pull.drift.is_some()).last()?;
    Some((last.started_at, last.drift.clone()?))
}

fn late_since(schedule: &Schedule, last_success: Option<i64>, now: i64) -> Option<i64> {
    let due = last_success? + i64::from(schedule.fresh_within_hours) * HOUR_MICROS;
    (now > due).then_some(due)
}
