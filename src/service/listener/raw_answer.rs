//! Answers to requests that could not be read, as bytes: they never reach the router.

use axum::http::StatusCode;

use crate::service::middleware::{HSTS, SECURITY_HEADERS};

/// The whole answer, after which the connection is closed. `now`: microseconds UTC.
pub(super) fn raw_answer(status: StatusCode, encrypted: bool, now: i64) -> Vec<u8> {
    let body = format!("{}\n", text(status).join("\n"));
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let mut add = |name: &str, value: &str| {
        head.extend([name, ": ", value, "\r\n"]);
    };
    add("content-type", "text/plain; charset=utf-8");
    add("content-length", &body.len().to_string());
    add("connection", "close");
    if let Ok(at) = jiff::Timestamp::from_microsecond(now) {
        add("date", &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    for (name, value) in SECURITY_HEADERS.into_iter().chain(encrypted.then_some(HSTS)) {
        add(name, value);
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// What is wrong, in Vietnamese and English.
fn text(status: StatusCode) -> [&'static str; 2] {
    match status {
        StatusCode::REQUEST_TIMEOUT => [
            "Hết thời gian chờ: yêu cầu không được gửi đủ trong thời gian cho phép.",
            "Timed out: the request was not received in time.",
        ],
        StatusCode::URI_TOO_LONG => ["Địa chỉ của yêu cầu quá dài.", "The address of the request is too long."],
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ["Phần đầu của yêu cầu quá lớn.", "The head of the request is too large."]
        }
        _ => ["Không đọc được yêu cầu.", "The request cannot be read."],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_length_its_date_and_the_security_headers() {
        let answer = String::from_utf8(raw_answer(StatusCode::REQUEST_TIMEOUT, false, 784_111_777_000_000));
        let answer = answer.expect("it is UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{head}");
        for line in [
            format!("content-length: {}", body.len()),
            "date: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
            "connection: close".to_owned(),
            "cache-control: no-store".to_owned(),
            "x-frame-options: DENY".to_owned(),
        ] {
            assert!(head.lines().any(|known| known == line), "`{line}` is not in\n{head}");
        }
        assert!(body.starts_with("Hết thời gian chờ") && body.contains("Timed out"), "{body}");
        assert!(!head.contains("strict-transport-security"));
        let encrypted = String::from_utf8(raw_answer(StatusCode::BAD_REQUEST, true, 0)).expect("it is UTF-8");
        assert!(encrypted.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{encrypted}");
    }
}
