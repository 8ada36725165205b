//! What a request asks: query and body, read strictly. Whatever cannot be read is named, with what is allowed.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::service::problem::Problem;

/// The query, in which each parameter may stand once and none may be unknown.
#[derive(Debug)]
pub(in crate::service) struct Asked<T>(pub(in crate::service) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Problem::bad_request(reason(&rejection.body_text()))),
        }
    }
}

/// A query without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::service) struct Nothing {}

/// A JSON body.
#[derive(Debug)]
pub(in crate::service) struct Body<T>(pub(in crate::service) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as `application/json`"));
        }
        match Json::<T>::from_request(request, state).await {
            Ok(Json(asked)) => Ok(Self(asked)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))
            }
            Err(rejection) => Err(Problem::bad_request(reason(&rejection.body_text()))),
        }
    }
}

/// The words of a rejection without those that say how it was read.
fn reason(text: &str) -> String {
    let known = ["Failed to deserialize query string: ", "Failed to deserialize the JSON body into the target type: "];
    known.into_iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text).to_owned()
}

/// A list in one parameter, separated by commas; empty where it is absent.
pub(in crate::service) fn comma_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text.split(',').map(|word| word.trim().to_owned()).collect())
}
