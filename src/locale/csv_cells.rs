//! Texts in CSV files, which people open in spreadsheets.

use std::borrow::Cow;

/// Signs with which a spreadsheet takes a cell for a formula, or for one after it has removed white space or widened
/// letters.
const FORMULA_SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Prefixes a text that a spreadsheet would evaluate as a formula with an apostrophe (CSV injection). Texts come from
/// sources: a dossier's code or an agency's name may be one.
#[must_use]
pub fn without_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_SIGNS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// As [`without_formula`] for a cell of any type: a number keeps its sign.
#[must_use]
pub fn cell_without_formula(cell: &str) -> Cow<'_, str> {
    if cell.parse::<f64>().is_ok() { Cow::Borrowed(cell) } else { without_formula(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_like_formulas_are_prefixed_and_numbers_are_not() {
        for text in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "-"] {
            assert_eq!(without_formula(text), format!("'{text}"));
            assert_eq!(cell_without_formula(text), format!("'{text}"));
        }
        for text in ["Sở Tư pháp", "H61.06-260105-0007", "", "'=1", "–"] {
            assert_eq!((without_formula(text), cell_without_formula(text)), (text.into(), text.into()));
        }
        assert_eq!((without_formula("-1.5"), cell_without_formula("-1.5")), ("'-1.5".into(), "-1.5".into()));
    }
}
