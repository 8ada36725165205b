//! Notifications: a heartbeat after each night, and a webhook when a state changes or a target is newly missed.
//!
//! Each is sent once. One that could not be sent is sent again at a later wake-up; the ledger keeps what was sent
//! last.
#![expect(clippy::disallowed_methods, reason = "edge: the one HTTP client that sends notifications")]

use std::collections::HashSet;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::health::{HealthState, NIGHT_STOPPED};
use crate::indicators::figure_key;
use crate::locale::explanation;
use crate::model::figure::{Figure, Met};
use crate::model::instant;
use crate::model::period::PeriodKind;
use crate::model::pull::Purpose;
use crate::run::{self, ConnectorHealth, HealthSubject, Notification, RunError, assess_connectors};
use crate::service::Service;
use crate::service::nights::LoadedNight;

/// Subject in the ledger for the last night whose missed targets were sent.
const NIGHT: &str = "night";
/// Subject in the ledger for the last heartbeat.
const HEARTBEAT: &str = "heartbeat";
/// Maximum number of missed targets that one message lists.
const MAX_LISTED: usize = 200;
/// Time limit of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends notifications to the configured URLs; `None` for a URL that is not configured.
#[derive(Debug)]
pub(super) struct Alerts {
    client: reqwest::Client,
    heartbeat: Option<String>,
    webhook: Option<String>,
}

impl Alerts {
    pub(super) fn new(service: &Service) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let fill = |name: &str, template: &Option<String>| {
            let filled = service.config.values.fill(template.as_ref()?);
            filled.inspect_err(|unset| tracing::error!("`alerts.{name}`: {} has no value", unset.placeholder)).ok()
        };
        let alerts = &service.config.settings.alerts;
        Self {
            client: client.build().expect("the client's settings are constant"),
            heartbeat: fill("heartbeat_url", &alerts.heartbeat_url),
            webhook: fill("webhook_url", &alerts.webhook_url),
        }
    }

    /// Sends what has changed since the last call. A failure is logged, and the next call tries again.
    pub(super) async fn send_new(&self, service: &Service) {
        if let Err(error) = self.try_send_new(service).await {
            tracing::error!("notifications cannot be prepared: {error}");
        }
    }

    async fn try_send_new(&self, service: &Service) -> Result<(), RunError> {
        let now = run::now();
        let sent = service.ledger.notifications().await?;
        let night = service.nights.newest().await?;
        if let (Some(url), Some(night)) = (&self.heartbeat, &night) {
            let run = night.record.night.run.to_string();
            // No heartbeat for a retry, replay or backfill: it does not prove that nights run.
            let newest = service.ledger.run(night.record.night.run).await?;
            let is_of_night = newest.is_none_or(|newest| newest.purpose == Purpose::Night);
            if is_of_night
                && sent.iter().find(|sent| sent.subject == HEARTBEAT).is_none_or(|sent| sent.state != run)
                && self.post(url, "heartbeat", &heartbeat(night)).await
            {
                service.ledger.write_notification(&notification(HEARTBEAT, run, None, now)).await?;
            }
        }
        let Some(url) = &self.webhook else { return Ok(()) };
        for health in assess_connectors(&service.config, Some(&service.ledger), now).await? {
            let subject = subject_of(&health);
            let before = sent.iter().find(|sent| sent.subject == subject);
            let state = health.state.name();
            // Whoever stopped a night knows it. What was sent last stays: the state after it is compared with the one before.
            if health.reason_code.as_deref() == Some(NIGHT_STOPPED) {
                continue;
            }
            if before.is_some_and(|before| before.state == state) {
                continue;
            }
            // The first state of a subject is sent only if it is bad.
            let is_news = before.is_some() || !(health.state.is_fine() || health.state == HealthState::NeverRun);
            let from = before.map(|before| before.state.as_str());
            if is_news && !self.post(url, "webhook", &state_changed(&health, from, service, now)).await {
                // The receiver is down: do not try it again for each further change.
                return Ok(());
            }
            service.ledger.write_notification(&notification(&subject, state.to_owned(), health.since, now)).await?;
        }
        if let Some(night) = night {
            self.send_missed(url, service, &night, &sent, now).await?;
        }
        Ok(())
    }

    /// Sends the targets that this night misses and the last night that was compared did not.
    async fn send_missed(
        &self,
        url: &str,
        service: &Service,
        night: &LoadedNight,
        sent: &[Notification],
        now: i64,
    ) -> Result<(), RunError> {
        let run = night.record.night.run;
        let before = sent.iter().find(|sent| sent.subject == NIGHT).and_then(|sent| sent.state.parse::<i64>().ok());
        // In a provisional night a target may be missed only because data are missing.
        if before == Some(run) || !night.record.night.complete {
            return Ok(());
        }
        let before = match before {
            // A night that cannot be read is treated as if there were none to compare with.
            Some(before) => service.nights.of_run(before).await.ok().flatten(),
            None => None,
        };
        let missed = before.map(|before| newly_missed(&before, night)).unwrap_or_default();
        if missed.is_empty() || self.post(url, "webhook", &targets_missed(&missed, night, service, now)).await {
            service.ledger.write_notification(&notification(NIGHT, run.to_string(), None, now)).await?;
        }
        Ok(())
    }

    /// Posts JSON; returns whether it was answered with a success. URLs may contain secrets, so they are not logged.
    async fn post(&self, url: &str, what: &str, body: &Value) -> bool {
        match self.client.post(url).json(body).send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                tracing::warn!("the {what} was answered with status {}; it is sent again later", answer.status());
                false
            }
            Err(error) => {
                tracing::warn!("the {what} could not be sent, and is sent again later: {}", error.without_url());
                false
            }
        }
    }
}

fn subject_of(health: &ConnectorHealth) -> String {
    match health.kind {
        HealthSubject::Connector => format!("connector/{}", health.connector),
        HealthSubject::Publication => format!("publication/{}", health.connector),
    }
}

fn notification(subject: &str, state: String, since: Option<i64>, now: i64) -> Notification {
    Notification { subject: subject.to_owned(), state, since, sent_at: now }
}

fn heartbeat(night: &LoadedNight) -> Value {
    let record = &night.record.night;
    json!({ "run": record.run, "complete": record.complete, "as_of": instant::display(record.as_of) })
}

fn state_changed(health: &ConnectorHealth, from: Option<&str>, service: &Service, now: i64) -> Value {
    let explanation = health.reason_code.as_deref().and_then(explanation);
    json!({
        "event": "state_changed",
        "id": format!("{}/{}/{}", subject_of(health), health.state.name(), health.since.unwrap_or_default()),
        "at": instant::display(now),
        "province": service.config.settings.province.name,
        "kind": health.kind,
        "subject": health.connector,
        "from": from,
        "to": health.state,
        "since": health.since.map(instant::display),
        // The message of the source is left out: it may contain file names, and file names may contain personal
        // names.
        "reason_code": health.reason_code,
        "reason": explanation.map(|(why, _)| why),
        "to_do": explanation.map(|(_, to_do)| to_do),
        "hint": health.hint,
    })
}

/// Figures of the current month, quarter and year whose target is missed in `after` and was not missed in `before`.
fn newly_missed<'n>(before: &LoadedNight, after: &'n LoadedNight) -> Vec<&'n Figure> {
    let missed_before: HashSet<_> = before.figures.iter().filter(|figure| is_missed(figure)).map(figure_key).collect();
    let today = instant::local(after.record.night.as_of).date();
    let missed = after.figures.iter().filter(|figure| is_current(figure, today) && is_missed(figure));
    missed.filter(|figure| !missed_before.contains(&figure_key(figure))).collect()
}

fn is_missed(figure: &Figure) -> bool {
    figure.met() == Some(Met::No)
}

fn is_current(figure: &Figure, today: Date) -> bool {
    matches!(figure.period.kind(), PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year)
        && (figure.period.start()..=figure.period.end()).contains(&today)
}

fn targets_missed(missed: &[&Figure], night: &LoadedNight, service: &Service, now: i64) -> Value {
    let title = |id: &str| {
        let known = service.config.indicators.iter().find(|indicator| indicator.definition.id == id);
        known.map(|indicator| indicator.definition.title.vi.clone())
    };
    let row = |figure: &&Figure| {
        json!({
            "indicator": &*figure.indicator,
            "title": title(&figure.indicator),
            "agency": figure.agency.as_deref(),
            "agency_name": figure.agency_name.as_deref(),
            "tier": figure.tier,
            "period": figure.period.to_string(),
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "ratio": figure.ratio(),
            "target": figure.target,
        })
    };
    let record = &night.record.night;
    json!({
        "event": "targets_missed",
        "id": format!("targets/{}", record.run),
        "at": instant::display(now),
        "province": service.config.settings.province.name,
        "run": record.run,
        "complete": record.complete,
        "missed": missed.iter().take(MAX_LISTED).map(row).collect::<Vec<_>>(),
        "more": missed.len().saturating_sub(MAX_LISTED),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::figure::Night;
    use crate::model::indicator::{IndicatorKind, TargetPeriods};
    use crate::model::period::Period;
    use crate::publish::NightRecord;

    fn figure(agency: &str, period: &str, numerator: u64) -> Figure {
        Figure {
            indicator: "par-3.4.1".into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: "".into(),
            agency: Some(agency.into()),
            agency_name: None,
            tier: None,
            period: Period::parse(period).expect("a period"),
            numerator,
            denominator: Some(10),
            reachable: numerator,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: Some(0.9),
            target_periods: TargetPeriods::All,
        }
    }

    fn night(figures: Vec<Figure>) -> LoadedNight {
        let as_of = instant::from_local(jiff::civil::date(2026, 5, 20).at(1, 30, 0, 0));
        let night = Night { run: 1, as_of, complete: true, data_until: None };
        let record = NightRecord {
            night,
            not_whole: Vec::new(),
            clock: None,
            elsewhere: BTreeMap::new(),
            not_merged: BTreeMap::new(),
            without_connector: BTreeMap::new(),
            tables: BTreeMap::new(),
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        LoadedNight::new(record, figures)
    }

    #[test]
    fn newly_missed_targets_were_not_missed_before_and_belong_to_a_current_period() {
        let before = night(vec![figure("A", "2026", 9), figure("B", "2026", 8), figure("D", "2025", 9)]);
        let after = night(vec![
            figure("A", "2026", 8),    // met, now missed
            figure("B", "2026", 7),    // missed before
            figure("C", "2026-05", 8), // new
            figure("C", "2026-04", 8), // period has ended
            figure("D", "2025", 8),    // period has ended
            figure("E", "2026", 9),    // met
            figure("F", "2026s", 8),   // the statutory year is not reported
        ]);
        let missed = newly_missed(&before, &after);
        let missed: Vec<(Option<&str>, String)> =
            missed.iter().map(|figure| (figure.agency.as_deref(), figure.period.to_string())).collect();
        assert_eq!(missed, [(Some("A"), "2026".to_owned()), (Some("C"), "2026-05".to_owned())]);
    }
}
