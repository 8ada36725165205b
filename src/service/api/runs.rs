//! `/runs`: past runs with the certificates of their pulls, the run under way, and requests for a run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::landing::LandedPull;
use crate::model::instant;
use crate::model::pull::{Outcome, PullCounts};
use crate::run::{Pull, Run, RunError};
use crate::service::Service;
use crate::service::api::extract::{JsonBody, NoParameters, StrictQuery, check_positive, check_up_to};
use crate::service::caller::{Authenticated, OperatorAccess};
use crate::service::problem::{BoundToken, CommonErrors, NotFound, Problem, ReadOnlyToken, RunNotAccepted};
use crate::service::runner::RunRequest;

/// Runs in one answer if `limit` is absent.
const LIMIT: u32 = 60;

/// Parameters of `GET /runs`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RunQuery {
    /// Runs in one answer, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: u32,
    /// Only runs before this one. Pass `next` of the previous answer.
    #[param(minimum = 1)]
    before: Option<i64>,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self { limit: LIMIT, before: None }
    }
}

/// One page of runs, newest first, and the state of the runner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPage {
    /// The run under way.
    under_way: Option<RunProgressRow>,
    /// Whether a requested run has not begun yet.
    ordered: bool,
    /// Why the last run, due or requested, could not be done; null if it was done.
    undone: Option<RunFailureRow>,
    runs: Vec<RunRow>,
    /// Value of `before` for the next page; null on the last page.
    next: Option<i64>,
}

/// The run under way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnderWayRow)]
pub(super) struct RunProgressRow {
    /// night · retry.
    purpose: &'static str,
    #[schema(format = DateTime)]
    since: String,
    /// What the run is doing.
    step: String,
}

/// A run that could not be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UndoneRow)]
pub(super) struct RunFailureRow {
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
    /// Whether its published figures are complete; null if it published none.
    complete: Option<bool>,
    /// Who stopped it; null if nobody did.
    stopped_by: Option<String>,
}

impl RunRow {
    fn new(run: &Run) -> Self {
        Self {
            run: run.run,
            purpose: run.purpose.name(),
            started_at: instant::display(run.started_at),
            finished_at: run.finished_at.map(instant::display),
            complete: run.complete,
            stopped_by: run.stopped_by.clone(),
        }
    }
}

/// A pull: one connector's part of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PullRow {
    run: i64,
    connector: String,
    purpose: &'static str,
    /// complete · degraded · incomplete · failed; null while the pull is under way.
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
    /// Number of records that the source declares; null if it declares none.
    declared: Option<u64>,
    distinct_keys: u64,
    /// Records that were marked as deleted because they were missing from a whole list.
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
        let PullCounts { received, accepted, unchanged, duplicate, superseded, quarantined } = pull.counts;
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
    /// Page chains that were read to the end; empty for files, and for pulls that landing no longer has.
    chains: Vec<ChainRow>,
}

/// A chain of pages: the answers to one request and its follow-up requests.
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
        (status = 200, description = "Runs, newest first, and the run under way", body = RunPage),
        CommonErrors,
        BoundToken,
    ),
    security(("token" = [])),
)]
pub(super) async fn runs(
    State(service): State<Arc<Service>>,
    _: Authenticated,
    StrictQuery(query): StrictQuery<RunQuery>,
) -> Result<Json<RunPage>, Problem> {
    check_up_to("limit", query.limit, 1_000)?;
    check_positive("before", query.before)?;
    let limit = i64::from(query.limit);
    let mut runs = service.ledger.runs_before(query.before, limit + 1).await?;
    let is_more = runs.len() as u64 > u64::from(query.limit);
    runs.truncate(query.limit as usize);
    let under_way = service.runner.progress().map(|progress| RunProgressRow {
        purpose: progress.purpose.name(),
        since: instant::display(progress.since),
        step: progress.step,
    });
    let next = runs.last().filter(|_| is_more).map(|last| last.run);
    let runs = runs.iter().map(RunRow::new).collect();
    let undone = service
        .runner
        .failure()
        .map(|failure| RunFailureRow { since: instant::display(failure.since), message: failure.message });
    Ok(Json(RunPage { under_way, ordered: service.runner.is_requested(), undone, runs, next }))
}

/// One run with the certificates of its pulls.
#[utoipa::path(
    get,
    path = "/runs/{run}",
    tag = "runs",
    params(("run" = i64, Path, description = "Number of the run", minimum = 1)),
    responses(
        (status = 200, description = "The run with the certificates of its pulls", body = RunDetail),
        CommonErrors,
        BoundToken,
        NotFound,
    ),
    security(("token" = [])),
)]
pub(super) async fn run(
    State(service): State<Arc<Service>>,
    _: Authenticated,
    Path(number): Path<String>,
    _: StrictQuery<NoParameters>,
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

/// Body of a request for a run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = RunOrder)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunRequestBody {
    /// Names of connectors. An empty list means all that are neither disabled nor paused.
    connectors: Vec<String>,
}

/// A run that was accepted and begins as soon as the data folder is free.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ordered)]
pub(in crate::service) struct RunAccepted {
    connectors: Vec<String>,
    /// Path under which its progress can be read.
    see: &'static str,
}

/// Requests a run now: read the sources, compute and publish.
#[utoipa::path(
    post,
    path = "/runs",
    tag = "runs",
    request_body = RunRequestBody,
    responses(
        (status = 202, description = "Accepted: begins as soon as the data folder is free", body = RunAccepted),
        CommonErrors,
        ReadOnlyToken,
        RunNotAccepted,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn start(
    State(service): State<Arc<Service>>,
    OperatorAccess(caller): OperatorAccess,
    _: StrictQuery<NoParameters>,
    JsonBody(body): JsonBody<RunRequestBody>,
) -> Result<(StatusCode, Json<RunAccepted>), Problem> {
    request_run(&service, &caller.name, body.connectors, RunRequest::Night)
}

/// Requests a retry of rejected rows, after the mapping or the source was corrected.
#[utoipa::path(
    post,
    path = "/quarantine/retry",
    tag = "quarantine",
    request_body = RunRequestBody,
    responses(
        (status = 202, description = "Accepted: begins as soon as the data folder is free", body = RunAccepted),
        CommonErrors,
        ReadOnlyToken,
        RunNotAccepted,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn retry(
    State(service): State<Arc<Service>>,
    OperatorAccess(caller): OperatorAccess,
    _: StrictQuery<NoParameters>,
    JsonBody(body): JsonBody<RunRequestBody>,
) -> Result<(StatusCode, Json<RunAccepted>), Problem> {
    request_run(&service, &caller.name, body.connectors, RunRequest::Retry)
}

/// Passes a request for a run to the runner: 400 for an unknown connector, 409 while a run is under way or requested.
pub(in crate::service) fn request_run(
    service: &Service,
    by: &str,
    connectors: Vec<String>,
    request: impl FnOnce(Vec<String>) -> RunRequest,
) -> Result<(StatusCode, Json<RunAccepted>), Problem> {
    for name in &connectors {
        if service.config.mistaken(name).is_some() {
            let why = RunError::no_connector(&service.config, name);
            return Err(Problem::bad_request(format!("`connectors`: {why}")));
        }
        if service.config.connector(name).is_none() {
            let known: Vec<&str> = service.config.connectors.iter().map(|known| known.name.as_str()).collect();
            let detail = format!("`connectors`: there is no `{name}`; there are: {}", known.join(", "));
            return Err(Problem::bad_request(detail));
        }
    }
    if service.runner.request(request(connectors.clone())).is_err() {
        return Err(Problem::new(StatusCode::CONFLICT, "a run is under way or requested already: see `/api/v1/runs`"));
    }
    tracing::info!(by, connectors = connectors.join(","), "a run was requested");
    Ok((StatusCode::ACCEPTED, Json(RunAccepted { connectors, see: "/api/v1/runs" })))
}
