//! `/worklists`: what agencies do today so that their ratios do not fall. Reading dossiers is recorded in the access log.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::config::Configuration;
use crate::indicators::{SILENT, silent_title};
use crate::lists::{self, SilentAnswer, WorklistAnswer, WorklistCount};
use crate::locale::{Language, moment};
use crate::model::agency::Tier;
use crate::model::typed_moment::past_moment;
use crate::run;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, offset};
use crate::service::api::figures::{FigureQuery, as_of_problem, night_of};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, wanted_scope};
use crate::service::caller::DossierReader;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::nights::LoadedNight;
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

/// Parameters of `GET /worklists`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct WorklistsQuery {
    /// Only this agency, by code or name; without `agency` and `tier` the province.
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// The lists as of this day or moment, which is not in the future, from the newest night at or before it and by its
    /// definitions. Default: now.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
}

/// Parameters of `GET /worklists/{name}`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct WorklistQuery {
    /// Only this agency, by code or name; without `agency` and `tier` the province.
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// The list as of this day or moment, which is not in the future, from the newest night at or before it and by its
    /// definitions. Default: now.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
    /// Dossiers in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Dossiers to skip.
    #[serde(deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

/// A worklist of dossiers, or that of agencies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum WorklistOrSilent {
    Dossiers(WorklistAnswer),
    Agencies(SilentAnswer),
}

/// What `as_of` selects.
struct AskedMoment {
    night: Arc<LoadedNight>,
    /// Of a past moment the definitions that its night kept, else those of today.
    config: Arc<Configuration>,
    /// Microseconds UTC.
    now: i64,
}

impl AskedMoment {
    async fn of(service: &Service, as_of: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = as_of else {
            let night = night_of(service, &FigureQuery::default()).await?;
            return Ok(Self { night, config: Arc::clone(&service.config), now: run::now() });
        };
        let now = past_moment(text, run::now()).map_err(|message| as_of_problem(text, &message))?;
        let query = FigureQuery { as_of: Some(text.to_owned()), ..FigureQuery::default() };
        let night = night_of(service, &query).await?;
        let config = config_of_night(service, &night).await?;
        Ok(Self { night, config, now })
    }

    fn read(&self) -> NightRead<'_> {
        NightRead { config: &self.config, night: &self.night.record.night }
    }
}

/// How many dossiers each worklist has, and how many agencies are silent.
#[utoipa::path(
    get,
    path = "/worklists",
    tag = "dossiers",
    params(WorklistsQuery),
    responses(
        (status = 200, description = "The lists in the order in which they are shown", content(
            (Vec<WorklistCount> = "application/json"),
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
pub(super) async fn worklists(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<WorklistsQuery>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, None).await?;
    let asked = AskedMoment::of(&service, query.as_of.as_deref()).await?;
    let wanted = wanted_scope(&service, &asked.night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let (of, now) = (asked.read(), asked.now);
    let counts = dossiers::worklist_counts(of, now, &scope).await?;
    let list = WorklistCount::list(&counts);
    let total = counts.len() as u64;
    let about = vec![("Phạm vi", scope.of().name().to_owned()), ("Lúc", moment(now))];
    let head = ListHead::new("viec-can-lam", "Việc cần làm".to_owned(), about);
    answer(&service, form, &counts, (list, total), head, of.night)
}

/// The dossiers of a worklist, or the silent agencies. The access is recorded in the access log.
///
/// For `silent` the answer has `agencies` instead of `dossiers`, each with the day of its latest dossier, and no ratios.
#[utoipa::path(
    get,
    path = "/worklists/{name}",
    tag = "dossiers",
    params(("name" = String, Path, description = "Name of the list"), WorklistQuery),
    responses(
        (status = 200, description = "Those with the earliest moment first; `step` says what to do", content(
            (WorklistOrSilent = "application/json"),
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
pub(super) async fn worklist(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    Path(name): Path<String>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<WorklistQuery>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let limit = form.limit;
    let list = if name == SILENT { None } else { Some(dossiers::worklist_named(&name)?) };
    let asked = AskedMoment::of(&service, query.as_of.as_deref()).await?;
    let wanted = wanted_scope(&service, &asked.night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let (of, now) = (asked.read(), asked.now);
    let at = (of.night, now);
    let settings = &service.config.settings.worklists;
    let about = vec![("Phạm vi", scope.of().name().to_owned()), ("Lúc", moment(now))];
    let head = |[title, _]: [String; 2]| ListHead::new(&format!("viec-can-lam-{name}"), title, about);
    let Some(list) = list else {
        let found = dossiers::silent_agencies(of, now, &scope).await?;
        let total = found.len() as u64;
        let page: Vec<_> = found.into_iter().skip(query.offset as usize).take(limit as usize).collect();
        let agencies = lists::silent_list(&page);
        let json = WorklistOrSilent::Agencies(SilentAnswer::new(&name, at, total, &agencies));
        return answer(&service, form, &json, (agencies, total), head(silent_title(settings)), at.0);
    };
    let read = scope.recorded(&service, &caller, ("api", &format!("worklist {name}"))).await?;
    let found = dossiers::worklist(of, now, list, &read, (query.offset, limit)).await?;
    let lines = lists::worklist_list(Language::Vietnamese, list, &found, now);
    let json = WorklistOrSilent::Dossiers(WorklistAnswer::new(list, &found, &lines, at));
    answer(&service, form, &json, (lines, found.total), head(list.title(settings)), at.0)
}
