//! `/explain`: what is behind one figure. Reading them is recorded in the access log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::indicators::DossierPage;
use crate::lists::{ExplainedAnswer, ExplainedOf};
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::model::list::List;
use crate::service::Service;
use crate::service::api::extract::StrictQuery;
use crate::service::api::figures::{FigureQuery, named_period, night_of};
use crate::service::api::list_answers::{ListFormat, ListHead, answer, wanted_scope};
use crate::service::caller::DossierReader;
use crate::service::explaining::{ExplainedQuery, defined, explain, published, side_named};
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

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
    /// Dossiers in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[serde(default)]
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
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
    /// Overrides the header `Accept`. CSV and XLSX have the listed dossiers.
    #[serde(default)]
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
}

/// The dossiers behind a figure, or the procedures, agencies, feedback or measures that it counts. The access is recorded in the
/// access log.
#[utoipa::path(
    get,
    path = "/explain",
    tag = "dossiers",
    params(ExplainQuery),
    responses(
        (status = 200, description = "Counts by side, exclusions by condition, and the list of one side; its name is `over`", content(
            (ExplainedAnswer = "application/json"),
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
pub(super) async fn explained(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<ExplainQuery>,
) -> Result<Response, Problem> {
    let format = ListFormat::of(query.format, &headers);
    let limit = format.limit(query.limit)?;
    let definition = defined(&service.config, &query.indicator)?;
    let side = side_named(query.side.as_deref(), definition)?;
    let period = named_period(&query.period)?;
    let selected = FigureQuery { run: query.run, as_of: query.as_of.clone(), ..FigureQuery::default() };
    let night = night_of(&service, &selected).await?;
    let wanted = wanted_scope(&service, &night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let what = format!("explain {} {period}", query.indicator);
    let read = scope.recorded(&service, &caller, ("api", &what)).await?;
    let explained_query = ExplainedQuery {
        indicator: query.indicator.clone(),
        period,
        page: DossierPage { side, offset: query.offset, limit },
    };
    let found = explain(&service, &night, explained_query, &read).await?;
    let published = published(&night, &query.indicator, read.of(), period);
    let about = ExplainedOf {
        definition,
        rules: &definition.rules,
        of: read.of(),
        period,
        night: &night.record.night,
        published,
        side,
        offset: query.offset,
    };
    let json = ExplainedAnswer::new(about, &found);
    let total = found.explanation.count(side);
    let list = List::new(found.columns, found.rows);
    let head = ListHead::new(
        &format!("{}-{period}-{}", query.indicator, side.name()),
        format!("{} · {}", query.indicator, definition.title.vi),
        vec![
            ("Phạm vi", read.of().name().to_owned()),
            ("Kỳ", Language::Vietnamese.period(period, Initial::Upper)),
            ("Nhóm", side.meaning()[0].to_owned()),
        ],
    );
    answer(format, &json, (list, total), head, &night.record.night).await
}
