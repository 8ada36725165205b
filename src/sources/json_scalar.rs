//! The text of a JSON scalar, as it is stored in a page.

use std::borrow::Cow;

/// The text of a scalar, from its JSON; `None` for null, lists and objects. A number with exactly three digits after the
/// point gets a fourth, as in a workbook: `1.234` becomes `1.2340`, because an `integer` would read a group of three digits.
///
/// # Errors
/// If a string contains an invalid escape, such as half a surrogate pair.
pub(super) fn scalar(raw: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => match raw.get(1..raw.len() - 1) {
            Some(inner) if !inner.contains('\\') => Ok(Some(Cow::Borrowed(inner))),
            _ => serde_json::from_str::<String>(raw).map(|text| Some(Cow::Owned(text))),
        },
        Some(b'n' | b'[' | b'{') | None => Ok(None),
        Some(_) if has_three_decimals(raw) => Ok(Some(Cow::Owned(format!("{raw}0")))),
        Some(_) => Ok(Some(Cow::Borrowed(raw))),
    }
}

fn has_three_decimals(number: &str) -> bool {
    let decimals = number.split_once('.').map_or("", |(_, decimals)| decimals);
    decimals.len() == 3 && decimals.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_three_decimals_gets_a_fourth() {
        for (raw, text) in [
            ("1.234", Some("1.2340")),
            ("-30.125", Some("-30.1250")),
            ("1234.5", Some("1234.5")),
            ("1.002835", Some("1.002835")),
            ("1.5e3", Some("1.5e3")),
            ("1234567", Some("1234567")),
            // A text is kept: it may have separators.
            ("\"1.234\"", Some("1.234")),
            ("true", Some("true")),
            ("null", None),
            ("[1.234]", None),
        ] {
            assert_eq!(scalar(raw).expect("the JSON is valid").as_deref(), text, "{raw}");
        }
    }
}
