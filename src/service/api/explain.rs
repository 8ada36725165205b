//! `/explain`: the dossiers behind one figure. Reading them is recorded in the access log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;
use utoipa::{IntoParams, ToSchema};

use crate::indicators::{DossierPage, FigureOf, Side, dossier_json};
use crate::model::agency::Tier;
use crate::run;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, check_up_to};
use crate::service::api::figures::{FigureQuery, agency_code, named_period, night_of};
use crate::service::caller::Authenticated;
use crate::service::explaining::{ExplainedQuery, explain, explainable, published, side_named};
use crate::service::problem::{CommonErrors, NoNight, NotFound, Problem};

/// Dossiers in one answer if `limit` is absent.
const LIMIT: u32 = 100;
/// Maximum of `limit`.
const MAX_LIMIT: u32 = 10_000;

/// Parameters of `GET /explain`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainQuery {
    /// Identifier of the indicator.
    indicator: String,
    /// A named period.
    period: String,
    /// The figure of this agency, by code or name; without `agency` and `tier` that of the province.
    #[serde(default)]
    agency: Option<String>,
    /// The figure of this tier.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// Which dossiers to list. Default: `not_in_numerator` for a ratio of which more is better, else `in_numerator`.
    #[serde(default)]
    side: Option<String>,
    /// Dossiers in one answer, 1 to 10,000.
    #[serde(default = "limit")]
    #[param(minimum = 1, maximum = 10000)]
    limit: u32,
    /// Dossiers to skip.
    #[serde(default)]
    #[param(minimum = 0)]
    offset: u32,
    /// Explain the night of this run instead of the newest.
    #[serde(default)]
    #[param(minimum = 1)]
    run: Option<i64>,
    /// Explain the newest night at or before this day or moment. Ignored if `run` is given.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
}

fn limit() -> u32 {
    LIMIT
}

/// How many dossiers are on each side of a figure, and those of one side.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedFigureAnswer {
    indicator: String,
    agency: Option<String>,
    tier: Option<&'static str>,
    period: String,
    /// The night's run.
    run: i64,
    /// Dossiers by side: `in_numerator`, `not_in_numerator`, `unknown`, `undecided`, `excluded`.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counts: Map<String, Value>,
    /// Conditions that leave dossiers out, most dossiers first. Each dossier is counted under the first that is false.
    exclusions: Vec<ExclusionAnswer>,
    /// Whether the counts are those of the published figure; null if the night has no such figure.
    agrees: Option<bool>,
    /// The side that is listed.
    side: &'static str,
    /// Dossiers of that side, those with most days late first.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, serde_json::Value>>)]
    dossiers: Vec<Map<String, Value>>,
}

/// A condition that leaves dossiers out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExclusionAnswer {
    condition: String,
    meaning_vi: String,
    meaning_en: String,
    dossiers: u64,
}

/// The dossiers behind a figure. The access is recorded in the access log.
#[utoipa::path(
    get,
    path = "/explain",
    tag = "figures",
    params(ExplainQuery),
    responses(
        (status = 200, description = "Counts by side, exclusions by condition, and the dossiers of one side", body = ExplainedFigureAnswer),
        CommonErrors,
        NotFound,
        NoNight,
    ),
    security(("token" = [])),
)]
pub(super) async fn explained(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
    StrictQuery(query): StrictQuery<ExplainQuery>,
) -> Result<Json<ExplainedFigureAnswer>, Problem> {
    check_up_to("limit", query.limit, MAX_LIMIT)?;
    let definition = explainable(&service.config, &query.indicator)?;
    let side = side_named(query.side.as_deref(), definition)?;
    let period = named_period(&query.period)?;
    let selected = FigureQuery { run: query.run, as_of: query.as_of.clone(), ..FigureQuery::default() };
    let night = night_of(&service, &selected).await?;
    let figure = match (&query.agency, query.tier) {
        (Some(_), Some(_)) => {
            return Err(Problem::not_found("no figure is of an agency and of a tier: give `agency` or `tier`"));
        }
        (Some(agency), None) => FigureOf::Agency(agency_code(agency, &service.config, &night)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    };
    service
        .access
        .record_read(&caller.name, "api", &format!("explain {} {period}", query.indicator), run::now())
        .await?;
    let explained_query = ExplainedQuery {
        indicator: query.indicator.clone(),
        period,
        figure: figure.clone(),
        page: DossierPage { side, offset: query.offset, limit: query.limit },
    };
    let found = explain(&service, &night, explained_query).await?;
    let published = published(&night, &query.indicator, &figure, period);
    let agrees = published.map(|published| found.explanation.difference(published).is_none());
    let (agency, tier) = figure.agency_and_tier();
    let counts = Side::iter().map(|side| (side.name().to_owned(), json!(found.explanation.count(side))));
    Ok(Json(ExplainedFigureAnswer {
        indicator: query.indicator,
        agency: agency.map(str::to_owned),
        tier: tier.map(Tier::name),
        period: period.to_string(),
        run: night.record.night.run,
        counts: counts.collect(),
        exclusions: found
            .explanation
            .exclusions
            .into_iter()
            .map(|one| ExclusionAnswer {
                condition: one.condition,
                meaning_vi: one.meaning_vi,
                meaning_en: one.meaning_en,
                dossiers: one.dossiers,
            })
            .collect(),
        agrees,
        side: side.name(),
        dossiers: found.dossiers.iter().map(|row| dossier_json(row)).collect(),
    }))
}
