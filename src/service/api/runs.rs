//! `/runs`: what ran, the certificates of its pulls, and the start of another.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::landing::LandedPull;
use crate::model::instant;
use crate::model::pull::{Counts, Outcome};
use crate::run::{Pull, Run, RunError};
use crate::service::Service;
use crate::service::api::query::{Asked, Body, Nothing};
use crate::service::caller::{Operator, Reader};
use crate::service::problem::{Missing, NotAllowed, NotOrdered, Problem, Refused};
use crate::service::runner::{Order, Undone};

/// Runs in one answer where `limit` is absent.
const LIMIT: u32 = 60;

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RunQuery {
    /// Runs in one answer, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: u32,
    /// Only runs before this one: `next` of the answer before.
    #[param(minimum = 1)]
    before: Option<i64>,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self { limit: LIMIT, before: None }
    }
}

/// Runs, newest first, and what is under way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPage {
    under_way: Option<UnderWayRow>,
    /// Whether an order waits to be carried out.
    ordered: bool,
    /// Why what was ordered or due last could not be done; null where it was.
    undone: Option<UndoneRow>,
    runs: Vec<RunRow>,
    /// `before` of the next page; null on the last.
    next: Option<i64>,
}

/// What the service does at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnderWayRow {
    /// night · retry.
    purpose: &'static str,
    #[schema(format = DateTime)]
    since: String,
    step: String,
}

/// What could not be done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UndoneRow {
    #[schema(format = DateTime)]
    since: String,
    message: String,
}

/// One run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunRow {
    run: i64,
    /// night · retry · replay · backfill.
    purpose: &'static str,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// Whether the figures that it published are complete; null if it published none.
    complete: Option<bool>,
}

impl RunRow {
    fn new(run: &Run) -> Self {
        Self {
            run: run.run,
            purpose: run.purpose.name(),
            started_at: instant::display(run.started_at),
            finished_at: run.finished_at.map(instant::display),
            complete: run.complete,
        }
    }
}

/// One connector's part of a run: its certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PullRow {
    run: i64,
    connector: String,
    purpose: &'static str,
    /// complete · degraded · incomplete · failed; null while it is under way.
    outcome: Option<&'static str>,
    /// Code of the reason.
    reason: Option<String>,
    message: Option<String>,
    hint: Option<String>,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    #[schema(format = DateTime)]
    data_until: Option<String>,
    received: u64,
    accepted: u64,
    unchanged: u64,
    duplicate: u64,
    superseded: u64,
    quarantined: u64,
    pages: u64,
    /// Records that the source says it has; null where it says nothing.
    declared: Option<u64>,
    distinct_keys: u64,
    /// Records marked as deleted since a sweep did not find them.
    swept: u64,
    drift: Vec<DriftRow>,
}

/// A field of the source that differs from the contract.
#[derive(Debug, Serialize, ToSchema)]
struct DriftRow {
    /// new · missing · ill_typed.
    kind: &'static str,
    field: String,
    rows: Option<u64>,
}

impl PullRow {
    pub(super) fn new(pull: &Pull) -> Self {
        let Counts { received, accepted, unchanged, duplicate, superseded, quarantined } = pull.counts;
        let findings = &pull.findings;
        let drift = findings.drift.iter().map(|drift| DriftRow {
            kind: drift.kind.name(),
            field: drift.field.clone(),
            rows: drift.first.map(|first| first.rows),
        });
        Self {
            run: pull.run,
            connector: pull.connector.clone(),
            purpose: pull.purpose.name(),
            outcome: pull.ended().map(Outcome::name),
            reason: pull.reason.clone(),
            message: pull.message.clone(),
            hint: pull.hint.clone(),
            started_at: instant::display(pull.started_at),
            finished_at: pull.finished_at.map(instant::display),
            data_until: pull.data_until.map(instant::display),
            received,
            accepted,
            unchanged,
            duplicate,
            superseded,
            quarantined,
            pages: findings.pages,
            declared: findings.declared,
            distinct_keys: findings.distinct_keys,
            swept: findings.swept,
            drift: drift.collect(),
        }
    }
}

/// A run with the certificates of its pulls.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunDetail {
    #[serde(flatten)]
    run: RunRow,
    pulls: Vec<CertifiedPull>,
}

/// A pull with its page chains.
#[derive(Debug, Serialize, ToSchema)]
struct CertifiedPull {
    #[serde(flatten)]
    pull: PullRow,
    /// Page chains that were read to their end; empty for files, and where landing keeps the pull no more.
    chains: Vec<ChainRow>,
}

/// A chain of pages.
#[derive(Debug, Serialize, ToSchema)]
struct ChainRow {
    label: String,
    pages: u64,
    rows: u64,
    declared_total: Option<u64>,
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/runs",
    tag = "runs",
    params(RunQuery),
    responses(
        (status = 200, description = "Runs and what is under way", body = RunPage),
        Refused,
    ),
    security(("token" = [])),
)]
pub(super) async fn runs(
    State(service): State<Arc<Service>>,
    _: Reader,
    Asked(asked): Asked<RunQuery>,
) -> Result<Json<RunPage>, Problem> {
    bounded("limit", asked.limit, 1_000)?;
    from_one("before", asked.before)?;
    let limit = i64::from(asked.limit);
    let mut runs = service.ledger.runs_before(asked.before, limit + 1).await?;
    let is_more = runs.len() as u64 > u64::from(asked.limit);
    runs.truncate(asked.limit as usize);
    let under_way = service.runner.under_way().map(|under_way| UnderWayRow {
        purpose: under_way.purpose.name(),
        since: instant::display(under_way.since),
        step: under_way.step,
    });
    let next = runs.last().filter(|_| is_more).map(|last| last.run);
    let runs = runs.iter().map(RunRow::new).collect();
    let undone = service.runner.undone();
    let undone = undone.map(|Undone { since, message }| UndoneRow { since: instant::display(since), message });
    Ok(Json(RunPage { under_way, ordered: service.runner.is_ordered(), undone, runs, next }))
}

/// A number that has to lie between 1 and `most`.
pub(super) fn bounded(parameter: &str, number: u32, most: u32) -> Result<(), Problem> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(Problem::bad_request(format!("`{parameter}`: write a number from 1 to {most}")))
}

/// A number that has to be at least one.
pub(super) fn from_one(parameter: &str, number: Option<i64>) -> Result<(), Problem> {
    match number {
        Some(number) if number < 1 => Err(Problem::bad_request(format!("`{parameter}`: write a number from 1"))),
        _ => Ok(()),
    }
}

/// One run with the certificates of its pulls.
#[utoipa::path(
    get,
    path = "/runs/{run}",
    tag = "runs",
    params(("run" = i64, Path, description = "Its number", minimum = 1)),
    responses(
        (status = 200, description = "What was read, what became of it, and what proves it whole", body = RunDetail),
        Refused,
        Missing,
    ),
    security(("token" = [])),
)]
pub(super) async fn run(
    State(service): State<Arc<Service>>,
    _: Reader,
    Path(number): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<RunDetail>, Problem> {
    let missing = || Problem::not_found(format!("there is no run `{number}`"));
    let number: i64 = number.parse().map_err(|_| missing())?;
    let run = service.ledger.run(number).await?.ok_or_else(missing)?;
    let mut pulls = Vec::new();
    for pull in service.ledger.pulls_of_run(number).await? {
        let landed = LandedPull::new(&service.data, &pull.connector, pull.run);
        let certificate = tokio::task::spawn_blocking(move || landed.certificate()).await.map_err(RunError::from)?;
        let chains = certificate.map_err(RunError::from)?.unwrap_or_default().chains;
        let chains = chains.into_iter().map(|chain| ChainRow {
            label: chain.label,
            pages: u64::from(chain.pages),
            rows: chain.rows,
            declared_total: chain.declared_total,
        });
        pulls.push(CertifiedPull { pull: PullRow::new(&pull), chains: chains.collect() });
    }
    Ok(Json(RunDetail { run: RunRow::new(&run), pulls }))
}

/// What to run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunOrder {
    /// Names; all that are neither disabled nor paused where it is empty.
    connectors: Vec<String>,
}

/// What was ordered.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::service) struct Ordered {
    connectors: Vec<String>,
    /// Where to look.
    see: &'static str,
}

/// Starts a run: reads, computes and publishes now.
#[utoipa::path(
    post,
    path = "/runs",
    tag = "runs",
    request_body = RunOrder,
    responses(
        (status = 202, description = "It is begun as soon as the data folder is free", body = Ordered),
        Refused,
        NotAllowed,
        NotOrdered,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn start(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    _: Asked<Nothing>,
    Body(asked): Body<RunOrder>,
) -> Result<(StatusCode, Json<Ordered>), Problem> {
    order(&service, &caller.name, asked.connectors, Order::Night)
}

/// Takes the rejected rows again, after the mapping or the source was mended.
#[utoipa::path(
    post,
    path = "/quarantine/retry",
    tag = "quarantine",
    request_body = RunOrder,
    responses(
        (status = 202, description = "It is begun as soon as the data folder is free", body = Ordered),
        Refused,
        NotAllowed,
        NotOrdered,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn retry(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    _: Asked<Nothing>,
    Body(asked): Body<RunOrder>,
) -> Result<(StatusCode, Json<Ordered>), Problem> {
    order(&service, &caller.name, asked.connectors, Order::Retry)
}

pub(in crate::service) fn order(
    service: &Service,
    by: &str,
    connectors: Vec<String>,
    what: impl FnOnce(Vec<String>) -> Order,
) -> Result<(StatusCode, Json<Ordered>), Problem> {
    for name in &connectors {
        if service.config.connector(name).is_none() {
            let known: Vec<&str> = service.config.connectors.iter().map(|known| known.name.as_str()).collect();
            let detail = format!("`connectors`: there is no `{name}`; there are: {}", known.join(", "));
            return Err(Problem::bad_request(detail));
        }
    }
    if service.runner.order(what(connectors.clone())).is_err() {
        return Err(Problem::new(StatusCode::CONFLICT, "a run is under way or ordered already: see `/api/v1/runs`"));
    }
    tracing::info!(by, connectors = connectors.join(","), "a run is ordered");
    Ok((StatusCode::ACCEPTED, Json(Ordered { connectors, see: "/api/v1/runs" })))
}
