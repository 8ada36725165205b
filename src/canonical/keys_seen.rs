//! Classifies the records of a pull: new version, unchanged, duplicate or superseded.
//!
//! The rows of a pull are processed from the last to the first. If the source has no change time, the later row wins,
//! so the first row of a key that is met is the winner. A row without a change time wins over the rows before it and loses
//! to those after it, whether or not others have one. Memory therefore holds one entry per key, however long the pull
//! is.

use std::collections::HashMap;

use crate::model::instant;
use crate::model::record::{Record, Value};
use crate::model::table::RecordKind;

/// Class of a record in a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordClass {
    /// A version that is not stored yet.
    Accepted,
    /// Same content as the newest stored version.
    Unchanged,
    /// Same key and content as another row of this pull.
    Duplicate,
    /// A newer version is stored or part of this pull.
    Superseded,
}

/// Newest stored version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredVersion {
    pub digest: u128,
    pub updated_at: Option<i64>,
}

/// Marks a version without a change time.
const UNTIMED: i64 = i64::MIN;

/// Keys met so far in a pull that is processed from its last row to its first.
#[derive(Debug, Default)]
pub struct KeysSeen {
    /// Hash of the key (128 bits) → half of the digest and order of its newest version: 32 bytes a key. The order is the
    /// change time (or [`UNTIMED`]); for files, what [`KeysSeen::classify_in_order`] got.
    newest: HashMap<(u64, u64), (u64, i64)>,
    hashers: (std::hash::RandomState, std::hash::RandomState),
}

impl KeysSeen {
    /// Allocates for a pull of `rows` rows at once, because growing by doubling would need more memory.
    #[must_use]
    pub fn for_rows(rows: u64) -> Self {
        let newest = HashMap::with_capacity(usize::try_from(rows).unwrap_or(0));
        Self { newest, ..Self::default() }
    }

    /// Number of keys met so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.newest.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.newest.contains_key(&self.hash(key))
    }

    /// Whether the newest version of a key that was met so far has this digest.
    #[must_use]
    pub fn has(&self, key: &str, digest: u128) -> bool {
        self.newest.get(&self.hash(key)).is_some_and(|newest| newest.0 == short(digest))
    }

    fn hash(&self, key: &str) -> (u64, u64) {
        use std::hash::BuildHasher as _;
        (self.hashers.0.hash_one(key), self.hashers.1.hash_one(key))
    }

    /// Classifies a record. `updated_at` is its change time, `stored` the newest stored version of its key.
    pub fn classify(
        &mut self,
        key: &str,
        digest: u128,
        updated_at: Option<i64>,
        stored: Option<StoredVersion>,
    ) -> RecordClass {
        let hash = self.hash(key);
        let short = short(digest);
        if let Some(&(newest_short, newest_time)) = self.newest.get(&hash) {
            if newest_short == short {
                return RecordClass::Duplicate;
            }
            if !is_newer(updated_at, Some(newest_time).filter(|time| *time != UNTIMED)) {
                return RecordClass::Superseded;
            }
        }
        self.newest.insert(hash, (short, updated_at.unwrap_or(UNTIMED)));
        match stored {
            Some(stored) if stored.digest == digest => RecordClass::Unchanged,
            Some(stored) if is_newer(stored.updated_at, updated_at) => RecordClass::Superseded,
            _ => RecordClass::Accepted,
        }
    }

    /// Classifies a record that came after every record that counts more. `order` is the same for records of which none
    /// counts more, `stored` the digest of the newest stored version.
    pub fn classify_in_order(&mut self, key: &str, digest: u128, order: i64, stored: Option<u128>) -> RecordClass {
        let hash = self.hash(key);
        match self.newest.get(&hash) {
            Some((newest, _)) if *newest == short(digest) => RecordClass::Duplicate,
            Some(_) => RecordClass::Superseded,
            None => {
                self.newest.insert(hash, (short(digest), order));
                if stored == Some(digest) { RecordClass::Unchanged } else { RecordClass::Accepted }
            }
        }
    }

    /// Notes a key without classifying a record.
    pub fn note(&mut self, key: &str, digest: u128) {
        let hash = self.hash(key);
        self.newest.insert(hash, (short(digest), UNTIMED));
    }

    /// Whether a record has another content than the newest version of its key, and the same order: nothing says which
    /// of the two is right. To be asked before the record is classified.
    #[must_use]
    pub fn contradicts(&self, key: &str, digest: u128, order: Option<i64>) -> bool {
        let newest = self.newest.get(&self.hash(key));
        newest.is_some_and(|newest| newest.0 != short(digest) && newest.1 == order.unwrap_or(UNTIMED))
    }
}

/// Whether the first change time is later; false unless both are known.
fn is_newer(left: Option<i64>, right: Option<i64>) -> bool {
    matches!((left, right), (Some(left), Some(right)) if left > right)
}

#[expect(clippy::cast_possible_truncation, reason = "half of a digest distinguishes two versions of one key")]
fn short(digest: u128) -> u64 {
    digest as u64
}

/// Part of a new key, `yyyy-MM`: the month of the first date that decides it, otherwise of the run.
#[must_use]
pub fn part_of(kind: RecordKind, record: &Record, run_started: i64) -> String {
    let dated = kind.part_columns().iter().find_map(|name| match &record.values[kind.column_index(name)?] {
        Value::Instant(micros) => Some(*micros),
        _ => None,
    });
    let day = instant::local(dated.unwrap_or(run_started)).date();
    format!("{:04}-{:02}", day.year(), day.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(digest: u128, updated_at: Option<i64>) -> StoredVersion {
        StoredVersion { digest, updated_at }
    }

    #[test]
    fn without_change_times_the_later_row_wins() {
        let mut seen = KeysSeen::default();
        // Processed from the last row to the first: version 3 is the last row.
        assert_eq!(seen.classify("k", 3, None, Some(stored(1, None))), RecordClass::Accepted);
        assert_eq!(seen.classify("k", 3, None, Some(stored(1, None))), RecordClass::Duplicate);
        assert_eq!(seen.classify("k", 2, None, Some(stored(1, None))), RecordClass::Superseded);
        assert_eq!(seen.classify("k", 1, None, Some(stored(1, None))), RecordClass::Superseded);
        assert_eq!(seen.classify("other", 1, None, None), RecordClass::Accepted);
    }

    #[test]
    fn with_change_times_the_newer_row_wins_whatever_the_order() {
        let mut seen = KeysSeen::default();
        assert_eq!(seen.classify("k", 1, Some(10), Some(stored(9, Some(5)))), RecordClass::Accepted);
        assert_eq!(seen.classify("k", 2, Some(20), Some(stored(9, Some(5)))), RecordClass::Accepted);
        assert_eq!(seen.classify("k", 3, Some(15), Some(stored(9, Some(5)))), RecordClass::Superseded);
        assert_eq!(seen.classify("old", 4, Some(1), Some(stored(9, Some(5)))), RecordClass::Superseded);
    }

    #[test]
    fn another_content_of_the_same_order_is_a_contradiction() {
        let mut seen = KeysSeen::default();
        assert!(!seen.contradicts("a", 1, None));
        seen.classify("a", 1, None, None);
        assert!(
            seen.contradicts("a", 2, None) && !seen.contradicts("a", 1, None) && !seen.contradicts("a", 2, Some(5))
        );
        seen.classify("b", 1, Some(5), None);
        assert!(seen.contradicts("b", 2, Some(5)) && !seen.contradicts("b", 2, Some(4)));
        assert_eq!(seen.classify_in_order("c", 1, 9, Some(1)), RecordClass::Unchanged);
        assert!(seen.contradicts("c", 2, Some(9)) && !seen.contradicts("c", 2, Some(8)));
        assert_eq!(seen.classify_in_order("c", 2, 9, None), RecordClass::Superseded);
        assert_eq!(seen.classify_in_order("c", 1, 8, None), RecordClass::Duplicate);
        assert_eq!(seen.classify_in_order("d", 1, 8, Some(2)), RecordClass::Accepted);
    }

    #[test]
    fn the_same_content_is_unchanged_then_duplicate() {
        let mut seen = KeysSeen::default();
        assert_eq!(seen.classify("k", 7, None, Some(stored(7, None))), RecordClass::Unchanged);
        assert_eq!(seen.classify("k", 7, None, Some(stored(7, None))), RecordClass::Duplicate);
    }
}
