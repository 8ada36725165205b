//! Retry: rejected rows taken again, after the mapping or the source was mended.
//!
//! Rows that landing still holds whole and that today's mapping reads are taken from there; what was stored since is newer
//! than they are. The others (landing keeps nothing of a value that could be somebody's) are read again from the source:
//! the stretch of time or the file that they came in.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::Mapper;
use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::field::Readers;
use crate::model::page::Page;
use crate::model::pull::{Certificate, LandedPage, Outcome, Purpose, SliceRef};
use crate::run::ledger::{Pull, Quarantined};
use crate::run::pull::Task;
use crate::run::{Office, RunError, RunReport, Watch};

/// What is to be done about the open rejections of one connector.
#[derive(Default)]
struct Retrying {
    /// Pages of rows that can be read from landing, each with the run that read it.
    pages: Vec<(Page, i64)>,
    from_landing: Vec<i64>,
    /// Rows to be read again from the source, each with its file's digest if it came in one.
    from_source: Vec<(i64, Option<String>)>,
    slices: BTreeSet<SliceRef>,
    /// Content digest of a file → the run that read it.
    files: BTreeMap<String, i64>,
}

impl Office<'_> {
    /// Retries the open rejections of the named connectors, or of all, then computes and publishes.
    pub async fn retry(&self, only: &[String], now: i64, watch: &Watch<'_>) -> Result<RunReport, RunError> {
        let mut waiting = Vec::new();
        for connector in self.chosen(only)? {
            let open = self.ledger.quarantined(Some(&connector.name), None, true).await?;
            if !open.is_empty() {
                waiting.push((connector, open));
            }
        }
        if waiting.is_empty() {
            return Err(RunError::NothingToRetry);
        }
        let run = self.begin(Purpose::Retry, now, watch).await?;
        let mut pulls = Vec::new();
        for (connector, open) in waiting {
            watch(&format!("{}: {} rejected rows", connector.name, open.len()));
            pulls.push(self.retry_connector(connector, &open, run, now, watch).await?);
        }
        self.close(run, pulls, now, watch).await
    }

    async fn retry_connector(
        &self,
        connector: &Connector,
        open: &[Quarantined],
        run: i64,
        now: i64,
        watch: &Watch<'_>,
    ) -> Result<Pull, RunError> {
        let retrying = self.sort_out(connector, open, now)?;
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
        let pull = if retrying.from_source.is_empty() {
            let begun = Pull::begun(run, connector, Purpose::Retry, now);
            self.ledger.write_pull(&begun).await?;
            let certificate = Certificate {
                connector: connector.name.clone(),
                run,
                purpose: Purpose::Retry,
                pages,
                cursor: start.cursor,
                started_at: now,
                finished_at: now,
                ..Certificate::default()
            };
            landed.seal(&certificate)?;
            self.settle(connector, &landed, &certificate, begun).await?
        } else {
            // Windows are asked for by their slices; a file that is forgotten is read again.
            start.only = (!connector.file.window.passes.is_empty()).then(|| retrying.slices.into_iter().collect());
            start.cursor.files.retain(|digest| !retrying.files.contains_key(digest));
            // What a file says is as old as its first reading; what a portal answers is of now.
            let (purpose, sweep, old_files) = (Purpose::Retry, None, retrying.files);
            self.pull(Task { connector, run, purpose, start, sweep, landed: pages, old_files }, watch).await?
        };
        if pull.outcome == Some(Outcome::Complete) {
            // A file that is gone was not read again: its rows stay open.
            let pages = landed.certificate()?.map(|certificate| certificate.pages).unwrap_or_default();
            let was_read = |file: &String| pages.iter().any(|page| page.body_digest == *file);
            let from_source = retrying.from_source.into_iter();
            let read_again = from_source.filter(|(_, file)| file.as_ref().is_none_or(was_read)).map(|(id, _)| id);
            let ids: Vec<i64> = retrying.from_landing.into_iter().chain(read_again).collect();
            self.ledger.close_rejections(run, &ids).await?;
        }
        Ok(pull)
    }

    /// Which rows landing can give, and what must be read again for the others.
    fn sort_out(&self, connector: &Connector, open: &[Quarantined], now: i64) -> Result<Retrying, RunError> {
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let mapper = Mapper::new(connector, &readers, now);
        let mut by_page: BTreeMap<(i64, u32), Vec<&Quarantined>> = BTreeMap::new();
        for rejected in open {
            by_page.entry((rejected.run, rejected.page)).or_default().push(rejected);
        }
        let is_files = matches!(connector.file.access, Access::Files { .. });
        let mut retrying = Retrying::default();
        for ((run, number), rows) in by_page {
            let landed = LandedPull::new(&self.data, &connector.name, run);
            // Without its landing a row can be read nowhere: it stays open.
            let Some(certificate) = landed.certificate()? else { continue };
            let Some(entry) = certificate.pages.iter().find(|page| page.number == number) else { continue };
            let page = landed.read(entry)?;
            let read = mapper.map_page(&page);
            let mut kept = Page::new(number, page.origin.clone(), page.body_digest.clone(), page.fields.clone());
            kept.slice.clone_from(&entry.slice);
            for (index, mapped) in read.iter().enumerate() {
                let Some(rejected) = rows.iter().find(|rejected| rejected.row == page.place(index).0) else { continue };
                if mapped.is_ok() {
                    kept.copy_row(&page, index);
                    retrying.from_landing.push(rejected.id);
                } else {
                    let file = is_files.then(|| entry.body_digest.clone());
                    if let Some(file) = &file {
                        retrying.files.insert(file.clone(), entry.read_by.unwrap_or(run));
                    }
                    retrying.slices.extend(entry.slice.clone());
                    retrying.from_source.push((rejected.id, file));
                }
            }
            if !kept.is_empty() {
                retrying.pages.push((kept, entry.read_by.unwrap_or(run)));
            }
        }
        Ok(retrying)
    }
}
