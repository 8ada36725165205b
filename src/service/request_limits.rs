//! How large a request may be, and how long it may take until its answer begins. A request that exceeds a time limit is
//! answered: 408 if its body did not come, 503 if the answer was not made.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::limit::RequestBodyLimitLayer;

use crate::service::activity::{Activity, Phase};
use crate::service::problem::Problem;

/// Maximum size of a request body, but for that of an upload.
const BODY_BYTES: usize = 64 << 10;
/// Largest body of an upload; the limit of each connector is `limits.max_body_bytes`.
pub(super) const UPLOAD_BYTES: usize = 256 << 20;
/// How long a request may take until its answer begins.
const ANSWER_SECS: u64 = 60;
/// The same for an upload, with the time that the file takes.
pub(super) const UPLOAD_SECS: u64 = 300;
/// Seconds after which a request that took too long may be sent again.
const RETRY_AFTER_SECS: u64 = 30;

/// What took too long; an extension of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeExceeded {
    /// The request did not come.
    Request,
    /// The answer was not made.
    Answer,
}

/// Bounds the size and the time of requests that are no uploads.
pub(super) fn limited<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    within(router, ANSWER_SECS).layer(DefaultBodyLimit::max(BODY_BYTES)).layer(RequestBodyLimitLayer::new(BODY_BYTES))
}

/// Bounds the size and the time of uploads.
pub(super) fn limited_uploads<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    within(router, UPLOAD_SECS).layer(DefaultBodyLimit::disable()).layer(RequestBodyLimitLayer::new(UPLOAD_BYTES))
}

fn within<S: Clone + Send + Sync + 'static>(router: Router<S>, secs: u64) -> Router<S> {
    router.layer(from_fn_with_state(Duration::from_secs(secs), answered_in_time))
}

/// Middleware: the answer to a request, or that something took too long.
async fn answered_in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let activity = request.extensions().get::<Arc<Activity>>().cloned();
    let is_receiving = || activity.as_ref().is_some_and(|activity| activity.phase() == Phase::Receiving);
    let is_stalled = || activity.as_ref().is_some_and(|activity| activity.is_stalled());
    let answering = next.run(request);
    tokio::pin!(answering);
    tokio::select! {
        answer = &mut answering => if is_stalled() { exceeded(TimeExceeded::Request) } else { answer },
        // Before the request is dropped, and its body with it: afterwards nothing of it is being received.
        () = tokio::time::sleep(limit) => {
            exceeded(if is_receiving() { TimeExceeded::Request } else { TimeExceeded::Answer })
        }
    }
}

fn exceeded(what: TimeExceeded) -> Response {
    let problem = Problem::from(what);
    // Clients can make the first happen as often as they like.
    match what {
        TimeExceeded::Request => tracing::debug!("a request {}", problem.detail()),
        TimeExceeded::Answer => tracing::warn!("a request {}", problem.detail()),
    }
    let mut response = problem.into_response();
    // The layer round the pages shows it as a page.
    response.extensions_mut().insert(what);
    response
}

impl From<TimeExceeded> for Problem {
    fn from(what: TimeExceeded) -> Self {
        match what {
            TimeExceeded::Request => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "timed out: its body was not received in time")
            }
            TimeExceeded::Answer => Self::busy("timed out: its answer was not ready in time", RETRY_AFTER_SECS),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::{get, post};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    async fn answer(router: Router, request: Request) -> Response {
        let Ok(answer) = TowerToHyperService::new(router).call(request).await;
        answer
    }

    #[tokio::test]
    async fn what_takes_too_long_is_answered_with_what_it_was() {
        let slow = async || tokio::time::sleep(Duration::from_mins(5)).await;
        let limit = Duration::from_millis(50);
        let router: Router = Router::new()
            .route("/slow", get(slow))
            .route("/body", post(slow))
            .layer(from_fn_with_state(limit, answered_in_time));
        for (method, path, is_receiving, status) in
            [("GET", "/slow", false, 503), ("POST", "/body", true, 408), ("POST", "/body", false, 503)]
        {
            let activity = Arc::new(Activity::new());
            activity.begin_request(is_receiving);
            let request = Request::builder().method(method).uri(path).extension(activity).body(Body::empty());
            let answered = answer(router.clone(), request.expect("a request")).await;
            assert_eq!(answered.status(), status, "{method} {path}");
            assert_eq!(answered.headers().contains_key("retry-after"), status == 503);
            let expected = if is_receiving { TimeExceeded::Request } else { TimeExceeded::Answer };
            assert_eq!(answered.extensions().get(), Some(&expected));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused() {
        let router: Router = limited(Router::new().route("/", post(async |_: String| "read")));
        for (bytes, status) in [(BODY_BYTES, 200), (BODY_BYTES + 1, 413)] {
            let request = Request::builder().method("POST").uri("/").body(Body::from("x".repeat(bytes)));
            assert_eq!(answer(router.clone(), request.expect("a request")).await.status(), status);
        }
    }
}
