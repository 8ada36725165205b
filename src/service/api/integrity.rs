//! `/integrity`: agencies whose dossiers were changed later so that a ratio looks better. Counts only, no dossiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::indicators::integrity_problem;
use crate::lists;
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::service::Service;
use crate::service::api::extract::StrictQuery;
use crate::service::api::figures::{FigureQuery, named_period, night_of};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, wanted_scope};
use crate::service::caller::DossierReader;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

/// Parameters of `GET /integrity`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IntegrityQuery {
    /// Identifier of a ratio of dossiers on time, such as `par-3.4.1`.
    indicator: String,
    /// A named period.
    period: String,
    /// Only this agency, by code or name; without `agency` and `tier` all.
    #[serde(default)]
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// Read the newest night at or before this day or moment. Default: the newest night.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[serde(default)]
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
}

/// Agencies with changed dossiers in a ratio's denominator.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntegrityAnswer {
    indicator: String,
    period: String,
    /// The night's run.
    run: i64,
    /// Those with most changed dossiers first. `numerator_without`: the numerator without the changed dossiers.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, serde_json::Value>>)]
    agencies: Vec<Map<String, Value>>,
}

/// Agencies whose dossiers were changed later so that a ratio looks better, with the ratio without these dossiers.
#[utoipa::path(
    get,
    path = "/integrity",
    tag = "dossiers",
    params(IntegrityQuery),
    responses(
        (status = 200, description = "Counts by agency and kind of change", content(
            (IntegrityAnswer = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        CommonErrors,
        BoundToken,
        NotFound,
        NoNight,
    ),
    security(("token" = [])),
)]
pub(super) async fn integrity(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<IntegrityQuery>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, None).await?;
    let id = query.indicator.as_str();
    let period = named_period(&query.period)?;
    let selected = FigureQuery { as_of: query.as_of.clone(), ..FigureQuery::default() };
    let night = night_of(&service, &selected).await?;
    let config = config_of_night(&service, &night).await?;
    let of = NightRead { config: &config, night: &night.record.night };
    let definition = of.defined(id)?;
    if let Some(problem) = integrity_problem(definition) {
        return Err(Problem::not_found(format!("`{id}` {problem}")));
    }
    let title = format!("Hồ sơ bị sửa về sau · {id} · {}", definition.title.vi);
    let wanted = wanted_scope(&service, &night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let rows = dossiers::integrity(of, (id, period), &scope).await?;
    let list = lists::integrity_list(&rows);
    let json = IntegrityAnswer {
        indicator: id.to_owned(),
        period: period.to_string(),
        run: night.record.night.run,
        agencies: list.to_json(),
    };
    let about =
        vec![("Phạm vi", scope.of().name().to_owned()), ("Kỳ", Language::Vietnamese.period(period, Initial::Upper))];
    let head = ListHead::new(&format!("ho-so-bi-sua-{id}-{period}"), title, about);
    answer(&service, form, &json, (list, rows.len() as u64), head, &night.record.night)
}
