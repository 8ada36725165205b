//! Decides whether the text of an agency that no registry has may be published.
//!
//! Agencies are kept by the text that a source wrote, so a clerk's or an applicant's name, or an address, can stand in
//! that column. A text is published if it is a national agency code, or if it begins with a word for a body and holds
//! no personal name, no street address and no nine digits. Every capitalised word must belong to a known phrase ("Tài
//! chính"), begin one whose next word is in lower case, or follow a word for a territory ("xã An Bình"): one or two
//! words. So a name of two or three capitalised words is never taken for a field of work.

use crate::fields::agency_words::{PHRASE_WORDS, Phrase, is_foreign, is_ordinal, phrase};
use crate::fields::person_names::may_be_family_name;
use crate::model::escape::escaped;
use crate::model::text::name_key;

/// Digits of the shortest number that identifies a person: a telephone number without its 0, an old identity card.
pub(super) const PERSONAL_DIGITS: usize = 9;
/// Words of the longest name of a territory. Only a registry or an approval publishes a name of so many.
const TERRITORY_WORDS: usize = 3;
/// Most unknown words in lower case one after another.
const LOWER_WORDS: usize = 3;
/// Numbers of places in Roman numerals.
const ROMAN: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];

/// Whether the name of an agency that no registry has may be published as it is.
#[must_use]
pub fn is_publishable_agency(name: &str) -> bool {
    let (codes, others): (Vec<&str>, Vec<&str>) =
        name.split_whitespace().partition(|word| is_national_code(word.trim_matches(['(', ')', ',', '-'])));
    if others.is_empty() {
        return codes.len() == 1;
    }
    let rest = others.join(" ");
    let digits = rest.chars().filter(|symbol| symbol.is_numeric()).count();
    digits < PERSONAL_DIGITS && *escaped(name) == *name && Name::of(&rest).is_of_a_body()
}

/// Whether a text is an agency code: `H61.14.02` (QĐ 20/2020/QĐ-TTg) or `000.00.14.H61` (QCVN 102:2016). Numbers below the
/// province may have one digit: `H61.3`.
fn is_national_code(text: &str) -> bool {
    let groups: Vec<&str> = text.split('.').collect();
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let is_owner = |group: &str| group.len() == 3 && group.strip_prefix(['H', 'G']).is_some_and(is_number);
    match groups[..] {
        [owner, ref below @ ..] if is_owner(owner) => {
            below.len() <= 3 && below.iter().all(|group| (1..=2).contains(&group.len()) && is_number(group))
        }
        [first, second, third, owner] => {
            is_owner(owner)
                && [first, second, third].into_iter().all(is_number)
                && [first.len(), second.len(), third.len()] == [3, 2, 2]
        }
        _ => false,
    }
}

/// A word of a name.
#[derive(Debug)]
struct Word {
    key: String,
    is_capitalised: bool,
    /// It has letters only; otherwise it has figures.
    is_letters: bool,
    /// Letters and figures, without marks.
    length: usize,
    /// A sign that divides names stands before it: a comma, dash, bracket, slash or colon.
    begins_part: bool,
}

/// The words of a name.
#[derive(Debug)]
struct Name {
    words: Vec<Word>,
    /// There are capital and small letters, so that a capital letter at the beginning of a word means something.
    has_case: bool,
}

impl Name {
    fn of(text: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut begins_part = false;
        for piece in text.split_inclusive(|symbol: char| !is_of_word(symbol)) {
            let end = piece.chars().next_back().filter(|symbol| !is_of_word(*symbol));
            let word = piece.trim_end_matches(|symbol: char| !is_of_word(symbol));
            if let Some(first) = word.chars().next() {
                let symbols = || word.chars().filter(|symbol| symbol.is_alphanumeric());
                words.push(Word {
                    key: name_key(word),
                    is_capitalised: first.is_uppercase(),
                    is_letters: symbols().all(char::is_alphabetic),
                    length: symbols().count(),
                    begins_part,
                });
                begins_part = false;
            }
            begins_part |= end.is_some_and(|sign| !sign.is_whitespace() && !".&'".contains(sign));
        }
        let has_case = text.chars().any(char::is_uppercase) && text.chars().any(char::is_lowercase);
        Self { words, has_case }
    }

    /// Whether the name begins with a word for a body, and each other word is one that names of agencies have.
    fn is_of_a_body(&self) -> bool {
        let Some((count, Phrase::Body | Phrase::Territory)) = self.phrase_at(0) else { return false };
        let mut at = self.after_phrase(0, count);
        while let Some(found) = at {
            if found >= self.words.len() {
                return true;
            }
            at = match self.phrase_at(found) {
                Some((count, _)) => self.after_phrase(found, count),
                None => self.after_unknown(found),
            };
        }
        false
    }

    /// Longest known phrase at a word: number of its words, and what it stands for.
    fn phrase_at(&self, at: usize) -> Option<(usize, Phrase)> {
        let rest = self.words.get(at..).filter(|rest| !rest.is_empty())?;
        let in_part = 1 + rest.iter().skip(1).take_while(|word| !word.begins_part).count();
        (1..=in_part.min(PHRASE_WORDS)).rev().find_map(|count| {
            let keys: Vec<&str> = rest[..count].iter().map(|word| word.key.as_str()).collect();
            let found = phrase(&keys.join(" "))?;
            // `xã Hội An` is a commune, `Xã hội` a field of work.
            let is_territory = |word: &Word| matches!(phrase(&word.key), Some(Phrase::Territory));
            let is_name = self.has_case && count == 2 && is_territory(&rest[0]) && rest[1].is_capitalised;
            (!is_name || found == Phrase::Territory && phrase(&rest[1].key).is_none()).then_some((count, found))
        })
    }

    /// The word after a phrase, and after the name of the territory if the phrase announces one; `None` if a personal
    /// name follows.
    fn after_phrase(&self, at: usize, count: usize) -> Option<usize> {
        let next = at + count;
        let key = self.words[at..next].iter().map(|word| word.key.as_str()).collect::<Vec<_>>().join(" ");
        if phrase(&key) != Some(Phrase::Territory) {
            return Some(next);
        }
        let is_of_name = |offset: &usize| {
            let at = next + offset;
            let Some(word) = self.words.get(at) else { return false };
            // In capitals throughout, a known word ends the name, unless the name begins with it: `XÃ TRUNG THÀNH`.
            let is_free = match self.phrase_at(at) {
                None => *offset == 0 || !is_foreign(&word.key),
                Some((1, Phrase::Other)) => *offset == 0,
                Some(_) => false,
            };
            // `UBND Xã An Bình Tỉnh Vĩnh Long`: another territory follows.
            let is_next = *offset > 0 && phrase(&word.key) == Some(Phrase::Territory);
            let is_case = if self.has_case { word.is_capitalised && !is_next } else { is_free };
            word.is_letters && is_case && !word.begins_part
        };
        let length = (0..TERRITORY_WORDS).take_while(is_of_name).count();
        let name: Vec<&str> = self.words[next..next + length].iter().map(|word| word.key.as_str()).collect();
        (!is_personal_place(&name)).then_some(next + length)
    }

    /// The word after one that begins no phrase; `None` if it may belong to a personal name or an address.
    fn after_unknown(&self, at: usize) -> Option<usize> {
        let word = &self.words[at];
        if is_foreign(&word.key) || may_be_family_name(&word.key) {
            return None;
        }
        // A number after a comma may be that of a house.
        let is_ordinal = is_ordinal(&word.key) && !word.begins_part && self.words.get(at + 1).is_some_and(is_number);
        if is_ordinal || is_number(word) || word.length == 1 {
            return Some(at + 1);
        }
        let part_begins = (0..=at).rev().find(|&before| self.words[before].begins_part).unwrap_or(0);
        let is_small = |word: &Word| !word.is_capitalised && !word.begins_part && word.is_letters;
        let following = self.words[at + 1..].iter().take_while(|word| is_small(word)).count();
        if !self.has_case || part_begins > 0 {
            return None;
        }
        if word.is_capitalised {
            // The first word of a field of work: `Quản trị`.
            return (following > 0).then_some(at + 1);
        }
        let before =
            self.words[..at].iter().rev().take_while(|word| is_small(word) && phrase(&word.key).is_none()).count();
        (is_small(word) && before < LOWER_WORDS).then_some(at + 1)
    }
}

/// Whether a word is a number, in figures or Roman numerals.
fn is_number(word: &Word) -> bool {
    word.key.chars().all(char::is_numeric) || ROMAN.contains(&word.key.as_str())
}

/// Whether the name of a territory may be a person's: it has three words. Which family names there are does not matter.
/// One or two words may be a territory's: `Lâm Đồng`, `Lý Sơn`.
fn is_personal_place(name: &[&str]) -> bool {
    name.len() == TERRITORY_WORDS && phrase(&name.join(" ")).is_none()
}

/// Whether a symbol belongs to a word.
fn is_of_word(symbol: char) -> bool {
    symbol.is_alphanumeric() || unicode_normalization::char::is_combining_mark(symbol)
}

#[cfg(test)]
#[path = "agency_names_tests.rs"]
mod tests;
