//! Keys of one content of a file, by hash, each with its rank. Stored in the ledger as compressed bytes with a checksum.

use std::sync::Arc;

use crate::digests;
use crate::model::folder::FileEnd;

/// Rank of a row within an order of change times: a higher rank is newer.
pub(super) type Rank = i64;

/// Rank of a rejected row: its key is present, but it gives no values.
pub(super) const REJECTED: Rank = i64::MIN;
/// Rank of a row without change time, and of every row if the connector has none.
pub(super) const UNTIMED: Rank = i64::MIN + 1;

/// Keys of one content of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ContentKeys {
    /// Hash of a key → highest rank of its rows; sorted by hash, each hash once.
    entries: Vec<(u64, Rank)>,
    /// Rows without a readable key.
    pub(super) unreadable: u64,
    pub(super) end: FileEnd,
}

/// Marks of the end in the stored number of rows without a readable key.
const OPEN: u64 = 1 << 63;
const FOOTER: u64 = 1 << 62;

impl ContentKeys {
    /// `entries` may hold a key several times, in any order.
    pub(super) fn new(mut entries: Vec<(u64, Rank)>, unreadable: u64) -> Self {
        entries.sort_unstable();
        // The last of equal hashes has the highest rank.
        entries.reverse();
        entries.dedup_by_key(|(hash, _)| *hash);
        entries.reverse();
        Self { entries, unreadable, end: FileEnd::default() }
    }

    /// The same keys, of a content with this end.
    pub(super) fn with_end(self, end: FileEnd) -> Self {
        Self { end, ..self }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Rank)> {
        self.entries.iter().copied()
    }

    /// The rows with values that count for a file, given its newer contents: of each key that none of them has, if only in
    /// a rejected row. What this content said of such a key is stored already.
    pub(super) fn counting(&self, newer: &[Arc<Self>]) -> impl Iterator<Item = (u64, Rank)> {
        let is_newer = |hash: u64| newer.iter().any(|keys| keys.contains(hash));
        self.iter().filter(move |(hash, rank)| *rank != REJECTED && !is_newer(*hash))
    }

    /// Whether newer contents of the name have the key of every row, in a row that is at least as late: none of these rows
    /// can count any more. A row without change time is neither earlier nor later than one that has one.
    pub(super) fn is_covered_by(&self, newer: &[Arc<Self>]) -> bool {
        let covers = |known: Rank, rank: Rank| match rank {
            REJECTED => true,
            UNTIMED => known == UNTIMED,
            _ => known >= rank,
        };
        let mut rows = self.iter();
        rows.all(|(hash, rank)| newer.iter().filter_map(|keys| keys.rank(hash)).any(|known| covers(known, rank)))
    }

    /// The same keys in rows without change times.
    pub(super) fn without_change_times(mut self) -> Self {
        self.entries.iter_mut().filter(|(_, rank)| *rank != REJECTED).for_each(|(_, rank)| *rank = UNTIMED);
        self
    }

    /// Keys that only rejected rows have.
    pub(super) fn rejected(&self) -> impl Iterator<Item = u64> {
        self.iter().filter(|(_, rank)| *rank == REJECTED).map(|(hash, _)| hash)
    }

    fn rank(&self, hash: u64) -> Option<Rank> {
        let at = self.entries.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        Some(self.entries[at].1)
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        self.rank(hash).is_some()
    }

    /// These keys with those of `more`, which are of some of the same rows. A row that is accepted after all may be older than
    /// another one of its key.
    pub(super) fn amended(&self, more: &Self) -> Self {
        Self::new(self.entries.iter().chain(&more.entries).copied().collect(), self.unreadable).with_end(self.end)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let end = match self.end {
            FileEnd::Open => OPEN,
            FileEnd::LineEnd => 0,
            FileEnd::Footer => FOOTER,
        };
        let mut bytes = (self.unreadable | end).to_le_bytes().to_vec();
        bytes.extend(self.entries.iter().flat_map(|(hash, _)| hash.to_le_bytes()));
        bytes.extend(self.entries.iter().flat_map(|(_, rank)| rank.to_le_bytes()));
        digests::compressed(&bytes).expect("memory can be compressed")
    }

    /// `None` if the bytes are damaged.
    pub(super) fn from_bytes(packed: &[u8]) -> Option<Self> {
        let bytes = zstd::stream::decode_all(packed).ok()?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        let (first, numbers) = numbers.split_first()?;
        if !rest.is_empty() || numbers.len() % 2 != 0 {
            return None;
        }
        let (hashes, ranks) = numbers.split_at(numbers.len() / 2);
        let ranks = ranks.iter().map(|rank| Rank::from_le_bytes(*rank));
        let entries = hashes.iter().map(|hash| u64::from_le_bytes(*hash)).zip(ranks).collect();
        let first = u64::from_le_bytes(*first);
        let end = match first & (OPEN | FOOTER) {
            OPEN => FileEnd::Open,
            FOOTER => FileEnd::Footer,
            _ => FileEnd::LineEnd,
        };
        Some(Self { entries, unreadable: first & !(OPEN | FOOTER), end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_former_content_count_where_no_newer_content_has_their_key() {
        let keys = |entries: &[(u64, Rank)]| Arc::new(ContentKeys::new(entries.to_vec(), 0));
        let former = keys(&[(1, 9), (2, 9), (3, 9), (4, REJECTED)]);
        let newer = [keys(&[(1, UNTIMED), (2, REJECTED)]), keys(&[(5, 1)])];
        assert_eq!(former.counting(&newer).collect::<Vec<_>>(), [(3, 9)]);
    }

    #[test]
    fn a_content_is_covered_by_newer_ones_that_have_its_keys_at_least_as_late() {
        let keys = |entries: &[(u64, Rank)]| Arc::new(ContentKeys::new(entries.to_vec(), 0));
        let newer = [keys(&[(1, 4), (2, UNTIMED), (3, REJECTED)]), keys(&[(4, 9), (5, 9)])];
        for (former, is_covered) in [
            ([(1, 4), (2, UNTIMED), (5, 8)], true),
            ([(1, 5), (2, UNTIMED), (5, 8)], false),
            ([(1, REJECTED), (2, REJECTED), (3, REJECTED)], true),
            ([(1, 4), (2, 1), (4, 9)], false),
            ([(1, UNTIMED), (2, UNTIMED), (4, 9)], false),
            ([(1, 4), (3, 1), (4, 9)], false),
            ([(1, 4), (4, 9), (6, REJECTED)], false),
        ] {
            assert_eq!(keys(&former).is_covered_by(&newer), is_covered, "{former:?}");
        }
    }

    #[test]
    fn a_key_has_its_highest_rank_and_bytes_give_the_same_keys() {
        let keys = ContentKeys::new(vec![(9, UNTIMED), (2, 7), (9, REJECTED), (2, 5), (4, REJECTED)], 3);
        assert_eq!(keys.iter().collect::<Vec<_>>(), [(2, 7), (4, REJECTED), (9, UNTIMED)]);
        assert!(keys.contains(4) && !keys.contains(3));
        assert_eq!(ContentKeys::from_bytes(&keys.to_bytes()), Some(keys.clone()));
        assert_eq!(ContentKeys::from_bytes(&ContentKeys::default().to_bytes()), Some(ContentKeys::default()));
        assert_eq!(ContentKeys::from_bytes(b"no frame"), None);
        let untimed = keys.clone().without_change_times();
        assert_eq!(untimed.iter().collect::<Vec<_>>(), [(2, UNTIMED), (4, REJECTED), (9, UNTIMED)]);
        assert_eq!(untimed.unreadable, 3);
        let amended = keys.amended(&ContentKeys::new(vec![(4, UNTIMED), (5, 1), (2, 6)], 0));
        assert_eq!(amended.iter().collect::<Vec<_>>(), [(2, 7), (4, UNTIMED), (5, 1), (9, UNTIMED)]);
        assert_eq!(amended.unreadable, 3);
        for end in [FileEnd::Open, FileEnd::LineEnd, FileEnd::Footer] {
            let ended = keys.clone().with_end(end);
            assert_eq!(ContentKeys::from_bytes(&ended.to_bytes()), Some(ended));
        }
    }

    #[test]
    fn a_flipped_bit_of_stored_keys_is_found() {
        let keys = ContentKeys::new(vec![(9, UNTIMED), (2, 7), (4, REJECTED)], 3);
        let bytes = keys.to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // A bit of the frame's header may decide nothing.
            assert!(ContentKeys::from_bytes(&damaged).is_none_or(|read| read == keys), "bit {bit}");
        }
    }
}
