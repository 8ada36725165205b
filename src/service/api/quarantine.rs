//! `/quarantine`: rejected rows. A row's kept fields may contain a dossier code, so reading one row is recorded in
//! the access log.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::landing::LandedPull;
use crate::run::{self, QuarantinedRow, RunError};
use crate::service::Service;
use crate::service::api::extract::{NoParameters, StrictQuery, check_positive, check_up_to};
use crate::service::caller::Authenticated;
use crate::service::problem::{BoundToken, CommonErrors, NotFound, Problem};

/// Rows in one answer if `limit` is absent.
const LIMIT: u32 = 1_000;

/// Parameters of `GET /quarantine`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct QuarantineQuery {
    /// Only rows of this connector.
    connector: Option<String>,
    /// Only rows that this run rejected.
    #[param(minimum = 1)]
    run: Option<i64>,
    /// Also rows that are closed: accepted or rejected again by a later run.
    all: bool,
    /// Rows in one answer, 1 to 10,000.
    #[param(minimum = 1, maximum = 10000)]
    limit: u32,
    /// Rows to skip.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

impl Default for QuarantineQuery {
    fn default() -> Self {
        Self { connector: None, run: None, all: false, limit: LIMIT, offset: 0 }
    }
}

/// One page of rejected rows, newest run first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuarantinePage {
    /// Number of rows on all pages.
    total: u64,
    rows: Vec<QuarantinedRow>,
}

/// A rejected row with its kept fields.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RejectedDetail {
    #[serde(flatten)]
    row: QuarantinedRow,
    /// Origin of its page; null if landing no longer has the page.
    origin: Option<String>,
    /// Fields that landing kept, by name. `?` marks the shape of a value that failed its type, `~` one that could
    /// identify a person.
    kept: BTreeMap<String, String>,
}

/// Rejected rows that are still open.
#[utoipa::path(
    get,
    path = "/quarantine",
    tag = "quarantine",
    params(QuarantineQuery),
    responses(
        (status = 200, description = "Newest run first, then in the order of page and row", body = QuarantinePage),
        CommonErrors,
        BoundToken,
    ),
    security(("token" = [])),
)]
pub(super) async fn quarantine(
    State(service): State<Arc<Service>>,
    _: Authenticated,
    StrictQuery(query): StrictQuery<QuarantineQuery>,
) -> Result<Json<QuarantinePage>, Problem> {
    check_up_to("limit", query.limit, 10_000)?;
    if let Some(name) = &query.connector
        && service.config.connector(name).is_none()
    {
        let known: Vec<&str> = service.config.connectors.iter().map(|known| known.name.as_str()).collect();
        return Err(Problem::bad_request(format!(
            "`connector`: there is no `{name}`; there are: {}",
            known.join(", ")
        )));
    }
    check_positive("run", query.run)?;
    if query.offset > i32::MAX.cast_unsigned() {
        return Err(Problem::bad_request("`offset`: write a number below 2147483648"));
    }
    let (connector, open_only) = (query.connector.as_deref(), !query.all);
    let total = service.ledger.count_quarantined(connector, query.run, open_only).await?;
    let page = (i64::from(query.offset), i64::from(query.limit));
    let rows = service.ledger.quarantined_page(connector, query.run, open_only, page).await?;
    Ok(Json(QuarantinePage { total, rows }))
}

/// One rejected row with its kept fields. The access is recorded in the access log.
#[utoipa::path(
    get,
    path = "/quarantine/{id}",
    tag = "quarantine",
    params(("id" = i64, Path, description = "Its `id` in the list", minimum = 1)),
    responses(
        (status = 200, description = "Where it came from, why it was rejected, and its kept fields", body = RejectedDetail),
        CommonErrors,
        BoundToken,
        NotFound,
    ),
    security(("token" = [])),
)]
pub(super) async fn rejected(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    _: StrictQuery<NoParameters>,
) -> Result<Json<RejectedDetail>, Problem> {
    let missing = || Problem::not_found(format!("there is no rejected row `{id}`"));
    let number: i64 = id.parse().map_err(|_| missing())?;
    let row = service.ledger.quarantined_row(number).await?.ok_or_else(missing)?;
    service.access.record_read(&caller.name, "api", &format!("quarantine row {number}"), run::now()).await?;
    let (origin, kept) = kept_fields(&service, &row).await?;
    Ok(Json(RejectedDetail { row, origin, kept }))
}

/// Origin and kept fields of a rejected row. Callers record the access in the access log before they call this.
pub(in crate::service) async fn kept_fields(
    service: &Service,
    row: &QuarantinedRow,
) -> Result<(Option<String>, BTreeMap<String, String>), Problem> {
    let landed = LandedPull::new(&service.data, &row.connector, row.run);
    let (page_number, row_number) = (row.page, row.row);
    let read = tokio::task::spawn_blocking(move || {
        let certificate = landed.certificate()?;
        let entry = certificate.as_ref().and_then(|found| found.pages.iter().find(|page| page.number == page_number));
        let Some(entry) = entry else { return Ok((None, BTreeMap::new())) };
        let page = landed.read(entry)?;
        let mut kept = BTreeMap::new();
        if let Some(index) = (0..page.len()).find(|&index| page.row(index).0 == row_number) {
            for (field, name) in page.fields.iter().enumerate() {
                if let Some(value) = page.cell(index, field) {
                    kept.insert(name.clone(), value.to_owned());
                }
            }
        }
        Ok::<_, RunError>((Some(page.origin.clone()), kept))
    });
    Ok(read.await.map_err(RunError::from)??)
}
