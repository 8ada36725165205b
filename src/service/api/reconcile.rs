//! `/reconcile`: portal against post. Reading dossiers is recorded in the access log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use strum::IntoEnumIterator as _;
use utoipa::IntoParams;

use crate::indicators::{PostDirection, ReconcileClass, Reconciliation, UnmatchedItem};
use crate::lists::{self, ItemsAnswer, ReconcileAnswer};
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::model::instant::local;
use crate::model::period::Period;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, offset};
use crate::service::api::figures::{FigureQuery, named_period, night_of};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, named, wanted_scope};
use crate::service::caller::{Authenticated, DossierReader};
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::nights::LoadedNight;
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

/// Parameters of `GET /reconcile`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ReconcileParameters {
    /// A named period. Default: the year of the night.
    period: Option<String>,
    /// Only this agency, by code or name; without `agency` and `tier` the province.
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// Only this direction.
    direction: Option<String>,
    /// List the dossiers of this class. Default: all that do not match.
    class: Option<String>,
    /// Read the newest night at or before this day or moment. Default: the newest night.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
    /// Dossiers of each direction in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Dossiers of each direction to skip.
    #[serde(deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

/// Parameters of `GET /reconcile/items`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemsParameters {
    /// A named period: the items that the post accepted in it, else delivered. Items without any day are of the night's. Default:
    /// the year of the night.
    period: Option<String>,
    /// Read the newest night at or before this day or moment. Default: the newest night.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
    /// Items in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Items to skip.
    #[serde(deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

/// The night and the period of a query.
pub(super) async fn night_and_period(
    service: &Service,
    as_of: Option<&str>,
    period: Option<&str>,
) -> Result<(Arc<LoadedNight>, Period), Problem> {
    let query = FigureQuery { as_of: as_of.map(str::to_owned), ..FigureQuery::default() };
    let period = period.map(named_period).transpose()?;
    let night = night_of(service, &query).await?;
    let year = Period::Year { year: local(night.record.night.as_of).date().year() };
    Ok((night, period.unwrap_or(year)))
}

/// What portal and post state about the dossiers of a period. The access is recorded in the access log.
#[utoipa::path(
    get,
    path = "/reconcile",
    tag = "dossiers",
    params(ReconcileParameters),
    responses(
        (status = 200, description = "Dossiers by class and agency, and those of one class; CSV and XLSX have the listed dossiers", content(
            (ReconcileAnswer = "application/json"),
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
pub(super) async fn reconcile(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<ReconcileParameters>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let limit = form.limit;
    let direction = named("direction", query.direction.as_deref(), PostDirection::name)?;
    let class = named("class", query.class.as_deref(), ReconcileClass::name)?;
    let (night, period) = night_and_period(&service, query.as_of.as_deref(), query.period.as_deref()).await?;
    let wanted = wanted_scope(&service, &night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let read = scope.recorded(&service, &caller, ("api", &format!("reconcile {period}"))).await?;
    let config = config_of_night(&service, &night).await?;
    let of = NightRead { config: &config, night: &night.record.night };
    let directions: Vec<PostDirection> =
        direction.map_or_else(|| PostDirection::iter().collect(), |direction| vec![direction]);
    let mut found = Vec::new();
    for direction in directions {
        let page = (query.offset, limit);
        found.push((direction, dossiers::reconcile(of, (direction, period), class, &read, page).await?));
    }
    let is_listed = |of: ReconcileClass| class.map_or(of != ReconcileClass::Matched, |only| only == of);
    let of_direction = |(_, one): &(PostDirection, Reconciliation)| -> u64 {
        one.totals.iter().filter(|(class, _)| is_listed(**class)).map(|(_, dossiers)| dossiers).sum()
    };
    let total = found.iter().map(of_direction).sum();
    let list = lists::reconciled_list(&found.iter().map(|(direction, one)| (*direction, one)).collect::<Vec<_>>());
    let json = ReconcileAnswer::new(&found, period, &night.record.night);
    let about =
        vec![("Phạm vi", read.of().name().to_owned()), ("Kỳ", Language::Vietnamese.period(period, Initial::Upper))];
    let head = ListHead::new(&format!("doi-chieu-{period}"), "Đối chiếu cổng với bưu chính".to_owned(), about);
    answer(&service, form, &json, (list, total), head, &night.record.night)
}

/// Postal items that belong to no dossier, with codes that are near. The access is recorded in the access log.
///
/// They are of no agency, so a token that is bound to agencies cannot read them.
#[utoipa::path(
    get,
    path = "/reconcile/items",
    tag = "dossiers",
    params(ItemsParameters),
    responses(
        (status = 200, description = "In the order of source and item code", content(
            (ItemsAnswer = "application/json"),
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
pub(super) async fn items(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<ItemsParameters>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let limit = form.limit;
    let (night, period) = night_and_period(&service, query.as_of.as_deref(), query.period.as_deref()).await?;
    let scope = ReadableScope::new(&service, &caller, None)?;
    let read = scope.recorded(&service, &caller, ("api", &format!("reconcile items {period}"))).await?;
    let config = config_of_night(&service, &night).await?;
    let of = NightRead { config: &config, night: &night.record.night };
    let found = dossiers::unmatched_items(of, period, &read, (query.offset, limit)).await?;
    let page: Vec<&UnmatchedItem> = found.items.iter().collect();
    let (list, total) = (lists::items_list(&page), found.total);
    let json = ItemsAnswer::new(&page, total, period, &night.record.night);
    let about = vec![("Kỳ", Language::Vietnamese.period(period, Initial::Upper))];
    let head = ListHead::new(&format!("buu-gui-{period}"), "Bưu gửi không thuộc hồ sơ nào".to_owned(), about);
    answer(&service, form, &json, (list, total), head, &night.record.night)
}
