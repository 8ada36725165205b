//! One connector's part of a run: read, land, settle.

use std::collections::BTreeMap;

use crate::landing::{LandedPull, Plan};
use crate::model::connector::{Access, Connector, Start};
use crate::model::field::Readers;
use crate::model::page::Page;
use crate::model::pull::{Certificate, Cursor, FieldsSeen, LandedPage, Outcome, Purpose, ReadBy, SliceRef};
use crate::run::clock;
use crate::run::failure::{Failure, Stopped, guarded};
use crate::run::ledger::Pull;
use crate::run::{DataFolder, Progress, RunError};
use crate::sources::{self, ErrorKind, PullStart};

/// What is read, and why.
#[derive(Debug, Clone)]
pub(super) struct PullTask<'c> {
    pub(super) connector: &'c Connector,
    pub(super) run: i64,
    pub(super) purpose: Purpose,
    pub(super) start: PullStart,
    pub(super) sweep: Option<SliceRef>,
    /// Pages that lie in landing already, from 1 on: of a retry, or of the pull that goes on.
    pub(super) landed: Vec<LandedPage>,
    /// Rejections that are read again, each with its file's digest if it came in one.
    pub(super) mends: Vec<(i64, Option<String>)>,
    /// Content digest of a file that is read once more → where its pages were read first.
    pub(super) old_files: BTreeMap<String, Vec<ReadBy>>,
}

/// A pull whose pages lie in landing, or that failed before.
#[derive(Debug)]
pub(super) struct ReadPull<'c> {
    connector: &'c Connector,
    begun: Pull,
    landed: LandedPull,
    certificate: Result<Certificate, Failure>,
}

/// How long after its start a pull that was cut may go on: half a day.
const GOES_ON_MICROS: i64 = 12 * 3_600_000_000;

impl<'a> DataFolder<'a> {
    /// Goes on with a pull that was cut, or whose source failed, at the page that it had reached, under its own run; gives
    /// none if it cannot. The same connector, and not long after: a page chain does not hold still for ever.
    pub(super) async fn go_on(&self, pull: &Pull, now: i64, progress: &Progress<'_>) -> Result<Option<Pull>, RunError> {
        let Some(connector) = self.config.connector(&pull.connector) else { return Ok(None) };
        let landed = LandedPull::new(&self.data, &pull.connector, pull.run);
        let in_time = now - pull.started_at < GOES_ON_MICROS && pull.purpose == Purpose::Night;
        let Some((plan, pages, position)) = landed.cut()?.filter(|_| in_time) else { return Ok(None) };
        if plan.connector != connector.digest {
            return Ok(None);
        }
        tracing::info!(run = pull.run, connector = connector.name, pages = pages.len(), "pull goes on");
        let Plan { now, cursor, oldest_open, whole, sweep, .. } = plan;
        let start =
            PullStart { now, cursor, oldest_open, whole_pass: whole, resume: Some(position), ..PullStart::default() };
        let task = PullTask {
            connector,
            run: pull.run,
            purpose: Purpose::Night,
            start,
            sweep,
            landed: pages,
            mends: Vec::new(),
            old_files: BTreeMap::new(),
        };
        self.pull(task, progress).await.map(Some)
    }

    /// Reads and lands the night's pages of a connector. Nothing of it counts before it is [taken](Self::take).
    pub(super) async fn read_night(
        &self,
        connector: &'a Connector,
        run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<ReadPull<'a>, RunError> {
        let sweep = self.due_sweep(connector, now).await?;
        let mut start = self.start_of(connector, now).await?;
        start.whole_pass = sweep.as_ref().map(|sweep| sweep.pass.clone());
        let (landed, mends, old_files) = (Vec::new(), Vec::new(), BTreeMap::new());
        self.read(
            PullTask { connector, run, purpose: Purpose::Night, start, sweep, landed, mends, old_files },
            progress,
        )
        .await
    }

    /// A pull that failed in the night before goes on first, so that its pages are not asked for twice.
    pub(super) async fn go_on_with_failed(
        &self,
        connector: &Connector,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<(), RunError> {
        let last = self.ledger.pulls_of(&connector.name, 1).await?.into_iter().next();
        if let Some(last) = last.filter(|last| last.outcome == Some(Outcome::Failed)) {
            self.go_on(&last, now, progress).await?;
        }
        Ok(())
    }

    /// Pulls: reads and takes.
    pub(super) async fn pull(&self, task: PullTask<'_>, progress: &Progress<'_>) -> Result<Pull, RunError> {
        let read = self.read(task, progress).await?;
        self.take(read, progress).await
    }

    async fn read<'c>(&self, task: PullTask<'c>, progress: &Progress<'_>) -> Result<ReadPull<'c>, RunError> {
        let (connector, run) = (task.connector, task.run);
        let begun = Pull::begun(run, connector, task.purpose, task.start.now);
        self.ledger.write_pull(&begun).await?;
        tracing::info!(run, connector = connector.name, purpose = task.purpose.name(), "pull begun");
        let landed = LandedPull::new(&self.data, &connector.name, run);
        match guarded(self.land(task, &landed, progress)).await {
            Ok(certificate) => Ok(ReadPull { connector, begun, landed, certificate: Ok(certificate) }),
            Err(Stopped::Pull(failure)) => Ok(ReadPull { connector, begun, landed, certificate: Err(failure) }),
            Err(Stopped::Run(error)) => Err(error),
        }
    }

    /// Settles what was read. A pull that failed leaves tables and cursor as they were, and says why.
    pub(super) async fn take(&self, read: ReadPull<'_>, progress: &Progress<'_>) -> Result<Pull, RunError> {
        let ReadPull { connector, begun, landed, certificate } = read;
        match certificate {
            Ok(certificate) => {
                progress(&format!("{}: settling", connector.name));
                self.settle_or_fail(connector, &landed, &certificate, begun).await
            }
            Err(failure) => self.fail(begun, failure).await,
        }
    }

    async fn land(
        &self,
        task: PullTask<'_>,
        landed: &LandedPull,
        progress: &Progress<'_>,
    ) -> Result<Certificate, Stopped> {
        let PullTask { connector, run, purpose, start, sweep, landed: mut pages, mends, old_files } = task;
        let goes_on = start.resume.is_some();
        if pages.is_empty() {
            landed.clear()?;
        }
        if purpose == Purpose::Night && !goes_on {
            landed.write_plan(&plan_of(connector, &start, sweep.as_ref()))?;
        }
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let started_at = start.now;
        let before = start.cursor.clone();
        let mut reading = sources::open(connector, &readers, &self.config.values, start).await?;
        let mut fields = FieldsSeen::default();
        let mut received: u64 = pages.iter().map(|page| page.rows).sum();
        // A pull that goes on numbers its pages itself.
        let shift = if goes_on { 0 } else { u32::try_from(pages.len()).unwrap_or(u32::MAX) };
        let landed_before = pages.len();
        let of_files = matches!(connector.file.access, Access::Files { .. });
        let unfinished = loop {
            let mut page = match reading.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break None,
                // What was read stays true: it counts, and the cursor does not. A web source of which nothing came goes on later.
                Err(error) if error.is_incomplete() && (received > 0 || of_files) => break Some(error),
                Err(error) => return Err(error.into()),
            };
            page.number += shift;
            let written = landed.write(&page, &readers, reading.position())?;
            let read_by = old_files.get(&page.body_digest).and_then(|read| {
                let before = pages.iter().skip(landed_before).filter(|landed| landed.body_digest == page.body_digest);
                read.get(before.count()).or(read.last()).copied()
            });
            pages.push(LandedPage { read_by, ..written });
            gather(&mut fields, &page);
            received += page.len() as u64;
            progress(&format!("{}: page {}, {received} records", connector.name, page.number));
            tracing::debug!(run, connector = connector.name, page = page.number, rows = page.len(), "page landed");
        };
        if goes_on {
            fields = FieldsSeen::default();
        }
        let reached = Cursor { connector: connector.digest.clone(), ..reading.cursor() };
        // A file that is gone was not read again: its rows stay open.
        let was_read = |file: &String| pages.iter().any(|page| page.body_digest == *file);
        let mends =
            mends.into_iter().filter(|(_, file)| file.as_ref().is_none_or(was_read)).map(|(id, _)| id).collect();
        let mut certificate = Certificate {
            connector: connector.name.clone(),
            run,
            purpose,
            pages,
            chains: reading.chains(),
            fields,
            sweep,
            mends,
            // Only nights move the cursor of time; files that were read are read, whatever for.
            cursor: if purpose == Purpose::Night {
                reached.clone()
            } else {
                Cursor { files: reached.files.clone(), ..before }
            },
            started_at,
            finished_at: clock::now(),
            ..Certificate::default()
        };
        let growing = reading.growing_files();
        if !growing.is_empty() {
            certificate.outcome = Outcome::Incomplete;
            ErrorKind::FileGrowing.code().clone_into(&mut certificate.reason);
            certificate.message = format!("still being written, left for the next run: `{}`", growing.join("`, `"));
            ErrorKind::FileGrowing.hint().clone_into(&mut certificate.hint);
        } else if let Some(error) = unfinished {
            certificate.outcome = Outcome::Incomplete;
            error.kind.code().clone_into(&mut certificate.reason);
            certificate.message = error.to_string();
            error.kind.hint().clone_into(&mut certificate.hint);
        } else if reading.files_found() == Some(0) && connector.file.contract.least_of_usual > 0.0 {
            // A wrong folder, a share that is not there, or a post office that does not deliver: no empty night.
            certificate.outcome = Outcome::Incomplete;
            "no_file".clone_into(&mut certificate.reason);
            certificate.message = match certificate.cursor.files.len() {
                0 => "the folder holds no file that `glob` matches, and never did".to_owned(),
                read => format!("the folder holds no file that `glob` matches; {read} were read from it before"),
            };
            "is it the right folder, and is the share there? If files are taken away when they were read, set `contract.least_of_usual = 0.0`"
                .clone_into(&mut certificate.hint);
        }
        landed.seal(&certificate)?;
        Ok(certificate)
    }

    /// Where the pull begins: the cursor that counts, and the oldest open dossier by each column that a pass asks for.
    pub(super) async fn start_of(&self, connector: &Connector, now: i64) -> Result<PullStart, RunError> {
        let kind = connector.file.connector.kind;
        let reached = self.lake.last_run(kind, &connector.name).await?;
        let mut cursor = self.ledger.cursor(&connector.name, reached).await?;
        if cursor.connector != connector.digest {
            cursor = Cursor::default();
        }
        let mut oldest_open = BTreeMap::new();
        for pass in connector.file.window.passes.iter().filter(|pass| pass.start == Start::OldestOpen) {
            if let Some(column) = &pass.open_column
                && let Some(oldest) = self.lake.oldest_open(kind, &connector.name, column).await?
            {
                oldest_open.insert(column.clone(), oldest);
            }
        }
        Ok(PullStart { now, cursor, oldest_open, ..PullStart::default() })
    }
}

fn plan_of(connector: &Connector, start: &PullStart, sweep: Option<&SliceRef>) -> Plan {
    Plan {
        connector: connector.digest.clone(),
        now: start.now,
        cursor: start.cursor.clone(),
        oldest_open: start.oldest_open.clone(),
        whole: start.whole_pass.clone(),
        sweep: sweep.cloned(),
    }
}

fn gather(fields: &mut FieldsSeen, page: &Page) {
    for field in page.fields_seen() {
        if !fields.kept.contains(field) {
            fields.kept.insert(field.clone());
        }
    }
    for (field, sighting) in page.other_fields() {
        let here = crate::model::pull::Sighting { page: page.number, ..sighting };
        fields.others.entry(field.to_owned()).and_modify(|known| known.rows += sighting.rows).or_insert(here);
    }
}
