//! JSON or XML that a source wrote as a text inside JSON or XML: `{"ExtentData": "{\\"ma\\": 1}"}`.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::sources::decode::xml_json::XmlConverter;
use crate::sources::error::SourceError;

/// The JSON of a text into which a path leads: of an object, of a list, or of an XML document. `None` if the text is
/// another. A text in brackets is a list only if it is JSON: `[Hủy]` may be a title.
///
/// # Errors
/// Why a text that begins like an XML document is none.
pub(super) fn json_of(text: &str) -> Option<Result<Cow<'_, str>, SourceError>> {
    let text = text.trim();
    match text.as_bytes().first()? {
        b'{' => Some(Ok(Cow::Borrowed(text))),
        b'[' => serde_json::from_str::<IgnoredAny>(text).is_ok().then_some(Ok(Cow::Borrowed(text))),
        b'<' => Some(XmlConverter::new(text).json().map(Cow::Owned)),
        _ => None,
    }
}
