//! One rejected row with what was kept of it: may hold the code of a dossier, so a token is needed and the look
//! written down.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::detail::{place, reason_text};
use crate::run;
use crate::service::Service;
use crate::service::api::quarantine::kept_fields;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::trouble::Trouble;
use crate::service::pages::visitor::Visitor;

#[derive(Template)]
#[template(path = "rejected.html")]
struct RejectedPage<'a> {
    layout: Layout<'a>,
    connector: &'a str,
    connector_title: &'a str,
    id: i64,
    run: i64,
    place: String,
    field: Option<&'a str>,
    reason: String,
    closed_by: Option<i64>,
    origin: Option<String>,
    kept: Vec<(String, String)>,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let caller = visitor.reader()?;
    let missing = || Trouble::not_found(format!("`{name}` has no rejected row `{id}`"));
    let connector = service.config.connector(&name).ok_or_else(missing)?;
    let number: i64 = id.parse().map_err(|_| missing())?;
    let row = service.ledger.quarantined_row(number).await?.filter(|row| row.connector == name).ok_or_else(missing)?;
    service.access.record_read(&caller.name, "page", &format!("quarantine row {number}"), run::now()).await?;
    let (origin, kept) = kept_fields(&service, &row).await?;
    let lang = visitor.lang;
    html(&RejectedPage {
        layout: Layout::new(&service, &visitor, format!("{} {number}", lang.words().rejected_row), "connectors"),
        connector: &name,
        connector_title: &connector.file.connector.title,
        id: number,
        run: row.run,
        place: place(lang, row.page, row.row),
        field: row.field.as_deref(),
        reason: reason_text(lang, &row.reason),
        closed_by: row.closed_by,
        origin,
        kept: kept.into_iter().collect(),
    })
}
