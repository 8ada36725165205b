//! Cookies of a login (RFC 6265).

use crate::sources::transport::Response;

/// Header that sets a cookie, in lowercase.
pub(super) const SET_COOKIE: &str = "set-cookie";

/// The cookies that a response sets, as a `Cookie` header has them (RFC 6265 §4.2.1). A later one replaces an earlier one
/// of its name; one with an empty value, or whose life has ended, removes it. `is_safe`: over TLS, also those that are
/// `Secure`.
pub(super) fn cookies_of(response: &Response, is_safe: bool) -> String {
    let mut cookies: Vec<(&str, &str)> = Vec::new();
    for (_, set) in response.headers.iter().filter(|(name, _)| name == SET_COOKIE) {
        let mut parts = set.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
        cookies.retain(|(known, _)| *known != name);
        let is_removed = value.is_empty()
            || parts.clone().any(|part| {
                let (key, life) = part.split_once('=').unwrap_or((part, ""));
                key.eq_ignore_ascii_case("max-age") && life.parse::<i64>().is_ok_and(|secs| secs <= 0)
                    || key.eq_ignore_ascii_case("expires") && life.contains(" 1970 ")
            });
        let is_secure = parts.any(|part| part.eq_ignore_ascii_case("secure"));
        if !is_removed && !name.is_empty() && (is_safe || !is_secure) {
            cookies.push((name, value));
        }
    }
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_cookie_replaces_an_earlier_one_and_ended_ones_are_removed() {
        let of = |set: &[&str], is_safe| {
            let headers: Vec<(&str, &str)> = set.iter().map(|set| (SET_COOKIE, *set)).collect();
            cookies_of(&Response::new(200, &headers, ""), is_safe)
        };
        for (set, over_tls, in_clear) in [
            (&["a=1; Path=/", "b=2"][..], "a=1; b=2", "a=1; b=2"),
            (&["a=deleted; Max-Age=0", "a=1; Secure"], "a=1", ""),
            (&["a=1", "a=; Max-Age=0"], "", ""),
            (&["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2; Max-Age=60"], "b=2", "b=2"),
            (&["no pair", "=nameless"], "", ""),
        ] {
            assert_eq!((of(set, true).as_str(), of(set, false).as_str()), (over_tls, in_clear), "{set:?}");
        }
    }
}
