//! Addresses of pages: the login with its way back, and a page in the other language.

use axum::http::{HeaderMap, header};

use crate::locale::Language;
use crate::service::Service;

/// Address of this service as the browser reached it, for example `http://127.0.0.1:8686`.
pub(super) fn own_address(service: &Service, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8686");
    let scheme = if service.is_encrypted() { "https" } else { "http" };
    format!("{scheme}://{host}")
}

/// Checks that an address is a path of this service; `None` if it is not. Browsers read `//host` and `/\host` as
/// another host, and drop control characters.
pub(super) fn local_path(address: &str) -> Option<&str> {
    let rest = address.strip_prefix('/')?;
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_plain && !rest.starts_with('/')).then_some(address)
}

/// Path and query of a request as the target of a link on this host. A browser would read `//evil.example/x` in a link as
/// an address on another host.
pub(super) fn on_this_host(path_and_query: &str) -> String {
    format!("/{}", path_and_query.trim_start_matches(['/', '\\']))
}

/// Address of the login page that leads to `back` afterwards.
pub(super) fn login_address(back: &str) -> String {
    match local_path(back) {
        Some(back) if back != "/" && !back.starts_with("/login") => {
            let query: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
            format!("/login?next={query}")
        }
        _ => "/login".to_owned(),
    }
}

/// The same address with `lang` set to a language.
pub(super) fn in_language(address: &str, lang: Language) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    // `done` announces an operation, and is shown once only.
    let kept =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=") && !pair.starts_with("done="));
    let chosen = format!("lang={}", lang.code());
    let pairs: Vec<&str> = kept.chain([chosen.as_str()]).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_this_service_only() {
        for next in ["/figures", "/figures?period=2026-Q1&scope=", "/connectors/portal-igate", "/"] {
            assert_eq!(local_path(next), Some(next));
        }
        for next in [
            "",
            "figures",
            "//elsewhere",
            "/\\elsewhere",
            "https://elsewhere",
            "/\t/elsewhere",
            "/a b",
            "/x\\y",
            "/số-liệu",
        ] {
            assert_eq!(local_path(next), None, "{next}");
        }
        assert_eq!(login_address("/connectors?x=1"), "/login?next=%2Fconnectors%3Fx%3D1");
        assert_eq!(login_address("//elsewhere"), "/login");
    }

    #[test]
    fn a_request_for_another_host_becomes_a_path_of_this_one() {
        for (requested, expected) in [
            ("/figures?next=//evil.example", "/figures?next=//evil.example"),
            ("//evil.example/x?a=1", "/evil.example/x?a=1"),
            ("///evil.example", "/evil.example"),
            ("/\\evil.example", "/evil.example"),
            ("/\\/evil.example", "/evil.example"),
            ("/", "/"),
            ("*", "/*"),
        ] {
            let address = on_this_host(requested);
            assert_eq!(address, expected);
            assert!(local_path(&in_language(&address, Language::English)).is_some(), "{address}");
        }
    }

    #[test]
    fn the_other_language_keeps_the_filter() {
        assert_eq!(in_language("/figures", Language::English), "/figures?lang=en");
        assert_eq!(
            in_language("/figures?period=2026&lang=vi&scope=", Language::English),
            "/figures?period=2026&scope=&lang=en"
        );
        assert_eq!(in_language("/connectors?done=run", Language::Vietnamese), "/connectors?lang=vi");
    }
}
