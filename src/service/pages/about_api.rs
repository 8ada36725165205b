//! The page `/api`: operations of the API, for developers who connect another system.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::address::own_address;
use super::layout::{Layout, html};
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::service::Service;
use crate::service::api::{Operation, operations};

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage<'a> {
    layout: Layout<'a>,
    operations: Vec<Operation>,
    url: String,
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    html(&ApiPage {
        layout: Layout::new(&service, &visitor, visitor.lang.words().api, "api"),
        operations: operations(),
        url: own_address(&service, &headers),
    })
}
