//! Reading a source over HTTP: page chains, one after another or several side by side, each followed to its proved end.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use crate::model::connector::{Complete, ConnectorFile, Limits, Pages};
use crate::model::page::Page;
use crate::model::pull::{ChainFacts, Position, SliceRef};
use crate::sources::client::{Asked, Came, Client, Fetched};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::paginate::{Answer, Chain, Step};
use crate::sources::plan::TimeSlice;
use crate::sources::{PullStart, plan};

/// One pull over HTTP.
pub(crate) struct HttpReader {
    client: Arc<Client>,
    pages: Pages,
    complete: Complete,
    limits: Limits,
    /// Chains to read, by ordinal; one without a slice where the connector has no passes.
    ahead: VecDeque<(u32, Option<Arc<TimeSlice>>)>,
    open: BTreeMap<u32, OpenedChain>,
    /// Requests on their way, at most one a chain; they move on while a page is waited for.
    under_way: FuturesUnordered<BoxFuture<'static, Arrived>>,
    done: Vec<ChainFacts>,
    read_pages: u32,
    /// What a page showed that was given out all the same: its records are true, the chain is not whole.
    found: Option<SourceError>,
}

/// What was asked for, the ordinal of its chain, and what came.
type Arrived = (Asked, u32, Result<Came, SourceError>);

struct OpenedChain {
    chain: Chain,
    slice: Option<Arc<TimeSlice>>,
    is_asked: bool,
}

impl fmt::Debug for HttpReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = out.debug_struct("HttpReader");
        debug.field("read_pages", &self.read_pages).field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl HttpReader {
    /// # Errors
    /// `misconfigured`, or `plan_changed` if `start.resume` or `start.only` belong to another plan.
    pub(crate) fn new(client: Client, file: &ConnectorFile, start: &PullStart) -> Result<Self, SourceError> {
        let slices = match &start.only {
            Some(wanted) => plan::chosen_slices(&file.window, wanted)?,
            None => {
                plan::plan_slices(&file.window, start.now, &start.cursor, &start.oldest_open, start.whole.as_deref())?
            }
        };
        let slices: Vec<Option<Arc<TimeSlice>>> = if file.window.passes.is_empty() && start.only.is_none() {
            vec![None]
        } else {
            slices.into_iter().map(|slice| Some(Arc::new(slice))).collect()
        };
        let mut ahead: BTreeMap<u32, Option<Arc<TimeSlice>>> = (0..).zip(slices).collect();
        let position = start.resume.clone().unwrap_or_default();
        let mut take = |chain: u32, wanted: Option<&SliceRef>| {
            let slice = ahead.remove(&chain);
            slice.filter(|slice| slice.as_deref().map(|slice| &slice.reference) == wanted).ok_or_else(|| {
                SourceError::new(ErrorKind::PlanChanged, format!("chain {chain} of the position is not in the plan"))
            })
        };
        for facts in &position.done {
            take(facts.chain, facts.slice.as_ref())?;
        }
        let mut open = BTreeMap::new();
        for state in position.open {
            let slice = take(state.chain, state.slice.as_ref())?;
            let ordinal = state.chain;
            let chain = Chain::resume(&file.pages, &file.complete, state);
            open.insert(ordinal, OpenedChain { chain, slice, is_asked: false });
        }
        Ok(Self {
            client: Arc::new(client),
            pages: file.pages.clone(),
            complete: file.complete.clone(),
            limits: file.limits.clone(),
            ahead: ahead.into_iter().collect(),
            open,
            under_way: FuturesUnordered::new(),
            done: position.done,
            read_pages: position.pages,
            found: None,
        })
    }

    /// The next page to come; `None` when every chain was followed to its end.
    pub(crate) async fn next(&mut self, number: u32) -> Result<Option<Page>, SourceError> {
        if let Some(error) = self.found.take() {
            return Err(error);
        }
        loop {
            self.ask()?;
            let Some((asked, ordinal, came)) = self.under_way.next().await else { return Ok(None) };
            let opened = self.open.get_mut(&ordinal).expect("a chain stays open while a page of it is under way");
            opened.is_asked = false;
            let (page, step) = match came? {
                Came::Same => (None, opened.chain.agree()),
                Came::Page(fetched) => {
                    let Fetched { mut page, facts, next } = *fetched;
                    page.number = number;
                    page.chain = ordinal;
                    page.slice = opened.slice.as_ref().map(|slice| slice.reference.clone());
                    let rows = page.len() as u64;
                    let answer = Answer { digest: &page.body_digest, rows, facts: &facts, next: next.as_ref() };
                    let step = opened.chain.advance(&answer);
                    (Some(page), step)
                }
            };
            match step {
                Ok(Step::More) => {}
                Ok(Step::End) => self.close(ordinal),
                Err(error) => {
                    let is_kept = page.is_some() && error.is_incomplete() && error.kind != ErrorKind::PageRepeated;
                    let error = error.on(self.client.origin(&asked));
                    if !is_kept {
                        return Err(error);
                    }
                    self.found = Some(error);
                }
            }
            if let Some(page) = page {
                self.read_pages += 1;
                return Ok(Some(page));
            }
        }
    }

    /// What the chains held that were read to their end, in the order of the plan.
    pub(crate) fn chains(&self) -> Vec<ChainFacts> {
        let mut chains = self.done.clone();
        chains.sort_by_key(|facts| facts.chain);
        chains
    }

    pub(crate) fn position(&self, pages: u32, records: u64) -> Position {
        let open = self.open.values().map(|opened| opened.chain.state().clone()).collect();
        Position { pages, records, retries: self.client.retries(), done: self.done.clone(), open }
    }

    /// Sends a request for every chain that may be read now.
    fn ask(&mut self) -> Result<(), SourceError> {
        let concurrency = self.limits.concurrency.max(1) as usize;
        while self.open.len() < concurrency {
            let Some((ordinal, slice)) = self.ahead.pop_front() else { break };
            let reference = slice.as_ref().map(|slice| slice.reference.clone());
            let chain = Chain::new(&self.pages, &self.complete, ordinal, reference);
            self.open.insert(ordinal, OpenedChain { chain, slice, is_asked: false });
        }
        for (ordinal, opened) in self.open.iter_mut().filter(|(_, opened)| !opened.is_asked) {
            if self.under_way.len() >= concurrency {
                break;
            }
            let asked = Asked {
                slice: opened.slice.clone(),
                place: opened.chain.place().clone(),
                ordinal: opened.chain.ordinal(),
                expected: opened.chain.expected().map(str::to_owned),
            };
            let coming = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
            if asked.expected.is_none() && self.read_pages.saturating_add(coming) >= self.limits.max_pages {
                if coming > 0 {
                    break;
                }
                let origin = self.client.origin(&asked);
                let message = format!("{origin}: {} pages were read and more follow", self.read_pages);
                return Err(SourceError::new(ErrorKind::PageLimit, message));
            }
            opened.is_asked = true;
            let (client, ordinal) = (Arc::clone(&self.client), *ordinal);
            self.under_way.push(Box::pin(async move {
                let came = client.fetch(&asked).await;
                (asked, ordinal, came)
            }));
        }
        Ok(())
    }

    fn close(&mut self, ordinal: u32) {
        if let Some(OpenedChain { chain, slice, .. }) = self.open.remove(&ordinal) {
            let label = slice.map(|slice| format!("{} {}", slice.reference.pass, slice.days));
            self.done.push(chain.facts(label.unwrap_or_default()));
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
#[path = "http_reader_resume_tests.rs"]
mod resume_tests;
