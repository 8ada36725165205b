//! How every connector and every publication stands now: one answer for `status`, the API, the pages, the metrics and the
//! webhook.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::config::Configuration;
use crate::health::{Off, PastPull, Seen, State, UnrunSlot, assess, is_under_way};
use crate::model::connector::Connector;
use crate::model::figure::Night;
use crate::model::instant;
use crate::model::pull::{Counts, DriftKind, Outcome, Purpose};
use crate::run::ledger::{Ledger, Pause, Publication, Pull, SlotState};
use crate::run::{RunError, is_mended, schedule};

/// Pulls and slots that are looked at to say since when a state holds.
const LOOKED_AT: i64 = 400;

/// How long a publication may take before it is said to be behind.
const ON_ITS_WAY_MICROS: i64 = 15 * 60 * 1_000_000;

/// The target of the PostgreSQL publication.
pub const POSTGRES: &str = "postgres";

/// What stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Subject)]
pub enum HealthSubject {
    Connector,
    /// A place outside the data folder that nights are published to.
    Publication,
}

/// One subject's state: since when, why and what to do. Instants in microseconds UTC, written as RFC 3339.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Standing)]
pub struct ConnectorHealth {
    /// Name of the connector, or of the target of publication.
    pub connector: String,
    pub state: State,
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
    /// Of the last pull, as the next five.
    pub received: u64,
    pub accepted: u64,
    pub unchanged: u64,
    pub duplicate: u64,
    pub superseded: u64,
    pub quarantined: u64,
    /// Rejected rows of all pulls that are open.
    pub open: u64,
    /// Drift, impossible dates and deletions of the last pull.
    pub remarks: String,
    #[serde(serialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_run: Option<i64>,
    pub kind: HealthSubject,
    /// Code of the reason.
    pub reason_code: Option<String>,
}

/// An instant as RFC 3339, or null.
#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn moment<S: Serializer>(micros: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(instant::display).serialize(serializer)
}

impl ConnectorHealth {
    fn new(kind: HealthSubject, name: &str, state: State) -> Self {
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
            next_run: None,
            kind,
            reason_code: None,
        }
    }

    fn with_counts(self, counts: Counts) -> Self {
        let Counts { received, accepted, unchanged, duplicate, superseded, quarantined } = counts;
        Self { received, accepted, unchanged, duplicate, superseded, quarantined, ..self }
    }
}

/// How everything stands: the connectors in the order of their names, then the publications. Without a ledger nothing has run.
pub async fn assess_connectors(
    config: &Configuration,
    ledger: Option<&Ledger>,
    now: i64,
) -> Result<Vec<ConnectorHealth>, RunError> {
    assess_connectors_until(config, ledger, None, now).await
}

/// How everything stood on a night, however late that is asked: what was read for a later one is not looked at.
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
    let mut standings = Vec::new();
    for connector in &config.connectors {
        let off = off(config, &pauses, &connector.name);
        standings.push(match ledger {
            Some(ledger) => of_connector(connector, ledger, off, run, now).await?,
            None => judged(connector, &Seen { off, ..Seen::default() }, now),
        });
    }
    if config.settings.postgres.is_some() {
        let (publication, newest) = match ledger {
            Some(ledger) => (ledger.publication(POSTGRES).await?, ledger.newest_published().await?),
            None => (None, None),
        };
        standings.push(of_publication(&publication.unwrap_or_default(), newest, now));
    }
    Ok(standings)
}

fn off(config: &Configuration, pauses: &[Pause], connector: &str) -> Option<Off> {
    if config.settings.disabled_connectors.iter().any(|disabled| disabled == connector) {
        return Some(Off::BySettings);
    }
    let pause = pauses.iter().find(|pause| pause.connector == connector)?;
    Some(Off::Paused { since: pause.since, by: pause.paused_by.clone() })
}

async fn of_connector(
    connector: &Connector,
    ledger: &Ledger,
    off: Option<Off>,
    until: Option<i64>,
    now: i64,
) -> Result<ConnectorHealth, RunError> {
    // A retry, a replay or a backfill says nothing of the nights.
    let pulls = ledger.pulls_of(&connector.name, LOOKED_AT).await?;
    let is_of_night = |pull: &Pull| pull.purpose == Purpose::Night && until.is_none_or(|until| pull.run <= until);
    let nights = pulls.into_iter().filter(is_of_night);
    let pulls: Vec<Pull> = nights.skip_while(|pull| is_under_way(pull.ended(), pull.started_at, now)).collect();
    let mut past: Vec<PastPull> = pulls.iter().map(|pull| past(pull, connector)).collect();
    // Taken since: what was degraded is so no longer.
    if let (Some(last), Some(seen)) = (pulls.first(), past.first_mut())
        && last.outcome == Some(Outcome::Degraded)
        && is_mended(ledger, connector, last).await?
    {
        seen.outcome = Some(Outcome::Complete);
    }
    let slots = ledger.slots_of(&connector.name, now, 1).await?;
    let unrun = slots.first().and_then(|slot| match slot.state {
        SlotState::Failed => Some(UnrunSlot { slot: slot.slot, failed: true, message: slot.message.clone() }),
        SlotState::Missed => Some(UnrunSlot { slot: slot.slot, failed: false, message: slot.message.clone() }),
        SlotState::Begun | SlotState::Done => None,
    });
    let mut remarks: Vec<String> = pulls.first().map(remarks).unwrap_or_default();
    let decided_until = ledger.slots_decided_until(&connector.name).await?;
    if schedule::is_set_back(decided_until, now) {
        let until = decided_until.map(instant::display).unwrap_or_default();
        remarks.push(format!("the clock was set back: slots until {until} that were run are not run again"));
    }
    let data_until = pulls.iter().find_map(|pull| pull.data_until);
    let published_from = ledger.published_from().await?;
    let standing = judged(connector, &Seen { off, pulls: past, unrun, published_from, data_until }, now);
    Ok(ConnectorHealth {
        data_until,
        open: u64::try_from(ledger.open_rejections(&connector.name).await?).unwrap_or(0),
        remarks: remarks.join("; "),
        ..standing.with_counts(pulls.first().map(|pull| pull.counts).unwrap_or_default())
    })
}

fn judged(connector: &Connector, seen: &Seen, now: i64) -> ConnectorHealth {
    let health = assess(connector, seen, now);
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

/// A publication is judged by the newest night: it holds that night, or it is behind. `newest`: its run and when it ended.
fn of_publication(publication: &Publication, newest: Option<(i64, i64)>, now: i64) -> ConnectorHealth {
    // A night that has just ended is on its way.
    let newest = newest.filter(|(_, ended)| publication.run.is_none() || now - ended > ON_ITS_WAY_MICROS);
    let behind = newest.filter(|(run, _)| publication.run.is_none_or(|held| held < *run));
    let (state, code, since, reason, hint) = match (&publication.message, behind) {
        (Some(message), _) => {
            let hint = publication.hint.as_deref();
            (State::Failing, Some("publication_failed"), publication.failing_since, Some(message.clone()), hint)
        }
        (None, Some((run, ended))) => {
            let reason = format!("it does not hold run {run}");
            let hint = "`motcua publish` publishes the newest night; `motcua serve` does it by itself";
            let state = if publication.run.is_none() { State::NeverRun } else { State::Late };
            (state, Some("publication_behind"), Some(ended), Some(reason), Some(hint))
        }
        (None, None) if publication.run.is_none() => (State::NeverRun, None, None, None, None),
        (None, None) => (State::Healthy, None, publication.published_at, None, None),
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
    // What a changed connector made of the source is its own.
    let same = pull.connector_digest == connector.digest;
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

/// What of a pull somebody should know although it was taken.
#[must_use]
pub fn remarks(pull: &Pull) -> Vec<String> {
    let mut lines = Vec::new();
    for drift in &pull.findings.drift {
        let place =
            drift.first.map(|first| format!(", first on page {}, row {}", first.page, first.row)).unwrap_or_default();
        lines.push(format!("{} field: {}{place}", drift.kind.name().replace('_', " "), drift.field));
    }
    for (order, rows) in &pull.findings.impossible {
        lines.push(format!("{}: {rows}", order.replace('_', " ")));
    }
    if pull.findings.swept > 0 {
        lines.push(format!("marked as deleted, since the source does not list them: {}", pull.findings.swept));
    }
    lines
}

#[cfg(test)]
#[path = "connector_health_tests.rs"]
mod tests;
