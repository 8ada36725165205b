//! `/connectors`: health of connectors and publications, and pausing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::table::RecordKind;
use crate::run::{self, ConnectorHealth, Pause, RunError, assess_connectors};
use crate::service::Service;
use crate::service::api::extract::{NoParameters, StrictQuery};
use crate::service::api::runs::PullRow;
use crate::service::caller::{Authenticated, OperatorAccess};
use crate::service::problem::{BoundToken, CommonErrors, NotFound, Problem, ReadOnlyToken};

/// Pulls and slots that the answer for one connector lists.
const LISTED: i64 = 30;

/// A connector with its health, last pulls and last slots.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorDetail {
    title: String,
    #[schema(value_type = String)]
    kind: RecordKind,
    system: String,
    contact: String,
    /// Cron line of the schedule, with five or six fields.
    cron: String,
    /// Time zone of the cron line.
    zone: String,
    #[serde(rename = "standing")]
    health: ConnectorHealth,
    /// Newest first.
    pulls: Vec<PullRow>,
    /// Slots of the schedule, newest first.
    slots: Vec<SlotRow>,
}

/// A slot of a schedule, with its state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SlotRow {
    #[schema(format = DateTime)]
    slot: String,
    /// begun · done · failed · missed · stopped.
    state: &'static str,
    /// Whether it began late, to catch up.
    made_up: bool,
    message: Option<String>,
}

fn connector_named<'s>(service: &'s Service, name: &str) -> Result<&'s Connector, Problem> {
    let missing = || Problem::not_found(RunError::no_connector(&service.config, name).to_string());
    service.config.connector(name).ok_or_else(missing)
}

async fn health_of(service: &Service, name: &str) -> Result<ConnectorHealth, Problem> {
    let subjects = assess_connectors(&service.config, Some(&service.ledger), run::now()).await?;
    let found = subjects.into_iter().find(|subject| subject.connector == name);
    found.ok_or_else(|| Problem::not_found(format!("there is no connector `{name}`")))
}

/// Health of every connector and publication: state, since when, why, what to do.
#[utoipa::path(
    get,
    path = "/connectors",
    tag = "connectors",
    responses(
        (status = 200, description = "Connectors in the order of their names, then publications", body = Vec<ConnectorHealth>),
        CommonErrors,
        BoundToken,
    ),
    security(("token" = [])),
)]
pub(super) async fn connectors(
    State(service): State<Arc<Service>>,
    _: Authenticated,
    _: StrictQuery<NoParameters>,
) -> Result<Json<Vec<ConnectorHealth>>, Problem> {
    Ok(Json(assess_connectors(&service.config, Some(&service.ledger), run::now()).await?))
}

/// One connector with its last pulls and slots.
#[utoipa::path(
    get,
    path = "/connectors/{connector}",
    tag = "connectors",
    params(("connector" = String, Path, description = "Name of the connector")),
    responses(
        (status = 200, description = "Its health, pulls and slots", body = ConnectorDetail),
        CommonErrors,
        BoundToken,
        NotFound,
    ),
    security(("token" = [])),
)]
pub(super) async fn connector(
    State(service): State<Arc<Service>>,
    _: Authenticated,
    Path(name): Path<String>,
    _: StrictQuery<NoParameters>,
) -> Result<Json<ConnectorDetail>, Problem> {
    let connector = connector_named(&service, &name)?;
    let about = &connector.file.connector;
    let slots = service.ledger.slots_of(&name, run::now(), LISTED).await?;
    Ok(Json(ConnectorDetail {
        title: about.title.clone(),
        kind: about.kind,
        system: about.system.clone(),
        contact: about.contact.clone(),
        cron: connector.file.schedule.cron.clone(),
        zone: connector.file.schedule.zone.clone(),
        health: health_of(&service, &name).await?,
        pulls: service.ledger.pulls_of(&name, LISTED).await?.iter().map(PullRow::new).collect(),
        slots: slots
            .into_iter()
            .map(|slot| SlotRow {
                slot: instant::display(slot.slot),
                state: slot.state.name(),
                made_up: slot.made_up,
                message: slot.message,
            })
            .collect(),
    }))
}

/// Pauses a connector: its slots are missed until it is resumed. Figures that depend on it become provisional once
/// its data are no longer fresh.
#[utoipa::path(
    post,
    path = "/connectors/{connector}/pause",
    tag = "connectors",
    params(("connector" = String, Path, description = "Name of the connector")),
    responses(
        (status = 200, description = "Its health: paused", body = ConnectorHealth),
        CommonErrors,
        ReadOnlyToken,
        NotFound,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn pause(
    State(service): State<Arc<Service>>,
    OperatorAccess(caller): OperatorAccess,
    Path(name): Path<String>,
    _: StrictQuery<NoParameters>,
) -> Result<Json<ConnectorHealth>, Problem> {
    connector_named(&service, &name)?;
    pause_connector(&service, &name, caller.name).await?;
    Ok(Json(health_of(&service, &name).await?))
}

/// Resumes a paused connector: a slot that can still be made up runs at once, else the next slot runs.
#[utoipa::path(
    post,
    path = "/connectors/{connector}/resume",
    tag = "connectors",
    params(("connector" = String, Path, description = "Name of the connector")),
    responses(
        (status = 200, description = "Its health: no longer paused", body = ConnectorHealth),
        CommonErrors,
        ReadOnlyToken,
        NotFound,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn resume(
    State(service): State<Arc<Service>>,
    OperatorAccess(caller): OperatorAccess,
    Path(name): Path<String>,
    _: StrictQuery<NoParameters>,
) -> Result<Json<ConnectorHealth>, Problem> {
    connector_named(&service, &name)?;
    resume_connector(&service, &name, &caller.name).await?;
    Ok(Json(health_of(&service, &name).await?))
}

pub(in crate::service) async fn pause_connector(service: &Service, name: &str, by: String) -> Result<(), Problem> {
    tracing::info!(connector = name, by, "connector paused");
    let pause = Pause { connector: name.to_owned(), since: run::now(), paused_by: by };
    service.ledger.pause(&pause).await?;
    Ok(())
}

pub(in crate::service) async fn resume_connector(service: &Service, name: &str, by: &str) -> Result<(), Problem> {
    tracing::info!(connector = name, by, "connector resumed");
    service.ledger.resume(name).await?;
    service.runner.wake();
    Ok(())
}
