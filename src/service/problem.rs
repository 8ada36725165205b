//! What went wrong with a request, as RFC 9457 says it.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::run::RunError;

/// `application/problem+json`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What was asked wrongly, and what is allowed.
    detail: String,
    #[serde(skip)]
    retry_after_secs: Option<u64>,
    #[serde(skip)]
    asks_for_token: bool,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_secs: None,
            asks_for_token: false,
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The same whether no token was given or one that does not hold.
    pub(super) fn unauthorized() -> Self {
        let detail = "give a token that holds: `Authorization: Bearer …` (`motcua token create` makes one)";
        Self { asks_for_token: true, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    pub(super) fn busy(detail: impl Into<String>, retry_after_secs: u64) -> Self {
        Self { retry_after_secs: Some(retry_after_secs), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What failed is written to the log; the answer says where to look, and nothing of paths or queries.
    pub(super) fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(reason = what, "request failed: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what}: the service's log says why"))
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NightsBusy => Self::busy("other past nights are being read: try again in a moment", 5),
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
        let (status, retry, asks) = (self.status(), self.retry_after_secs, self.asks_for_token);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: HeaderValue| drop(headers.insert(name, value));
        set(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if asks {
            set(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"motcua\""));
        }
        if let Some(secs) = retry {
            set(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

/// Answers that the document describes once for all operations.
macro_rules! refusals {
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

refusals! {
    /// Of every operation.
    Refused: 400 "A parameter or a body that is unknown or cannot be read", 401 "No token that holds";
    /// Of what one thing is asked of.
    Missing: 404 "There is none";
    /// Of what changes something.
    NotAllowed: 403 "The token may read only";
    /// Of what is ordered.
    NotOrdered: 409 "A run is under way or ordered already", 413 "The body is too large", 415 "The body is no JSON";
    /// Of what rests on a night.
    NoNight: 503 "No night is published yet, or too much is asked at once";
}

fn described(status: u16, means: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(means).content("application/problem+json", content).build();
    (status.to_string(), response.into())
}
