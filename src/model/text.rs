//! Comparison of texts.

use unicode_normalization::UnicodeNormalization;

/// Canonical form in which texts are compared: NFC, lower case, single spaces.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.nfc().flat_map(char::to_lowercase));
    }
    folded
}
