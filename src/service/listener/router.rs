//! The routes of the service with the middleware round them: size, time, compression, error bodies, headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::timeout::TimeoutLayer;

use crate::service::middleware::{count_answers, problem_bodies, security_headers};
use crate::service::problem::Problem;
use crate::service::request_limits::{UPLOAD_SECS, limited};
use crate::service::{Service, api, metrics, pages};

/// How long any request may take, with what the limits of the routes leave out.
const LONGEST_SECS: u64 = UPLOAD_SECS + 30;

/// Every route. The pages set limits of their own, so that they show what exceeds them as a page.
pub(super) fn router(service: &Arc<Service>) -> Router {
    // Large answers have been packed when they were made; workbooks and tables are packed by themselves.
    let is_worth_packing = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/vnd.openxmlformats"))
        .and(NotForContentType::const_new("application/vnd.apache.parquet"));
    let longest = Duration::from_secs(LONGEST_SECS);
    Router::new()
        .nest("/api/v1", limited(api::router(service)))
        .merge(limited(metrics::router()))
        .merge(pages::router(service))
        .merge(pages::upload_router(service))
        .layer(from_fn_with_state(Arc::clone(service), count_answers))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, longest))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_packing))
        .layer(from_fn(problem_bodies))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "see the service's log").into_response()
        }))
        .layer(from_fn_with_state(service.is_encrypted(), security_headers))
        .with_state(Arc::clone(service))
}
