//! What went wrong with a page: a status, words for people, and the original below.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::{Layout, html};
use super::login::login_address;
use super::visitor::Visitor;
use crate::run::RunError;
use crate::service::Service;
use crate::service::problem::Problem;

/// What went wrong; the layer round the pages says it in the visitor's language.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    status: StatusCode,
    /// English, for whoever looks closer.
    detail: String,
    wait_secs: Option<u64>,
    /// Where to go instead.
    leads_to: Option<String>,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    layout: Layout<'a>,
    why: String,
    detail: &'a str,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), wait_secs: None, leads_to: None }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn wait(secs: u64) -> Self {
        Self { wait_secs: Some(secs), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "") }
    }

    /// To the login, and from there back.
    pub(super) fn log_in_first(back: &str) -> Self {
        Self { leads_to: Some(login_address(back)), ..Self::new(StatusCode::UNAUTHORIZED, "") }
    }

    /// The page that tells it.
    pub(super) fn page(&self, service: &Service, visitor: &Visitor) -> Response {
        let words = visitor.lang.words();
        let (title, why) = match self.status.as_u16() {
            400 | 422 => (words.t400, words.t400_why.to_owned()),
            401 => (words.t401, words.login_intro.to_owned()),
            403 => (words.t403, words.t403_why.to_owned()),
            404 => (words.t404, words.t404_why.to_owned()),
            405 | 415 => (words.t405, words.t405_why.to_owned()),
            413 => (words.t413, words.t413_why.to_owned()),
            429 => (words.t429, self.how_long(visitor)),
            503 => (words.t503, words.t503_why.to_owned()),
            _ => (words.t500, words.t500_why.to_owned()),
        };
        let page = TroublePage { layout: Layout::new(service, visitor, title, ""), why, detail: &self.detail };
        let mut response = html(&page).unwrap_or_else(|_| title.into_response());
        *response.status_mut() = self.status;
        if let Some(secs) = self.wait_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }

    fn how_long(&self, visitor: &Visitor) -> String {
        let time = visitor.lang.took(i64::try_from(self.wait_secs.unwrap_or(60)).unwrap_or(60) * 1_000_000);
        match visitor.lang.code() {
            "vi" => format!("Đăng nhập sai quá nhiều lần. Hãy thử lại sau {time}."),
            _ => format!("Too many failed logins. Try again in {time}."),
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        if let Some(address) = &self.leads_to {
            return Redirect::to(address).into_response();
        }
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status(), problem.detail())
    }
}

impl From<RunError> for Trouble {
    fn from(error: RunError) -> Self {
        Problem::from(error).into()
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Problem::from(error).into()
    }
}
