//! Faults of the portal's clock: the `Date` of its answers.
#![expect(clippy::disallowed_methods, reason = "edge: a wrong `Date` is so much beside the caller's clock")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::simulator::faults::Fault;

/// A function that gives the portal's present fault.
pub(super) type PresentFault = Arc<dyn Fn() -> Option<Fault> + Send + Sync>;

const HOUR_SECS: u64 = 3_600;
const TEN_YEARS_SECS: u64 = 3_652 * 24 * HOUR_SECS;

/// Replaces the `Date` of an answer, if the fault says so.
pub(super) async fn set_date(State(fault): State<PresentFault>, mut response: Response) -> Response {
    let now = jiff::Timestamp::now();
    let shown = match fault() {
        Some(Fault::WrongDay) => now.checked_sub(Duration::from_secs(25 * HOUR_SECS)),
        Some(Fault::WrongDecade) => now.checked_add(Duration::from_secs(TEN_YEARS_SECS)),
        _ => return response,
    };
    let text = shown.ok().and_then(|shown| DateTimePrinter::new().timestamp_to_rfc9110_string(&shown).ok());
    if let Some(date) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
