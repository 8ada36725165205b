//! Health of every connector and every publication: one assessment for `status`, the API, the pages, the metrics and
//! the webhook.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::config::{Configuration, MistakenConnector};
use crate::health::{
    ConnectorHistory, DisabledReason, HealthState, MissedSlot, PastPull, UnrunCause, assess, is_under_way,
};
use crate::model::connector::Connector;
use crate::model::figure::Night;
use crate::model::instant;
use crate::model::pull::{DriftKind, Outcome, PullCounts, Purpose};
use crate::publish::{self, NightRecord};
use crate::run::error::RunError;
use crate::run::ledger::{Ledger, Pause, Publication, Pull, SlotState};
use crate::run::night_closing::is_within_budget;
use crate::run::pull_remarks::{Noted, remarks};
use crate::run::schedule;
use crate::sources::ErrorKind;

/// Most pulls that are searched for the start of a state.
const EARLIER_PULLS: i64 = 400;

/// How long after the end of a night its publication may take before it is behind.
const PUBLICATION_GRACE_MICROS: i64 = 15 * 60 * 1_000_000;

/// Name of the PostgreSQL publication target.
pub const POSTGRES: &str = "postgres";

/// What a health is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Subject)]
pub enum HealthSubject {
    Connector,
    /// A target outside the data folder that nights are published to.
    Publication,
}

/// State of a connector or publication: since when, why, and what to do. Instants in microseconds UTC, serialized as
/// RFC 3339.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Standing)]
pub struct ConnectorHealth {
    /// Name of the connector or of the publication target.
    pub connector: String,
    pub state: HealthState,
    #[serde(serialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<i64>,
    pub reason: Option<String>,
    pub hint: Option<String>,
    #[serde(serialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success: Option<i64>,
    #[serde(serialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub data_until: Option<i64>,
    /// Rows of the last pull, as in the next five fields.
    pub received: u64,
    pub accepted: u64,
    pub unchanged: u64,
    pub duplicate: u64,
    pub superseded: u64,
    pub quarantined: u64,
    /// Open rejections of all pulls.
    pub open: u64,
    /// Drift, impossible orders of dates and deletions of the last pull; dossiers that count in another source.
    pub remarks: String,
    /// The same as values, for a text in another language.
    #[serde(skip)]
    pub noted: Noted,
    #[serde(serialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_run: Option<i64>,
    pub kind: HealthSubject,
    /// Code of the reason.
    pub reason_code: Option<String>,
}

/// Serializes an instant as RFC 3339, or null.
#[expect(clippy::ref_option, reason = "the signature that serde requires")]
fn moment<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(instant::display).serialize(serializer)
}

impl ConnectorHealth {
    fn new(kind: HealthSubject, name: &str, state: HealthState) -> Self {
        Self {
            connector: name.to_owned(),
            state,
            since: None,
            reason: None,
            hint: None,
            last_success: None,
            data_until: None,
            received: 0,
            accepted: 0,
            unchanged: 0,
            duplicate: 0,
            superseded: 0,
            quarantined: 0,
            open: 0,
            remarks: String::new(),
            noted: Noted::default(),
            next_run: None,
            kind,
            reason_code: None,
        }
    }

    fn with_counts(self, counts: PullCounts) -> Self {
        let PullCounts { received, accepted, unchanged, duplicate, superseded, quarantined } = counts;
        Self { received, accepted, unchanged, duplicate, superseded, quarantined, ..self }
    }
}

/// Health of the connectors by name, then of the publications. `ledger`: `None` if nothing has run yet.
pub async fn assess_connectors(
    config: &Configuration,
    ledger: Option<&Ledger>,
    now: i64,
) -> Result<Vec<ConnectorHealth>, RunError> {
    assess_connectors_until(config, ledger, None, now).await
}

/// Health as of a night. Pulls of later runs are ignored, so the answer does not depend on when it is computed.
pub(super) async fn assess_connectors_on_night(
    config: &Configuration,
    ledger: &Ledger,
    night: &Night,
) -> Result<Vec<ConnectorHealth>, RunError> {
    assess_connectors_until(config, Some(ledger), Some(night.run), night.as_of).await
}

async fn assess_connectors_until(
    config: &Configuration,
    ledger: Option<&Ledger>,
    run: Option<i64>,
    now: i64,
) -> Result<Vec<ConnectorHealth>, RunError> {
    let pauses = match ledger {
        Some(ledger) => ledger.pauses().await?,
        None => Vec::new(),
    };
    let mut healths = Vec::new();
    for connector in &config.connectors {
        let off = off(config, &pauses, &connector.name);
        healths.push(match ledger {
            Some(ledger) => connector_health(connector, ledger, off, run, now).await?,
            None => assessed(connector, &ConnectorHistory { off, ..ConnectorHistory::default() }, now),
        });
    }
    for connector in &config.mistaken {
        healths.push(mistaken_health(config, connector, ledger, run).await?);
    }
    healths.sort_by(|left, right| left.connector.cmp(&right.connector));
    if run.is_none() {
        add_group_remarks(&mut healths, publish::newest_record(&config.settings.data)?.as_ref());
    }
    if config.settings.postgres.is_some() {
        let (publication, newest) = match ledger {
            Some(ledger) => (ledger.publication(POSTGRES).await?, ledger.newest_published().await?),
            None => (None, None),
        };
        healths.push(publication_health(&publication.unwrap_or_default(), newest, now));
    }
    Ok(healths)
}

/// Adds what the newest night found about dossiers that several connectors hold.
fn add_group_remarks(healths: &mut [ConnectorHealth], newest: Option<&NightRecord>) {
    let Some(record) = newest else { return };
    for health in healths {
        let of_connector = |dossiers: &BTreeMap<String, u64>| dossiers.get(&health.connector).copied();
        health.noted.elsewhere = of_connector(&record.elsewhere);
        health.noted.not_merged = of_connector(&record.not_merged);
        let elsewhere = health
            .noted
            .elsewhere
            .map(|dossiers| format!("dossiers that count with their row in another source: {dossiers}"));
        let not_merged = health
            .noted
            .not_merged
            .map(|dossiers| format!("dossiers that share codes with too many others, and each count: {dossiers}"));
        let earlier = Some(std::mem::take(&mut health.remarks)).filter(|remarks| !remarks.is_empty());
        health.remarks = [earlier, elsewhere, not_merged].into_iter().flatten().collect::<Vec<_>>().join("; ");
    }
}

fn off(config: &Configuration, pauses: &[Pause], connector: &str) -> Option<DisabledReason> {
    if config.settings.disabled_connectors.iter().any(|disabled| disabled == connector) {
        return Some(DisabledReason::BySettings);
    }
    let pause = pauses.iter().find(|pause| pause.connector == connector)?;
    Some(DisabledReason::Paused { since: pause.since, by: pause.paused_by.clone() })
}

async fn connector_health(
    connector: &Connector,
    ledger: &Ledger,
    off: Option<DisabledReason>,
    until: Option<i64>,
    now: i64,
) -> Result<ConnectorHealth, RunError> {
    // Retries, replays and backfills do not count.
    let pulls = ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
    let is_of_night = |pull: &Pull| pull.purpose == Purpose::Night && until.is_none_or(|until| pull.run <= until);
    let nights = pulls.into_iter().filter(is_of_night);
    let pulls: Vec<Pull> = nights.skip_while(|pull| is_under_way(pull.ended(), pull.started_at, now)).collect();
    let mut past: Vec<PastPull> = pulls.iter().map(|pull| past(pull, connector)).collect();
    // A degraded pull whose rejections were resolved since counts as complete.
    if let (Some(last), Some(seen)) = (pulls.first(), past.first_mut())
        && last.outcome == Some(Outcome::Degraded)
        && is_within_budget(ledger, connector, last).await?
    {
        seen.outcome = Some(Outcome::Complete);
    }
    let slots = ledger.slots_of(&connector.name, now, 1).await?;
    let unrun = slots.first().and_then(|slot| {
        let cause = match slot.state {
            SlotState::Failed => UnrunCause::Failed,
            SlotState::Stopped => UnrunCause::Stopped,
            SlotState::Missed => UnrunCause::Missed,
            SlotState::Begun | SlotState::Done => return None,
        };
        Some(MissedSlot { slot: slot.slot, cause, message: slot.message.clone() })
    });
    let stopped_by = match pulls.first() {
        Some(last) => ledger.run(last.run).await?.and_then(|run| run.stopped_by),
        None => None,
    };
    let mut remarks: Vec<String> = pulls.first().map(remarks).unwrap_or_default();
    let decided_until = ledger.slots_decided_until(&connector.name).await?;
    let set_back_until = decided_until.filter(|_| schedule::is_set_back(decided_until, now));
    if let Some(until) = set_back_until.map(instant::display) {
        remarks.push(format!("the clock was set back: slots until {until} that were run are not run again"));
    }
    let data_until = pulls.iter().find_map(|pull| pull.data_until);
    let published_from = ledger.published_from().await?;
    let history = ConnectorHistory { off, pulls: past, unrun, stopped_by, published_from, data_until };
    let health = assessed(connector, &history, now);
    Ok(ConnectorHealth {
        data_until,
        open: u64::try_from(ledger.open_rejections(&connector.name).await?).unwrap_or(0),
        remarks: remarks.join("; "),
        noted: Noted { pull: pulls.first().cloned(), set_back_until, ..Noted::default() },
        ..health.with_counts(pulls.first().map(|pull| pull.counts).unwrap_or_default())
    })
}

/// Health of a connector that is not read until its mistakes are corrected.
async fn mistaken_health(
    config: &Configuration,
    connector: &MistakenConnector,
    ledger: Option<&Ledger>,
    until: Option<i64>,
) -> Result<ConnectorHealth, RunError> {
    let name = &connector.name;
    if off(config, &[], name).is_some() {
        return Ok(ConnectorHealth::new(HealthSubject::Connector, name, HealthState::Disabled));
    }
    let mut health = ConnectorHealth {
        reason: Some(format!("its `connector.toml` has mistakes: {}", connector.problems.summary())),
        reason_code: Some(ErrorKind::Misconfigured.code().to_owned()),
        hint: Some("correct them: `motcua check --offline` lists all mistakes".to_owned()),
        ..ConnectorHealth::new(HealthSubject::Connector, name, HealthState::Failing)
    };
    if let Some(ledger) = ledger {
        let pulls = ledger.pulls_of(name, EARLIER_PULLS).await?;
        let is_of_night = |pull: &&Pull| pull.purpose == Purpose::Night && until.is_none_or(|until| pull.run <= until);
        let is_read = |pull: &&Pull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
        let nights = || pulls.iter().filter(is_of_night);
        health.data_until = nights().find_map(|pull| pull.data_until);
        health.last_success = nights().find(is_read).and_then(|pull| pull.finished_at);
        health.open = u64::try_from(ledger.open_rejections(name).await?).unwrap_or(0);
    }
    Ok(health)
}

fn assessed(connector: &Connector, history: &ConnectorHistory, now: i64) -> ConnectorHealth {
    let health = assess(connector, history, now);
    ConnectorHealth {
        since: health.since,
        reason: health.reason,
        reason_code: health.code,
        hint: health.hint,
        last_success: health.last_success,
        next_run: health.next_run,
        ..ConnectorHealth::new(HealthSubject::Connector, &connector.name, health.state)
    }
}

/// Health of a publication: healthy if it holds the newest night, else behind or failing. `newest`: run of that night
/// and when it ended.
fn publication_health(publication: &Publication, newest: Option<(i64, i64)>, now: i64) -> ConnectorHealth {
    // A night that has just ended is still being published.
    let newest = newest.filter(|(_, ended)| publication.run.is_none() || now - ended > PUBLICATION_GRACE_MICROS);
    let behind = newest.filter(|(run, _)| publication.run.is_none_or(|held| held < *run));
    let (state, code, since, reason, hint) = match (&publication.message, behind) {
        (Some(message), _) => {
            let hint = publication.hint.as_deref();
            (HealthState::Failing, Some("publication_failed"), publication.failing_since, Some(message.clone()), hint)
        }
        (None, Some((run, ended))) => {
            let reason = format!("it does not hold run {run}, the newest night");
            let hint = "`motcua publish` publishes the newest night; `motcua serve` does it by itself";
            let state = if publication.run.is_none() { HealthState::NeverRun } else { HealthState::Late };
            (state, Some("publication_behind"), Some(ended), Some(reason), Some(hint))
        }
        (None, None) if publication.run.is_none() => (HealthState::NeverRun, None, None, None, None),
        (None, None) => (HealthState::Healthy, None, publication.published_at, None, None),
    };
    ConnectorHealth {
        since,
        reason,
        reason_code: code.map(str::to_owned),
        hint: hint.map(str::to_owned),
        last_success: publication.published_at,
        ..ConnectorHealth::new(HealthSubject::Publication, POSTGRES, state)
    }
}

fn past(pull: &Pull, connector: &Connector) -> PastPull {
    // Drift that another version of the connector found is not reported.
    let same = pull.connector_digest == connector.file_digest;
    let drifted =
        |kind| pull.findings.drift.iter().filter(move |drift| drift.kind == kind).map(|drift| drift.field.as_str());
    let mut words = Vec::new();
    for (kind, word) in [(DriftKind::New, "new"), (DriftKind::Missing, "missing")] {
        let fields: Vec<&str> = drifted(kind).collect();
        if !fields.is_empty() {
            words.push(format!("{word}: {}", fields.join(", ")));
        }
    }
    PastPull {
        outcome: pull.ended(),
        reason: pull.reason.clone(),
        message: pull.message.clone(),
        hint: pull.hint.clone(),
        drift: (same && !words.is_empty()).then(|| format!("fields of the source changed; {}", words.join("; "))),
        started_at: pull.started_at,
        finished_at: pull.finished_at,
    }
}

#[cfg(test)]
#[path = "connector_health_tests.rs"]
mod tests;
