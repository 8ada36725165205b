//! `/differences`: what changed between two nights, and the dossiers that moved a figure. Reading dossiers is recorded in the
//! access log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::indicators::FigureOf;
use crate::lists::{self, ChangeRow, DifferenceAnswer};
use crate::locale::{Initial, Language, moment};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, offset};
use crate::service::api::figures::{FigureQuery, named_period, night_of};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, wanted_scope};
use crate::service::caller::DossierReader;
use crate::service::dossiers::ComparedNights;
use crate::service::nights::LoadedNight;
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

/// Parameters of `GET /differences`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DifferencesQuery {
    /// One of the nights: the newest at or before this day or moment, or the night of this run.
    #[param(value_type = String, format = Date)]
    before: String,
    /// The other night, written as `before`. Default: the newest.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    after: Option<String>,
    /// A named period.
    period: String,
    /// Only this indicator; its dossiers are listed if it counts dossiers at both nights.
    #[serde(default)]
    indicator: Option<String>,
    /// Only this agency, by code or name.
    #[serde(default)]
    agency: Option<String>,
    /// Only this tier: its own figures and those of its agencies; the dossiers of all its agencies.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// Which list CSV and XLSX have. Default: `figures`.
    #[serde(default)]
    #[param(value_type = Option<DifferenceList>)]
    list: Option<DifferenceList>,
    /// Overrides the header `Accept`.
    #[serde(default)]
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
    /// Figures, and dossiers, in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[serde(default)]
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Figures, and dossiers, to skip.
    #[serde(default, deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

/// A list of a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DifferenceList {
    /// Figures whose counts or definitions differ.
    #[default]
    Figures,
    /// Dossiers that moved the figure; needs `indicator`.
    Dossiers,
}

/// The night that a text names: by its run, else the newest at or before a day or moment.
async fn night_named(service: &Service, text: &str) -> Result<Arc<LoadedNight>, Problem> {
    let query = match text.parse::<i64>() {
        Ok(run) => FigureQuery { run: Some(run), ..FigureQuery::default() },
        Err(_) => FigureQuery { as_of: Some(text.to_owned()), ..FigureQuery::default() },
    };
    night_of(service, &query).await
}

/// What changed between two nights. With `indicator` also the dossiers that moved its figure, and why; this access is recorded
/// in the access log.
#[utoipa::path(
    get,
    path = "/differences",
    tag = "dossiers",
    params(DifferencesQuery),
    responses(
        (status = 200, description = "Figures that differ, and the dossiers that moved one figure", content(
            (DifferenceAnswer = "application/json"),
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
pub(super) async fn differences(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<DifferencesQuery>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let limit = form.limit;
    let period = named_period(&query.period)?;
    let of = query.list.unwrap_or_default();
    let nights = nights(&service, &query).await?;
    let [before, after] = &nights;
    let wanted = wanted_scope(&service, after, (query.agency.as_deref(), query.tier))?;
    let compared = compared(&service, &nights, query.indicator.as_deref(), of).await?;
    let (scope, moved) = match &compared {
        // Figures hold no dossiers: those of every agency are published.
        None => (wanted, None),
        Some((id, compared)) => {
            let scope = ReadableScope::new(&service, &caller, wanted)?;
            let what = format!("differences {id} {period}");
            let read = scope.recorded(&service, &caller, ("api", &what)).await?;
            let moved = compared.moved_dossiers((id, period), &read).await?;
            (Some(read.of().clone()), Some(moved))
        }
    };
    let is_selected = |figure: &&Figure| {
        query.indicator.as_deref().is_none_or(|id| *figure.indicator == *id)
            && match &scope {
                None | Some(FigureOf::Province) => true,
                Some(FigureOf::Tier(tier)) => figure.tier == Some(*tier),
                Some(FigureOf::Agency(code)) => figure.agency.as_deref() == Some(code),
            }
    };
    let [old, new] = [before, after].map(|night| {
        let of_period = night.of_period(period).iter().map(|position| night.at(*position));
        of_period.filter(is_selected).collect::<Vec<_>>()
    });
    let changes = lists::figure_changes(&old, &new);
    let page_of = |rows: usize| {
        let from = rows.min(query.offset as usize);
        from..rows.min(from + limit as usize)
    };
    let figures = (&changes[page_of(changes.len())], changes.len() as u64);
    let dossiers = moved.as_deref().map(|moved| (&moved[page_of(moved.len())], moved.len() as u64));
    let of_nights = [&before.record.night, &after.record.night];
    let json = DifferenceAnswer::new(of_nights, figures, dossiers);
    let (list, total) = match of {
        DifferenceList::Figures => {
            (ChangeRow::list(&figures.0.iter().map(ChangeRow::of).collect::<Vec<_>>()), figures.1)
        }
        DifferenceList::Dossiers => {
            let (moved, total) = dossiers.unwrap_or_default();
            (lists::moved_list(moved), total)
        }
    };
    let about = vec![
        ("Kỳ", Language::Vietnamese.period(period, Initial::Upper)),
        ("So với", format!("{}; lượt {}", moment(of_nights[0].as_of), of_nights[0].run)),
    ];
    let head = ListHead::new(&format!("thay-doi-{period}"), "Thay đổi giữa hai đêm".to_owned(), about);
    answer(&service, form, &json, (list, total), head, of_nights[1])
}

/// The nights of a query, the earlier one first: causes lead from it to the later one.
async fn nights(service: &Service, query: &DifferencesQuery) -> Result<[Arc<LoadedNight>; 2], Problem> {
    let mut nights = [
        night_named(service, &query.before).await?,
        match &query.after {
            Some(after) => night_named(service, after).await?,
            None => night_of(service, &FigureQuery::default()).await?,
        },
    ];
    nights.sort_by_key(|night| night.record.night.run);
    Ok(nights)
}

/// The indicator whose dossiers are compared, with the definitions of both nights. `None` if no indicator is given, or if one of
/// the nights does not count dossiers by it: then only figures are compared.
async fn compared<'q>(
    service: &Service,
    nights: &[Arc<LoadedNight>; 2],
    indicator: Option<&'q str>,
    of: DifferenceList,
) -> Result<Option<(&'q str, ComparedNights)>, Problem> {
    let needs = |why: &str| {
        Err(Problem::not_found(format!("`list=dossiers` needs the `indicator` of figures that count dossiers{why}")))
    };
    let Some(id) = indicator else {
        return if of == DifferenceList::Dossiers { needs("") } else { Ok(None) };
    };
    let compared = ComparedNights::read(service, nights).await?;
    if !compared.knows(id) {
        let [before, after] = nights.each_ref().map(|night| night.record.night.run);
        return Err(Problem::not_found(format!(
            "there is no indicator `{id}` in the nights of runs {before} and {after}"
        )));
    }
    match compared.without_dossiers(id) {
        None => Ok(Some((id, compared))),
        Some(why) if of == DifferenceList::Dossiers => needs(&format!(" at both nights: {why}")),
        Some(_) => Ok(None),
    }
}
