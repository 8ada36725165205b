//! `/indicators` and `/agencies`: what figures are of.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Indicator;
use crate::service::Service;
use crate::service::api::query::{Asked, Nothing};
use crate::service::caller::FigureReader;
use crate::service::problem::{Missing, Problem, Refused};

/// An indicator as it is defined.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IndicatorRow<'a> {
    id: &'a str,
    /// Of definition and rule set, as figures state it.
    definition: &'a str,
    /// ratio · count · mean · median · stock.
    kind: &'static str,
    title_vi: &'a str,
    title_en: &'a str,
    document: &'a str,
    place: &'a str,
    #[schema(format = Date)]
    in_force_from: &'a str,
    rules: &'a str,
    target: Option<f64>,
    evidence: Option<&'a str>,
    lead_agency: Option<&'a str>,
    /// What the law leaves open and how it is read here.
    note: Option<&'a str>,
    note_vi: Option<&'a str>,
    /// SQL over the fact columns, as the next two.
    population: &'a str,
    numerator: &'a str,
    denominator: Option<&'a str>,
}

impl<'a> IndicatorRow<'a> {
    fn new(indicator: &'a Indicator) -> Self {
        let definition = &indicator.definition;
        Self {
            id: &definition.id,
            definition: &indicator.digest,
            kind: definition.kind.name(),
            title_vi: &definition.title.vi,
            title_en: &definition.title.en,
            document: &definition.legal.document,
            place: &definition.legal.place,
            in_force_from: &definition.legal.from,
            rules: &definition.rules,
            target: definition.target.map(|target| target.at_least),
            evidence: definition.evidence.as_deref(),
            lead_agency: definition.lead_agency.as_deref(),
            note: definition.note.as_deref(),
            note_vi: definition.note_vi.as_deref(),
            population: &definition.population,
            numerator: &definition.numerator,
            denominator: definition.denominator.as_deref(),
        }
    }
}

/// An agency that the registry or the figures know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgencyRow {
    code: String,
    name: Option<String>,
    /// province · district · commune; null for an agency that is not in the registry.
    tier: Option<&'static str>,
    /// specialised · service_centre · district · commune · other.
    kind: Option<&'static str>,
    /// A central body's local branch, outside the province's indicators.
    vertical: Option<bool>,
    parent: Option<String>,
    #[schema(format = Date)]
    valid_from: Option<String>,
    #[schema(format = Date)]
    valid_to: Option<String>,
    in_registry: bool,
}

/// Indicators that are defined.
#[utoipa::path(
    get,
    path = "/indicators",
    tag = "figures",
    responses(
        (status = 200, description = "In the order of their definition", body = Vec<IndicatorRow<'_>>),
        Refused,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn indicators(
    State(service): State<Arc<Service>>,
    _: FigureReader,
    _: Asked<Nothing>,
) -> Json<serde_json::Value> {
    let rows: Vec<IndicatorRow<'_>> = service.config.indicators.iter().map(IndicatorRow::new).collect();
    Json(serde_json::to_value(rows).expect("definitions are plain data"))
}

/// One indicator.
#[utoipa::path(
    get,
    path = "/indicators/{indicator}",
    tag = "figures",
    params(("indicator" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "As it is defined", body = IndicatorRow<'_>),
        Refused,
        Missing,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn indicator(
    State(service): State<Arc<Service>>,
    _: FigureReader,
    Path(id): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<serde_json::Value>, Problem> {
    let known = service.config.indicators.iter().find(|indicator| indicator.definition.id == id);
    let indicator = known.ok_or_else(|| Problem::not_found(format!("there is no indicator `{id}`")))?;
    Ok(Json(serde_json::to_value(IndicatorRow::new(indicator)).expect("a definition is plain data")))
}

/// Agencies of the registry, then those that only the figures know.
#[utoipa::path(
    get,
    path = "/agencies",
    tag = "figures",
    responses(
        (status = 200, description = "By code", body = Vec<AgencyRow>),
        Refused,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn agencies(
    State(service): State<Arc<Service>>,
    _: FigureReader,
    _: Asked<Nothing>,
) -> Result<Json<Vec<AgencyRow>>, Problem> {
    let registered = &service.config.registries.agencies;
    let mut rows: Vec<AgencyRow> = registered
        .iter()
        .map(|agency| AgencyRow {
            code: agency.code.clone(),
            name: Some(agency.name.clone()),
            tier: Some(agency.tier.name()),
            kind: Some(agency.kind.name()),
            vertical: Some(agency.vertical),
            parent: agency.parent.clone(),
            valid_from: agency.valid_from.map(|day| day.to_string()),
            valid_to: agency.valid_to.map(|day| day.to_string()),
            in_registry: true,
        })
        .collect();
    rows.sort_by(|left, right| left.code.cmp(&right.code));
    if let Some(night) = service.nights.newest().await? {
        let known: std::collections::HashSet<&str> = registered.iter().map(|agency| agency.code.as_str()).collect();
        let others = night.agencies().into_iter().filter(|(code, _)| !known.contains(code));
        rows.extend(others.map(|(code, name)| AgencyRow {
            code: code.to_owned(),
            name: name.map(str::to_owned),
            tier: None,
            kind: None,
            vertical: None,
            parent: None,
            valid_from: None,
            valid_to: None,
            in_registry: false,
        }));
    }
    Ok(Json(rows))
}
