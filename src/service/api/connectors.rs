//! `/connectors`: how each stands, and its pause.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::table::Kind;
use crate::run::{self, ConnectorHealth, Pause, assess_connectors};
use crate::service::Service;
use crate::service::api::query::{Asked, Nothing};
use crate::service::api::runs::PullRow;
use crate::service::caller::{Operator, Reader};
use crate::service::problem::{Missing, NotAllowed, Problem, Refused};

/// Pulls and slots that a connector's answer lists.
const LISTED: i64 = 30;

/// A connector, how it stands, and its last pulls.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorDetail {
    title: String,
    #[schema(value_type = String)]
    kind: Kind,
    system: String,
    contact: String,
    /// Cron line of its schedule, and the zone that it is read in.
    cron: String,
    zone: String,
    standing: ConnectorHealth,
    /// Newest first.
    pulls: Vec<PullRow>,
    /// Slots of its schedule, newest first.
    slots: Vec<SlotRow>,
}

/// A slot of a schedule, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SlotRow {
    #[schema(format = DateTime)]
    slot: String,
    /// begun · done · failed · missed.
    state: &'static str,
    /// Begun after its time.
    made_up: bool,
    message: Option<String>,
}

fn known<'s>(service: &'s Service, name: &str) -> Result<&'s Connector, Problem> {
    service.config.connector(name).ok_or_else(|| Problem::not_found(format!("there is no connector `{name}`")))
}

async fn standing(service: &Service, name: &str) -> Result<ConnectorHealth, Problem> {
    let standings = assess_connectors(&service.config, Some(&service.ledger), run::now()).await?;
    let found = standings.into_iter().find(|standing| standing.connector == name);
    found.ok_or_else(|| Problem::not_found(format!("there is no connector `{name}`")))
}

/// How every connector and every publication stands: since when, why, what to do.
#[utoipa::path(
    get,
    path = "/connectors",
    tag = "connectors",
    responses(
        (status = 200, description = "Connectors by name, then publications", body = Vec<ConnectorHealth>),
        Refused,
    ),
    security(("token" = [])),
)]
pub(super) async fn connectors(
    State(service): State<Arc<Service>>,
    _: Reader,
    _: Asked<Nothing>,
) -> Result<Json<Vec<ConnectorHealth>>, Problem> {
    Ok(Json(assess_connectors(&service.config, Some(&service.ledger), run::now()).await?))
}

/// One connector with its last pulls and slots.
#[utoipa::path(
    get,
    path = "/connectors/{connector}",
    tag = "connectors",
    params(("connector" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "How it stands", body = ConnectorDetail),
        Refused,
        Missing,
    ),
    security(("token" = [])),
)]
pub(super) async fn connector(
    State(service): State<Arc<Service>>,
    _: Reader,
    Path(name): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<ConnectorDetail>, Problem> {
    let connector = known(&service, &name)?;
    let about = &connector.file.connector;
    let slots = service.ledger.slots_of(&name, run::now(), LISTED).await?;
    Ok(Json(ConnectorDetail {
        title: about.title.clone(),
        kind: about.kind,
        system: about.system.clone(),
        contact: about.contact.clone(),
        cron: connector.file.schedule.cron.clone(),
        zone: connector.file.schedule.zone.clone(),
        standing: standing(&service, &name).await?,
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

/// Pauses a connector: its slots are passed over until it is resumed, and figures that rest on it turn provisional when its
/// data are no longer fresh.
#[utoipa::path(
    post,
    path = "/connectors/{connector}/pause",
    tag = "connectors",
    params(("connector" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It is paused", body = ConnectorHealth),
        Refused,
        NotAllowed,
        Missing,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn pause(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(name): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<ConnectorHealth>, Problem> {
    known(&service, &name)?;
    pause_connector(&service, &name, caller.name).await?;
    Ok(Json(standing(&service, &name).await?))
}

/// Lets a paused connector run again: a slot that is still in time at once, else the next.
#[utoipa::path(
    post,
    path = "/connectors/{connector}/resume",
    tag = "connectors",
    params(("connector" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It is not paused", body = ConnectorHealth),
        Refused,
        NotAllowed,
        Missing,
    ),
    security(("token" = ["operate"])),
)]
pub(super) async fn resume(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(name): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<ConnectorHealth>, Problem> {
    known(&service, &name)?;
    resume_connector(&service, &name, &caller.name).await?;
    Ok(Json(standing(&service, &name).await?))
}

pub(in crate::service) async fn pause_connector(service: &Service, name: &str, by: String) -> Result<(), Problem> {
    tracing::info!(connector = name, by, "paused");
    let pause = Pause { connector: name.to_owned(), since: run::now(), paused_by: by };
    service.ledger.pause(&pause).await?;
    Ok(())
}

pub(in crate::service) async fn resume_connector(service: &Service, name: &str, by: &str) -> Result<(), Problem> {
    tracing::info!(connector = name, by, "resumed");
    service.ledger.resume(name).await?;
    service.runner.ring();
    Ok(())
}
