//! The names under which agencies that no registry has are published.
//!
//! The text of such an agency is published if it is declared (by a connector's `pattern` or `default`), approved by an
//! operator, or reads like the name of a body ([`is_publishable_agency`]). Any other may hold a person's name or an
//! address: it is published as `đơn vị chưa có trong danh mục #n`. Its number n belongs to the text for good, also after
//! the text was approved, so no other text ever gets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::fields::is_publishable_agency;
use crate::model::text::name_key;

/// Code and name of an agency whose text is not published, without its number.
const WITHHELD: &str = "đơn vị chưa có trong danh mục";

/// An agency whose text is not published unless it is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedAgency {
    /// From 1.
    pub number: u64,
    pub is_approved: bool,
}

/// Decides what each text of an agency is published as, and numbers those that are withheld.
#[derive(Debug, Default)]
pub struct AgencyNames {
    /// By the digest of the text.
    numbered: Mutex<BTreeMap<String, NumberedAgency>>,
    /// Numbers up to this one are taken.
    highest: u64,
    /// Digests of the texts that connectors declare.
    declared: BTreeSet<String>,
    /// Whether a text without a number gets one.
    is_fixed: bool,
}

impl AgencyNames {
    /// The numbers given so far, by the digest of the text. A text without a number gets one above them and above
    /// `highest`.
    #[must_use]
    pub fn new(numbered: BTreeMap<String, NumberedAgency>, highest: u64) -> Self {
        Self { numbered: Mutex::new(numbered), highest, ..Self::default() }
    }

    /// The same numbers, for figures that are not published: a text without a number gets none.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self { is_fixed: true, ..self }
    }

    /// Adds texts that connectors declare: they are published as they are.
    #[must_use]
    pub fn with_declared<'t>(mut self, texts: impl IntoIterator<Item = &'t str>) -> Self {
        self.declared.extend(texts.into_iter().map(Self::digest));
        self
    }

    /// The numbers with those that computing gave, by the digest of the text.
    #[must_use]
    pub fn into_numbered(self) -> BTreeMap<String, NumberedAgency> {
        self.numbered.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Digest by which the text of an agency is known: that of its key, so that case and spacing do not count.
    #[must_use]
    pub fn digest(text: &str) -> String {
        format!("{:x}", Sha256::digest(name_key(text)))
    }

    /// What is published in place of a text that no registry has; `None` if the text is published itself.
    pub(super) fn withheld(&self, text: &str) -> Option<Arc<str>> {
        if is_publishable_agency(text) {
            return None;
        }
        let digest = Self::digest(text);
        if self.declared.contains(&digest) {
            return None;
        }
        let mut numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = numbered.get(&digest).copied();
        let known = known.or_else(|| {
            let taken = numbered.values().map(|agency| agency.number).max().unwrap_or(0).max(self.highest);
            let new = NumberedAgency { number: taken + 1, is_approved: false };
            (!self.is_fixed).then(|| {
                numbered.insert(digest, new);
                new
            })
        });
        match known {
            Some(NumberedAgency { is_approved: true, .. }) => None,
            Some(NumberedAgency { number, .. }) => Some(withheld_name(number).into()),
            None => Some(WITHHELD.into()),
        }
    }
}

/// Code and name under which a withheld agency is published.
#[must_use]
pub fn withheld_name(number: u64) -> String {
    format!("{WITHHELD} #{number}")
}

/// Number in the code of a withheld agency; `None` for another code.
#[must_use]
pub fn withheld_number(code: &str) -> Option<u64> {
    code.strip_prefix(WITHHELD)?.strip_prefix(" #")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(names: &AgencyNames, text: &str) -> Option<u64> {
        names.withheld(text).map(|name| withheld_number(&name).expect("it has a number"))
    }

    #[test]
    fn a_text_keeps_its_number_and_a_plain_name_has_none() {
        let names = AgencyNames::default();
        assert_eq!(withheld(&names, "Cao Bá Canari (CB)"), Some(1));
        assert_eq!(withheld(&names, "Sở Nội vụ"), None);
        assert_eq!(withheld(&names, "Số 12 đường Canari"), Some(2));
        assert_eq!(withheld(&names, "CAO BÁ  CANARI (CB)"), Some(1), "case and spacing do not count");
        let again = AgencyNames::new(names.into_numbered(), 0);
        assert_eq!(withheld(&again, "Ấp 3 xã Canari"), Some(3));
        assert_eq!(withheld(&again, "Số 12 đường Canari"), Some(2));
    }

    #[test]
    fn an_approved_or_declared_text_is_published_and_its_number_is_not_given_again() {
        let approved = NumberedAgency { number: 7, is_approved: true };
        let names = AgencyNames::new(BTreeMap::from([(AgencyNames::digest("Văn Lang"), approved)]), 0)
            .with_declared(["Điểm Hồng Đào"]);
        assert_eq!(names.withheld("Văn Lang"), None);
        assert_eq!(names.withheld("điểm hồng đào"), None);
        assert_eq!(withheld(&names, "Canari"), Some(8));
    }

    #[test]
    fn numbers_that_were_published_before_are_not_given_again() {
        assert_eq!(withheld(&AgencyNames::new(BTreeMap::new(), 12), "Canari"), Some(13));
    }

    #[test]
    fn figures_that_are_not_published_give_no_numbers() {
        let names = AgencyNames::default().fixed();
        assert_eq!(names.withheld("Canari").as_deref(), Some(WITHHELD));
        assert!(names.into_numbered().is_empty());
    }

    #[test]
    fn a_text_cannot_pose_as_a_withheld_agency() {
        assert_eq!(withheld(&AgencyNames::default(), &withheld_name(5)), Some(1));
    }
}
