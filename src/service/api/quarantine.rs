//! `/quarantine`: rejected rows. A row's kept fields may hold the code of a dossier: who looks at one is written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::landing::LandedPull;
use crate::run::{self, QuarantinedRow, RunError};
use crate::service::Service;
use crate::service::api::query::{Asked, Nothing};
use crate::service::api::runs::{bounded, from_one};
use crate::service::caller::Reader;
use crate::service::problem::{Missing, Problem, Refused};

/// Rows in one answer where `limit` is absent.
const LIMIT: u32 = 1_000;

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct QuarantineQuery {
    /// Only of this connector.
    connector: Option<String>,
    /// Only of this run.
    #[param(minimum = 1)]
    run: Option<i64>,
    /// Also those that were taken or rejected anew since.
    all: bool,
    /// Rows in one answer, 1 to 10,000.
    #[param(minimum = 1, maximum = 10000)]
    limit: u32,
    /// Rows to pass over.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    offset: u32,
}

impl Default for QuarantineQuery {
    fn default() -> Self {
        Self { connector: None, run: None, all: false, limit: LIMIT, offset: 0 }
    }
}

/// Rejected rows, newest run first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuarantinePage {
    total: u64,
    rows: Vec<QuarantinedRow>,
}

/// A rejected row with what landing kept of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RejectedDetail {
    #[serde(flatten)]
    row: QuarantinedRow,
    /// Where its page came from; null where landing keeps it no more.
    origin: Option<String>,
    /// Kept fields of the source; `?` is the shape of a text that failed its type, `~` of one that may be anybody's.
    kept: BTreeMap<String, String>,
}

/// Rejected rows that are open.
#[utoipa::path(
    get,
    path = "/quarantine",
    tag = "quarantine",
    params(QuarantineQuery),
    responses(
        (status = 200, description = "Newest run first, then in the order of their places", body = QuarantinePage),
        Refused,
    ),
    security(("token" = [])),
)]
pub(super) async fn quarantine(
    State(service): State<Arc<Service>>,
    _: Reader,
    Asked(asked): Asked<QuarantineQuery>,
) -> Result<Json<QuarantinePage>, Problem> {
    bounded("limit", asked.limit, 10_000)?;
    if let Some(name) = &asked.connector
        && service.config.connector(name).is_none()
    {
        let known: Vec<&str> = service.config.connectors.iter().map(|known| known.name.as_str()).collect();
        return Err(Problem::bad_request(format!(
            "`connector`: there is no `{name}`; there are: {}",
            known.join(", ")
        )));
    }
    from_one("run", asked.run)?;
    if asked.offset > i32::MAX.cast_unsigned() {
        return Err(Problem::bad_request("`offset`: write a number below 2147483648"));
    }
    let (connector, open_only) = (asked.connector.as_deref(), !asked.all);
    let total = service.ledger.count_quarantined(connector, asked.run, open_only).await?;
    let page = (i64::from(asked.offset), i64::from(asked.limit));
    let rows = service.ledger.quarantined_page(connector, asked.run, open_only, page).await?;
    Ok(Json(QuarantinePage { total, rows }))
}

/// One rejected row with the fields that were kept of it. Reading it is written down.
#[utoipa::path(
    get,
    path = "/quarantine/{id}",
    tag = "quarantine",
    params(("id" = i64, Path, description = "Its number in the list", minimum = 1)),
    responses(
        (status = 200, description = "Where it came from, what failed, what was kept", body = RejectedDetail),
        Refused,
        Missing,
    ),
    security(("token" = [])),
)]
pub(super) async fn rejected(
    State(service): State<Arc<Service>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    _: Asked<Nothing>,
) -> Result<Json<RejectedDetail>, Problem> {
    let missing = || Problem::not_found(format!("there is no rejected row `{id}`"));
    let number: i64 = id.parse().map_err(|_| missing())?;
    let row = service.ledger.quarantined_row(number).await?.ok_or_else(missing)?;
    service.access.note_read(&caller.name, "api", &format!("quarantine row {number}"), run::now()).await?;
    let (origin, kept) = kept(&service, &row).await?;
    Ok(Json(RejectedDetail { row, origin, kept }))
}

/// Where a rejected row came from and the fields that were kept of it. Whoever shows them has written the reading down.
pub(in crate::service) async fn kept(
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
        if let Some(index) = (0..page.len()).find(|&index| page.place(index).0 == row_number) {
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
