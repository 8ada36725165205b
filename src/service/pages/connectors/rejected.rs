//! The page of one rejected row. Its kept fields may contain a dossier code, so it needs a caller, and the access is
//! recorded.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::run::{self, RunError};
use crate::service::Service;
use crate::service::api::quarantine::kept_fields;
use crate::service::pages::connectors::declared::{Field, kept_value, readable};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;
use crate::service::pages::words::rejection_reason;

#[derive(Template)]
#[template(path = "rejected.html")]
struct RejectedPage<'a> {
    layout: Layout<'a>,
    connector: &'a str,
    connector_title: &'a str,
    id: i64,
    run: i64,
    place: String,
    is_file: bool,
    field: Field,
    reason: String,
    /// What the field reads.
    readable: Option<String>,
    closed_by: Option<i64>,
    origin: Option<String>,
    /// Heading of the source, value, whether the row was rejected because of it.
    kept: Vec<(String, String, bool)>,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let missing = || PageError::not_found(format!("`{name}` has no rejected row `{id}`"));
    let connector = service.config.connector(&name).ok_or_else(missing)?;
    let number: i64 = id.parse().map_err(|_| missing())?;
    let row = service.ledger.quarantined_row(number).await?.filter(|row| row.connector == name).ok_or_else(missing)?;
    visitor.reads_rejected_row(&service, number).await?;
    let (origin, kept) = kept_fields(&service, &row).await?;
    let lang = visitor.lang;
    let (asked_of, rows) = (Arc::clone(&service), [row.clone()]);
    let files = tokio::task::spawn_blocking(move || run::rejected_files(&asked_of.config, &rows)).await;
    let file = files.map_err(|error| PageError::from(RunError::from(error)))?.into_iter().next().flatten();
    let field = Field::new(connector, row.field.clone());
    let shown = |(name, value): (String, String)| {
        let is_faulty = field.reads(&name);
        (name, kept_value(lang, &value), is_faulty)
    };
    let kept = kept.into_iter().map(shown).collect();
    html(&RejectedPage {
        layout: Layout::new(&service, &visitor, format!("{} {number}", lang.words().rejected_row), "connectors"),
        connector: &name,
        connector_title: &connector.file.connector.title,
        id: number,
        run: row.run,
        is_file: file.is_some(),
        place: lang.place(file.as_deref(), row.page, row.row),
        field,
        readable: row.field.as_deref().and_then(|field| readable(lang, connector, field, &row.reason)),
        reason: rejection_reason(lang, &row.reason),
        closed_by: row.closed_by,
        origin,
        kept,
    })
}
