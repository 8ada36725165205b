//! `/indicators` and `/agencies`: the reference data that figures refer to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::DefinedIndicator;
use crate::model::indicator::Target;
use crate::model::vietnamese_order::VietnameseOrder;
use crate::service::Service;
use crate::service::api::extract::{NoParameters, StrictQuery};
use crate::service::caller::FigureAccess;
use crate::service::problem::{CommonErrors, NotFound, Problem};

/// Definition of an indicator.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IndicatorRow<'a> {
    id: &'a str,
    /// Digest of definition and rule set; figures carry the same value.
    definition: &'a str,
    /// ratio · count · mean · points · median · stock.
    kind: &'static str,
    title_vi: &'a str,
    title_en: &'a str,
    document: &'a str,
    place: &'a str,
    #[schema(format = Date)]
    in_force_from: &'a str,
    rules: &'a str,
    target: Option<f64>,
    /// `year` if the target is judged for years only; else null.
    target_period: Option<&'static str>,
    evidence: Option<&'a str>,
    lead_agency: Option<&'a str>,
    /// How points that the law leaves open are interpreted.
    note: Option<&'a str>,
    /// The same in Vietnamese.
    note_vi: Option<&'a str>,
    /// SQL condition over the fact columns.
    population: &'a str,
    /// SQL condition over the fact columns.
    numerator: &'a str,
    /// SQL condition over the fact columns.
    denominator: Option<&'a str>,
}

impl<'a> IndicatorRow<'a> {
    fn new(indicator: &'a DefinedIndicator) -> Self {
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
            target_period: definition.target.and_then(Target::annual_name),
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

/// An agency of the registry, or one that only has figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgencyRow {
    code: String,
    name: Option<String>,
    /// province · district · commune; null for an agency that is not in the registry.
    tier: Option<&'static str>,
    /// specialised · service_centre · district · commune · other.
    kind: Option<&'static str>,
    /// Whether it is the local branch of a central body (ngành dọc), which the province's indicators leave out.
    vertical: Option<bool>,
    parent: Option<String>,
    #[schema(format = Date)]
    valid_from: Option<String>,
    #[schema(format = Date)]
    valid_to: Option<String>,
    /// False for an agency that only has figures.
    in_registry: bool,
}

/// All indicators.
#[utoipa::path(
    get,
    path = "/indicators",
    tag = "figures",
    responses(
        (status = 200, description = "In the order of the configuration", body = Vec<IndicatorRow<'_>>),
        CommonErrors,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn indicators(
    State(service): State<Arc<Service>>,
    _: FigureAccess,
    _: StrictQuery<NoParameters>,
) -> Json<serde_json::Value> {
    let rows: Vec<IndicatorRow<'_>> = service.config.indicators.iter().map(IndicatorRow::new).collect();
    Json(serde_json::to_value(rows).expect("definitions serialize to JSON"))
}

/// One indicator.
#[utoipa::path(
    get,
    path = "/indicators/{indicator}",
    tag = "figures",
    params(("indicator" = String, Path, description = "Identifier of the indicator")),
    responses(
        (status = 200, description = "Its definition", body = IndicatorRow<'_>),
        CommonErrors,
        NotFound,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn indicator(
    State(service): State<Arc<Service>>,
    _: FigureAccess,
    Path(id): Path<String>,
    _: StrictQuery<NoParameters>,
) -> Result<Json<serde_json::Value>, Problem> {
    let known = service.config.indicators.iter().find(|indicator| indicator.definition.id == id);
    let indicator = known.ok_or_else(|| Problem::not_found(format!("there is no indicator `{id}`")))?;
    Ok(Json(serde_json::to_value(IndicatorRow::new(indicator)).expect("a definition serializes to JSON")))
}

/// Agencies of the registry, then agencies that have figures but are not in the registry.
#[utoipa::path(
    get,
    path = "/agencies",
    tag = "figures",
    responses(
        (status = 200, description = "Each group in the order of the codes", body = Vec<AgencyRow>),
        CommonErrors,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn agencies(
    State(service): State<Arc<Service>>,
    _: FigureAccess,
    _: StrictQuery<NoParameters>,
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
        let mut others: Vec<_> = night.agencies();
        others.retain(|(code, _)| !known.contains(code));
        others.sort_by_cached_key(|(code, _)| VietnameseOrder::of(code));
        rows.extend(others.into_iter().map(|(code, name)| AgencyRow {
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
