//! Comparison of texts: signs that look alike, letter case, spacing, and the place of tone marks.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The text without invisible characters, with plain spaces, and with one character for those that look alike.
///
/// * Zero-width characters, soft hyphens, direction marks and byte order marks are removed.
/// * No-break spaces and all other wide or narrow spaces become a space.
/// * Ð (U+00D0) and Ɖ (U+0189), which keyboards and fonts give for Đ (U+0110), become Đ; likewise ð and ɖ become đ.
/// * ǎ (caron), which is no Vietnamese letter, becomes ă (breve).
/// * Full-width letters, digits and signs become those of ASCII; hyphens (U+2010, U+2011) become `-`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().all(|symbol| plain_symbol(symbol) == Some(symbol)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(plain_symbol).collect())
}

/// Whether a text has no visible character.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|symbol| plain_symbol(symbol).is_none_or(char::is_whitespace))
}

/// `None` if the character is invisible.
fn plain_symbol(symbol: char) -> Option<char> {
    match symbol {
        '\0'..='\u{7f}' => Some(symbol),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => None,
        '\u{d0}' | '\u{189}' => Some('Đ'),
        '\u{f0}' | '\u{256}' => Some('đ'),
        '\u{1cd}' => Some('Ă'),
        '\u{1ce}' => Some('ă'),
        '\u{2010}' | '\u{2011}' => Some('-'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(symbol) - 0xfee0),
        space if space.is_whitespace() => Some(' '),
        other => Some(other),
    }
}

/// Canonical form in which texts are compared: [`plain`], NFC, lower case, single spaces, `-` for every dash.
#[must_use]
pub fn fold(text: &str) -> String {
    let text = plain(text);
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.nfc().flat_map(char::to_lowercase).map(hyphen));
    }
    folded
}

/// Canonical form in which names of agencies are compared: [`fold`], with the tone mark of each syllable at its end, so
/// that `hoà` and `hòa` are equal.
#[must_use]
pub fn name_key(text: &str) -> String {
    let text = plain(text);
    let mut key = String::with_capacity(text.len() + 8);
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        let mut tone = None;
        for symbol in word.nfd().flat_map(char::to_lowercase).map(hyphen) {
            match symbol {
                '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => tone = Some(symbol),
                other => key.push(other),
            }
        }
        key.extend(tone);
    }
    key
}

/// [`fold`] without tone marks and other diacritics: what is typed without a Vietnamese keyboard. Different names can be
/// equal then.
#[must_use]
pub fn without_marks(text: &str) -> String {
    let is_mark = |symbol: &char| ('\u{300}'..='\u{36f}').contains(symbol);
    fold(text).nfd().filter(|symbol| !is_mark(symbol)).map(|symbol| if symbol == 'đ' { 'd' } else { symbol }).collect()
}

/// `-` for a dash of any length.
fn hyphen(symbol: char) -> char {
    if matches!(symbol, '\u{2012}'..='\u{2015}' | '\u{2212}') { '-' } else { symbol }
}

/// 1-based line of a byte offset in a text; the last line for offsets behind its end.
#[must_use]
pub fn line_at(text: &str, offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..offset.min(text.len())]).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out() {
        for (text, expected) in [
            ("Sở Nội vụ", "so noi vu"),
            ("  Xã  Đông\u{a0}Hòa ", "xa dong hoa"),
            ("ÐƯỜNG số 9", "duong so 9"),
            ("ướt ễ ộ ẳ ỵ", "uot e o a y"),
        ] {
            assert_eq!(without_marks(text), expected, "{text:?}");
        }
    }

    #[test]
    fn invisible_and_look_alike_characters_become_plain() {
        for (text, expected) in [
            ("Phường Ðông", "Phường Đông"),
            ("Ɖông ðông ɖông", "Đông đông đông"),
            ("Thǎng Long", "Thăng Long"),
            ("HS\u{2011}0001", "HS-0001"),
            ("\u{feff}Mã\u{a0}hồ\u{202f}sơ\u{200b}", "Mã hồ sơ"),
            ("a\u{ad}b\u{200d}c\u{2060}d\u{202e}e", "abcde"),
            ("\u{ff28}\u{ff33}\u{ff0d}\u{ff10}\u{ff11}\u{3000}\u{ff08}x\u{ff09}", "HS-01 (x)"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        for text in ["", "HS-0001\t x", "Ấp Mới – “ộ” ễ đ Đ ă Ă", "a\u{306}\u{323}"] {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_spaces_and_invisible_characters_is_blank() {
        for text in ["", " \t", "\u{a0}\u{3000}", "\u{feff}\u{200b}"] {
            assert!(is_blank(text), "{text:?}");
        }
        assert!(!is_blank("\u{200b}-"));
    }

    #[test]
    fn texts_that_read_alike_fold_alike() {
        let marks_apart: String = "NGÀY  TIẾP NHẬN".nfd().collect();
        for text in ["Ngày tiếp nhận", &marks_apart, " ngày\u{a0}tiếp\u{200b} nhận ", "\u{feff}Ngày\ntiếp nhận"]
        {
            assert_eq!(fold(text), "ngày tiếp nhận", "{text:?}");
        }
        assert_eq!(fold("Bưu chính – công ích"), fold("Bưu chính - công ích"));
        assert_ne!(fold("Ngày tra"), fold("Ngày trả"));
    }

    #[test]
    fn names_are_equal_in_either_place_of_the_tone_mark() {
        assert_eq!(name_key("UBND xã Hoà Ðông"), name_key("ubnd  XÃ Hòa\u{a0}Đông"));
        assert_ne!(name_key("Xã Hoa Đông"), name_key("Xã Hòa Đông"));
    }
}
