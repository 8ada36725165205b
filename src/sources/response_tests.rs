//! Statuses and headers of responses that are not the whole list.

use url::Url;

use super::*;
use crate::model::connector::Method;

fn request() -> Request {
    let url = Url::parse("https://portal.example/search?key=s3cret").expect("an address");
    Request::new(Method::Get, url, "GET /search".to_owned())
}

/// Kind, class and message of the error; `None` if the body is taken.
fn error_of(status: u16, headers: &[(&str, &str)]) -> Option<SourceError> {
    let response = Response::new(status, headers, "[]");
    successful_body(response, &request(), &Retry::default()).err()
}

#[test]
fn a_success_that_is_not_the_whole_list_is_named_with_its_status() {
    for (status, range, expected) in [
        (200, None, None),
        (201, None, None),
        (203, None, None),
        (202, None, Some((ErrorKind::NotReady, ErrorClass::Transient))),
        (204, None, Some((ErrorKind::NoContent, ErrorClass::Fatal))),
        (205, None, Some((ErrorKind::NoContent, ErrorClass::Fatal))),
        (206, None, Some((ErrorKind::PartialContent, ErrorClass::Fatal))),
        (206, Some("nonsense"), Some((ErrorKind::PartialContent, ErrorClass::Fatal))),
        // A page chain compares ranges of records with what it has read.
        (206, Some("items 0-1/6"), None),
        (200, Some("items 0-1/6"), None),
        (206, Some("bytes 0-1/6"), Some((ErrorKind::PartialContent, ErrorClass::Fatal))),
        (200, Some("bytes 0-1/6"), Some((ErrorKind::PartialContent, ErrorClass::Fatal))),
        (206, Some("bytes 0-1/2"), None),
        (207, None, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
        (226, None, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
        (304, None, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
        (416, None, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
        (503, None, Some((ErrorKind::Unavailable, ErrorClass::Transient))),
    ] {
        let headers: Vec<(&str, &str)> = range.map(|range| ("Content-Range", range)).into_iter().collect();
        let error = error_of(status, &headers);
        assert_eq!(error.as_ref().map(|error| (error.kind, error.class)), expected, "{status} {range:?}");
        if let Some(error) = error {
            assert!(error.message.starts_with("GET /search: ") && !error.message.contains("s3cret"), "{error}");
            assert!(error.message.contains(&status.to_string()), "the message names the status: {error}");
        }
    }
}

#[test]
fn a_list_that_is_not_ready_keeps_the_wait_that_the_source_demands() {
    let error = error_of(202, &[("Retry-After", "7")]).expect("not ready");
    assert_eq!(error.retry_after.as_deref(), Some("7"));
}

#[test]
fn only_a_refusal_that_speaks_of_an_expired_token_names_one() {
    for (headers, body, expected) in [
        (vec![], r#"{"error":"token expired"}"#, true),
        (vec![], r#"{"message":"Phiên làm việc đã HẾT HẠN"}"#, true),
        (vec![("WWW-Authenticate", "Bearer error=\"invalid_token\"")], "", true),
        (vec![], r#"{"error":"access denied"}"#, false),
        (vec![("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")], "no", false),
        (vec![], "", false),
    ] {
        let response = Response::new(403, &headers, body);
        assert_eq!(names_expired_token(&response), expected, "{headers:?} {body}");
    }
    let late = format!("{}expired", " ".repeat(REFUSAL_BYTES));
    assert!(!names_expired_token(&Response::new(403, &[], late)), "only the beginning of a body is searched");
}
