//! `/explain`: what is behind one figure. Reading them is recorded in the access log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::indicators::{DOSSIER_COLUMNS, DossierPage};
use crate::lists::{DossierAnswer, ExplainedAnswer, ExplainedOf};
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::model::indicator::IndicatorDefinition;
use crate::model::list::List;
use crate::model::period::Period;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, offset};
use crate::service::api::figures::{FigureQuery, named_period, night_of};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, wanted_scope};
use crate::service::caller::DossierReader;
use crate::service::explaining::{
    ExplainedQuery, NightRead, config_of_night, explain, explain_dossier, no_dossier, published, side_named,
};
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::{ReadableScope, RecordedRead};

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
    #[serde(default, deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
    /// Explain one dossier, by its code, its national code or its key in the source: its conditions, the facts that decide them, and
    /// its versions. Without `side`, `limit` and `offset`.
    #[serde(default)]
    dossier: Option<String>,
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

/// What is behind a figure, or the dossiers with one code.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum ExplainedOrDossiers {
    Figure(Box<ExplainedAnswer>),
    Dossiers(Vec<DossierAnswer>),
}

/// The dossiers behind a figure, or the procedures, agencies, feedback or measures that it counts. The access is recorded in the
/// access log.
///
/// With `dossier` the answer is a list of the dossiers that have the code, each with its conditions, facts and versions.
#[utoipa::path(
    get,
    path = "/explain",
    tag = "dossiers",
    params(ExplainQuery),
    responses(
        (status = 200, description = "Counts by side, exclusions by condition, and the list of one side; its name is `over`", content(
            (ExplainedOrDossiers = "application/json"),
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
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let limit = form.limit;
    let period = named_period(&query.period)?;
    let selected = FigureQuery { run: query.run, as_of: query.as_of.clone(), ..FigureQuery::default() };
    let night = night_of(&service, &selected).await?;
    let config = config_of_night(&service, &night).await?;
    let of = NightRead { config: &config, night: &night.record.night };
    let definition = of.defined(&query.indicator)?;
    let wanted = wanted_scope(&service, &night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    if let Some(code) = &query.dossier {
        let what = format!("explain {} {period}, one dossier", query.indicator);
        of.explainable(&query.indicator)?;
        check_alone(&query)?;
        let read = scope.recorded(&service, &caller, ("api", &what)).await?;
        return one_dossier(&service, form, of, (definition, period), code.trim(), &read).await;
    }
    let side = side_named(query.side.as_deref(), definition)?;
    let what = format!("explain {} {period}", query.indicator);
    let read = scope.recorded(&service, &caller, ("api", &what)).await?;
    let explained_query = ExplainedQuery {
        indicator: query.indicator.clone(),
        period,
        page: DossierPage { side, offset: query.offset, limit },
    };
    let found = explain(of, explained_query, &read).await?;
    let published = published(&night, &query.indicator, read.of(), period);
    let about = ExplainedOf {
        definition,
        rules: &definition.rules,
        of: read.of(),
        period,
        night: of.night,
        published,
        side,
        offset: query.offset,
    };
    let json = ExplainedOrDossiers::Figure(Box::new(ExplainedAnswer::new(about, &found)));
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
    answer(&service, form, &json, (list, total), head, of.night)
}

/// Refuses the parameters that select a list beside `dossier`.
fn check_alone(query: &ExplainQuery) -> Result<(), Problem> {
    if query.side.is_some() || query.limit.is_some() || query.offset > 0 {
        return Err(Problem::bad_request("`dossier`: leave out `side`, `limit` and `offset`, which select a list"));
    }
    Ok(())
}

/// The dossiers that have a code.
async fn one_dossier(
    service: &Service,
    form: ListForm,
    of: NightRead<'_>,
    (definition, period): (&IndicatorDefinition, Period),
    code: &str,
    read: &RecordedRead,
) -> Result<Response, Problem> {
    let found = explain_dossier(of, (&definition.id, period), code, read).await?;
    if found.is_empty() {
        return Err(no_dossier(code, definition, period));
    }
    let json = ExplainedOrDossiers::Dossiers(found.iter().map(DossierAnswer::new).collect());
    let list = List::new(DOSSIER_COLUMNS, found.into_iter().map(|found| found.dossier.cells).collect());
    let total = list.rows.len() as u64;
    let head = ListHead::new(
        &format!("{}-{period}-ho-so", definition.id),
        format!("{} · {}", definition.id, definition.title.vi),
        vec![("Phạm vi", read.of().name().to_owned()), ("Kỳ", Language::Vietnamese.period(period, Initial::Upper))],
    );
    answer(service, form, &json, (list, total), head, of.night)
}
