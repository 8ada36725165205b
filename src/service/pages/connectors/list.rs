//! The list of connectors and publications, with the newest night.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::banner::{Banner, ConnectorQuery};
use super::health_row::HealthRow;
use crate::run::{self, HealthSubject, assess_connectors};
use crate::service::Service;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;

#[derive(Template)]
#[template(path = "connectors.html")]
struct ListPage<'a> {
    layout: Layout<'a>,
    is_operator: bool,
    /// Some connector has open rejections.
    has_open: bool,
    banner: Banner,
    night: Option<NightSummary>,
    is_requested: bool,
    connectors: Vec<HealthRow>,
    publications: Vec<HealthRow>,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<ConnectorQuery>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let (lang, now) = (visitor.lang, run::now());
    let subjects = assess_connectors(&service.config, Some(&service.ledger), now).await?;
    let night = service.nights.newest().await?;
    let night = night.map(|night| NightSummary::new(&service, lang, &night, Some(&subjects)));
    let (mut connectors, mut publications) = (Vec::new(), Vec::new());
    for health in &subjects {
        let row = HealthRow::new(&service, lang, health, now).await?;
        match health.kind {
            HealthSubject::Connector => connectors.push(row),
            HealthSubject::Publication => publications.push(row),
        }
    }
    // The worst first, otherwise in the order of the names.
    connectors.sort_by_key(|row| row.order);
    html(&ListPage {
        layout: Layout::new(&service, &visitor, lang.words().connectors, "connectors"),
        is_operator: visitor.is_operator(),
        has_open: connectors.iter().any(|row| row.open > 0),
        banner: Banner::new(&service, lang, &query),
        night,
        is_requested: service.runner.is_requested(),
        connectors,
        publications,
    })
}
