//! Checks of a page chain beside its declared end: page numbers and totals, page sizes, `null` lists, keys at page edges, `Content-Range`. Pure.

use crate::model::connector::{PageEnd, Pages};
use crate::model::pull::{PagePlace, ReadPage};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::paginate::{ChainStep, PageChain, PageSummary, disagrees, first_place, uses_cursor};

impl PageChain {
    /// Begins with the page size that another chain of the pull found out.
    #[must_use]
    pub fn with_served_size(mut self, served_size: Option<u32>) -> Self {
        self.state.served_size = served_size;
        self
    }

    /// Whether the page that is being read again has these records, and only what stands around them changed.
    #[must_use]
    pub fn has_same_records(&self, page: &PageSummary<'_>) -> bool {
        self.reread_page().is_some_and(|read| read.records == page.records)
    }

    /// Whether the page to request may not exist: it follows a page that is shorter than requested.
    #[must_use]
    pub fn may_be_behind_end(&self) -> bool {
        let is_short = |page: &ReadPage| page.rows < self.size();
        let before = self.ordinal().checked_sub(2).and_then(|at| self.state.pages.get(at));
        matches!(self.pages.end(), Some(PageEnd::ShortPage { .. })) && before.is_some_and(is_short)
    }

    /// States that a text of the request, such as its body, has the page size.
    #[must_use]
    pub fn with_size_in_text(mut self, is_size_in_text: bool) -> Self {
        self.is_size_in_text = is_size_in_text;
        self
    }

    /// States that a record gives several rows.
    #[must_use]
    pub fn with_exploded_records(mut self, explodes: bool) -> Self {
        self.explodes = explodes;
        self
    }

    /// Reads the pages again before the chain ends, if it was cut and goes on: records may have moved to other pages
    /// meanwhile. Not if the source declares a total, or pages begin after a cursor or key.
    #[must_use]
    pub fn read_again_after_cut(mut self) -> Self {
        let has_total = self.complete.total.is_some() || self.state.declared_total.is_some();
        if !self.state.pages.is_empty() && !uses_cursor(&self.pages) && !has_total {
            self.complete.read_twice = true;
        }
        self
    }

    /// Number of records of a full page; at least 1.
    pub(super) fn size(&self) -> u64 {
        u64::from(self.state.served_size.or(self.pages.size()).unwrap_or(1))
    }

    /// Pages before the one that is being read, or read again.
    fn earlier_pages(&self) -> &[ReadPage] {
        &self.state.pages[..self.ordinal() - 1]
    }

    /// The page size that the source serves, if the pages before show that it is smaller than the requested one: they
    /// all have the same smaller number of records, and this page, with `rows` records, has no more. Call it before the
    /// page is added.
    ///
    /// # Errors
    /// `page_size_capped` if records may be missing, and another size cannot be requested or was requested already.
    pub(super) fn served_size(&self, rows: u64) -> Result<Option<u32>, SourceError> {
        let Pages::PageNumber { size_param, end, .. } = &self.pages else { return Ok(None) };
        let earlier = self.earlier_pages();
        // A source that is asked for no size serves its own, and steps by it.
        if size_param.is_none() && !self.is_size_in_text {
            return Ok(None);
        }
        let Some(short) = earlier.iter().find(|page| page.rows < self.size()).filter(|_| rows > 0) else {
            return Ok(None);
        };
        let is_even = rows <= short.rows && earlier.iter().all(|page| page.rows == short.rows);
        let size = u32::try_from(short.rows).unwrap_or(u32::MAX);
        if is_even && size_param.is_some() && self.state.served_size.is_none() {
            return Ok(Some(size));
        }
        let is_stated = !matches!(end, PageEnd::EmptyPage | PageEnd::ShortPage { .. } | PageEnd::RepeatedPage);
        // An end that the source states counts for pages of different lengths, and after the smaller size was requested.
        if is_stated && (!is_even || self.state.served_size.is_some()) {
            return Ok(None);
        }
        let message = format!("a page before this one has {size} records instead of the {} requested", self.size());
        Err(SourceError::new(ErrorKind::PageSizeCapped, message))
    }

    /// Begins the chain again with a smaller page size.
    pub(super) fn restart(&mut self, size: u32) -> ChainStep {
        self.state.served_size = Some(size);
        self.state.pages.clear();
        (self.state.looking_at, self.state.looks, self.state.changed) = (None, 0, false);
        self.state.next = first_place(&self.pages);
        (self.state.declared_total, self.state.declared_pages, self.state.range_total) = (None, None, None);
        self.rebuild_seen();
        ChainStep::More
    }

    /// Begins the chain again if another chain of the pull found out that the source serves a smaller page size, and a
    /// page of this one has as many records.
    pub(super) fn adopt_served_size(&mut self, size: Option<u32>) -> Option<ChainStep> {
        let size = size.filter(|_| self.state.served_size.is_none())?;
        let may_be_capped = self.state.pages.iter().any(|page| page.rows >= u64::from(size));
        may_be_capped.then(|| self.restart(size))
    }

    /// Compares the page number in the response (`pages.echo`) with the requested one.
    pub(super) fn check_page_number(&self, place: &PagePlace, page: &PageSummary<'_>) -> Result<(), SourceError> {
        let (Pages::PageNumber { echo: Some(_), .. }, PagePlace::Number(requested)) = (&self.pages, place) else {
            return Ok(());
        };
        let message = match page.envelope.number {
            Some(number) if number == u64::from(*requested) => return Ok(()),
            Some(number) => format!("the source sent page {number} instead"),
            None => "the response has no page number".to_owned(),
        };
        Err(SourceError::new(ErrorKind::PageMissing, message))
    }

    /// Records the declared totals. A total that differs from the one of an earlier page is an error; a number of records
    /// that differs makes a chain that may be read again do so.
    pub(super) fn check_declared(&mut self, page: &PageSummary<'_>) -> Result<(), SourceError> {
        let envelope = page.envelope;
        for (known, declared, unit) in [
            (&mut self.state.declared_total, envelope.total, "records"),
            (&mut self.state.declared_pages, envelope.pages, "pages"),
        ] {
            match (*known, declared) {
                (Some(before), Some(now)) if before != now => {
                    if !self.complete.read_twice || unit != "records" {
                        return Err(disagrees(format!("the source declared {before} {unit} and then {now}")));
                    }
                    *known = Some(now);
                    self.state.changed = true;
                }
                _ => *known = known.or(declared),
            }
        }
        Ok(())
    }

    /// Whether this page is the last of the chain.
    pub(super) fn is_last(&self, page: &PageSummary<'_>) -> Result<bool, SourceError> {
        let Some(end) = self.pages.end() else { return Ok(true) };
        let envelope = page.envelope;
        let missing = |what: &str| SourceError::new(ErrorKind::NoLastFlag, format!("the response has no {what}"));
        let flag = |path: &str| envelope.flag.ok_or_else(|| missing(&format!("boolean at `{path}` (`pages.end`)")));
        Ok(match end {
            PageEnd::LastFlag { path, .. } => flag(path)?,
            PageEnd::NextFlag { path, .. } => !flag(path)?,
            PageEnd::Total { .. } => {
                let total = envelope.total.ok_or_else(|| missing("total number of records (`pages.end`)"))?;
                self.rows() >= total || page.rows == 0 || (uses_cursor(&self.pages) && page.next.is_none())
            }
            PageEnd::LastPage { path } => {
                let pages = envelope.pages.ok_or_else(|| missing(&format!("number of pages at `{path}`")))?;
                let read = self.pages_so_far();
                if page.rows > 0 && pages < read {
                    return Err(disagrees(format!("the source declared {pages} pages, and page {read} has records")));
                }
                read >= pages
            }
            PageEnd::EmptyPage | PageEnd::RepeatedPage => page.rows == 0,
            PageEnd::ShortPage { absent } => self.is_proved_short(*absent, page)?,
            PageEnd::NullCursor { absent, .. } => page.next.is_none() && self.is_proved_without_next(*absent, page)?,
        })
    }

    /// Number of pages up to the one that is read, or read again. Call it after the page was added.
    fn pages_so_far(&self) -> u64 {
        self.state.looking_at.map_or(self.state.pages.len() as u64, |at| u64::from(at) + 1)
    }

    /// Whether a page without a next cursor or address is the last one: true, or an error. A value that is absent may have got
    /// another name or be missing in a part of the source, so that something else has to show that the list ends here:
    /// the page, a total, an earlier page of the chain, or the declaration (`may_be_absent`).
    fn is_proved_without_next(&self, may_be_absent: bool, page: &PageSummary<'_>) -> Result<bool, SourceError> {
        let before = self.state.looking_at.map_or(self.state.pages.len().saturating_sub(1), |at| at as usize);
        // Every earlier page had the value, or the chain would have ended there.
        let longest = self.state.pages[..before].iter().map(|page| page.rows).max();
        // A first page that is shorter than `size` shows nothing: the source may serve fewer records than that.
        let is_short = page.rows == 0 || longest.is_some_and(|longest| page.rows < longest);
        let is_full = self.pages.size().is_some_and(|size| page.rows >= u64::from(size));
        let is_left_out = match longest {
            None => may_be_absent && !is_full,
            Some(_) => may_be_absent || self.pages.size().is_none(),
        };
        let total = self.state.declared_total.or(self.state.range_total);
        if page.envelope.no_next || is_short || is_left_out || total == Some(self.rows()) {
            return Ok(true);
        }
        let place = match &self.pages {
            Pages::Cursor { path: Some(path), .. } | Pages::NextUrl { path, .. } | Pages::Keyset { path, .. } => {
                format!("value at `{path}`")
            }
            Pages::Cursor { header: Some(name), .. } => format!("header `{name}`"),
            _ => "`Link` header with another page".to_owned(),
        };
        let message = format!("the response has no {place}, and nothing else shows that it is the last page");
        Err(SourceError::new(ErrorKind::EndUnproved, message))
    }

    /// Whether a page is the last one of `short_page`: it is empty, or it is short and proved to have no next cursor or address.
    /// A short page alone is none: a source that filters records after it cut its pages sends short ones in the middle. A last
    /// page that happens to be full is one where the declaration says that the value is left out there (`may_be_absent`).
    fn is_proved_short(&self, may_be_absent: bool, page: &PageSummary<'_>) -> Result<bool, SourceError> {
        let is_possible = may_be_absent || page.rows < self.size();
        let has_no_next = uses_cursor(&self.pages) && page.next.is_none();
        Ok(page.rows == 0 || (is_possible && has_no_next && self.is_proved_without_next(may_be_absent, page)?))
    }

    /// Whether a page that came before proves the end, because the source sends its last page for a number behind its end:
    /// declared (`repeated_page`), or for `short_page` a last page that is short and follows full ones.
    pub(super) fn is_last_page_again(&self, page: &PageSummary<'_>) -> bool {
        let Some((last, full)) = self.state.pages.split_last() else { return false };
        let is_proved = match self.pages.end() {
            // One page that comes again may be a source that ignores the page number.
            Some(PageEnd::RepeatedPage) => {
                !full.is_empty() || self.state.declared_total.is_some_and(|total| total == self.rows())
            }
            Some(PageEnd::ShortPage { .. }) => {
                last.rows < self.size() && !full.is_empty() && full.iter().all(|page| page.rows >= self.size())
            }
            _ => false,
        };
        is_proved && last.records == page.records
    }

    /// A list that is `null` is an empty list only if something else says that the chain ends with it.
    pub(super) fn check_null_list(&self, page: &PageSummary<'_>) -> Result<(), SourceError> {
        let envelope = page.envelope;
        if !envelope.null_list {
            return Ok(());
        }
        let read: u64 = self.earlier_pages().iter().map(|page| page.rows).sum();
        let is_end = match self.pages.end() {
            Some(PageEnd::LastFlag { .. }) => envelope.flag == Some(true),
            Some(PageEnd::NextFlag { .. }) => envelope.flag == Some(false),
            Some(PageEnd::LastPage { .. }) => envelope.pages.is_some_and(|pages| pages < self.ordinal() as u64),
            Some(PageEnd::NullCursor { .. }) => envelope.no_next,
            Some(PageEnd::EmptyPage | PageEnd::ShortPage { .. } | PageEnd::RepeatedPage) => {
                self.earlier_pages().last().is_some_and(|before| before.rows > 0 && before.rows < self.size())
            }
            Some(PageEnd::Total { .. }) | None => false,
        };
        if is_end || envelope.total == Some(read) {
            return Ok(());
        }
        let message = "the list of records is `null`, and nothing else says that the list ends here";
        Err(SourceError::new(ErrorKind::NoRecords, message))
    }

    /// Whether records with one key may be cut by the end of this page: it is full, and its last records have one key.
    /// Call it before the page is added.
    pub(super) fn is_tied_at_end(&self, page: &PageSummary<'_>) -> bool {
        let longest = self.earlier_pages().iter().map(|page| page.rows).max().unwrap_or(0);
        let is_full = page.rows >= self.pages.size().map_or(longest, u64::from);
        is_full && page.edge.is_some_and(|edge| edge.is_tied)
    }

    /// Reports records that the end of the page before has cut: its last records have one key, and this page, at
    /// `place`, does not begin with that key. Call it before the page is added.
    pub(super) fn check_ties(&self, place: &PagePlace, page: &PageSummary<'_>) -> Result<(), SourceError> {
        let is_whole = self.state.declared_total == Some(self.rows());
        let begins_with_key =
            page.edge.is_some_and(|edge| matches!(place, PagePlace::Cursor(key) if *key == edge.first));
        if !self.state.is_tied || begins_with_key || is_whole {
            return Ok(());
        }
        let message = "several records at the end of the page before have the same key, after which this page begins";
        Err(SourceError::new(ErrorKind::KeysetTies, message))
    }

    /// Keeps the number of records that a page's `Content-Range` states for the whole list.
    pub(super) fn note_range(&mut self, page: &PageSummary<'_>) {
        let stated = page.range.and_then(|range| range.records_in_all(page.rows));
        self.state.range_total = stated.or(self.state.range_total);
    }

    /// Compares the records of a finished chain with the `Content-Range` of its last page; if that page has none, with the
    /// newest one.
    pub(super) fn check_range(&self, page: &PageSummary<'_>) -> Result<(), SourceError> {
        let Some(range) = page.range else {
            let Some(total) = self.state.range_total.filter(|total| *total > self.rows()) else { return Ok(()) };
            let sent = self.rows();
            let message =
                format!("`Content-Range` says that the list has {total} entries, and {sent} records were sent");
            return Err(SourceError::new(ErrorKind::PartialContent, message));
        };
        let message = match range.missing_of(page.rows, self.rows()) {
            Some(total) => {
                format!("`Content-Range` says that the list has {total} entries, and {} records were sent", self.rows())
            }
            None if range.total.is_none() && self.pages == Pages::None => {
                "`Content-Range` says that the response is a part, and not of how many records".to_owned()
            }
            None => return Ok(()),
        };
        Err(SourceError::new(ErrorKind::PartialContent, message))
    }
}

#[cfg(test)]
#[path = "page_proof_tests.rs"]
mod tests;
