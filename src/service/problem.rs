//! Errors of the API as RFC 9457 problems (`application/problem+json`).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use headers::{HeaderMapExt as _, RetryAfter};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::run::RunError;

/// Value of `WWW-Authenticate`: a token is needed.
pub(super) const BEARER_CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"motcua\"");

/// An error of a request, in the form of RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status alone gives the kind of problem.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with the request, and what is allowed.
    detail: String,
    #[serde(skip)]
    retry_after_secs: Option<u64>,
    #[serde(skip)]
    needs_token: bool,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_secs: None,
            needs_token: false,
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// One answer for a missing and an invalid token, so that it reveals nothing about tokens.
    pub(super) fn unauthorized() -> Self {
        let detail = "send a valid token as `Authorization: Bearer …`; `motcua token create` makes one";
        Self { needs_token: true, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    pub(super) fn busy(detail: impl Into<String>, retry_after_secs: u64) -> Self {
        Self { retry_after_secs: Some(retry_after_secs), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after_secs
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Logs the error and makes a 500 that points to the log. The answer itself contains no paths and no queries.
    pub(super) fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(reason = what, "request failed: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what}: see the service's log"))
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NightsBusy => Self::busy("other past nights are being read; try again in a moment", 5),
            error => Self::internal("the data folder cannot be read", &error),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::internal("the data folder cannot be read", &error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let (status, retry_after_secs, needs_token) = (self.status(), self.retry_after_secs, self.needs_token);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if needs_token {
            headers.insert(header::WWW_AUTHENTICATE, BEARER_CHALLENGE);
        }
        if let Some(secs) = retry_after_secs {
            headers.typed_insert(RetryAfter::delay(Duration::from_secs(secs)));
        }
        response
    }
}

/// Declares types for the error answers that several operations share in the OpenAPI document.
macro_rules! error_answers {
    ($($(#[$doc:meta])* $name:ident: $($status:literal $means:literal),+;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(described($status, $means)),+])
            }
        }
    )*};
}

error_answers! {
    /// Errors of every operation.
    CommonErrors: 400 "A parameter or the body is unknown or cannot be read", 401 "There is no valid token";
    /// Error of operations on one item.
    NotFound: 404 "There is no such item";
    /// Error of operations that change something.
    ReadOnlyToken: 403 "The token has the scope `read` only";
    /// Error of operations that a token bound to agencies may not use, or only for its agencies.
    BoundToken: 403 "The token is bound to other agencies";
    /// Errors of operations that request a run.
    RunNotAccepted: 409 "A run is under way or requested already", 413 "The body is too large", 415 "The body is not JSON";
    /// Error of operations that read a night.
    NoNight: 503 "No night is published yet, or too many requests are being answered";
}

fn described(status: u16, means: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(means).content("application/problem+json", content).build();
    (status.to_string(), response.into())
}
