//! Who is told: a heartbeat after each night, a webhook when a state changes or a target is newly missed. Each is told once;
//! what could not be sent is sent at a later bell.
#![expect(clippy::disallowed_methods, reason = "edge: the one client that speaks to those who are told")]

use std::collections::HashSet;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::health::State;
use crate::indicators::figure_key;
use crate::model::figure::{Figure, Met};
use crate::model::instant;
use crate::model::period::PeriodKind;
use crate::model::pull::Purpose;
use crate::run::{self, ConnectorHealth, HealthSubject, Notification, RunError, assess_connectors};
use crate::service::Service;
use crate::service::nights::PublishedNight;
use crate::service::pages::why;

/// The subject under which the newest night stands that was told.
const NIGHT: &str = "night";
/// The same of the heartbeat.
const HEARTBEAT: &str = "heartbeat";
/// Missed targets that one message lists.
const MOST_MISSED: usize = 200;
/// How long who is told may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The way to those who are told.
#[derive(Debug)]
pub(super) struct Alerts {
    client: reqwest::Client,
    heartbeat: Option<String>,
    webhook: Option<String>,
}

impl Alerts {
    pub(super) fn new(service: &Service) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let filled = |name: &str, template: &Option<String>| {
            let filled = service.config.values.fill(template.as_ref()?);
            filled.inspect_err(|unset| tracing::error!("`alerts.{name}`: {} has no value", unset.placeholder)).ok()
        };
        let alerts = &service.config.settings.alerts;
        Self {
            client: client.build().expect("the client's settings are constant"),
            heartbeat: filled("heartbeat_url", &alerts.heartbeat_url),
            webhook: filled("webhook_url", &alerts.webhook_url),
        }
    }

    /// Tells what is new. A failure is logged: it is tried again at the next bell.
    pub(super) async fn after_bell(&self, service: &Service) {
        if let Err(error) = self.tell(service).await {
            tracing::error!("what is new cannot be told: {error}");
        }
    }

    async fn tell(&self, service: &Service) -> Result<(), RunError> {
        let now = run::now();
        let told = service.ledger.notifications().await?;
        let night = service.nights.newest().await?;
        if let (Some(url), Some(night)) = (&self.heartbeat, &night) {
            let run = night.record.night.run.to_string();
            // A retry by day says nothing of the nights.
            let newest = service.ledger.run(night.record.night.run).await?;
            let is_of_night = newest.is_none_or(|newest| newest.purpose == Purpose::Night);
            if is_of_night
                && told.iter().find(|told| told.subject == HEARTBEAT).is_none_or(|told| told.state != run)
                && self.post(url, "heartbeat", &heartbeat(night)).await
            {
                service.ledger.write_notification(&heard(HEARTBEAT, run, None, now)).await?;
            }
        }
        let Some(url) = &self.webhook else { return Ok(()) };
        for standing in assess_connectors(&service.config, Some(&service.ledger), now).await? {
            let subject = subject_of(&standing);
            let before = told.iter().find(|told| told.subject == subject);
            let state = standing.state.name();
            if before.is_some_and(|before| before.state == state) {
                continue;
            }
            // What is new is no news: it has not run yet.
            let is_news = before.is_some() || !(standing.state.is_fine() || standing.state == State::NeverRun);
            let from = before.map(|before| before.state.as_str());
            if is_news && !self.post(url, "webhook", &changed(&standing, from, service, now)).await {
                // Whoever does not listen now is not asked again for every other change.
                return Ok(());
            }
            service.ledger.write_notification(&heard(&subject, state.to_owned(), standing.since, now)).await?;
        }
        if let Some(night) = night {
            self.tell_missed(url, service, &night, &told, now).await?;
        }
        Ok(())
    }

    /// Targets that this night misses and the night that was told before did not.
    async fn tell_missed(
        &self,
        url: &str,
        service: &Service,
        night: &PublishedNight,
        told: &[Notification],
        now: i64,
    ) -> Result<(), RunError> {
        let run = night.record.night.run;
        let before = told.iter().find(|told| told.subject == NIGHT).and_then(|told| told.state.parse::<i64>().ok());
        // A provisional night misses what is not there yet.
        if before == Some(run) || !night.record.night.complete {
            return Ok(());
        }
        let before = match before {
            // A night that cannot be read any more is no night to compare with.
            Some(before) => service.nights.of_run(before).await.ok().flatten(),
            None => None,
        };
        let missed = before.map(|before| newly_missed(&before, night)).unwrap_or_default();
        if missed.is_empty() || self.post(url, "webhook", &targets_missed(&missed, night, service, now)).await {
            service.ledger.write_notification(&heard(NIGHT, run.to_string(), None, now)).await?;
        }
        Ok(())
    }

    /// Sends; tells whether it was taken. Addresses may hold secrets: they are not logged.
    async fn post(&self, url: &str, what: &str, body: &Value) -> bool {
        match self.client.post(url).json(body).send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                tracing::warn!("the {what} was answered with status {}: it is sent again later", answer.status());
                false
            }
            Err(error) => {
                tracing::warn!("the {what} could not be sent: {}: it is sent again later", error.without_url());
                false
            }
        }
    }
}

fn subject_of(standing: &ConnectorHealth) -> String {
    match standing.kind {
        HealthSubject::Connector => format!("connector/{}", standing.connector),
        HealthSubject::Publication => format!("publication/{}", standing.connector),
    }
}

fn heard(subject: &str, state: String, since: Option<i64>, now: i64) -> Notification {
    Notification { subject: subject.to_owned(), state, since, sent_at: now }
}

fn heartbeat(night: &PublishedNight) -> Value {
    let record = &night.record.night;
    json!({ "run": record.run, "complete": record.complete, "as_of": instant::display(record.as_of) })
}

fn changed(standing: &ConnectorHealth, from: Option<&str>, service: &Service, now: i64) -> Value {
    let why = standing.reason_code.as_deref().and_then(why);
    json!({
        "event": "state_changed",
        "id": format!("{}/{}/{}", subject_of(standing), standing.state.name(), standing.since.unwrap_or_default()),
        "at": instant::display(now),
        "province": service.config.settings.province.name,
        "kind": standing.kind,
        "subject": standing.connector,
        "from": from,
        "to": standing.state,
        "since": standing.since.map(instant::display),
        // What the source said may name files, and files may name anybody: only words of our own leave.
        "reason_code": standing.reason_code,
        "reason": why.map(|(why, _)| why),
        "to_do": why.map(|(_, to_do)| to_do),
        "hint": standing.hint,
    })
}

/// Figures of the month, quarter and year under way whose target is missed in `after` and was not in `before`.
fn newly_missed<'n>(before: &PublishedNight, after: &'n PublishedNight) -> Vec<&'n Figure> {
    let missed_before: HashSet<_> = before.figures.iter().filter(|figure| is_missed(figure)).map(figure_key).collect();
    let today = instant::local(after.record.night.as_of).date();
    let missed = after.figures.iter().filter(|figure| is_under_way(figure, today) && is_missed(figure));
    missed.filter(|figure| !missed_before.contains(&figure_key(figure))).collect()
}

fn is_missed(figure: &Figure) -> bool {
    figure.met() == Some(Met::No)
}

fn is_under_way(figure: &Figure, today: Date) -> bool {
    matches!(figure.period.kind(), PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year)
        && (figure.period.start()..=figure.period.end()).contains(&today)
}

fn targets_missed(missed: &[&Figure], night: &PublishedNight, service: &Service, now: i64) -> Value {
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
        "missed": missed.iter().take(MOST_MISSED).map(row).collect::<Vec<_>>(),
        "more": missed.len().saturating_sub(MOST_MISSED),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::figure::Night;
    use crate::model::indicator::IndicatorKind;
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
            target: Some(0.9),
        }
    }

    fn night(figures: Vec<Figure>) -> PublishedNight {
        let as_of = instant::from_local(jiff::civil::date(2026, 5, 20).at(1, 30, 0, 0));
        let night = Night { run: 1, as_of, complete: true, data_until: None };
        let (tables, sources) = (BTreeMap::new(), BTreeMap::new());
        PublishedNight::new(NightRecord { night, not_whole: Vec::new(), tables, sources }, figures)
    }

    #[test]
    fn a_target_is_newly_missed_where_it_was_not_missed_before_and_the_period_is_under_way() {
        let before = night(vec![figure("A", "2026", 9), figure("B", "2026", 8), figure("D", "2025", 9)]);
        let after = night(vec![
            figure("A", "2026", 8),    // met, now missed
            figure("B", "2026", 7),    // missed before
            figure("C", "2026-05", 8), // new
            figure("C", "2026-04", 8), // over
            figure("D", "2025", 8),    // over
            figure("E", "2026", 9),    // met
            figure("F", "2026s", 8),   // told by the calendar's year
        ]);
        let missed = newly_missed(&before, &after);
        let told: Vec<(Option<&str>, String)> =
            missed.iter().map(|figure| (figure.agency.as_deref(), figure.period.to_string())).collect();
        assert_eq!(told, [(Some("A"), "2026".to_owned()), (Some("C"), "2026-05".to_owned())]);
    }
}
