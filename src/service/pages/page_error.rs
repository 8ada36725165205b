//! Errors of pages: a status and an English detail, without a language yet. The layer round the pages renders them
//! (`error_page`).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::address::login_address;
use crate::run::RunError;
use crate::service::problem::Problem;
use crate::service::request_limits::TimeExceeded;

/// Why a page is not available now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unavailable {
    NoNight,
    Busy,
    TimedOut,
}

/// Why a page cannot be shown.
#[derive(Debug, Clone)]
pub(super) struct PageError {
    pub(super) status: StatusCode,
    /// English text for engineers; may be empty.
    pub(super) detail: String,
    pub(super) retry_after_secs: Option<u64>,
    /// Why a page is not available now, for the status 503.
    pub(super) unavailable: Unavailable,
    /// If set, the answer is a redirect to this address.
    redirect: Option<String>,
}

impl PageError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_secs: None, unavailable: Unavailable::Busy, redirect: None }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Too many failed logins.
    pub(super) fn retry_after(secs: u64) -> Self {
        Self { retry_after_secs: Some(secs), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "") }
    }

    /// No night is published yet.
    pub(super) fn no_night() -> Self {
        Problem::no_night().into()
    }

    /// A request, or the answer to it, took too long.
    pub(super) fn timed_out(what: TimeExceeded) -> Self {
        Self { unavailable: Unavailable::TimedOut, ..Problem::from(what).into() }
    }

    /// Redirects to the login, which leads to `back` afterwards.
    pub(super) fn log_in_first(back: &str) -> Self {
        Self { redirect: Some(login_address(back)), ..Self::new(StatusCode::UNAUTHORIZED, "") }
    }
}

impl IntoResponse for PageError {
    /// Without a body: the error is an extension of the answer, for the layer that renders it.
    fn into_response(self) -> Response {
        if let Some(address) = &self.redirect {
            return Redirect::to(address).into_response();
        }
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> Self {
        let unavailable = if problem.is_before_first_night() { Unavailable::NoNight } else { Unavailable::Busy };
        Self {
            retry_after_secs: problem.retry_after_secs(),
            unavailable,
            ..Self::new(problem.status(), problem.detail())
        }
    }
}

impl From<RunError> for PageError {
    fn from(error: RunError) -> Self {
        Problem::from(error).into()
    }
}

impl From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        Problem::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_problem_says_about_waiting_is_kept() {
        let of = |problem: Problem| {
            let error = PageError::from(problem);
            (error.status.as_u16(), error.retry_after_secs, error.unavailable == Unavailable::NoNight)
        };
        assert_eq!(of(Problem::busy("others are read", 10)), (503, Some(10), false));
        assert_eq!(of(RunError::NightsBusy.into()), (503, Some(5), false));
        assert_eq!(of(Problem::no_night()), (503, Some(60), true));
        assert_eq!(of(Problem::not_found("nothing")), (404, None, false));
    }
}
