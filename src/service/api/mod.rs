//! `/api/v1`: what dashboards and operators ask, described by OpenAPI 3.1.

pub(super) mod connectors;
mod document;
pub(super) mod figures;
pub(super) mod formats;
pub(super) mod quarantine;
mod query;
mod registries;
pub(super) mod runs;

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;
use crate::service::problem::Problem;

/// Every path, and the document that describes it.
fn described() -> (Router<Arc<Service>>, OpenApi) {
    OpenApiRouter::with_openapi(document::About::openapi())
        .routes(routes!(figures::figures))
        .routes(routes!(registries::indicators))
        .routes(routes!(registries::indicator))
        .routes(routes!(registries::agencies))
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
    let (router, document) = described();
    let document = Arc::new(document::with_allowed_words(document, &service.config));
    let told = Arc::clone(&document);
    router.route("/openapi.json", get(async move || Json((*told).clone()))).fallback(async || {
        Problem::not_found("there is no such path; `/api/v1/openapi.json` lists those that there are")
    })
}

pub(super) use document::{Operation, operations};
