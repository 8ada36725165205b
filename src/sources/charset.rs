//! The charset that the `Content-Type` of a response states, for a body that does not state its encoding itself.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization as _;

/// The body in UTF-8, if it states no encoding and `Content-Type` states another. A body that is UTF-8 stays: many servers
/// state a charset that they do not use. A body that is not in the charset stays too, and is refused when it is decoded.
pub(crate) fn in_utf8(body: Vec<u8>, content_type: Option<&str>) -> Vec<u8> {
    let Some(encoding) = content_type.and_then(charset).filter(|encoding| *encoding != UTF_8) else { return body };
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    if states_encoding(&body) || (!is_wide && std::str::from_utf8(&body).is_ok()) {
        return body;
    }
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(&body) else { return body };
    // Its letters are followed by their tone marks.
    if encoding == WINDOWS_1258 { text.nfc().collect::<String>().into_bytes() } else { text.into_owned().into_bytes() }
}

/// The encoding that the parameter `charset` names (RFC 9110 §8.3.1); `None` if there is none, or it is not known.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| Encoding::for_label(value.trim().trim_matches('"').as_bytes())).flatten()
    })
}

/// Whether a body has a byte order mark, or an XML declaration with an encoding.
fn states_encoding(body: &[u8]) -> bool {
    let declaration = body.strip_prefix(b"<?xml").and_then(|rest| rest.split(|byte| *byte == b'>').next());
    let names_encoding = |declaration: &[u8]| declaration.windows(8).any(|part| part == b"encoding");
    Encoding::for_bom(body).is_some() || declaration.is_some_and(names_encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_counts_if_the_body_states_none_and_is_no_utf_8() {
        let utf_16: Vec<u8> = "{\"a\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (body, content_type, expected) in [
            (&b"\"caf\xe9\""[..], "application/json; charset=ISO-8859-1", "\"café\""),
            (b"\"So\xcc\"", "application/json; charset=windows-1258", "\"S\u{f2}\""),
            (b"\"caf\xe9\"", "application/json;Charset=\"windows-1252\"", "\"café\""),
            ("\"café\"".as_bytes(), "application/json; charset=ISO-8859-1", "\"café\""),
            (&utf_16, "application/json; charset=utf-16le", "{\"a\": 1}"),
        ] {
            assert_eq!(in_utf8(body.to_vec(), Some(content_type)), expected.as_bytes(), "{content_type}");
        }
        let declared = b"<?xml version='1.0' encoding='windows-1252'?><a>\xe9</a>";
        for (body, content_type) in [
            (&declared[..], Some("text/xml; charset=windows-1251")),
            (b"\xef\xbb\xbf\xe9", Some("text/csv; charset=windows-1252")),
            (b"\"\xe9\"", Some("application/json")),
            (b"\"\xe9\"", Some("application/json; charset=nothing")),
            (b"\"\xe9\"", Some("application/json; charset=utf-8")),
            (b"\"\xe9\"", None),
        ] {
            assert_eq!(in_utf8(body.to_vec(), content_type), body, "{content_type:?}");
        }
    }
}
