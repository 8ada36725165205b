//! `/metrics` for Prometheus, `/health/live` and `/health/ready`. Everything is read at the moment of asking; no code of a
//! dossier or of an item, no name of an agency.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

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

use crate::config::PublicPart;
use crate::health;
use crate::run::{self, Standing, Subject, standings};
use crate::service::Service;
use crate::service::caller::who;
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

/// Whether the service can answer: its ledger can be read.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.ledger.highest_run().await {
        Ok(_) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            tracing::error!("the ledger cannot be read: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready" }))).into_response()
        }
    }
}

async fn metrics(State(service): State<Arc<Service>>, headers: HeaderMap) -> Result<Response, Problem> {
    if !service.is_public(PublicPart::Metrics) && who(&service, &headers).await?.is_none() {
        return Err(Problem::unauthorized());
    }
    let mut text = String::new();
    let registry = registry(&service).await?;
    encode(&mut text, &registry).map_err(|error| Problem::internal("the metrics cannot be written", &error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// A registry that is filled for one answer.
struct Filled(Registry);

impl Filled {
    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Gauges::default();
        for (labels, value) in samples {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    /// `name` without `_total`, which the text format adds.
    fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, u64)>) {
        let family = Counters::default();
        for (labels, value) in samples {
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }
}

#[expect(clippy::cast_precision_loss, reason = "instants and counts are far below 2^52 seconds")]
async fn registry(service: &Service) -> Result<Registry, Problem> {
    let now = run::now();
    let seconds = |micros: i64| micros as f64 / 1e6;
    let standings = standings(&service.config, Some(&service.ledger), now).await?;
    let connectors: Vec<&Standing> = standings.iter().filter(|one| one.kind == Subject::Connector).collect();
    let of = |standing: &Standing| vec![("connector", standing.connector.clone())];
    let mut filled = Filled(Registry::with_prefix("motcua"));
    filled.gauge("build_info", "1, with the version", [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)]);
    filled.gauge(
        "connector_state",
        "1 for the state that a connector is in, 0 for the others",
        connectors.iter().flat_map(|standing| states(standing, "connector")),
    );
    let at = |moment: fn(&Standing) -> Option<i64>| {
        connectors.iter().filter_map(move |one| Some((of(one), seconds(moment(one)?)))).collect::<Vec<_>>()
    };
    filled.gauge(
        "connector_last_success_timestamp_seconds",
        "End of the last pull that was taken",
        at(|one| one.last_success),
    );
    filled.gauge(
        "connector_data_until_timestamp_seconds",
        "Newest date among the connector's records",
        at(|one| one.data_until),
    );
    filled.gauge("connector_next_run_timestamp_seconds", "Next slot of the schedule", at(|one| one.next_run));
    filled.gauge(
        "connector_lag_seconds",
        "Age of the connector's newest record",
        connectors.iter().filter_map(|one| Some((of(one), seconds(now - one.data_until?)))),
    );
    filled.gauge(
        "connector_open_rejections",
        "Rejected rows that wait to be taken",
        connectors.iter().map(|one| (of(one), one.open as f64)),
    );
    filled.gauge(
        "publication_state",
        "1 for the state that a publication is in, 0 for the others",
        standings.iter().filter(|one| one.kind == Subject::Publication).flat_map(|one| states(one, "target")),
    );
    let totals = service.ledger.totals().await?;
    filled.counter(
        "records",
        "Rows that were received, by what became of them",
        totals
            .records
            .into_iter()
            .map(|(connector, class, rows)| (vec![("connector", connector), ("class", class)], rows)),
    );
    filled.counter(
        "pulls",
        "Pulls that ended, by how",
        totals
            .pulls
            .into_iter()
            .map(|(connector, outcome, count)| (vec![("connector", connector), ("outcome", outcome)], count)),
    );
    filled.counter(
        "runs",
        "Runs that ended, by purpose and figures",
        totals
            .runs
            .into_iter()
            .map(|(purpose, figures, count)| (vec![("purpose", purpose), ("figures", figures)], count)),
    );
    filled.counter(
        "slots",
        "Slots of the schedules, by what became of them",
        totals
            .slots
            .into_iter()
            .map(|(connector, state, count)| (vec![("connector", connector), ("state", state)], count)),
    );
    filled.gauge(
        "pull_duration_seconds",
        "How long the last pull took",
        totals.pull_micros.into_iter().map(|(connector, micros)| (vec![("connector", connector)], seconds(micros))),
    );
    filled.gauge(
        "run_duration_seconds",
        "How long the last run took",
        totals.run_micros.into_iter().map(|(purpose, micros)| (vec![("purpose", purpose)], seconds(micros))),
    );
    filled.gauge(
        "run_under_way",
        "1 while a run is under way",
        [(vec![], f64::from(u8::from(service.runner.under_way().is_some())))],
    );
    if let Some(night) = service.nights.newest().await? {
        let record = &night.record.night;
        filled.gauge("night_run", "Run of the newest published night", [(vec![], record.run as f64)]);
        filled.gauge(
            "night_as_of_timestamp_seconds",
            "The moment that its figures speak of",
            [(vec![], seconds(record.as_of))],
        );
        filled.gauge(
            "night_complete",
            "1 if every connector was read whole",
            [(vec![], f64::from(u8::from(record.complete)))],
        );
        filled.gauge("night_figures", "Figures that it published", [(vec![], night.figures.len() as f64)]);
    }
    Ok(filled.0)
}

fn states(standing: &Standing, label: &'static str) -> Vec<(Labels, f64)> {
    let sample = |state: health::State| {
        let labels = vec![(label, standing.connector.clone()), ("state", state.name().to_owned())];
        (labels, f64::from(u8::from(state == standing.state)))
    };
    health::State::ALL.into_iter().map(sample).collect()
}
