//! Finds keys that differ from another key in letter case only.
//!
//! Two such keys are usually one dossier, of which somebody wrote the code in small letters. Only the type of the key's
//! field may say so (`dossier_code`); otherwise the pull reports them.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// What is known of the letter case of the keys of a pull. Needs memory only for keys that have capital and small
/// letters.
#[derive(Debug, Default)]
pub struct KeySpellings {
    has_capitals: bool,
    has_small_letters: bool,
    /// Hash of a key in small letters → hash of the key.
    mixed: HashMap<u64, u64>,
    hasher: RandomState,
}

/// The key in capital and in small letters, each only if it differs from the key.
pub fn other_spellings(key: &str) -> impl Iterator<Item = String> {
    let (capitals, small) = letters(key);
    let in_capitals = small.then(|| key.to_uppercase());
    in_capitals.into_iter().chain(capitals.then(|| key.to_lowercase()))
}

/// Whether the key has capital letters, and whether it has small ones.
fn letters(key: &str) -> (bool, bool) {
    if key.is_ascii() {
        let has = |is: fn(&u8) -> bool| key.bytes().any(|byte| is(&byte));
        return (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase));
    }
    (key.chars().any(char::is_uppercase), key.chars().any(char::is_lowercase))
}

impl KeySpellings {
    /// Notes a key. Returns whether an earlier key of the pull differs from it in letter case only; `is_seen` says
    /// whether a key was noted before.
    pub fn note(&mut self, key: &str, is_seen: impl Fn(&str) -> bool) -> bool {
        let (capitals, small) = letters(key);
        // A key in capitals only can be alike to none of the earlier keys if none had a small letter.
        let can_be_alike = (capitals && self.has_small_letters) || (small && self.has_capitals);
        self.has_capitals |= capitals;
        self.has_small_letters |= small;
        let is_alike = can_be_alike && other_spellings(key).any(|other| is_seen(&other));
        if !(capitals && small) && self.mixed.is_empty() {
            return is_alike;
        }
        let (in_small_letters, exact) = (self.hasher.hash_one(key.to_lowercase()), self.hasher.hash_one(key));
        let known = self.mixed.get(&in_small_letters).copied();
        if capitals && small {
            self.mixed.entry(in_small_letters).or_insert(exact);
        }
        is_alike || known.is_some_and(|known| known != exact)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The keys that are alike to an earlier one.
    fn alike<'k>(keys: &[&'k str]) -> Vec<&'k str> {
        let (mut spellings, mut seen, mut found) = (KeySpellings::default(), HashSet::new(), Vec::new());
        for key in keys {
            if spellings.note(key, |other| seen.contains(other)) {
                found.push(*key);
            }
            seen.insert((*key).to_owned());
        }
        found
    }

    #[test]
    fn keys_in_another_letter_case_are_found() {
        for (keys, expected) in [
            (&["HS-0001", "hs-0001"][..], &["hs-0001"][..]),
            (&["hs-0001", "HS-0001"], &["HS-0001"]),
            (&["Hs-0001", "HS-0001"], &["HS-0001"]),
            (&["HS-0001", "Hs-0001"], &["Hs-0001"]),
            (&["Hs-0001", "hS-0001"], &["hS-0001"]),
            (&["hs-0001", "Hs-0001", "HS-0001"], &["Hs-0001", "HS-0001"]),
            (&["x|SỞ Y TẾ", "x|sở y tế", "x|Sở Y tế"], &["x|sở y tế", "x|Sở Y tế"]),
            (&["HS-0001", "HS-0001", "HS-0002", "12-0001", "12-0001"], &[]),
            (&["5f86a1", "5f86a2", "5f86a1", "HS-1", "HS-2"], &[]),
            (&["Ab", "Ab", "aC", "aC"], &[]),
        ] {
            assert_eq!(alike(keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn other_spellings_differ_from_the_key() {
        let spellings = |key| other_spellings(key).collect::<Vec<_>>();
        assert_eq!(spellings("HS-1"), ["hs-1"]);
        assert_eq!(spellings("hs-1"), ["HS-1"]);
        assert_eq!(spellings("Hs-1"), ["HS-1", "hs-1"]);
        assert_eq!(spellings("2026-1"), [""; 0]);
    }
}
