//! Order of the Vietnamese alphabet, in which names stand in lists.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::compose;

use crate::model::text::plain;

/// The alphabet, with f, j, w and z at their Latin places.
const LETTERS: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";
/// Tone marks in the order of dictionaries: huyền, hỏi, ngã, sắc, nặng. A letter without a tone mark comes first.
const TONES: [char; 5] = ['\u{300}', '\u{309}', '\u{303}', '\u{301}', '\u{323}'];

const SPACE: u32 = 0;
const SIGN: u32 = 1;
const NUMBER: u32 = 2;
const LETTER: u32 = 3;

/// Sort key of a text: its letters by the alphabet, then its tone marks, then the text itself. Case does not count
/// before the last. Numbers are compared by value, so that `Phường 2` comes before `Phường 10`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VietnameseOrder {
    /// Class, then place in the class, of each sign; a number has its count of digits in place of the second.
    signs: Vec<(u32, u32)>,
    /// Place in [`TONES`], from 1, of each letter; 0 without a tone mark.
    tones: Vec<usize>,
    text: String,
}

impl VietnameseOrder {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (mut symbols, mut tones) = (Vec::<char>::new(), Vec::new());
        for symbol in plain(text).nfd().flat_map(char::to_lowercase) {
            if let (Some(place), Some(tone)) = (TONES.iter().position(|mark| *mark == symbol), tones.last_mut()) {
                *tone = place + 1;
            } else if let Some((last, composed)) =
                symbols.last_mut().and_then(|last| compose(*last, symbol).map(|composed| (last, composed)))
            {
                *last = composed;
            } else {
                symbols.push(symbol);
                tones.push(0);
            }
        }
        Self { signs: signs(&symbols), tones, text: text.to_owned() }
    }
}

fn signs(symbols: &[char]) -> Vec<(u32, u32)> {
    let mut signs = Vec::with_capacity(symbols.len());
    let mut rest = symbols;
    while let [first, after @ ..] = rest {
        let digits = rest.iter().take_while(|symbol| symbol.is_ascii_digit()).count();
        if digits > 0 {
            let number: Vec<u32> =
                rest[..digits].iter().skip_while(|digit| **digit == '0').map(|digit| u32::from(*digit)).collect();
            signs.push((NUMBER, u32::try_from(number.len()).unwrap_or(u32::MAX)));
            signs.extend(number.into_iter().map(|digit| (NUMBER, digit)));
            rest = &rest[digits..];
        } else {
            signs.push(sign(*first));
            rest = after;
        }
    }
    signs
}

fn sign(symbol: char) -> (u32, u32) {
    match LETTERS.chars().position(|letter| letter == symbol) {
        Some(place) => (LETTER, u32::try_from(place).unwrap_or(u32::MAX)),
        None if symbol.is_whitespace() => (SPACE, 0),
        None if symbol.is_alphabetic() => (LETTER, u32::from(symbol)),
        None => (SIGN, u32::from(symbol)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_alphabet() {
        let ordered = [
            "Phường 2",
            "Phường 10",
            "Phường An Hòa",
            "Thị trấn Trà Ôn",
            "UBND xã An Bình",
            "UBND xã Ăn Khê",
            "UBND xã Ấp Mới",
            "UBND xã Bình An",
            "UBND xã Dương Xá",
            "UBND xã Đa Lộc",
            "UBND xã Đông Hà",
            "UBND xã Ea Kar",
            "UBND xã Êa",
            "UBND xã Om",
            "UBND xã Ô Môn",
            "UBND xã Ơi",
            "UBND xã Tân An",
            "UBND xã Ưng",
            "UBND xã Yên Mỹ",
        ];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_cached_key(|name| VietnameseOrder::of(name));
        assert_eq!(sorted, ordered);
    }

    #[test]
    fn tones_decide_between_equal_letters_only() {
        let ordered = ["ma", "mà", "mả", "mã", "má", "mạ", "mac", "mô", "mồ", "mộ", "mơ"];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_cached_key(|word| VietnameseOrder::of(word));
        assert_eq!(sorted, ordered);
        let marks_apart: String = "UBND xã Ðộc Lập".nfd().collect();
        let (apart, composed) = (VietnameseOrder::of(&marks_apart), VietnameseOrder::of("ubnd xã độc lập"));
        assert_eq!((apart.signs, apart.tones), (composed.signs, composed.tones));
    }
}
