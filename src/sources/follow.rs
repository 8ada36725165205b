//! Where a next page is that an answer names by its address. Pure.

use url::Url;

use crate::sources::error::{ErrorKind, SourceError};

/// The address that `link` names, seen from `asked`, the address of the page that held it: absolute, relative, or a query
/// string with or without `?`. It stays on the origin of `base`: credentials go nowhere else.
///
/// An absolute link `http:` to the host of an `https:` source is followed on the source's own scheme and port: services
/// behind a proxy do not know how they are reached.
///
/// # Errors
/// `wrong_host`, or `no_cursor` if it is no address.
pub(crate) fn next_address(base: &Url, asked: &Url, link: &str) -> Result<Url, SourceError> {
    let link = link.trim();
    let is_query = link.find(['/', '?', ':', '#', '=']).is_some_and(|at| link[at..].starts_with('='));
    let joined = if is_query { asked.join(&format!("?{link}")) } else { asked.join(link) };
    let mut next =
        joined.map_err(|_| SourceError::new(ErrorKind::NoCursor, "the next page's address cannot be read"))?;
    next.set_fragment(None);
    if next.host_str() != base.host_str() {
        let host = next.host_str().unwrap_or_default();
        let message = format!("the next page lies on another host, `{host}`; it was not asked for");
        return Err(SourceError::new(ErrorKind::WrongHost, message));
    }
    if next.origin() != base.origin() {
        if !(base.scheme() == "https" && next.scheme() == "http" && next.port().is_none()) {
            let message = "the next page lies on another scheme or port; it was not asked for";
            return Err(SourceError::new(ErrorKind::WrongHost, message));
        }
        // Both are special schemes with a host: neither can be refused.
        let _ = next.set_scheme(base.scheme());
        let _ = next.set_port(base.port());
    }
    // User and password in a link would be sent as credentials.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Ok(next)
}

/// The target with `rel="next"` of a `Link` header (RFC 8288); several headers joined by commas are one.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let open = rest.find('<')?;
        let close = open + rest[open..].find('>')?;
        let target = rest[open + 1..close].trim();
        let parameters_end = end_of_parameters(&rest[close + 1..]);
        let parameters = &rest[close + 1..][..parameters_end];
        if parameters.split(';').any(is_next) {
            return Some(target).filter(|target| !target.is_empty());
        }
        rest = &rest[close + 1 + parameters_end..];
    }
}

/// Length up to the comma that ends the parameters of one link; commas in quotes belong to them.
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

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel") && value.split_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_absolute_relative_or_a_query() {
        let base = Url::parse("https://portal.example/api").expect("an address");
        let asked = Url::parse("https://portal.example/api/dossiers?page=1").expect("an address");
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
            let found = next_address(&base, &asked, link);
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|error| error.kind), expected, "{link}");
        }
    }

    #[test]
    fn the_next_link_of_a_header() {
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
}
