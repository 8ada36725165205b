//! `/metrics` for Prometheus, `/health/live` and `/health/ready`. Values of the ledger are read when it has changed. They
//! contain no code of a dossier or postal item and no agency name.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde_json::json;
use strum::IntoEnumIterator as _;

use crate::config::PublicPart;
use crate::health;
use crate::run::{self, ConnectorHealth, HealthSubject, LedgerTotals};
use crate::service::Service;
use crate::service::caller::authenticate;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// Labels of a sample.
type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter>;

pub(super) fn router() -> Router<Arc<Service>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(async || Json(json!({ "status": "live" }))))
        .route("/health/ready", get(ready))
}

/// The service is not ready if no run is under way and the schedule was last checked longer ago than this.
const STALLED_AFTER: Duration = Duration::from_mins(5);

/// Ready if the ledger can be read and the schedule is being checked.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let checked = service.runner.checked_ago();
    let is_stalled = service.runner.progress().is_none() && checked.is_none_or(|ago| ago > STALLED_AFTER);
    let not_ready = |why: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "reason": why }))).into_response()
    };
    match service.ledger.highest_run().await {
        Err(error) => {
            tracing::error!("the ledger cannot be read: {error}");
            not_ready("the ledger cannot be read")
        }
        Ok(_) if is_stalled => not_ready("the schedule is not being checked"),
        Ok(_) => Json(json!({ "status": "ready" })).into_response(),
    }
}

async fn metrics(State(service): State<Arc<Service>>, headers: HeaderMap) -> Result<Response, Problem> {
    if !service.is_public(PublicPart::Metrics) {
        // They have the state of every connector.
        authenticate(&service, &headers).await?.ok_or_else(Problem::unauthorized)?.unbound()?;
    }
    let mut text = String::new();
    let registry = registry(&service).await?;
    encode(&mut text, &registry).map_err(|error| Problem::internal("the metrics cannot be written", &error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Metrics of one answer.
struct Metrics(Registry);

impl Metrics {
    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Gauges::default();
        for (labels, value) in samples {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    /// `name` is without `_total`, which the text format adds.
    fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, u64)>) {
        let family = Counters::default();
        for (labels, value) in samples {
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }
}

async fn registry(service: &Service) -> Result<Registry, Problem> {
    let now = run::now();
    let mut metrics = Metrics(Registry::with_prefix("motcua"));
    metrics.gauge(
        "build_info",
        "1, with the version",
        [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
    );
    let summary = service.ledger_summary.summary(service, now).await?;
    metrics.connector_health(&summary.health, now);
    metrics.totals(summary.totals.clone());
    let under_way = flag(service.runner.progress().is_some());
    if let Some(ago) = service.runner.checked_ago() {
        let help = "Seconds since the schedule was checked; it is checked each minute, except while a run is under way";
        metrics.gauge("schedule_looked_ago_seconds", help, [(vec![], ago.as_secs_f64())]);
    }
    metrics.gauge("run_under_way", "1 while a run is under way", [(vec![], under_way)]);
    if let Some(night) = service.nights.newest().await? {
        metrics.night(&night);
    }
    Ok(metrics.0)
}

fn seconds(micros: i64) -> f64 {
    number(micros) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "instants in microseconds and counts are below 2^53")]
fn number(count: i64) -> f64 {
    count as f64
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

impl Metrics {
    fn connector_health(&mut self, subjects: &[ConnectorHealth], now: i64) {
        let connectors: Vec<&ConnectorHealth> =
            subjects.iter().filter(|one| one.kind == HealthSubject::Connector).collect();
        let of = |health: &ConnectorHealth| vec![("connector", health.connector.clone())];
        let at = |moment: fn(&ConnectorHealth) -> Option<i64>| {
            connectors.iter().filter_map(move |one| Some((of(one), seconds(moment(one)?)))).collect::<Vec<_>>()
        };
        let states_of_connectors = connectors.iter().flat_map(|health| states(health, "connector"));
        self.gauge("connector_state", "1 for the state that a connector is in, 0 for the others", states_of_connectors);
        let reasons = connectors.iter().filter_map(|one| {
            let reason = ("reason", one.reason_code.clone()?);
            Some((vec![("connector", one.connector.clone()), reason], 1.0))
        });
        self.gauge("connector_reason", "1, with the code of the reason why a connector is in its state", reasons);
        let last_success = at(|one| one.last_success);
        let help = "End of the last pull that was complete or degraded";
        self.gauge("connector_last_success_timestamp_seconds", help, last_success);
        let data_until = at(|one| one.data_until);
        self.gauge("connector_data_until_timestamp_seconds", "Newest date among the connector's records", data_until);
        self.gauge("connector_next_run_timestamp_seconds", "Next slot of the schedule", at(|one| one.next_run));
        let lags = connectors.iter().filter_map(|one| Some((of(one), seconds(now - one.data_until?))));
        self.gauge("connector_lag_seconds", "Age of the connector's newest record", lags);
        let open = connectors.iter().map(|one| (of(one), number(one.open.cast_signed())));
        self.gauge("connector_open_rejections", "Rejected rows that are still open", open);
        let publications = subjects.iter().filter(|one| one.kind == HealthSubject::Publication);
        let states_of_publications = publications.flat_map(|one| states(one, "target"));
        self.gauge(
            "publication_state",
            "1 for the state that a publication is in, 0 for the others",
            states_of_publications,
        );
    }

    fn totals(&mut self, totals: LedgerTotals) {
        let counts = |rows: Vec<(String, String, u64)>, [first, second]: [&'static str; 2]| {
            rows.into_iter().map(move |(one, other, count)| (vec![(first, one), (second, other)], count))
        };
        let records = counts(totals.records, ["connector", "class"]);
        self.counter("records", "Rows received, by class", records);
        self.counter("pulls", "Pulls that ended, by outcome", counts(totals.pulls, ["connector", "outcome"]));
        let runs = counts(totals.runs, ["purpose", "figures"]);
        self.counter("runs", "Runs that ended, by purpose and by completeness of their figures", runs);
        // A gauge, not a counter: a missed slot may still be made up, and old slots are deleted.
        let slots = counts(totals.slots, ["connector", "state"]);
        let slots = slots.map(|(labels, count)| (labels, number(count.cast_signed())));
        self.gauge("slots", "Known slots of the schedules, by state", slots);
        let took = |rows: Vec<(String, i64)>, label: &'static str| {
            rows.into_iter().map(move |(of, micros)| (vec![(label, of)], seconds(micros)))
        };
        self.gauge("pull_duration_seconds", "How long the last pull took", took(totals.pull_micros, "connector"));
        self.gauge("run_duration_seconds", "How long the last run took", took(totals.run_micros, "purpose"));
    }

    fn night(&mut self, night: &LoadedNight) {
        let record = &night.record.night;
        let one = |value: f64| [(Labels::new(), value)];
        let figures = i64::try_from(night.figures.len()).unwrap_or(i64::MAX);
        self.gauge("night_run", "Run of the newest published night", one(number(record.run)));
        let as_of = one(seconds(record.as_of));
        self.gauge("night_as_of_timestamp_seconds", "Time as of which its figures were computed", as_of);
        self.gauge("night_complete", "1 if every connector was read completely", one(flag(record.complete)));
        self.gauge("night_figures", "Number of figures that it published", one(number(figures)));
    }
}

/// One sample per state that exists: 1 for the subject's own, 0 for the others.
fn states(health: &ConnectorHealth, label: &'static str) -> Vec<(Labels, f64)> {
    let sample = |state: health::HealthState| {
        let labels = vec![(label, health.connector.clone()), ("state", state.name().to_owned())];
        (labels, flag(state == health.state))
    };
    health::HealthState::iter().map(sample).collect()
}
