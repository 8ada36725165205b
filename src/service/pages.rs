//! Pages for people.

use std::sync::Arc;

use axum::Router;

use crate::service::Service;

pub(super) fn router() -> Router<Arc<Service>> {
    Router::new()
}
