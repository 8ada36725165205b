//! How a page chain goes on and how its end is proved. Pure.

use std::collections::BTreeSet;

use crate::model::connector::{PageEnd, Pages};
use crate::sources::error::{ErrorKind, SourceError};

/// One page chain, from its first page to the page that says it is the last.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Number that the source gives the page to ask for next; `None` where an answer is one page.
    page: Option<u32>,
    seen: BTreeSet<String>,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    More,
    /// The source said that this was the last page.
    End,
}

impl Chain {
    #[must_use]
    pub fn new(pages: &Pages) -> Self {
        let page = match pages {
            Pages::None => None,
            Pages::PageNumber { first, .. } => Some(*first),
        };
        Self { page, seen: BTreeSet::new() }
    }

    /// The page to ask for next, as the source counts.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        self.page
    }

    /// Moves past a page that was read: `digest` of its body, and its last flag where it has one.
    ///
    /// # Errors
    /// `page_repeated` if the body came before in this chain, `no_last_flag` if the end cannot be known.
    pub fn advance(&mut self, digest: &str, last: Option<bool>) -> Result<Step, SourceError> {
        let Some(page) = self.page else { return Ok(Step::End) };
        if !self.seen.insert(digest.to_owned()) {
            return Err(SourceError::new(ErrorKind::PageRepeated, "the answer is the same as that of an earlier page"));
        }
        match last {
            Some(true) => Ok(Step::End),
            Some(false) => {
                self.page = Some(page.saturating_add(1));
                Ok(Step::More)
            }
            None => Err(SourceError::new(ErrorKind::NoLastFlag, "the answer does not say whether it is the last")),
        }
    }
}

/// Path of the boolean that says whether a page is the last.
#[must_use]
pub fn last_flag(pages: &Pages) -> Option<&str> {
    match pages {
        Pages::None => None,
        Pages::PageNumber { end: PageEnd::LastFlag { path }, .. } => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(first: u32) -> Pages {
        Pages::PageNumber {
            param: "page".to_owned(),
            first,
            size_param: "size".to_owned(),
            size: 100,
            end: PageEnd::LastFlag { path: "last".to_owned() },
        }
    }

    #[test]
    fn counts_from_the_first_page_to_the_last() {
        let mut chain = Chain::new(&numbered(0));
        assert_eq!(chain.page(), Some(0));
        assert_eq!(chain.advance("a", Some(false)), Ok(Step::More));
        assert_eq!(chain.page(), Some(1));
        assert_eq!(chain.advance("b", Some(true)), Ok(Step::End));
        assert_eq!(Chain::new(&numbered(1)).page(), Some(1));
    }

    #[test]
    fn a_chain_that_proves_nothing_is_an_error() {
        let mut chain = Chain::new(&numbered(0));
        chain.advance("a", Some(false)).expect("the first page is new");
        assert_eq!(chain.advance("a", Some(true)).map_err(|error| error.kind), Err(ErrorKind::PageRepeated));
        let mut chain = Chain::new(&numbered(0));
        assert_eq!(chain.advance("a", None).map_err(|error| error.kind), Err(ErrorKind::NoLastFlag));
    }

    #[test]
    fn one_answer_is_a_whole_chain() {
        let mut chain = Chain::new(&Pages::None);
        assert_eq!((chain.page(), chain.advance("a", None)), (None, Ok(Step::End)));
    }
}
