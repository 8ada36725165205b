//! The page that shows a [`PageError`] in the visitor's language.

use std::time::Duration;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use headers::{HeaderMapExt as _, RetryAfter};

use super::layout::{Layout, html};
use super::page_error::{PageError, Unavailable};
use super::visitor::Visitor;
use crate::locale::Language;
use crate::service::Service;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    layout: Layout<'a>,
    why: String,
    detail: &'a str,
}

/// Renders an error as a page with its status.
pub(super) fn error_page(error: &PageError, service: &Service, visitor: &Visitor) -> Response {
    let words = visitor.lang.words();
    let (title, why) = match error.status.as_u16() {
        400 | 422 => (words.t400, words.t400_why.to_owned()),
        401 => (words.t401, words.login_intro.to_owned()),
        403 => (words.t403, words.t403_why.to_owned()),
        404 => (words.t404, words.t404_why.to_owned()),
        405 | 415 => (words.t405, words.t405_why.to_owned()),
        408 => (words.t408, words.t408_why.to_owned()),
        413 => (words.t413, words.t413_why.to_owned()),
        429 => (words.t429, too_many_logins(error, visitor)),
        503 => match error.unavailable {
            Unavailable::NoNight => (words.t503, words.t503_why.to_owned()),
            Unavailable::Busy => (words.t503_busy, words.t503_busy_why.to_owned()),
            Unavailable::TimedOut => (words.t503_time, words.t503_time_why.to_owned()),
        },
        _ => (words.t500, words.t500_why.to_owned()),
    };
    let page = ErrorPage { layout: Layout::new(service, visitor, title, ""), why, detail: &error.detail };
    let mut response = html(&page).unwrap_or_else(|_| title.into_response());
    *response.status_mut() = error.status;
    if let Some(secs) = error.retry_after_secs {
        response.headers_mut().typed_insert(RetryAfter::delay(Duration::from_secs(secs)));
    }
    response
}

fn too_many_logins(error: &PageError, visitor: &Visitor) -> String {
    let secs = i64::try_from(error.retry_after_secs.unwrap_or(60)).unwrap_or(60);
    let time = visitor.lang.duration(secs * 1_000_000);
    match visitor.lang {
        Language::Vietnamese => format!("Đăng nhập sai quá nhiều lần. Hãy thử lại sau {time}."),
        Language::English => format!("Too many failed logins. Try again in {time}."),
    }
}
