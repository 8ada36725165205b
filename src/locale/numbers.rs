//! Numbers: Vietnamese writes `12.345,67`, English `12,345.67`.

use crate::locale::Language;

/// Space between a number and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitSpace {
    /// U+0020, for terminals.
    Plain,
    /// U+00A0, for pages: a line does not break between number and unit.
    NonBreaking,
}

impl UnitSpace {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Plain => " ",
            Self::NonBreaking => "\u{a0}",
        }
    }
}

impl Language {
    /// A whole number with its thousands grouped: `12.345`; `12,345` in English.
    #[must_use]
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(if self == Self::Vietnamese { '.' } else { ',' });
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Two decimals, none for a whole number: `12,25` and `12`; `12.25` in English. Thousands are not grouped.
    #[must_use]
    pub fn decimal(self, number: f64) -> String {
        let digits = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
        self.with_decimal_sign(&digits)
    }

    /// A share of 1 as a percentage with two decimals: `98,76 %`; `98.76%` in English, without a space.
    #[must_use]
    pub fn percent(self, share: f64, space: UnitSpace) -> String {
        let digits = self.with_decimal_sign(&format!("{:.2}", share * 100.0));
        match self {
            Self::Vietnamese => format!("{digits}{}%", space.text()),
            Self::English => format!("{digits}%"),
        }
    }

    fn with_decimal_sign(self, digits: &str) -> String {
        if self == Self::Vietnamese { digits.replace('.', ",") } else { digits.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_separators() {
        use Language::{English, Vietnamese};
        assert_eq!(Vietnamese.percent(0.9876, UnitSpace::NonBreaking), "98,76\u{a0}%");
        assert_eq!(Vietnamese.percent(0.9876, UnitSpace::Plain), "98,76 %");
        assert_eq!(English.percent(0.9876, UnitSpace::NonBreaking), "98.76%");
        assert_eq!((Vietnamese.number(1_234_567), English.number(1_234_567)), ("1.234.567".into(), "1,234,567".into()));
        assert_eq!(English.number(999), "999");
        assert_eq!((Vietnamese.decimal(3.5), English.decimal(12.0)), ("3,50".into(), "12".into()));
    }
}
