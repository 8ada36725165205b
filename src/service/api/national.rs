//! `/reconcile/national`: our counts beside those of the national portal. They are published figures: no dossier is read, and nothing is
//! recorded in the access log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::lists::{self, NationalAnswer};
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::service::Service;
use crate::service::api::extract::{StrictQuery, offset};
use crate::service::api::list_answers::{ListForm, ListFormat, ListHead, answer, wanted_scope};
use crate::service::api::reconcile::night_and_period;
use crate::service::caller::DossierReader;
use crate::service::national::compare;
use crate::service::problem::{BoundToken, CommonErrors, NoNight, NotFound, Problem};
use crate::service::readable_scope::ReadableScope;

/// Parameters of `GET /reconcile/national`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct NationalParameters {
    /// A named period: what the national portal has stated for periods within it. Default: the year of the night.
    period: Option<String>,
    /// Only this agency, by code or name; without `agency` and `tier` the province and all agencies.
    agency: Option<String>,
    /// Only this tier and its agencies.
    #[param(value_type = Option<String>)]
    tier: Option<Tier>,
    /// Read the newest night at or before this day or moment. Default: the newest night.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<ListFormat>)]
    format: Option<ListFormat>,
    /// Rows in one answer, 1 to 10,000. If absent: 100 in JSON, 10,000 in the other formats.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// Rows to skip.
    #[serde(deserialize_with = "offset")]
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

/// Our counts beside those that the national portal states, by agency and period, of the indicators that both count. If nothing is
/// connected, `connected` is false and there are no rows.
#[utoipa::path(
    get,
    path = "/reconcile/national",
    tag = "figures",
    params(NationalParameters),
    responses(
        (status = 200, description = "The newest period first; in it by indicator, and agencies with the greatest difference first", content(
            (NationalAnswer = "application/json"),
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
pub(super) async fn national(
    State(service): State<Arc<Service>>,
    DossierReader(caller): DossierReader,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<NationalParameters>,
) -> Result<Response, Problem> {
    let form = ListForm::new(&service, &headers, query.format, query.limit).await?;
    let page = (query.offset, form.limit);
    let (night, period) = night_and_period(&service, query.as_of.as_deref(), query.period.as_deref()).await?;
    let wanted = wanted_scope(&service, &night, (query.agency.as_deref(), query.tier))?;
    let scope = ReadableScope::new(&service, &caller, wanted)?;
    let found = compare(&service.config, &night, &scope, period);
    let list = lists::national_list(&found, page);
    let json = NationalAnswer::new(&found, &list, period, &night.record.night);
    let about =
        vec![("Phạm vi", scope.of().name().to_owned()), ("Kỳ", Language::Vietnamese.period(period, Initial::Upper))];
    let title = "Đối chiếu với Cổng Dịch vụ công quốc gia".to_owned();
    let head = ListHead::new(&format!("doi-chieu-cong-quoc-gia-{period}"), title, about);
    answer(&service, form, &json, (list, found.rows.len() as u64), head, &night.record.night)
}
