//! Strict extractors for query and body: an unknown or repeated parameter is an error that names it and what is
//! allowed.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::service::problem::Problem;

/// The query string. Unknown and repeated parameters are rejected with 400.
#[derive(Debug)]
pub(in crate::service) struct StrictQuery<T>(pub(in crate::service) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::bad_request(reason(&rejection.body_text()))),
        }
    }
}

/// Reads how many rows are skipped: at most what an `int32` of the API's description has.
///
/// # Errors
/// No number, or a larger one.
pub(in crate::service) fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let rows = u32::deserialize(deserializer)?;
    let is_described = i32::try_from(rows).is_ok();
    if is_described { Ok(rows) } else { Err(D::Error::custom("`offset`: write a number below 2147483648")) }
}

/// A query string without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::service) struct NoParameters {}

/// A body of the type `application/json`; other types are rejected with 415.
#[derive(Debug)]
pub(in crate::service) struct JsonBody<T>(pub(in crate::service) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as `application/json`"));
        }
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))
            }
            Err(rejection) => Err(Problem::bad_request(reason(&rejection.body_text()))),
        }
    }
}

/// The text of a rejection without axum's prefix about deserialization.
fn reason(text: &str) -> String {
    let known = ["Failed to deserialize query string: ", "Failed to deserialize the JSON body into the target type: "];
    known.into_iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text).to_owned()
}

/// Deserializes a comma-separated list from one parameter; an empty list for an empty text.
pub(in crate::service) fn comma_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text.split(',').map(|word| word.trim().to_owned()).collect())
}

/// Checks that a number is between 1 and `most`.
pub(super) fn check_up_to(parameter: &str, number: u32, most: u32) -> Result<(), Problem> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(Problem::bad_request(format!("`{parameter}`: write a number from 1 to {most}")))
}

/// Checks that a number, if there is one, is at least 1.
pub(super) fn check_positive(parameter: &str, number: Option<i64>) -> Result<(), Problem> {
    match number {
        Some(number) if number < 1 => Err(Problem::bad_request(format!("`{parameter}`: write a number from 1"))),
        _ => Ok(()),
    }
}
