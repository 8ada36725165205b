//! The position after a page, as it is stored with the page: whole, or what differs from the position before.
//!
//! A position lists every page of the chains that are being read. Stored whole with each page, the positions of 2,000 pages
//! would take more room than the pages. The first page that a process lands has its position whole; each further one names
//! the page whose position it builds on, and the digest of that whole position, so that it builds on no page of another process.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digests;
use crate::model::pull::{PagePlace, Position, ReadPage};

/// A position that the next one can be stored by what differs from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownPosition {
    /// Number of the page before it.
    pub(super) page: u32,
    pub(super) position: Position,
    /// Digest of the whole position that it builds on.
    whole: String,
}

impl KnownPosition {
    /// The position after a page, and how it is stored.
    pub(super) fn new(page: u32, position: Position, stored: &StoredPosition) -> Self {
        Self { page, position, whole: stored.whole() }
    }
}

/// A position as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoredPosition {
    Whole(Position),
    Delta(PositionDelta),
}

/// What differs between two positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PositionDelta {
    /// Number of the page whose position this one builds on.
    after: u32,
    /// Digest of the whole position that both build on. Empty in pages of an older motcua, which are read, but not gone on from.
    #[serde(default)]
    whole: String,
    /// Number of chains that were read to their end, among the first ones of both positions.
    done_before: usize,
    /// The pages of each open chain, in the order of the chains.
    chains: Vec<ChainDelta>,
    /// The position without those chains and without any pages.
    position: Position,
}

/// The pages of an open chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ChainDelta {
    /// Number of all pages.
    pages: usize,
    /// The pages that are new or were read again with another content, each with its index.
    changed: Vec<(usize, ReadPage)>,
}

impl StoredPosition {
    /// A position, stored by what differs from that of a page before; whole if there is none.
    pub(super) fn of(position: &Position, before: Option<&KnownPosition>) -> Self {
        match before {
            None => Self::Whole(position.clone()),
            Some(before) => Self::Delta(PositionDelta::between(before, position)),
        }
    }

    /// Digest of the whole position that this one builds on; its own if it is whole.
    fn whole(&self) -> String {
        match self {
            Self::Whole(position) => {
                digests::of_bytes(&serde_json::to_vec(position).expect("a position is plain data"))
            }
            Self::Delta(delta) => delta.whole.clone(),
        }
    }

    /// From the two fields of a stored document, of which one has a value.
    pub(super) fn from_fields(position: Option<Position>, delta: Option<PositionDelta>) -> Option<Self> {
        position.map(Self::Whole).or(delta.map(Self::Delta))
    }

    /// The two fields of a stored document.
    pub(super) fn into_fields(self) -> (Option<Position>, Option<PositionDelta>) {
        match self {
            Self::Whole(position) => (Some(position), None),
            Self::Delta(delta) => (None, Some(delta)),
        }
    }

    /// The places that are named here. Those of a pull are named by its stored positions together.
    pub(super) fn places(&self) -> Vec<&PagePlace> {
        let (position, changed) = match self {
            Self::Whole(position) => (position, Vec::new()),
            Self::Delta(delta) => {
                let changed = delta.chains.iter().flat_map(|chain| &chain.changed);
                (&delta.position, changed.map(|(_, page)| &page.place).collect())
            }
        };
        places(position).chain(changed).collect()
    }
}

/// The places that a position names.
pub(super) fn places(position: &Position) -> impl Iterator<Item = &PagePlace> {
    position
        .open
        .iter()
        .flat_map(|chain| std::iter::once(&chain.next).chain(chain.pages.iter().map(|page| &page.place)))
}

/// The position of the last page whose position is known, and the number of that page. `stored`: by number of the page.
pub(super) fn last_known(stored: BTreeMap<u32, StoredPosition>) -> Option<(u32, Position)> {
    let mut known: Option<KnownPosition> = None;
    for (page, stored) in stored {
        let whole = stored.whole();
        let position = match stored {
            StoredPosition::Whole(position) => Some(position),
            // Without the position that it builds on, it is not known.
            StoredPosition::Delta(delta) => {
                let before = known.as_ref().filter(|before| before.page == delta.after && before.whole == delta.whole);
                before.and_then(|before| delta.applied_to(&before.position))
            }
        };
        known = position.map(|position| KnownPosition { page, position, whole }).or(known);
    }
    known.map(|known| (known.page, known.position))
}

impl PositionDelta {
    fn between(known: &KnownPosition, position: &Position) -> Self {
        let before = &known.position;
        let mut position = position.clone();
        let same = before.done.iter().zip(&position.done).take_while(|(known, done)| known == done);
        let done_before = same.count();
        position.done.drain(..done_before);
        let mut chains = Vec::with_capacity(position.open.len());
        for chain in &mut position.open {
            let pages = std::mem::take(&mut chain.pages);
            let known = pages_of(before, chain.chain);
            let number = pages.len();
            let changed = pages.into_iter().enumerate().filter(|(at, page)| known.get(*at) != Some(page)).collect();
            chains.push(ChainDelta { pages: number, changed });
        }
        Self { after: known.page, whole: known.whole.clone(), done_before, chains, position }
    }

    /// The position that differs so from `before`; `None` if this was not made from `before`.
    fn applied_to(self, before: &Position) -> Option<Position> {
        let Self { done_before, chains, mut position, .. } = self;
        let mut done = before.done.get(..done_before)?.to_vec();
        done.append(&mut position.done);
        position.done = done;
        if chains.len() != position.open.len() {
            return None;
        }
        for (chain, delta) in position.open.iter_mut().zip(chains) {
            let known = pages_of(before, chain.chain);
            let mut pages = known.get(..delta.pages).unwrap_or(known).to_vec();
            for (at, page) in delta.changed {
                match at.cmp(&pages.len()) {
                    Ordering::Less => pages[at] = page,
                    Ordering::Equal => pages.push(page),
                    Ordering::Greater => return None,
                }
            }
            if pages.len() != delta.pages {
                return None;
            }
            chain.pages = pages;
        }
        Some(position)
    }
}

/// The pages of an open chain; none if the chain is not open.
fn pages_of(position: &Position, chain: u32) -> &[ReadPage] {
    position.open.iter().find(|open| open.chain == chain).map_or(&[], |open| open.pages.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pull::{ChainFacts, OpenChain};

    fn read(number: u32, digest: &str) -> ReadPage {
        let records = format!("{number:064}");
        ReadPage { place: PagePlace::Number(number), digest: digest.to_owned(), records, rows: u64::from(number) }
    }

    fn open(chain: u32) -> OpenChain {
        OpenChain {
            chain,
            slice: None,
            next: PagePlace::Number(1),
            pages: Vec::new(),
            declared_total: None,
            declared_pages: None,
            looks: 0,
            looking_at: None,
            changed: false,
            served_size: None,
            is_tied: false,
            range_total: None,
        }
    }

    fn done(chain: u32) -> ChainFacts {
        let label = format!("chain {chain}");
        let (slice, declared_total, first_cursor, last_cursor) = (None, None, None, None);
        ChainFacts { chain, slice, label, pages: 3, rows: 60, declared_total, first_cursor, last_cursor }
    }

    /// The positions of a pull of three chains, two of which are open at a time. Pages are added, read again with another
    /// content, and dropped.
    fn walk() -> Vec<Position> {
        let mut position = Position { open: vec![open(0)], ..Position::default() };
        let mut seen = vec![position.clone()];
        for step in 1..=40_u32 {
            position.pages = step;
            for (at, chain) in position.open.iter_mut().enumerate() {
                chain.next = PagePlace::Number(step);
                match (step + u32::try_from(at).expect("few chains")) % 7 {
                    3 if !chain.pages.is_empty() => chain.pages[0] = read(step, "changed"),
                    5 => drop(chain.pages.pop()),
                    _ => chain.pages.push(read(step, "first")),
                }
            }
            match step {
                10 | 20 => position.open.push(open(step / 10)),
                15 | 30 => {
                    let ended = position.open.remove(0);
                    position.done.push(done(ended.chain));
                }
                // A chain is read once more from its beginning.
                35 => position.open[0].pages.clear(),
                _ => {}
            }
            seen.push(position.clone());
        }
        seen
    }

    fn stored(positions: &[Position]) -> BTreeMap<u32, StoredPosition> {
        let (mut stored, mut before) = (BTreeMap::new(), None);
        for (page, position) in (1..).zip(positions) {
            let of_page = StoredPosition::of(position, before.as_ref());
            before = Some(KnownPosition::new(page, position.clone(), &of_page));
            stored.insert(page, of_page);
        }
        stored
    }

    #[test]
    fn every_position_comes_back_from_what_differs() {
        let positions = walk();
        for length in 1..=positions.len() {
            let page = u32::try_from(length).expect("few pages");
            let found = last_known(stored(&positions[..length]));
            assert_eq!(found, Some((page, positions[length - 1].clone())), "{length}");
        }
    }

    #[test]
    fn what_builds_on_a_lost_position_is_not_known() {
        let mut stored = stored(&walk());
        stored.remove(&20);
        assert_eq!(last_known(stored.clone()).map(|(page, _)| page), Some(19));
        stored.insert(30, StoredPosition::Whole(Position::default()));
        assert_eq!(last_known(stored), Some((30, Position::default())), "31 builds on another position");
    }

    /// Another process has read page 20 again, with the same result, and its position is whole.
    #[test]
    fn what_another_process_stored_is_not_built_on() {
        let positions = walk();
        let mut stored = stored(&positions);
        stored.insert(20, StoredPosition::Whole(positions[19].clone()));
        assert_eq!(last_known(stored), Some((20, positions[19].clone())), "21 builds on the whole position of page 1");
    }

    #[test]
    fn all_places_are_named_once_and_a_later_page_takes_no_more_room_than_an_early_one() {
        let mut position = Position { open: vec![open(0)], ..Position::default() };
        let positions = (1..=400).map(|number| {
            position.pages = number;
            position.open[0].pages.push(read(number, "first"));
            position.clone()
        });
        let stored = stored(&positions.collect::<Vec<_>>());
        let bytes = |page: u32| match &stored[&page] {
            StoredPosition::Whole(_) => panic!("page {page} builds on the one before"),
            StoredPosition::Delta(delta) => serde_json::to_vec(delta).expect("plain data").len(),
        };
        // Numbers have two digits more.
        assert!(bytes(400) < bytes(4) + 30, "{} and {} bytes", bytes(400), bytes(4));
        // Each page's own place, and the next one.
        let named: usize = stored.values().map(|position| position.places().len()).sum();
        assert_eq!(named, 2 * 400);
    }
}
