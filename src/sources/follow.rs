//! Resolves the address of the next page that a response gives. Pure.

use url::Url;

use crate::fields::shown_host;
use crate::sources::error::{ErrorKind, SourceError};

/// Resolves `link` against `page_url`, the address of the page that contains the link. A link is absolute, relative, or a query
/// string with or without `?`. The result has the origin of `base`, so that credentials are sent nowhere else.
///
/// An absolute `http:` link to the host of an `https:` source gets the scheme and port of `base`: services behind a
/// proxy do not know the address at which they are reached.
///
/// # Errors
/// `wrong_host` if the link leads to another origin, `no_cursor` if it cannot be parsed.
pub(crate) fn next_address(base: &Url, page_url: &Url, link: &str) -> Result<Url, SourceError> {
    let link = link.trim();
    let is_query = link.find(['/', '?', ':', '#', '=']).is_some_and(|at| link[at..].starts_with('='));
    let joined = if is_query { page_url.join(&format!("?{link}")) } else { page_url.join(link) };
    let mut next =
        joined.map_err(|_| SourceError::new(ErrorKind::NoCursor, "the address of the next page cannot be parsed"))?;
    next.set_fragment(None);
    if next.host_str() != base.host_str() {
        let host = shown_host(next.host_str().unwrap_or_default());
        let message = format!("the next page is on another host, `{host}`; it was not requested");
        return Err(SourceError::new(ErrorKind::WrongHost, message));
    }
    if next.origin() != base.origin() {
        if !(base.scheme() == "https" && next.scheme() == "http" && next.port().is_none()) {
            let message = "the next page has another scheme or port; it was not requested";
            return Err(SourceError::new(ErrorKind::WrongHost, message));
        }
        // Cannot fail: both schemes are special (WHATWG URL) and the URL has a host.
        let _ = next.set_scheme(base.scheme());
        let _ = next.set_port(base.port());
    }
    // A user name and password in the link would be sent as credentials.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Ok(next)
}

/// The target with `rel="next"` in a `Link` header (RFC 8288). Several headers, joined by commas, are parsed as one.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    link_of(header, &["next"])
}

/// The target with `rel="first"`.
pub(crate) fn first_link(header: &str) -> Option<&str> {
    link_of(header, &["first"])
}

/// The target with `rel="last"`.
pub(crate) fn last_link(header: &str) -> Option<&str> {
    link_of(header, &["last"])
}

/// Whether a `Link` header has a link to an earlier page of the list, so that the source pages by such links.
pub(crate) fn names_earlier_page(header: &str) -> bool {
    link_of(header, &["first", "prev", "previous"]).is_some()
}

/// The first target with one of these relation types.
fn link_of<'h>(header: &'h str, relations: &[&str]) -> Option<&'h str> {
    let mut rest = header;
    loop {
        let open = rest.find('<')?;
        let close = open + rest[open..].find('>')?;
        let target = rest[open + 1..close].trim();
        let parameters_end = end_of_parameters(&rest[close + 1..]);
        let parameters = &rest[close + 1..][..parameters_end];
        if parameters.split(';').any(|parameter| has_relation(parameter, relations)) {
            return Some(target).filter(|target| !target.is_empty());
        }
        rest = &rest[close + 1 + parameters_end..];
    }
}

/// Length of the parameters of one link, with the comma that ends them. Commas inside quotes do not end them.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a link parameter is `rel` with one of these relation types.
fn has_relation(parameter: &str, relations: &[&str]) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && value.split_whitespace().any(|word| relations.iter().any(|relation| word.eq_ignore_ascii_case(relation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_on_the_same_origin_only() {
        let base = Url::parse("https://portal.example/api").expect("an address");
        let page_url = Url::parse("https://portal.example/api/dossiers?page=1").expect("an address");
        for (link, expected) in [
            ("https://portal.example/other?after=3", Ok("https://portal.example/other?after=3")),
            ("HTTPS://PORTAL.example:443/x", Ok("https://portal.example/x")),
            ("http://portal.example/x?a=1", Ok("https://portal.example/x?a=1")),
            ("/api/dossiers?page=2", Ok("https://portal.example/api/dossiers?page=2")),
            ("dossiers?page=2#top", Ok("https://portal.example/api/dossiers?page=2")),
            ("?page=2", Ok("https://portal.example/api/dossiers?page=2")),
            ("page=2&until=2026/02/01", Ok("https://portal.example/api/dossiers?page=2&until=2026/02/01")),
            ("https://user:word@portal.example/x", Ok("https://portal.example/x")),
            ("https://other.example/x", Err(ErrorKind::WrongHost)),
            ("//other.example/x", Err(ErrorKind::WrongHost)),
            ("https://portal.example.other.example/x", Err(ErrorKind::WrongHost)),
            ("https://portal.example:8443/x", Err(ErrorKind::WrongHost)),
            ("ftp://portal.example/x", Err(ErrorKind::WrongHost)),
            ("javascript:alert(1)", Err(ErrorKind::WrongHost)),
            ("https://", Err(ErrorKind::NoCursor)),
        ] {
            let found = next_address(&base, &page_url, link);
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|error| error.kind), expected, "{link}");
        }
    }

    #[test]
    fn the_next_link_of_a_link_header_is_found() {
        for (header, expected) in [
            (
                r#"<https://a.example/x?page=2>; rel="next", <https://a.example/x?page=9>; rel="last""#,
                Some("https://a.example/x?page=2"),
            ),
            (r#"<https://a.example/x?a=1,2>; rel="prev"; title="a, <b>", </y>; title=x; REL="last Next""#, Some("/y")),
            ("</x>; rel=next", Some("/x")),
            ("</x>; rel=prev, </y>;rel=next,</z>; rel=last", Some("/y")),
            (r#"<>; rel="next""#, None),
            (r#"</x>; rel="nextish""#, None),
            ("rel=next", None),
            ("<unclosed; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expected, "{header}");
        }
    }

    #[test]
    fn links_to_earlier_pages_show_that_a_source_pages_by_them() {
        for (header, expected) in [
            (r#"</x?page=1>; rel="first", </x?page=2>; rel="prev""#, true),
            ("</x>; rel=last", false),
            (r#"</style.css>; rel="preload", </x>; rel="self""#, false),
            ("", false),
        ] {
            assert_eq!(names_earlier_page(header), expected, "{header}");
        }
    }
}
