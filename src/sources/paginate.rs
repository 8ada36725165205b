//! Follows a page chain: finds the next page, proves the end, and reads the pages a second time where the connector
//! asks for it (`complete.read_twice`). Pure.
//!
//! ```text
//! first page ──► advance ──► … ──► advance: End ──► (read_twice) re-read every page ──► confirm_unchanged: End
//!                   └── More: request `place()`           └── a page differs: re-read again, or go on from it
//! ```

use std::collections::HashSet;

use crate::model::connector::{Complete, Pages};
use crate::model::pull::{ChainFacts, OpenChain, PagePlace, ReadPage, SliceRef};
use crate::sources::content_range::ContentRange;
use crate::sources::decode::envelope::EnvelopeValues;
use crate::sources::decode::hex_digest;
use crate::sources::error::{ErrorKind, SourceError};

/// Length of all cursors and addresses of a chain. They stay in memory until the chain ends.
const MAX_PLACE_BYTES: usize = 16 << 20;

/// How many times the pages of a chain are read again at most.
const MAX_REREADS: u32 = 3;

/// What a chain needs to know of a page that was read.
#[derive(Debug, Clone, Copy)]
pub struct PageSummary<'a> {
    /// SHA-256 of its body.
    pub digest: &'a str,
    /// SHA-256 of the kept text of its records.
    pub records: &'a str,
    pub rows: u64,
    pub envelope: &'a EnvelopeValues,
    /// Place of the next page as the response states it; `None` for chains of page numbers or offsets.
    pub next: Option<&'a PagePlace>,
    /// Part of the list that the response states in `Content-Range`, counted in records.
    pub range: Option<&'a ContentRange>,
    /// Keys at the edges of the page, for `keyset`.
    pub edge: Option<&'a KeysetEdge>,
}

/// Keys at the edges of a page of a `keyset` chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetEdge {
    /// Key of the first record.
    pub first: String,
    /// Whether the last two records have the same key.
    pub is_tied: bool,
}

/// Whether a chain goes on after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainStep {
    /// Request the page at [`PageChain::place`].
    More,
    /// The chain was read to its proved end.
    End,
}

/// One page chain, from its first page to its proved end.
#[derive(Debug, Clone)]
pub struct PageChain {
    pub(super) pages: Pages,
    pub(super) complete: Complete,
    pub(super) state: OpenChain,
    /// Digests of the records of the pages that have some. A second page with one of them is `page_repeated`.
    seen_records: HashSet<String>,
    /// Places that were requested. A next page at one of them is `cursor_stuck`.
    seen_places: HashSet<PagePlace>,
    /// Length of the cursors and addresses of the chain.
    place_bytes: usize,
    /// Whether a text of the request states the page size, so that no other size can be requested.
    pub(super) is_size_in_text: bool,
    /// Whether records give several rows. What they have in common is then not compared afterwards, so that a total alone
    /// does not prove that no record came twice.
    pub(super) explodes: bool,
}

impl PageChain {
    #[must_use]
    pub fn new(pages: &Pages, complete: &Complete, chain: u32, slice: Option<SliceRef>) -> Self {
        let state = OpenChain {
            chain,
            slice,
            next: first_place(pages),
            pages: Vec::new(),
            declared_total: None,
            declared_pages: None,
            looks: 0,
            looking_at: None,
            changed: false,
            served_size: None,
            range_total: None,
            is_tied: false,
        };
        Self::resume(pages, complete, state)
    }

    /// Restores a chain from its saved state.
    #[must_use]
    pub fn resume(pages: &Pages, complete: &Complete, state: OpenChain) -> Self {
        let (seen_records, seen_places) = (HashSet::new(), HashSet::new());
        let (pages, complete) = (pages.clone(), complete.clone());
        let (is_size_in_text, explodes) = (false, false);
        let mut chain =
            Self { pages, complete, state, seen_records, seen_places, place_bytes: 0, is_size_in_text, explodes };
        chain.rebuild_seen();
        chain
    }

    /// Place of the page to request.
    #[must_use]
    pub fn place(&self) -> &PagePlace {
        match self.reread_page() {
            Some(page) => &page.place,
            None => &self.state.next,
        }
    }

    /// Ordinal of that page in the chain, from 1.
    #[must_use]
    pub fn ordinal(&self) -> usize {
        self.state.looking_at.map_or(self.state.pages.len(), |at| at as usize) + 1
    }

    /// Body digest that the page had when it was last read; `None` if it was not read before.
    #[must_use]
    pub fn expected_digest(&self) -> Option<&str> {
        self.reread_page().map(|page| page.digest.as_str())
    }

    /// Digest of the records that it had then.
    #[must_use]
    pub fn expected_records(&self) -> Option<&str> {
        self.reread_page().map(|page| page.records.as_str())
    }

    /// State to save, for [`PageChain::resume`].
    #[must_use]
    pub fn state(&self) -> &OpenChain {
        &self.state
    }

    /// What the pull's certificate records of a finished chain. `label` names its pass and days. Cursors are recorded by
    /// a digest: they can hold values of records.
    #[must_use]
    pub fn facts(&self, label: String) -> ChainFacts {
        let cursor = |page: Option<&ReadPage>| match page.map(|page| &page.place) {
            Some(PagePlace::Cursor(cursor)) => Some(cursor_mark(cursor)),
            _ => None,
        };
        let pages = &self.state.pages;
        ChainFacts {
            chain: self.state.chain,
            slice: self.state.slice.clone(),
            label,
            pages: u32::try_from(pages.len()).unwrap_or(u32::MAX),
            rows: self.rows(),
            declared_total: self.state.declared_total,
            first_cursor: cursor(pages.get(1)),
            last_cursor: cursor(pages.last()),
        }
    }

    /// Moves past a page that was read for the first time, or again with another body.
    ///
    /// # Errors
    /// `page_repeated`, `page_missing`, `page_size_capped`, `keyset_ties`, `cursor_stuck`, `total_disagrees`,
    /// `partial_content`, `records_moved`. `no_records`, `no_last_flag` or `no_cursor` if the response lacks what
    /// [`Pages`] needs to go on.
    pub fn advance(&mut self, page: &PageSummary<'_>) -> Result<ChainStep, SourceError> {
        let place = self.place().clone();
        self.check_page_number(&place, page)?;
        self.check_null_list(page)?;
        let next = next_place(&self.pages, &place, page);
        let read =
            ReadPage { place, digest: page.digest.to_owned(), records: page.records.to_owned(), rows: page.rows };
        if let Some(at) = self.state.looking_at {
            return self.replace(at as usize, read, page, next);
        }
        if page.rows > 0 && !self.seen_records.insert(page.records.to_owned()) {
            return if self.is_last_page_again(page) { self.end(page) } else { Err(repeated()) };
        }
        let served = self.served_size(page.rows);
        let edge = self.check_ties(&read.place, page);
        self.state.is_tied = self.is_tied_at_end(page);
        self.note_range(page);
        self.state.pages.push(read);
        self.check_declared(page)?;
        edge?;
        if let Some(size) = served? {
            return Ok(self.restart(size));
        }
        if self.is_last(page)? { self.end(page) } else { self.go_to(next?) }
    }

    /// Moves past a page that was read again with the same body.
    ///
    /// # Errors
    /// `records_moved`, or `page_repeated` if two pages of the chain became equal.
    pub fn confirm_unchanged(&mut self) -> Result<ChainStep, SourceError> {
        let at = self.state.looking_at.map_or(0, |at| at as usize);
        self.reread_at(at + 1)
    }

    /// The page that is being read again; `None` during the first reading.
    pub(super) fn reread_page(&self) -> Option<&ReadPage> {
        self.state.pages.get(self.state.looking_at? as usize)
    }

    pub(super) fn rows(&self) -> u64 {
        self.state.pages.iter().map(|page| page.rows).sum()
    }

    /// After the last page: the chain ends if a declared total equals the rows, and did not change. Otherwise the pages are
    /// read again if configured.
    fn end(&mut self, page: &PageSummary<'_>) -> Result<ChainStep, SourceError> {
        self.check_range(page)?;
        let is_proved = self.state.declared_total == Some(self.rows()) && !self.state.changed && !self.explodes;
        if self.complete.read_twice && self.state.pages.len() > 1 && !is_proved {
            return self.start_reread();
        }
        self.check_total()?;
        match (self.state.declared_total, &self.complete.total) {
            (None, Some(path)) if !self.complete.read_twice => {
                let message = format!("the responses have no total number of records at `{path}`");
                Err(SourceError::new(ErrorKind::NoLastFlag, message))
            }
            _ => Ok(ChainStep::End),
        }
    }

    /// Compares the declared total, if there is one, with the rows.
    fn check_total(&self) -> Result<(), SourceError> {
        match self.state.declared_total {
            Some(total) if total != self.rows() => {
                Err(disagrees(format!("the source declared {total} records and sent {}", self.rows())))
            }
            _ => Ok(()),
        }
    }

    fn go_to(&mut self, next: PagePlace) -> Result<ChainStep, SourceError> {
        self.place_bytes += place_bytes(&next);
        if self.place_bytes > MAX_PLACE_BYTES {
            let pages = self.state.pages.len();
            let message =
                format!("the cursors or addresses of {pages} pages are longer than {MAX_PLACE_BYTES} bytes together");
            return Err(SourceError::new(ErrorKind::NoCursor, message));
        }
        if !self.seen_places.insert(next.clone()) {
            let message = "the next page is one that was read before";
            return Err(SourceError::new(ErrorKind::CursorStuck, message));
        }
        self.state.next = next;
        Ok(ChainStep::More)
    }

    fn start_reread(&mut self) -> Result<ChainStep, SourceError> {
        if self.state.looks == MAX_REREADS {
            let message = format!("pages still differed after they were read again {MAX_REREADS} times");
            return Err(SourceError::new(ErrorKind::RecordsMoved, message));
        }
        self.state.looks += 1;
        self.state.changed = false;
        self.state.looking_at = Some(0);
        Ok(ChainStep::More)
    }

    /// Reads page `at` again. After the last page: reads all of them once more if one had changed, else ends.
    fn reread_at(&mut self, at: usize) -> Result<ChainStep, SourceError> {
        if at < self.state.pages.len() {
            self.state.looking_at = u32::try_from(at).ok();
            return Ok(ChainStep::More);
        }
        if self.state.changed {
            return self.start_reread();
        }
        let mut records = HashSet::new();
        if self.state.pages.iter().any(|page| page.rows > 0 && !records.insert(records_of(page))) {
            return Err(repeated());
        }
        self.check_total()?;
        self.state.looking_at = None;
        Ok(ChainStep::End)
    }

    /// Replaces page `at`, whose body changed. Its records may be the same. If the page after it is now at another place, the rest is read anew.
    fn replace(
        &mut self,
        at: usize,
        read: ReadPage,
        page: &PageSummary<'_>,
        next: Result<PagePlace, SourceError>,
    ) -> Result<ChainStep, SourceError> {
        self.state.changed |= !self.has_same_records(page) || page.envelope.total != self.state.declared_total;
        self.state.is_tied = self.is_tied_at_end(page);
        self.state.declared_pages = page.envelope.pages;
        self.state.declared_total = page.envelope.total;
        self.state.pages[at] = read;
        let next = if self.is_last(page)? { None } else { Some(next?) };
        // The page after it is where it was, or there is still none.
        if self.state.pages.get(at + 1).map(|page| &page.place) == next.as_ref() {
            return self.reread_at(at + 1);
        }
        self.state.pages.truncate(at + 1);
        self.state.looking_at = None;
        self.state.next = self.state.pages[at].place.clone();
        self.rebuild_seen();
        match next {
            Some(next) => self.go_to(next),
            None => self.end(page),
        }
    }

    pub(super) fn rebuild_seen(&mut self) {
        let pages = &self.state.pages;
        self.seen_records = pages.iter().filter(|page| page.rows > 0).map(|page| records_of(page).to_owned()).collect();
        self.seen_places = pages.iter().map(|page| page.place.clone()).collect();
        self.seen_places.insert(self.state.next.clone());
        self.place_bytes = self.seen_places.iter().map(place_bytes).sum();
    }
}

/// Digest of a cursor, of 16 bits: it shows that two cursors differ, and is too short to find a cursor by trying.
fn cursor_mark(cursor: &str) -> String {
    format!("#{}", &hex_digest(cursor.as_bytes())[..4])
}

fn place_bytes(place: &PagePlace) -> usize {
    match place {
        PagePlace::Cursor(text) | PagePlace::Address(text) => text.len(),
        PagePlace::First | PagePlace::Number(_) | PagePlace::Offset(_) => 0,
    }
}

/// Digest by which a page is recognised when it comes again.
fn records_of(page: &ReadPage) -> &str {
    if page.records.is_empty() { &page.digest } else { &page.records }
}

pub(super) fn first_place(pages: &Pages) -> PagePlace {
    match pages {
        Pages::PageNumber { first, .. } => PagePlace::Number(*first),
        Pages::Offset { first, .. } => PagePlace::Offset(*first),
        Pages::Cursor { first: Some(first), .. } | Pages::Keyset { first: Some(first), .. } => {
            PagePlace::Cursor(first.clone())
        }
        _ => PagePlace::First,
    }
}

/// Whether the response states where the next page is: a cursor, a key or an address.
pub(super) fn uses_cursor(pages: &Pages) -> bool {
    !matches!(pages, Pages::None | Pages::PageNumber { .. } | Pages::Offset { .. })
}

/// Place of the page after the one at `place`.
fn next_place(pages: &Pages, place: &PagePlace, page: &PageSummary<'_>) -> Result<PagePlace, SourceError> {
    match place {
        PagePlace::Number(number) => Ok(PagePlace::Number(number.saturating_add(1))),
        PagePlace::Offset(offset) => Ok(PagePlace::Offset(offset.saturating_add(page.rows))),
        _ if uses_cursor(pages) => page.next.cloned().ok_or_else(|| {
            let message = "the response is not the last page and has no cursor or address of the next page";
            SourceError::new(ErrorKind::NoCursor, message)
        }),
        _ => Err(SourceError::new(ErrorKind::NoCursor, "a single response (`pages.type = \"none\"`) has no next page")),
    }
}

fn repeated() -> SourceError {
    SourceError::new(ErrorKind::PageRepeated, "the records are those of an earlier page")
}

pub(super) fn disagrees(message: String) -> SourceError {
    SourceError::new(ErrorKind::TotalDisagrees, message)
}

#[cfg(test)]
#[path = "paginate_tests.rs"]
mod tests;
