//! Retry: rejected rows taken again, after the mapping or the source was mended.
//!
//! Rows that landing still holds whole and that today's mapping reads are taken from there; what was stored since is newer
//! than they are. The others (landing keeps nothing of a value that could be somebody's) are read again from the source:
//! the stretch of time or the file that they came in.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Mapper;
use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::field::Readers;
use crate::model::page::Page;
use crate::model::pull::{Certificate, LandedPage, Outcome, Purpose, ReadBy, SliceRef};
use crate::run::failure::{Stopped, guarded};
use crate::run::ledger::{Pull, QuarantinedRow};
use crate::run::pull::PullTask;
use crate::run::{DataFolder, Progress, RunError, RunReport};

/// What is to be done about the open rejections of one connector.
#[derive(Default)]
struct Retrying {
    /// Pages of rows that can be read from landing, each with where it was read first.
    pages: Vec<(Page, ReadBy)>,
    from_landing: Vec<i64>,
    /// Rows to be read again from the source, each with its file's digest if it came in one.
    from_source: Vec<(i64, Option<String>)>,
    slices: BTreeSet<SliceRef>,
    /// Content digest of a file → where its pages were read first.
    files: BTreeMap<String, Vec<ReadBy>>,
}

impl Retrying {
    /// A row that landing does not give is read again from its source: its file, or the slice that it came in.
    fn ask_again(&mut self, rejected: &QuarantinedRow, certificate: &Certificate, entry: &LandedPage, is_files: bool) {
        let file = is_files.then(|| entry.body_digest.clone());
        if let Some(file) = &file {
            let of_file = certificate.pages.iter().filter(|page| page.body_digest == *file);
            let read = of_file.map(|page| page.first_read(rejected.run)).collect();
            self.files.insert(file.clone(), read);
        }
        self.slices.extend(entry.slice.clone());
        self.from_source.push((rejected.id, file));
    }
}

impl DataFolder<'_> {
    /// Retries the open rejections of the named connectors, or of all, then computes and publishes.
    pub async fn retry(&self, only: &[String], now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let mut waiting = Vec::new();
        for connector in self.chosen(only).await? {
            let open = self.ledger.quarantined(Some(&connector.name), None, true).await?;
            if !open.is_empty() {
                waiting.push((connector, open));
            }
        }
        if waiting.is_empty() {
            return Err(RunError::NothingToRetry);
        }
        let run = self.begin(Purpose::Retry, now, progress).await?;
        let mut pulls = Vec::new();
        for (connector, open) in waiting {
            progress(&format!("{}: {} rejected rows", connector.name, open.len()));
            pulls.push(match Box::pin(guarded(self.retry_connector(connector, &open, run, now, progress))).await {
                Ok(pull) => pull,
                Err(Stopped::Pull(failure)) => {
                    self.fail(Pull::begun(run, connector, Purpose::Retry, now), failure).await?
                }
                Err(Stopped::Run(error)) => return Err(error),
            });
        }
        self.close(run, pulls, now, progress).await
    }

    async fn retry_connector(
        &self,
        connector: &Connector,
        open: &[QuarantinedRow],
        run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Pull, Stopped> {
        let retrying = self.sort_out(connector, open, now);
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let landed = LandedPull::new(&self.data, &connector.name, run);
        landed.clear()?;
        let mut pages: Vec<LandedPage> = Vec::new();
        for ((mut page, read_by), number) in retrying.pages.into_iter().zip(1..) {
            page.number = number;
            let written = landed.write(&page, &readers, None)?;
            pages.push(LandedPage { read_by: Some(read_by), chain: u32::MAX, ..written });
        }
        let mut start = self.start_of(connector, now).await?;
        let of_landing = Certificate {
            connector: connector.name.clone(),
            run,
            purpose: Purpose::Retry,
            pages: pages.clone(),
            mends: retrying.from_landing.clone(),
            cursor: start.cursor.clone(),
            started_at: now,
            finished_at: now,
            ..Certificate::default()
        };
        if retrying.from_source.is_empty() {
            // What settling did not fail alone is the run's.
            return self.settle_landed(connector, &landed, &of_landing).await.map_err(Stopped::Run);
        }
        // Windows are asked for by their slices; a file that is forgotten is read again.
        start.only_slices = (!connector.file.window.passes.is_empty()).then(|| retrying.slices.into_iter().collect());
        start.cursor.files.retain(|digest| !retrying.files.contains_key(digest));
        // What a file says is as old as its first reading; what a portal answers is of now.
        let (purpose, sweep, old_files) = (Purpose::Retry, None, retrying.files);
        let of_own = retrying.from_landing.into_iter().map(|id| (id, None));
        let mends = of_own.chain(retrying.from_source).collect();
        let task = PullTask { connector, run, purpose, start, sweep, landed: pages, mends, old_files };
        let pull = self.pull(task, progress).await.map_err(Stopped::Run)?;
        if pull.outcome != Some(Outcome::Failed) || of_landing.pages.is_empty() {
            return Ok(pull);
        }
        // What landing holds needs no source.
        let text = |text: Option<String>| text.unwrap_or_default();
        let of_landing = Certificate {
            outcome: Outcome::Incomplete,
            reason: text(pull.reason),
            message: text(pull.message),
            hint: text(pull.hint),
            ..of_landing
        };
        self.settle_landed(connector, &landed, &of_landing).await.map_err(Stopped::Run)
    }

    /// Settles the rows that landing holds.
    async fn settle_landed(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
    ) -> Result<Pull, RunError> {
        let begun = Pull::begun(certificate.run, connector, Purpose::Retry, certificate.started_at);
        self.ledger.write_pull(&begun).await?;
        landed.seal(certificate)?;
        self.settle_or_fail(connector, landed, certificate, begun).await
    }

    /// Open rejections of rows without a readable key whose file this pull read again: they stand under its own run by now.
    pub(super) async fn rejected_in_the_same_files(
        &self,
        connector: &Connector,
        certificate: &Certificate,
    ) -> Result<Vec<i64>, RunError> {
        if !matches!(connector.file.access, Access::Files { .. }) {
            return Ok(Vec::new());
        }
        let read: BTreeSet<&str> = certificate.pages.iter().map(|page| page.body_digest.as_str()).collect();
        let mut of_run: BTreeMap<i64, Option<Certificate>> = BTreeMap::new();
        let mut found = Vec::new();
        for (id, run, number) in self.ledger.open_without_key(&connector.name, certificate.run).await? {
            let certificate = match of_run.entry(run) {
                Entry::Occupied(known) => known.into_mut(),
                // Where it cannot be read its rows stay open.
                Entry::Vacant(unknown) => {
                    unknown.insert(LandedPull::new(&self.data, &connector.name, run).certificate().unwrap_or_default())
                }
            };
            let pages = certificate.iter().flat_map(|certificate| &certificate.pages);
            if pages.filter(|page| page.number == number).any(|page| read.contains(page.body_digest.as_str())) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Which rows landing can give, and what must be read again for the others.
    fn sort_out(&self, connector: &Connector, open: &[QuarantinedRow], now: i64) -> Retrying {
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let mapper = Mapper::new(connector, &readers, now);
        let mut by_page: BTreeMap<(i64, u32), Vec<&QuarantinedRow>> = BTreeMap::new();
        for rejected in open {
            by_page.entry((rejected.run, rejected.page)).or_default().push(rejected);
        }
        let is_files = matches!(connector.file.access, Access::Files { .. });
        let mut retrying = Retrying::default();
        for ((run, number), rows) in by_page {
            let landed = LandedPull::new(&self.data, &connector.name, run);
            // Without its landing a row can be read nowhere: it stays open.
            let Some(certificate) = landed.certificate().unwrap_or_default() else { continue };
            let Some(entry) = certificate.pages.iter().find(|page| page.number == number) else { continue };
            let page = match landed.read(entry) {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(run, connector = connector.name, "asked of the source again: {error}");
                    for rejected in rows {
                        retrying.ask_again(rejected, &certificate, entry, is_files);
                    }
                    continue;
                }
            };
            let read = mapper.map_page(&page);
            let mut kept = Page::new(number, page.origin.clone(), page.body_digest.clone(), page.fields.clone());
            kept.slice.clone_from(&entry.slice);
            for (index, mapped) in read.iter().enumerate() {
                let Some(rejected) = rows.iter().find(|rejected| rejected.row == page.place(index).0) else { continue };
                if mapped.is_ok() {
                    kept.copy_row(&page, index);
                    retrying.from_landing.push(rejected.id);
                } else {
                    retrying.ask_again(rejected, &certificate, entry, is_files);
                }
            }
            if !kept.is_empty() {
                retrying.pages.push((kept, entry.first_read(run)));
            }
        }
        retrying
    }
}
