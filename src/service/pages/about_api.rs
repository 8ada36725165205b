//! The page `/api`: operations of the API, for developers who connect another system.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;

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
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8686");
    let scheme = if service.is_encrypted() { "https" } else { "http" };
    html(&ApiPage {
        layout: Layout::new(&service, &visitor, visitor.lang.words().api, "api"),
        operations: operations(),
        url: format!("{scheme}://{host}"),
    })
}
