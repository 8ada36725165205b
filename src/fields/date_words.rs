//! Words in dates: names of months, and halves of the day, in English and Vietnamese.

use crate::fields::date_parts::HalfDay;
use crate::model::text::fold;

/// English names of months; every beginning of three letters or more is one.
const ENGLISH: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What `MMM` writes.
pub(super) fn short_month(month: i8) -> String {
    let name = usize::try_from(month - 1).ok().and_then(|index| ENGLISH.get(index)).copied().unwrap_or_default();
    name.get(..3).map(|short| short[..1].to_uppercase() + &short[1..]).unwrap_or_default()
}

/// Vietnamese numbers of months, behind `tháng`. Months 1, 4 and 12 have two names.
const VIETNAMESE: [(&str, i8); 15] = [
    ("mười một", 11),
    ("mười hai", 12),
    ("mười", 10),
    ("giêng", 1),
    ("một", 1),
    ("hai", 2),
    ("ba", 3),
    ("bốn", 4),
    ("tư", 4),
    ("năm", 5),
    ("sáu", 6),
    ("bảy", 7),
    ("tám", 8),
    ("chín", 9),
    ("chạp", 12),
];

/// Beginnings of a Vietnamese month: `tháng 5`, `Thg 5`, `Th5`.
const VIETNAMESE_MONTH: [&str; 3] = ["tháng", "thg", "th"];

const HALVES: [(&str, HalfDay); 8] = [
    ("a.m.", HalfDay::Morning),
    ("p.m.", HalfDay::Afternoon),
    ("am", HalfDay::Morning),
    ("pm", HalfDay::Afternoon),
    ("sáng", HalfDay::Morning),
    ("chiều", HalfDay::Afternoon),
    ("sa", HalfDay::Morning),
    ("ch", HalfDay::Afternoon),
];

/// The month whose name a text begins with, and the rest of the text.
pub(super) fn take_month(text: &[u8]) -> Option<(i8, &[u8])> {
    let text = std::str::from_utf8(text).ok()?;
    for (index, name) in ENGLISH.iter().enumerate() {
        let same = text.bytes().zip(name.bytes()).take_while(|(letter, of)| letter.to_ascii_lowercase() == *of).count();
        // `sept` is usual besides `sep`; other beginnings are followed by another letter, and no name.
        if same >= 3 && !text[same..].starts_with(|next: char| next.is_alphabetic()) {
            return Some((
                i8::try_from(index + 1).ok()?,
                text[same..].strip_prefix('.').unwrap_or(&text[same..]).as_bytes(),
            ));
        }
    }
    let rest = VIETNAMESE_MONTH.iter().find_map(|begin| strip_word(text, begin))?;
    let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start_matches(' ');
    if let Some((rest, month)) = VIETNAMESE.iter().find_map(|(word, month)| Some((strip_word(rest, word)?, *month))) {
        return Some((month, rest.as_bytes()));
    }
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((rest[..digits].parse().ok()?, &rest.as_bytes()[digits..]))
}

/// The half of the day that a text begins with, and the rest of the text.
pub(super) fn take_half(text: &[u8]) -> Option<(HalfDay, &[u8])> {
    let text = std::str::from_utf8(text).ok()?;
    HALVES.iter().find_map(|(word, half)| Some((*half, strip_word(text, word)?.as_bytes())))
}

/// What follows `word` in a text, in any letter case and form of Unicode.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    // A letter with its marks apart is up to three characters.
    let ends = text.char_indices().map(|(at, symbol)| at + symbol.len_utf8()).take(word.chars().count() * 3);
    let rest = ends.map(|end| text.split_at(end)).find(|(begin, _)| fold(begin) == word)?.1;
    // `ba` is not the beginning of `bả`.
    (!rest.starts_with(|next| matches!(next, '\u{300}'..='\u{36f}'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn months_are_read_in_both_languages() {
        let apart: String = "Tháng Mười Hai 2026".nfd().collect();
        for (text, month, rest) in [
            ("Jan 2026", 1, " 2026"),
            ("JANUARY-26", 1, "-26"),
            ("Sept. 5", 9, " 5"),
            ("may", 5, ""),
            ("tháng 5/2026", 5, "/2026"),
            ("Tháng 12 năm 2026", 12, " năm 2026"),
            ("Thg 1, 2026", 1, ", 2026"),
            ("Th10 2026", 10, " 2026"),
            ("tháng mười một", 11, ""),
            ("Tháng Giêng", 1, ""),
            (&apart, 12, " 2026"),
        ] {
            assert_eq!(take_month(text.as_bytes()), Some((month, rest.as_bytes())), "{text}");
        }
        for text in ["Ja 2026", "Janus", "tháng", "tháng x", "", "5"] {
            assert_eq!(take_month(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            (short_month(1), short_month(12), short_month(13)),
            ("Jan".to_owned(), "Dec".to_owned(), String::new())
        );
    }

    #[test]
    fn halves_of_the_day_are_read_in_both_languages() {
        for (text, half, rest) in [
            ("AM", HalfDay::Morning, ""),
            ("p.m. x", HalfDay::Afternoon, " x"),
            ("SA", HalfDay::Morning, ""),
            ("ch", HalfDay::Afternoon, ""),
            ("Chiều", HalfDay::Afternoon, ""),
            ("sáng", HalfDay::Morning, ""),
        ] {
            assert_eq!(take_half(text.as_bytes()), Some((half, rest.as_bytes())), "{text}");
        }
        assert_eq!(take_half(b"x"), None);
    }
}
