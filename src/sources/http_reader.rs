//! Reads an HTTP source: the page chains of a pull, one after another or several concurrently, each to its proved end.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use crate::model::connector::{Complete, ConnectorFile, Limits, Pages};
use crate::model::page::Page;
use crate::model::pull::{ChainFacts, Position, SliceRef};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::page_fetcher::{FetchedPage, PageFetcher, PageReply, PageRequest};
use crate::sources::paginate::{ChainStep, PageChain, PageSummary};
use crate::sources::plan::{self, TimeSlice};
use crate::sources::pull_start::PullStart;
use crate::sources::request;

/// One pull over HTTP.
pub(crate) struct HttpReader {
    fetcher: Arc<PageFetcher>,
    pages: Pages,
    complete: Complete,
    limits: Limits,
    /// Chains that have not begun, by ordinal. The slice is `None` if the connector has no passes.
    pending: VecDeque<(u32, Option<Arc<TimeSlice>>)>,
    /// Chains that are being read, by ordinal; at most `limits.concurrency`.
    active: BTreeMap<u32, ActiveChain>,
    /// Requests in flight, at most one per chain. All of them progress while the caller awaits the next page.
    in_flight: FuturesUnordered<BoxFuture<'static, FetchOutcome>>,
    finished: Vec<ChainFacts>,
    /// Slices of all chains, by ordinal.
    slices: Vec<Option<Arc<TimeSlice>>>,
    read_pages: u32,
    /// Page size that the source serves, if a chain found out that it is smaller than that of the connector.
    served_size: Option<u32>,
    /// Whether a text of `[request]` has the page size.
    is_size_in_text: bool,
    /// Whether a record gives several rows.
    explodes: bool,
    /// An error that the last returned page revealed, for the next call: the page's records are valid, its chain is not
    /// complete.
    deferred_error: Option<SourceError>,
}

/// A request, the ordinal of its chain, and its result.
type FetchOutcome = (PageRequest, u32, Result<PageReply, SourceError>);

struct ActiveChain {
    chain: PageChain,
    slice: Option<Arc<TimeSlice>>,
    is_in_flight: bool,
}

impl fmt::Debug for HttpReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = out.debug_struct("HttpReader");
        debug.field("read_pages", &self.read_pages).field("active", &self.active.len()).finish_non_exhaustive()
    }
}

impl HttpReader {
    /// # Errors
    /// `misconfigured`, or `plan_changed` if `start.resume` or `start.only_slices` belong to another plan.
    pub(crate) fn new(fetcher: PageFetcher, file: &ConnectorFile, start: &PullStart) -> Result<Self, SourceError> {
        let window = &file.window;
        let slices = if let Some(wanted) = &start.only_slices {
            plan::chosen_slices(window, wanted)?
        } else {
            let whole_pass = start.whole_pass.as_deref();
            plan::plan_slices(window, start.now, &start.cursor, &start.oldest_open, whole_pass)?
        };
        let slices: Vec<Option<Arc<TimeSlice>>> = if window.passes.is_empty() && start.only_slices.is_none() {
            vec![None]
        } else {
            slices.into_iter().map(|slice| Some(Arc::new(slice))).collect()
        };
        let mut pending: BTreeMap<u32, Option<Arc<TimeSlice>>> = (0..).zip(slices.iter().cloned()).collect();
        let position = start.resume.clone().unwrap_or_default();
        let mut take = |chain: u32, wanted: Option<&SliceRef>| {
            let slice = pending.remove(&chain);
            slice.filter(|slice| slice.as_deref().map(|slice| &slice.reference) == wanted).ok_or_else(|| {
                SourceError::new(ErrorKind::PlanChanged, format!("chain {chain} of the position is not in the plan"))
            })
        };
        for facts in &position.done {
            take(facts.chain, facts.slice.as_ref())?;
        }
        let mut active = BTreeMap::new();
        let is_size_in_text = request::states_size(file);
        let explodes = file.decode.explode().is_some();
        let served_size = position.open.iter().find_map(|state| state.served_size);
        for state in position.open {
            let slice = take(state.chain, state.slice.as_ref())?;
            let ordinal = state.chain;
            let chain = PageChain::resume(&file.pages, &file.complete, state)
                .with_size_in_text(is_size_in_text)
                .with_exploded_records(explodes)
                .read_again_after_cut();
            active.insert(ordinal, ActiveChain { chain, slice, is_in_flight: false });
        }
        Ok(Self {
            fetcher: Arc::new(fetcher),
            pages: file.pages.clone(),
            complete: file.complete.clone(),
            limits: file.limits.clone(),
            pending: pending.into_iter().collect(),
            active,
            in_flight: FuturesUnordered::new(),
            finished: position.done,
            slices,
            read_pages: position.pages,
            served_size,
            is_size_in_text,
            explodes,
            deferred_error: None,
        })
    }

    /// The next page in the order of arrival, numbered `number`; `None` after the end of every chain.
    pub(crate) async fn next(&mut self, number: u32) -> Result<Option<Page>, SourceError> {
        if let Some(error) = self.deferred_error.take() {
            return Err(error);
        }
        loop {
            self.send_requests()?;
            let Some((request, ordinal, reply)) = self.in_flight.next().await else { return Ok(None) };
            let active =
                self.active.get_mut(&ordinal).expect("a chain stays active while a request of it is in flight");
            active.is_in_flight = false;
            let (page, step) = match reply? {
                PageReply::Unchanged => (None, active.chain.confirm_unchanged()),
                PageReply::Page(fetched) => {
                    let FetchedPage { mut page, records, envelope, next, range, edge } = *fetched;
                    page.number = number;
                    page.chain = ordinal;
                    page.slice = active.slice.as_ref().map(|slice| slice.reference.clone());
                    let summary = PageSummary {
                        digest: &page.body_digest,
                        records: &records,
                        rows: page.records() as u64,
                        envelope: &envelope,
                        next: next.as_ref(),
                        range: range.as_ref(),
                        edge: edge.as_ref(),
                    };
                    let is_known = active.chain.has_same_records(&summary);
                    let step = active.chain.advance(&summary);
                    (Some(page).filter(|_| !is_known), step)
                }
            };
            let step = step.map(|step| active.chain.adopt_served_size(self.served_size).unwrap_or(step));
            self.note_served_size(ordinal, &request);
            match step {
                Ok(ChainStep::More) => {}
                Ok(ChainStep::End) => self.finish(ordinal),
                Err(error) => {
                    let is_page_valid = error.is_incomplete() && error.kind != ErrorKind::PageRepeated;
                    let error = error.on(self.fetcher.origin(&request));
                    if page.is_none() || !is_page_valid {
                        return Err(error);
                    }
                    self.deferred_error = Some(error);
                }
            }
            if let Some(page) = page {
                self.read_pages += 1;
                return Ok(Some(page));
            }
        }
    }

    /// Notes the smaller page size that a chain has found out, for the chains that begin later. Chains that ended with
    /// as many records on a page are read again: a cap may have cut them.
    fn note_served_size(&mut self, ordinal: u32, request: &PageRequest) {
        let found = self.active.get(&ordinal).and_then(|active| active.chain.state().served_size);
        let Some(size) = found.filter(|_| self.served_size.is_none()) else { return };
        tracing::warn!(
            rows = size,
            "{}: the source caps its pages; that size is requested",
            self.fetcher.origin(request)
        );
        self.served_size = found;
        for facts in self.finished.extract_if(.., |facts| facts.rows >= u64::from(size)) {
            let slice = self.slices.get(facts.chain as usize).cloned().flatten();
            self.pending.push_back((facts.chain, slice));
        }
    }

    /// The chains that were read to their end, in the order of the plan.
    pub(crate) fn finished_chains(&self) -> Vec<ChainFacts> {
        let mut chains = self.finished.clone();
        chains.sort_by_key(|facts| facts.chain);
        chains
    }

    /// Position after `pages` returned pages with `records` records. Requests in flight are not part of it.
    pub(crate) fn position(&self, pages: u32, records: u64) -> Position {
        let open = self.active.values().map(|active| active.chain.state().clone()).collect();
        let (retries, details) = self.fetcher.sent();
        Position { pages, records, retries, details, done: self.finished.clone(), open }
    }

    /// Begins chains and sends requests up to `limits.concurrency`.
    ///
    /// # Errors
    /// `page_limit` if more pages follow than `limits.max_pages` and no request is in flight.
    fn send_requests(&mut self) -> Result<(), SourceError> {
        let concurrency = self.limits.concurrency.max(1) as usize;
        while self.active.len() < concurrency {
            let Some((ordinal, slice)) = self.pending.pop_front() else { break };
            let reference = slice.as_ref().map(|slice| slice.reference.clone());
            let chain = PageChain::new(&self.pages, &self.complete, ordinal, reference);
            let chain = chain.with_served_size(self.served_size).with_size_in_text(self.is_size_in_text);
            let chain = chain.with_exploded_records(self.explodes);
            self.active.insert(ordinal, ActiveChain { chain, slice, is_in_flight: false });
        }
        for (ordinal, active) in self.active.iter_mut().filter(|(_, active)| !active.is_in_flight) {
            if self.in_flight.len() >= concurrency {
                break;
            }
            let request = PageRequest {
                slice: active.slice.clone(),
                place: active.chain.place().clone(),
                ordinal: active.chain.ordinal(),
                expected_digest: active.chain.expected_digest().map(str::to_owned),
                expected_records: active.chain.expected_records().map(str::to_owned),
                size: active.chain.state().served_size,
                may_be_behind_end: active.chain.may_be_behind_end(),
            };
            let in_flight = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
            let is_new_page = request.expected_digest.is_none();
            if is_new_page && self.read_pages.saturating_add(in_flight) >= self.limits.max_pages {
                if in_flight > 0 {
                    break;
                }
                let origin = self.fetcher.origin(&request);
                let message = format!("{origin}: {} pages were read and more follow", self.read_pages);
                return Err(SourceError::new(ErrorKind::PageLimit, message));
            }
            active.is_in_flight = true;
            let (fetcher, ordinal) = (Arc::clone(&self.fetcher), *ordinal);
            self.in_flight.push(Box::pin(async move {
                let reply = fetcher.fetch(&request).await;
                (request, ordinal, reply)
            }));
        }
        Ok(())
    }

    fn finish(&mut self, ordinal: u32) {
        if let Some(ActiveChain { chain, slice, .. }) = self.active.remove(&ordinal) {
            let label = slice.map(|slice| format!("{} {}", slice.reference.pass, slice.days));
            self.finished.push(chain.facts(label.unwrap_or_default()));
        }
    }
}

#[cfg(test)]
#[path = "http_reader_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "http_reader_paging_tests.rs"]
mod paging_tests;

#[cfg(test)]
#[path = "http_reader_ends_tests.rs"]
mod ends_tests;

#[cfg(test)]
#[path = "http_reader_answer_tests.rs"]
mod answer_tests;

#[cfg(test)]
#[path = "http_reader_resume_tests.rs"]
mod resume_tests;
