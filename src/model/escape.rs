//! Escapes characters that change how a terminal, a log viewer or a page shows a text.
//!
//! Texts from outside (names of files and sheets, keys of JSON, names of agencies, messages of sources) can hold control
//! bytes that recolour or clear a terminal, and marks that reverse the direction of what follows.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control character, direction mark and invisible character as `\u001b`. JSON reads the same
/// escape.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// As [`escaped`], but keeps line ends and tabs: for output that has lines of its own.
#[must_use]
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escape(text, |symbol| !matches!(symbol, '\n' | '\t') && is_unsafe(symbol))
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for symbol in text.chars() {
        if is_escaped(symbol) {
            for unit in symbol.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(symbol);
        }
    }
    Cow::Owned(out)
}

/// Control characters, the marks and overrides of direction, line and paragraph separators, and characters without
/// width.
fn is_unsafe(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_and_direction_marks_are_escaped() {
        for (text, expected) in [
            ("b\u{1b}[31mRED\u{1b}[0m.csv", "b\\u001b[31mRED\\u001b[0m.csv"),
            ("a\u{202e}vsc.exe", "a\\u202evsc.exe"),
            ("a\u{2066}b\u{2069}", "a\\u2066b\\u2069"),
            ("a\u{9b}31m", "a\\u009b31m"),
            ("hai\ndòng\tcột\r", "hai\\u000adòng\\u0009cột\\u000d"),
            ("Sở\u{200b} Nội vụ\u{feff}", "Sở\\u200b Nội vụ\\ufeff"),
            ("tag\u{e0041}", "tag\\udb40\\udc41"),
        ] {
            assert_eq!(escaped(text), expected);
            let json: String = serde_json::from_str(&format!("\"{expected}\"")).expect("JSON reads the escapes");
            assert_eq!(json, text);
        }
        assert_eq!(escaped_lines("a\n\tb\u{1b}c"), "a\n\tb\\u001bc");
    }

    #[test]
    fn usual_texts_stay_as_they_are() {
        for text in ["Sở Nội vụ", "UBND xã An Bình – 2026/11 (đợt 2).xlsx", "\\u001b", "98,76 %"] {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
