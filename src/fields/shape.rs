//! Shape of a text: what is written or shown in place of a text that may be personal data.

use std::fmt::Write as _;

/// Characters of a text that its shape covers.
const SHAPE_CHARS: usize = 40;

/// Shape and length of a text: `Nguyễn Văn An` → `?Aa_Aa_Aa:13`.
#[must_use]
pub fn shape(text: &str) -> String {
    let mut shape = String::from("?");
    let mut last = ' ';
    for symbol in text.chars().take(SHAPE_CHARS) {
        let class = match symbol {
            digit if digit.is_numeric() => '9',
            upper if upper.is_uppercase() => 'A',
            lower if lower.is_alphabetic() => 'a',
            space if space.is_whitespace() => '_',
            _ => '.',
        };
        if class != last {
            shape.push(class);
            last = class;
        }
    }
    let _ = write!(shape, ":{}", text.chars().count());
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hide_the_text() {
        assert_eq!(shape("Nguyễn Văn An"), "?Aa_Aa_Aa:13");
        assert_eq!(shape("0912345678"), "?9:10");
    }
}
