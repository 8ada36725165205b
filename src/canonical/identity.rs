//! Which record is which, and which version is newer.
//!
//! A pull is gone through from its last row to its first: where the source has no change time the later row
//! wins, so the first one met is the winner and memory holds one entry a key, whatever the pull's length.

use std::collections::HashMap;

use crate::model::instant;
use crate::model::record::{Record, Value};
use crate::model::table::Kind;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A version that is not stored yet.
    Accepted,
    /// The newest stored version says the same.
    Unchanged,
    /// The same content again in this pull.
    Duplicate,
    /// A newer version is stored, or came in this pull.
    Superseded,
}

/// The newest stored version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub digest: u128,
    pub updated_at: Option<i64>,
}

/// Stands for no change time.
const UNTIMED: i64 = i64::MIN;

/// The keys met so far in a pull that is read from its end.
#[derive(Debug, Default)]
pub struct Seen {
    /// 128 bits of the key's hash → digest and change time (or [`UNTIMED`]) of the version that leads: 32 bytes a key.
    leaders: HashMap<(u64, u64), (u64, i64)>,
    hashers: (std::hash::RandomState, std::hash::RandomState),
}

impl Seen {
    /// For a pull of so many rows: growing by doubling would hold the keys one and a half times.
    #[must_use]
    pub fn for_rows(rows: u64) -> Self {
        let leaders = HashMap::with_capacity(usize::try_from(rows).unwrap_or(0));
        Self { leaders, ..Self::default() }
    }

    /// Keys met so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaders.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaders.is_empty()
    }

    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.leaders.contains_key(&self.hash(key))
    }

    fn hash(&self, key: &str) -> (u64, u64) {
        use std::hash::BuildHasher as _;
        (self.hashers.0.hash_one(key), self.hashers.1.hash_one(key))
    }

    /// Classes a record, given the newest stored version of its key. `ordered`: the source has a change time.
    pub fn class(&mut self, key: &str, digest: u128, updated_at: Option<i64>, stored: Option<Stored>) -> Class {
        let hash = self.hash(key);
        let short = short(digest);
        if let Some(&(leader, leader_time)) = self.leaders.get(&hash) {
            if leader == short {
                return Class::Duplicate;
            }
            if !is_newer(updated_at, Some(leader_time).filter(|time| *time != UNTIMED)) {
                return Class::Superseded;
            }
        }
        self.leaders.insert(hash, (short, updated_at.unwrap_or(UNTIMED)));
        match stored {
            Some(stored) if stored.digest == digest => Class::Unchanged,
            Some(stored) if is_newer(stored.updated_at, updated_at) => Class::Superseded,
            _ => Class::Accepted,
        }
    }
}

/// Whether the first change time is later; without both there is no saying.
fn is_newer(left: Option<i64>, right: Option<i64>) -> bool {
    matches!((left, right), (Some(left), Some(right)) if left > right)
}

#[expect(clippy::cast_possible_truncation, reason = "half of a digest tells two versions of one key apart")]
fn short(digest: u128) -> u64 {
    digest as u64
}

/// The month that files a new key: of its first date that counts, else of the run (`yyyy-MM`).
#[must_use]
pub fn part_of(kind: Kind, record: &Record, run_started: i64) -> String {
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

    fn stored(digest: u128, updated_at: Option<i64>) -> Stored {
        Stored { digest, updated_at }
    }

    #[test]
    fn without_change_times_the_later_row_wins() {
        let mut seen = Seen::default();
        // Read from the end: version 3 came last.
        assert_eq!(seen.class("k", 3, None, Some(stored(1, None))), Class::Accepted);
        assert_eq!(seen.class("k", 3, None, Some(stored(1, None))), Class::Duplicate);
        assert_eq!(seen.class("k", 2, None, Some(stored(1, None))), Class::Superseded);
        assert_eq!(seen.class("k", 1, None, Some(stored(1, None))), Class::Superseded);
        assert_eq!(seen.class("other", 1, None, None), Class::Accepted);
    }

    #[test]
    fn with_change_times_the_newer_wins_wherever_it_stands() {
        let mut seen = Seen::default();
        assert_eq!(seen.class("k", 1, Some(10), Some(stored(9, Some(5)))), Class::Accepted);
        assert_eq!(seen.class("k", 2, Some(20), Some(stored(9, Some(5)))), Class::Accepted);
        assert_eq!(seen.class("k", 3, Some(15), Some(stored(9, Some(5)))), Class::Superseded);
        assert_eq!(seen.class("old", 4, Some(1), Some(stored(9, Some(5)))), Class::Superseded);
    }

    #[test]
    fn the_same_record_again_changes_nothing() {
        let mut seen = Seen::default();
        assert_eq!(seen.class("k", 7, None, Some(stored(7, None))), Class::Unchanged);
        assert_eq!(seen.class("k", 7, None, Some(stored(7, None))), Class::Duplicate);
    }
}
