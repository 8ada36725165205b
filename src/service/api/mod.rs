//! `/api/v1`: the API for dashboards and operators, described by OpenAPI 3.1.

pub(super) mod connectors;
mod differences;
mod document;
mod explain;
mod extract;
mod figure_filter;
pub(super) mod figures;
pub(super) mod formats;
mod integrity;
mod list_answers;
mod national;
pub(super) mod quarantine;
mod reconcile;
mod reference_data;
pub(super) mod runs;
mod worklists;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;
use crate::service::problem::Problem;

/// Every route, and the OpenAPI document that describes them.
fn routes_and_document() -> (Router<Arc<Service>>, OpenApi) {
    OpenApiRouter::with_openapi(document::ApiInfo::openapi())
        .routes(routes!(figures::figures))
        .routes(routes!(explain::explained))
        .routes(routes!(worklists::worklists))
        .routes(routes!(worklists::worklist))
        .routes(routes!(reconcile::reconcile))
        .routes(routes!(reconcile::items))
        .routes(routes!(national::national))
        .routes(routes!(integrity::integrity))
        .routes(routes!(differences::differences))
        .routes(routes!(reference_data::indicators))
        .routes(routes!(reference_data::indicator))
        .routes(routes!(reference_data::agencies))
        .routes(routes!(connectors::connectors))
        .routes(routes!(connectors::connector))
        .routes(routes!(connectors::pause))
        .routes(routes!(connectors::resume))
        .routes(routes!(runs::runs, runs::start))
        .routes(routes!(runs::run))
        .routes(routes!(quarantine::quarantine))
        .routes(routes!(runs::retry))
        .routes(routes!(quarantine::rejected))
        .split_for_parts()
}

pub(super) fn router(service: &Arc<Service>) -> Router<Arc<Service>> {
    let (router, document) = routes_and_document();
    let document = document::with_allowed_values(document, &service.config);
    let document = Bytes::from(serde_json::to_vec(&document).expect("the document serializes to JSON"));
    router
        .route("/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document.clone())))
        .fallback(async || Problem::not_found("there is no such path; `/api/v1/openapi.json` lists the paths"))
}

pub(super) use document::{Operation, operations};
