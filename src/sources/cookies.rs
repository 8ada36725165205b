//! Cookies of a login (RFC 6265).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::sources::transport::Response;

/// Header that sets a cookie, in lowercase.
pub(super) const SET_COOKIE: &str = "set-cookie";

/// The cookies that a response sets, as a `Cookie` header has them (RFC 6265 §4.2.1). A later one replaces an earlier one
/// of its name; one with an empty value, or whose life has ended, removes it. `is_safe`: over TLS, also those that are
/// `Secure`. `now`: microseconds UTC, with which dates of expiry are compared.
pub(super) fn cookies_of(response: &Response, is_safe: bool, now: i64) -> String {
    let mut cookies: Vec<(&str, &str)> = Vec::new();
    for (_, set) in response.headers.iter().filter(|(name, _)| name == SET_COOKIE) {
        let mut parts = set.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
        cookies.retain(|(known, _)| *known != name);
        let attributes = || parts.clone().filter_map(|part| part.split_once('='));
        // The last `Max-Age` counts, and no `Expires` beside it (RFC 6265 §5.3).
        let max_age = attributes()
            .filter(|(key, _)| key.trim().eq_ignore_ascii_case("max-age"))
            .filter_map(|(_, secs)| secs.trim().parse::<i64>().ok())
            .next_back();
        let is_removed = value.is_empty()
            || match max_age {
                Some(secs) => secs <= 0,
                None => {
                    attributes().any(|(key, date)| key.trim().eq_ignore_ascii_case("expires") && has_ended(date, now))
                }
            };
        let is_secure = parts.any(|part| part.eq_ignore_ascii_case("secure"));
        if !is_removed && !name.is_empty() && (is_safe || !is_secure) {
            cookies.push((name, value));
        }
    }
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// Whether the life of a cookie has ended, by its date of expiry.
fn has_ended(expires: &str, now: i64) -> bool {
    let at = cookie_date(expires).and_then(|at| TimeZone::UTC.to_timestamp(at).ok());
    at.is_some_and(|at| at.as_microsecond() <= now)
}

/// The date of a text as cookies have it: day, name of the month, year and time in any order, with a year of two or four
/// digits (RFC 6265 §5.1.1). `None` if one of them is missing.
fn cookie_date(text: &str) -> Option<DateTime> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':') {
        let number = || word.parse::<i16>().ok();
        if word.contains(':') && time.is_none() {
            let parts: Option<Vec<i8>> = word.split(':').map(|part| part.parse().ok()).collect();
            time = parts.filter(|parts| parts.len() == 3);
        } else if day.is_none() && (1..=2).contains(&word.len()) && number().is_some() {
            day = word.parse::<i8>().ok();
        } else if month.is_none() && word.len() >= 3 && number().is_none() {
            let start = word.get(..3)?.to_ascii_lowercase();
            month = (1..).zip(MONTHS).find(|(_, name)| *name == start).map(|(number, _)| number);
        } else if year.is_none() && matches!(word.len(), 2 | 4) {
            year = number().map(|year| match (word.len(), year) {
                (2, 70..) => 1900 + year,
                (2, _) => 2000 + year,
                _ => year,
            });
        }
    }
    let time = time?;
    DateTime::new(year?, month?, day?, time[0], time[1], time[2], 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 November 2026, 18:00 UTC.
    const NOW: i64 = 1_796_061_600_000_000;

    #[test]
    fn a_later_cookie_replaces_an_earlier_one_and_ended_ones_are_removed() {
        let of = |set: &[&str], is_safe| {
            let headers: Vec<(&str, &str)> = set.iter().map(|set| (SET_COOKIE, *set)).collect();
            cookies_of(&Response::new(200, &headers, ""), is_safe, NOW)
        };
        for (set, over_tls, in_clear) in [
            (&["a=1; Path=/", "b=2"][..], "a=1; b=2", "a=1; b=2"),
            (&["a=deleted; Max-Age=0", "a=1; Secure"], "a=1", ""),
            (&["a=1", "a=; Max-Age=0"], "", ""),
            (&["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2; Max-Age=60"], "b=2", "b=2"),
            (&["no pair", "=nameless"], "", ""),
            // `Max-Age` counts before `Expires`, in any order; one that is no number does not count.
            (
                &[
                    "a=1; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                    "b=2; Expires=Tue, 01 Dec 2026 18:00:00 GMT; Max-Age=0",
                    "c=3; Max-Age=soon; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                    "d=4; Max-Age=0; Max-Age=60",
                ],
                "a=1; d=4",
                "a=1; d=4",
            ),
            // Dates of expiry as programs write them, before and after now.
            (
                &["a=x; expires=Sun, 29-Nov-2026 18:00:00 GMT", "b=2; Expires=Tue, 01 Dec 2026 18:00:00 GMT"],
                "b=2",
                "b=2",
            ),
            (
                &["a=x; expires=Tuesday, 12-Oct-99 00:00:00 GMT", "b=2; expires=Tue, 12-Oct-69 00:00:00 GMT"],
                "b=2",
                "b=2",
            ),
            (&["a=x; expires=Mon Nov 30 18:00:00 2026", "b=2; expires=Mon Nov 30 18:00:01 2026"], "b=2", "b=2"),
            (
                &["a=1; expires=soon", "b=2; expires=Mon, 31 Feb 2020 00:00:00 GMT", "c=3; expires="],
                "a=1; b=2; c=3",
                "a=1; b=2; c=3",
            ),
        ] {
            assert_eq!((of(set, true).as_str(), of(set, false).as_str()), (over_tls, in_clear), "{set:?}");
        }
    }
}
