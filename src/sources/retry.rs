//! Decides which failures are retried, and after how long. Pure: `now` is an argument.
//!
//! `Retry-After` is parsed here: the `headers` crate can write that header, but does not give access to a parsed value.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use crate::model::connector::Retry;
use crate::sources::error::{ErrorClass, ErrorKind};

/// The error that a status means; `None` if it is a success (2xx).
#[must_use]
pub fn failure_of_status(status: u16, retry: &Retry) -> Option<(ErrorKind, ErrorClass)> {
    match status {
        200..=299 => None,
        429 => Some((ErrorKind::RateLimited, ErrorClass::RateLimited)),
        status => {
            let kind = if status >= 500 { ErrorKind::Unavailable } else { ErrorKind::UnexpectedStatus };
            let class = if retry.statuses.contains(&status) { ErrorClass::Transient } else { ErrorClass::Fatal };
            Some((kind, class))
        }
    }
}

/// Wait before the next attempt, after `attempt` failed ones (from 1); `None` if there is no further attempt.
///
/// `retry_after` is the header as received: seconds, or an HTTP date (RFC 9110 §10.2.3). `now` is microseconds UTC. A
/// `Retry-After` above `cap_secs` gives `None`, since a request after the cap would come too early for the source.
#[must_use]
pub fn wait(retry: &Retry, attempt: u32, retry_after: Option<&str>, now: i64) -> Option<Duration> {
    if attempt >= retry.attempts {
        return None;
    }
    let cap = Duration::from_secs(retry.cap_secs);
    let doubled = retry.base_millis.saturating_mul(2_u64.saturating_pow(attempt.saturating_sub(1)));
    let backoff = Duration::from_millis(doubled).min(cap);
    let demanded = retry_after.and_then(|text| parse_retry_after(text, now)).unwrap_or_default();
    if demanded > cap { None } else { Some(backoff.max(demanded)) }
}

/// The wait that a `Retry-After` header demands; zero if its date is past, `None` if it is neither seconds nor a date.
fn parse_retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    // A number of seconds above `u64::MAX` is the longest wait, not an invalid header.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?.as_microsecond();
    Some(Duration::from_micros(u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_map_to_an_error_kind_and_class() {
        let retry = Retry::default();
        for (status, expected) in [
            (200, None),
            (204, None),
            (302, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
            (404, Some((ErrorKind::UnexpectedStatus, ErrorClass::Fatal))),
            (408, Some((ErrorKind::UnexpectedStatus, ErrorClass::Transient))),
            (429, Some((ErrorKind::RateLimited, ErrorClass::RateLimited))),
            (501, Some((ErrorKind::Unavailable, ErrorClass::Fatal))),
            (503, Some((ErrorKind::Unavailable, ErrorClass::Transient))),
        ] {
            assert_eq!(failure_of_status(status, &retry), expected, "{status}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_honour_retry_after() {
        let retry = Retry { attempts: 9, base_millis: 500, cap_secs: 4, ..Retry::default() };
        let now = 1_445_412_480_000_000; // 2015-10-21T07:28:00Z
        for (attempt, retry_after, expected) in [
            (1, None, Some(500)),
            (2, None, Some(1_000)),
            (4, None, Some(4_000)),
            (8, None, Some(4_000)),
            (9, None, None),
            (1, Some("3"), Some(3_000)),
            (1, Some("0"), Some(500)),
            (1, Some("5"), None),
            (1, Some("Wed, 21 Oct 2015 07:28:02 GMT"), Some(2_000)),
            (1, Some("Wed, 21 Oct 2015 07:27:00 GMT"), Some(500)),
            (1, Some("Wed, 21 Oct 2015 08:28:00 GMT"), None),
            (1, Some("Sun, 06 Nov 1994 08:49:37 GMT"), Some(500)),
            (1, Some(" 2 "), Some(2_000)),
            (1, Some("soon"), Some(500)),
            (1, Some(""), Some(500)),
            (1, Some("-3"), Some(500)),
            (1, Some("1.5"), Some(500)),
            (1, Some("99999999999999999999"), None),
            (1, Some("Wed, 32 Oct 2015 07:28:02 GMT"), Some(500)),
        ] {
            let found = wait(&retry, attempt, retry_after, now).map(|wait| wait.as_millis());
            assert_eq!(found, expected, "attempt {attempt}, retry-after {retry_after:?}");
        }
    }
}
