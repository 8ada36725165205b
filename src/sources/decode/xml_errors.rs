//! Errors of XML: where they are, and what a SOAP fault says. They never quote the document.

use quick_xml::NsReader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};

use crate::model::text::line_at;
use crate::sources::decode::xml_element::{Element, local_name};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest code of a SOAP fault that an error message repeats: a longer text may be a sentence.
const MAX_CODE_CHARS: usize = 40;

/// The error for a SOAP fault, with its code: `faultcode` of SOAP 1.1, `Code/Value` of SOAP 1.2. Its text may be about a
/// person and is left out.
pub(super) fn soap_fault(fault: &Element<'_>) -> SourceError {
    let value =
        |name: &str| fault.values.iter().find(|(key, _)| local_name(key) == name).map(|(_, json)| json.as_str());
    let parsed = value("faultcode").or_else(|| value("Code")).and_then(|json| serde_json::from_str(json).ok());
    let parsed: serde_json::Value = parsed.unwrap_or_default();
    let members = parsed.as_object().into_iter().flatten();
    let values = members.filter(|(key, _)| matches!(local_name(key), "#text" | "Value")).map(|(_, value)| value);
    let code = std::iter::once(&parsed).chain(values).find_map(serde_json::Value::as_str);
    // A long number may be that of a person.
    let digits = |code: &str| code.chars().filter(char::is_ascii_digit).count();
    let is_plain = |code: &&str| {
        digits(code) < 6
            && code.len() <= MAX_CODE_CHARS
            && code.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, ':' | '.' | '_' | '-'))
    };
    let shown =
        code.filter(is_plain).map_or_else(|| "without a code that can be shown".to_owned(), |code| format!("`{code}`"));
    SourceError::new(ErrorKind::SourceSaysFailure, format!("the response is a SOAP fault, {shown}"))
}

/// Line and column of a byte, from 1, as an editor shows them.
fn place(text: &str, byte: u64) -> String {
    let mut end = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {} column {column}", line_at(text, end))
}

pub(super) fn not_xml(reader: &NsReader<&[u8]>, text: &str, what: &str) -> SourceError {
    let message = format!("the body, at {}, {what}", place(text, reader.buffer_position()));
    SourceError::new(ErrorKind::NotXml, message)
}

/// The error of the parser, without its text, which may quote the body.
pub(super) fn at(reader: &NsReader<&[u8]>, text: &str, error: &Error) -> SourceError {
    let is_at_end = usize::try_from(reader.buffer_position()).is_ok_and(|at| at >= text.trim_end().len());
    let is_cut = match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) | Error::IllFormed(IllFormedError::UnclosedReference) => {
            is_at_end
        }
        Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => true,
        _ => false,
    };
    if is_cut {
        let message = format!("the body ends inside what began at {}", place(text, reader.error_position()));
        return SourceError::new(ErrorKind::BodyCutShort, message);
    }
    not_xml(reader, text, "is not well-formed XML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_a_line_and_a_column() {
        assert_eq!(place("ệ", 1), "line 1 column 1");
        assert_eq!(place("a\n", 9), "line 2 column 1");
    }
}
