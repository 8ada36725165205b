//! How a page chain goes on, how its end is proved, and how it is looked at a second time. Pure.
//!
//! ```text
//! first page ──► advance ──► … ──► advance: End ──► (read_twice) every page again ──► agreed: End
//!                   └── More: ask for `place()`          └── a page differs: another look, or read on from it
//! ```

use std::collections::HashSet;

use crate::model::connector::{Complete, PageEnd, Pages};
use crate::model::pull::{ChainFacts, OpenChain, PagePlace, ReadPage, SliceRef};
use crate::sources::decode::facts::Facts;
use crate::sources::error::{ErrorKind, SourceError};

/// How often the pages of a chain are asked for again.
const LOOKS: u32 = 3;

/// What a page showed that matters to its chain.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// SHA-256 of its body.
    pub digest: &'a str,
    pub rows: u64,
    pub facts: &'a Facts,
    /// Where the next page is, for chains that go on by a cursor or an address.
    pub next: Option<&'a PagePlace>,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    More,
    /// The chain was read to its proved end.
    End,
}

/// One page chain, from its first page to its proved end.
#[derive(Debug, Clone)]
pub struct Chain {
    pages: Pages,
    complete: Complete,
    state: OpenChain,
    /// Bodies of pages with records, and places that were asked for.
    bodies: HashSet<String>,
    places: HashSet<PagePlace>,
}

impl Chain {
    #[must_use]
    pub fn new(pages: &Pages, complete: &Complete, chain: u32, slice: Option<SliceRef>) -> Self {
        let state = OpenChain {
            chain,
            slice,
            next: first(pages),
            pages: Vec::new(),
            declared_total: None,
            declared_pages: None,
            looks: 0,
            looking_at: None,
            changed: false,
        };
        Self::resume(pages, complete, state)
    }

    /// A chain that was left standing.
    #[must_use]
    pub fn resume(pages: &Pages, complete: &Complete, state: OpenChain) -> Self {
        let (bodies, places) = (HashSet::new(), HashSet::new());
        let mut chain = Self { pages: pages.clone(), complete: complete.clone(), state, bodies, places };
        chain.remember();
        chain
    }

    /// The page to ask for.
    #[must_use]
    pub fn place(&self) -> &PagePlace {
        match self.looked_at() {
            Some(page) => &page.place,
            None => &self.state.next,
        }
    }

    /// Ordinal of that page in the chain, from 1.
    #[must_use]
    pub fn ordinal(&self) -> usize {
        self.state.looking_at.map_or(self.state.pages.len(), |at| at as usize) + 1
    }

    /// The digest that a page has which is asked for again.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.looked_at().map(|page| page.digest.as_str())
    }

    #[must_use]
    pub fn state(&self) -> &OpenChain {
        &self.state
    }

    #[must_use]
    pub fn facts(&self, label: String) -> ChainFacts {
        let cursor = |page: Option<&ReadPage>| match page.map(|page| &page.place) {
            Some(PagePlace::Cursor(cursor)) => Some(cursor.clone()),
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

    /// Moves past a page that came: for the first time, or again with another body.
    ///
    /// # Errors
    /// `page_repeated`, `page_missing`, `cursor_stuck`, `total_disagrees`, `records_moved`, or `no_last_flag` and
    /// `no_cursor` if the answer does not say how it goes on.
    pub fn advance(&mut self, answer: &Answer<'_>) -> Result<Step, SourceError> {
        let place = self.place().clone();
        self.check_number(&place, answer)?;
        let next = next_place(&self.pages, &place, answer);
        let read = ReadPage { place, digest: answer.digest.to_owned(), rows: answer.rows };
        if let Some(at) = self.state.looking_at {
            return self.replace(at as usize, read, answer, next);
        }
        if answer.rows > 0 && !self.bodies.insert(answer.digest.to_owned()) {
            return Err(repeated());
        }
        self.state.pages.push(read);
        self.declare(answer)?;
        if self.ended(answer)? { self.end() } else { self.go_to(next?) }
    }

    /// Moves past a page that came again with the body it had.
    ///
    /// # Errors
    /// `records_moved`, or `page_repeated` if two pages of the chain became the same.
    pub fn agree(&mut self) -> Result<Step, SourceError> {
        let at = self.state.looking_at.map_or(0, |at| at as usize);
        self.look_on(at + 1)
    }

    fn looked_at(&self) -> Option<&ReadPage> {
        self.state.pages.get(self.state.looking_at? as usize)
    }

    fn rows(&self) -> u64 {
        self.state.pages.iter().map(|page| page.rows).sum()
    }

    fn check_number(&self, place: &PagePlace, answer: &Answer<'_>) -> Result<(), SourceError> {
        let (Pages::PageNumber { echo: Some(_), .. }, PagePlace::Number(asked)) = (&self.pages, place) else {
            return Ok(());
        };
        let message = match answer.facts.number {
            Some(number) if number == u64::from(*asked) => return Ok(()),
            Some(number) => format!("the source gave page {number} instead"),
            None => "the answer does not say which page it is".to_owned(),
        };
        Err(SourceError::new(ErrorKind::PageMissing, message))
    }

    fn declare(&mut self, answer: &Answer<'_>) -> Result<(), SourceError> {
        let facts = answer.facts;
        for (known, said, what) in [
            (&mut self.state.declared_total, facts.total, "records"),
            (&mut self.state.declared_pages, facts.pages, "pages"),
        ] {
            match (*known, said) {
                (Some(before), Some(now)) if before != now => {
                    return Err(disagrees(format!("the source declared {before} {what} and then {now}")));
                }
                _ => *known = known.or(said),
            }
        }
        Ok(())
    }

    /// Whether this answer is the last of the chain.
    fn ended(&self, answer: &Answer<'_>) -> Result<bool, SourceError> {
        let Some(end) = self.pages.end() else { return Ok(true) };
        let unsaid = |what: &str| SourceError::new(ErrorKind::NoLastFlag, format!("the answer does not say {what}"));
        Ok(match end {
            PageEnd::LastFlag { .. } => answer.facts.flag.ok_or_else(|| unsaid("whether it is the last"))?,
            PageEnd::NextFlag { .. } => !answer.facts.flag.ok_or_else(|| unsaid("whether more follow"))?,
            PageEnd::Total { .. } => {
                let total = answer.facts.total.ok_or_else(|| unsaid("how many records there are"))?;
                self.rows() >= total || answer.rows == 0 || (goes_by_cursor(&self.pages) && answer.next.is_none())
            }
            PageEnd::LastPage { .. } => {
                let pages = answer.facts.pages.ok_or_else(|| unsaid("how many pages there are"))?;
                let read = self.state.looking_at.map_or(self.state.pages.len(), |at| at as usize + 1);
                read as u64 >= pages
            }
            PageEnd::EmptyPage => answer.rows == 0,
            PageEnd::ShortPage => answer.rows < u64::from(self.pages.size().unwrap_or(1)),
            PageEnd::NullCursor => answer.next.is_none(),
        })
    }

    fn end(&mut self) -> Result<Step, SourceError> {
        match (self.state.declared_total, &self.complete.total) {
            (Some(total), _) if total != self.rows() => {
                let message = format!("the source declared {total} records and gave {}", self.rows());
                return Err(disagrees(message));
            }
            (None, Some(_)) => {
                let message = "the answers do not say how many records there are";
                return Err(SourceError::new(ErrorKind::NoLastFlag, message));
            }
            (Some(_), _) => return Ok(Step::End),
            (None, None) => {}
        }
        if self.complete.read_twice && self.state.pages.len() > 1 { self.look_again() } else { Ok(Step::End) }
    }

    fn go_to(&mut self, next: PagePlace) -> Result<Step, SourceError> {
        if !self.places.insert(next.clone()) {
            let message = "the next page is one that was read before";
            return Err(SourceError::new(ErrorKind::CursorStuck, message));
        }
        self.state.next = next;
        Ok(Step::More)
    }

    fn look_again(&mut self) -> Result<Step, SourceError> {
        if self.state.looks == LOOKS {
            let message = format!("pages still differed when they were asked for the {LOOKS}. time again");
            return Err(SourceError::new(ErrorKind::RecordsMoved, message));
        }
        self.state.looks += 1;
        self.state.changed = false;
        self.state.looking_at = Some(0);
        Ok(Step::More)
    }

    fn look_on(&mut self, at: usize) -> Result<Step, SourceError> {
        if at < self.state.pages.len() {
            self.state.looking_at = u32::try_from(at).ok();
            return Ok(Step::More);
        }
        if self.state.changed {
            return self.look_again();
        }
        let mut seen = HashSet::new();
        if self.state.pages.iter().any(|page| page.rows > 0 && !seen.insert(&page.digest)) {
            return Err(repeated());
        }
        self.state.looking_at = None;
        Ok(Step::End)
    }

    /// A page that came again with another body. Where the chain no longer goes on as it did, the rest is read anew.
    fn replace(
        &mut self,
        at: usize,
        read: ReadPage,
        answer: &Answer<'_>,
        next: Result<PagePlace, SourceError>,
    ) -> Result<Step, SourceError> {
        self.state.changed = true;
        self.state.declared_pages = answer.facts.pages;
        self.state.pages[at] = read;
        let next = if self.ended(answer)? { None } else { Some(next?) };
        if next.is_some() && self.state.pages.get(at + 1).map(|page| &page.place) == next.as_ref() {
            return self.look_on(at + 1);
        }
        self.state.pages.truncate(at + 1);
        self.state.looking_at = None;
        self.state.next = self.state.pages[at].place.clone();
        self.remember();
        match next {
            Some(next) => self.go_to(next),
            None => self.end(),
        }
    }

    fn remember(&mut self) {
        let pages = &self.state.pages;
        self.bodies = pages.iter().filter(|page| page.rows > 0).map(|page| page.digest.clone()).collect();
        self.places = pages.iter().map(|page| page.place.clone()).collect();
        self.places.insert(self.state.next.clone());
    }
}

fn first(pages: &Pages) -> PagePlace {
    match pages {
        Pages::PageNumber { first, .. } => PagePlace::Number(*first),
        Pages::Offset { first, .. } => PagePlace::Offset(*first),
        Pages::Cursor { first: Some(first), .. } | Pages::Keyset { first: Some(first), .. } => {
            PagePlace::Cursor(first.clone())
        }
        _ => PagePlace::First,
    }
}

fn goes_by_cursor(pages: &Pages) -> bool {
    !matches!(pages, Pages::None | Pages::PageNumber { .. } | Pages::Offset { .. })
}

/// The page after the one at `place`.
fn next_place(pages: &Pages, place: &PagePlace, answer: &Answer<'_>) -> Result<PagePlace, SourceError> {
    match place {
        PagePlace::Number(number) => Ok(PagePlace::Number(number.saturating_add(1))),
        PagePlace::Offset(offset) => Ok(PagePlace::Offset(offset.saturating_add(answer.rows))),
        _ if goes_by_cursor(pages) => answer.next.cloned().ok_or_else(|| {
            SourceError::new(ErrorKind::NoCursor, "the answer is not the last and does not say where the next page is")
        }),
        _ => Err(SourceError::new(ErrorKind::NoCursor, "nothing follows an answer that holds everything")),
    }
}

fn repeated() -> SourceError {
    SourceError::new(ErrorKind::PageRepeated, "the answer is the same as that of an earlier page")
}

fn disagrees(message: String) -> SourceError {
    SourceError::new(ErrorKind::TotalDisagrees, message)
}

#[cfg(test)]
#[path = "paginate_tests.rs"]
mod tests;
