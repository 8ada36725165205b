//! Retry: rejected rows are read again, after the mapping or the source was corrected.
//!
//! Rows that landing holds whole and that today's mapping can read are taken from landing; what was stored since is
//! newer. The others are read again from the source, by the slice or the file that they came in: landing does not keep
//! a value that could be personal data.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Mapper;
use crate::fields::Readers;
use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::page::Page;
use crate::model::pull::{Certificate, LandedPage, Outcome, PARTIAL_CHAIN, Purpose, ReadBy, SliceRef};
use crate::run::data_folder::{DataFolder, RunReport};
use crate::run::error::RunError;
use crate::run::failure::{PullError, catch_panic};
use crate::run::ledger::{Pull, QuarantinedRow};
use crate::run::progress::Progress;
use crate::run::reading::PullTask;
use crate::run::settling::SealedPull;
use crate::sources::PullStart;

/// Where the open rejections of one connector are read again.
#[derive(Default)]
struct RetryPlan {
    /// Pages of the rows that landing gives, each with where it was read first.
    pages: Vec<(Page, ReadBy)>,
    /// Ids of the rejections that landing gives.
    from_landing: Vec<i64>,
    /// Ids of the rejections to read from the source, each with its file's digest if it came in a file.
    from_source: Vec<(i64, Option<String>)>,
    slices: BTreeSet<SliceRef>,
    /// Content digest of a file → where its pages were read first.
    files: BTreeMap<String, Vec<ReadBy>>,
}

impl RetryPlan {
    /// Adds the open rejections of one landed page. `page`: what landing holds of it, if it can be read.
    fn add_page(
        &mut self,
        rows: &[&QuarantinedRow],
        certificate: &Certificate,
        entry: &LandedPage,
        page: Option<&Page>,
        mapper: &Mapper,
        is_files: bool,
    ) {
        let Some(page) = page else {
            for rejected in rows {
                self.read_from_source(rejected, certificate, entry, is_files);
            }
            return;
        };
        let mut kept = Page::new(entry.number, page.origin.clone(), page.body_digest.clone(), page.fields.clone());
        kept.slice.clone_from(&entry.slice);
        for (index, mapped) in mapper.map_page(page).iter().enumerate() {
            let Some(rejected) = rows.iter().find(|rejected| rejected.row == page.row(index).0) else { continue };
            if mapped.is_ok() {
                kept.copy_row(page, index);
                self.from_landing.push(rejected.id);
            } else {
                self.read_from_source(rejected, certificate, entry, is_files);
            }
        }
        if !kept.is_empty() {
            self.pages.push((kept, entry.first_read(certificate.run)));
        }
    }

    /// Plans to read a row again from the source: its file, or the slice that it came in.
    fn read_from_source(
        &mut self,
        rejected: &QuarantinedRow,
        certificate: &Certificate,
        entry: &LandedPage,
        is_files: bool,
    ) {
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
        let done = Box::pin(self.retry_rows(only, now, progress)).await;
        self.end_if_stopped(done).await
    }

    async fn retry_rows(&self, only: &[String], now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
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
            self.check_stop(run).await?;
            progress(&format!("{}: {} rejected rows", connector.name, open.len()));
            pulls.push(match Box::pin(catch_panic(self.retry_connector(connector, &open, run, now, progress))).await {
                Ok(pull) => pull,
                Err(PullError::Pull(failure)) => {
                    let begun = Pull::begun(run, connector, Purpose::Retry, now);
                    self.settler(progress).fail(begun, failure).await?
                }
                Err(PullError::Run(error)) => return Err(error),
            });
        }
        self.check_stop(run).await?;
        self.close(run, pulls, now, progress).await
    }

    async fn retry_connector(
        &self,
        connector: &Connector,
        open: &[QuarantinedRow],
        run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Pull, PullError> {
        let mut plan = self.plan_retry(connector, open, now);
        let landed = LandedPull::new(&self.data, &connector.name, run);
        landed.clear()?;
        let pages = land_pages(std::mem::take(&mut plan.pages), connector, &landed)?;
        let start = self.reader(progress).start_of(connector, now).await?;
        let certificate = Certificate {
            connector: connector.name.clone(),
            run,
            purpose: Purpose::Retry,
            pages: pages.clone(),
            mends: plan.from_landing.clone(),
            cursor: start.cursor.clone(),
            started_at: now,
            finished_at: now,
            ..Certificate::default()
        };
        // An error that settling does not confine to the pull ends the run.
        if plan.from_source.is_empty() {
            return self.settle_landed(connector, &landed, &certificate, progress).await.map_err(PullError::Run);
        }
        let task = source_task(plan, pages, connector, run, start);
        let read = self.reader(progress).read(task).await.map_err(PullError::Run)?;
        let pull = self.settler(progress).settle_read(read).await.map_err(PullError::Run)?;
        if pull.outcome != Some(Outcome::Failed) || certificate.pages.is_empty() {
            return Ok(pull);
        }
        // The source failed; the rows that landing holds do not need it.
        let certificate = Certificate {
            outcome: Outcome::Incomplete,
            reason: pull.reason.unwrap_or_default(),
            message: pull.message.unwrap_or_default(),
            hint: pull.hint.unwrap_or_default(),
            ..certificate
        };
        self.settle_landed(connector, &landed, &certificate, progress).await.map_err(PullError::Run)
    }

    /// Seals and settles the rows that landing holds.
    async fn settle_landed(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        progress: &Progress<'_>,
    ) -> Result<Pull, RunError> {
        let begun = Pull::begun(certificate.run, connector, Purpose::Retry, certificate.started_at);
        self.ledger.write_pull(&begun).await?;
        landed.seal(certificate)?;
        self.settler(progress).settle_or_fail(SealedPull { connector, landed, certificate }, begun).await
    }

    /// Decides for every open rejection whether landing gives its row or the source must be read again.
    fn plan_retry(&self, connector: &Connector, open: &[QuarantinedRow], now: i64) -> RetryPlan {
        let readers = Readers::of(connector);
        let mapper = Mapper::new(connector, &readers, now);
        let is_files = matches!(connector.file.access, Access::Files { .. });
        let mut by_page: BTreeMap<(i64, u32), Vec<&QuarantinedRow>> = BTreeMap::new();
        for rejected in open {
            by_page.entry((rejected.run, rejected.page)).or_default().push(rejected);
        }
        let mut plan = RetryPlan::default();
        for ((run, number), rows) in by_page {
            let landed = LandedPull::new(&self.data, &connector.name, run);
            // Without its certificate a row can be found neither in landing nor in the source: it stays open.
            let Some(certificate) = landed.certificate().unwrap_or_default() else { continue };
            let Some(entry) = certificate.pages.iter().find(|page| page.number == number) else { continue };
            let page = landed.read(entry);
            if let Err(error) = &page {
                tracing::warn!(run, connector = connector.name, "read again from the source: {error}");
            }
            plan.add_page(&rows, &certificate, entry, page.ok().as_ref(), &mapper, is_files);
        }
        plan
    }
}

/// Lands the pages of a retry, numbered from 1.
fn land_pages(
    pages: Vec<(Page, ReadBy)>,
    connector: &Connector,
    landed: &LandedPull,
) -> Result<Vec<LandedPage>, PullError> {
    let readers = Readers::of(connector);
    let mut written = Vec::new();
    for ((mut page, read_by), number) in pages.into_iter().zip(1..) {
        page.number = number;
        let entry = landed.write(&page, &readers, None)?;
        written.push(LandedPage { read_by: Some(read_by), chain: PARTIAL_CHAIN, ..entry });
    }
    Ok(written)
}

/// The task that reads the other rows from the source, behind the pages that landing gave.
fn source_task(
    plan: RetryPlan,
    landed: Vec<LandedPage>,
    connector: &Connector,
    run: i64,
    mut start: PullStart,
) -> PullTask<'_> {
    // Windows are read by slice; a file is read again if the cursor does not name it.
    start.only_slices = (!connector.file.window.passes.is_empty()).then(|| plan.slices.into_iter().collect());
    start.cursor.files.retain(|digest| !plan.files.contains_key(digest));
    let mends = plan.from_landing.into_iter().map(|id| (id, None)).chain(plan.from_source).collect();
    // Rows of a file are as old as its first reading; the answers of a portal are of now.
    let old_files = plan.files;
    PullTask { landed, mends, old_files, ..PullTask::new(connector, run, Purpose::Retry, start) }
}
