//! Reading a pull: its pages are read from the source, landed one by one, and sealed by a certificate.
//!
//! A pull that is cut, or whose source fails, can be resumed at the page that it had reached; a pull without a
//! certificate does not count.

mod landed_files;
mod page_landing;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use self::page_landing::PageLanding;
use crate::config::Configuration;
use crate::fields::DateFormat;
use crate::fields::Readers;
use crate::lake::Lake;
use crate::landing::{LandedPull, PullPlan};
use crate::model::connector::{Access, Connector, Start};
use crate::model::instant;
use crate::model::pull::{Certificate, Cursor, LandedPage, Outcome, Purpose, ReadBy, SliceRef};
use crate::run::error::RunError;
use crate::run::failure::{Failure, PullError, catch_panic};
use crate::run::ledger::{Ledger, Pull};
use crate::run::progress::Progress;
use crate::sources::{self, PullStart};

/// How long after its start a pull that was cut may be resumed: half a day. A page chain does not stay the same for
/// longer.
const RESUMABLE_MICROS: i64 = 12 * 3_600_000_000;
/// How often a pull asks the ledger whether its run is to be stopped.
const STOP_CHECK: Duration = Duration::from_secs(1);
/// Earlier pulls that are searched for the last sweep.
const EARLIER_PULLS: i64 = 400;

/// What a pull reads, and why.
#[derive(Debug, Clone)]
pub(super) struct PullTask<'c> {
    pub(super) connector: &'c Connector,
    pub(super) run: i64,
    pub(super) purpose: Purpose,
    pub(super) start: PullStart,
    /// Time range that the pull sweeps: records of it that the source does not list are marked as deleted.
    pub(super) sweep: Option<SliceRef>,
    /// Pages that are landed already, numbered from 1: those of a retry, or of the pull that is resumed.
    pub(super) landed: Vec<LandedPage>,
    /// Rejections that are read again: id, and content digest of the file if the row came in one.
    pub(super) mends: Vec<(i64, Option<String>)>,
    /// Content digest of a file that is read again → where its pages were read first.
    pub(super) old_files: BTreeMap<String, Vec<ReadBy>>,
}

impl<'c> PullTask<'c> {
    /// A task without sweep, landed pages and rejections.
    pub(super) fn new(connector: &'c Connector, run: i64, purpose: Purpose, start: PullStart) -> Self {
        let (landed, mends, old_files) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { connector, run, purpose, start, sweep: None, landed, mends, old_files }
    }
}

/// A pull that was read: its pages are landed, or it failed.
#[derive(Debug)]
pub(super) struct ReadPull<'c> {
    pub(super) connector: &'c Connector,
    pub(super) begun: Pull,
    pub(super) landed: LandedPull,
    pub(super) certificate: Result<Certificate, Failure>,
}

/// Reads sources and lands their pages. Changes no table.
pub(super) struct PullReader<'a> {
    pub(super) config: &'a Configuration,
    pub(super) data: &'a Path,
    pub(super) lake: &'a Lake,
    pub(super) ledger: &'a Ledger,
    /// Number from which the runs of the verb begin: requests to stop earlier ones are about others.
    pub(super) first_run: i64,
    pub(super) progress: &'a Progress<'a>,
}

impl<'a> PullReader<'a> {
    /// Reads a connector's pull of the night, with its sweep if one is due.
    pub(super) async fn read_night(
        &self,
        connector: &'a Connector,
        run: i64,
        now: i64,
    ) -> Result<ReadPull<'a>, RunError> {
        let sweep = self.due_sweep(connector, now).await?;
        let mut start = self.start_of(connector, now).await?;
        start.whole_pass = sweep.as_ref().map(|sweep| sweep.pass.clone());
        let old_files = read_before_files_were_known(&start);
        self.read(PullTask { sweep, old_files, ..PullTask::new(connector, run, Purpose::Night, start) }).await
    }

    /// As [`Self::read_night`]; the inner error is that the run was stopped. The readers of other connectors end by themselves
    /// then: none is left to write into landing.
    pub(super) async fn read_night_or_stop(
        &self,
        connector: &'a Connector,
        run: i64,
        now: i64,
    ) -> Result<Result<ReadPull<'a>, RunError>, RunError> {
        match self.read_night(connector, run, now).await {
            Err(stopped @ RunError::Stopped { .. }) => Ok(Err(stopped)),
            read => read.map(Ok),
        }
    }

    /// Resumes a night's pull that was cut or whose source failed: reads on behind its last landed page, as a pull of `run`.
    /// `None` if it cannot be resumed: it landed no page, is too old, was read by a connector that read other records, or a
    /// later run of the connector is committed already.
    pub(super) async fn resume(&self, pull: &Pull, run: i64, now: i64) -> Result<Option<ReadPull<'a>>, RunError> {
        let Some(connector) = self.config.connector(&pull.connector) else { return Ok(None) };
        let landed = LandedPull::new(self.data, &pull.connector, pull.run);
        let in_time = now - pull.started_at < RESUMABLE_MICROS && pull.purpose == Purpose::Night;
        let Some((plan, pages, position)) = landed.resumable()?.filter(|_| in_time) else { return Ok(None) };
        let reached = self.lake.last_run(connector.file.connector.kind, &connector.name).await?;
        if !connector.was_read_with(&plan.connector) || reached.is_some_and(|reached| reached > pull.run) {
            return Ok(None);
        }
        tracing::info!(run, connector = connector.name, begun_by = pull.run, pages = pages.len(), "pull resumed");
        if run != pull.run {
            landed.move_to(LandedPull::new(self.data, &pull.connector, run))?;
        }
        let PullPlan { now, cursor, oldest_open, whole, sweep, .. } = plan;
        let start =
            PullStart { now, cursor, oldest_open, whole_pass: whole, resume: Some(position), ..PullStart::default() };
        let task = PullTask { sweep, landed: pages, ..PullTask::new(connector, run, Purpose::Night, start) };
        self.read(task).await.map(Some)
    }

    /// Reads a pull and lands its pages. An error of its source, or one of motcua's own that concerns this pull alone,
    /// fails it.
    pub(super) async fn read<'c>(&self, task: PullTask<'c>) -> Result<ReadPull<'c>, RunError> {
        let (connector, run) = (task.connector, task.run);
        let begun = Pull::begun(run, connector, task.purpose, task.start.now);
        self.ledger.write_pull(&begun).await?;
        tracing::info!(run, connector = connector.name, purpose = task.purpose.name(), "pull begun");
        let landed = LandedPull::new(self.data, &connector.name, run);
        let read = tokio::select! {
            read = catch_panic(self.land(task, &landed)) => read,
            // Only requests are given up: pages are landed without a pause. The next run reads on behind the last page.
            stopped = self.stop_of(run) => Err(PullError::Run(stopped)),
        };
        match read {
            Ok(certificate) => Ok(ReadPull { connector, begun, landed, certificate: Ok(certificate) }),
            Err(PullError::Pull(failure)) => {
                landed.remove_personal_cursors(connector.file.request.as_ref())?;
                Ok(ReadPull { connector, begun, landed, certificate: Err(failure) })
            }
            Err(PullError::Run(error)) => Err(error),
        }
    }

    /// Waits until somebody asks that the run be stopped, also while a source does not answer.
    async fn stop_of(&self, run: i64) -> RunError {
        loop {
            match self.ledger.asked_to_stop(self.first_run).await {
                Ok(Some(by)) => return RunError::Stopped { run, by },
                Ok(None) => {}
                // What is read does not depend on it, and the next look may succeed.
                Err(error) => tracing::warn!(run, "cannot look whether the run is to be stopped: {error}"),
            }
            tokio::time::sleep(STOP_CHECK).await;
        }
    }

    async fn land(&self, mut task: PullTask<'_>, folder: &LandedPull) -> Result<Certificate, PullError> {
        // What is read would be compared with versions that cannot be trusted.
        self.lake.check_versions(task.connector.file.connector.kind, &task.connector.name).await?;
        self.lake.check_image(task.connector.file.connector.kind, &task.connector.name).await?;
        let readers = Readers::of(task.connector);
        prepare_folder(&task, folder)?;
        let start = std::mem::take(&mut task.start);
        let mut landing = PageLanding::new(task, &start, folder, &readers);
        let mut source = sources::open(landing.connector(), &readers, &self.config.values, start).await?;
        let interruption = landing.land_pages(&mut source, self.progress).await?;
        let certificate = landing.certificate(&source, interruption);
        folder.seal(&certificate)?;
        Ok(certificate)
    }

    /// Where a pull starts: the cursor that counts, and the oldest open dossier by each column that a pass starts from.
    pub(super) async fn start_of(&self, connector: &Connector, now: i64) -> Result<PullStart, RunError> {
        let kind = connector.file.connector.kind;
        let reached = self.lake.last_run(kind, &connector.name).await?;
        let mut cursor = self.ledger.cursor(&connector.name, reached).await?;
        // A connector that reads other records may accept what the pulls before rejected or left out: it reads
        // everything again.
        if !connector.was_read_with(&cursor.connector) {
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
        let mut start = PullStart { now, cursor, oldest_open, ..PullStart::default() };
        if let Access::Files { order, .. } = &connector.file.access {
            let before = self.ledger.files_counted_before(&connector.name, reached, i64::MAX).await?;
            start.known_files = self.ledger.known_files(&connector.name, before).await?;
            if start.known_files.is_empty() && (reached.is_some() || !start.cursor.files.is_empty()) {
                start.known_files = landed_files::landed_files(self.data, &connector.name, order)?;
                start.are_imported = true;
            }
            let lost = landed_files::without_pages(self.data, connector, &start.known_files);
            start.cursor.files.retain(|digest| !lost.contains(digest));
        }
        Ok(start)
    }

    /// Time range of tonight's sweep: from the first date of its pass until now. `None` if the connector has no sweep,
    /// or none is due yet.
    async fn due_sweep(&self, connector: &Connector, now: i64) -> Result<Option<SliceRef>, RunError> {
        let Some(sweep) = &connector.file.sweep else { return Ok(None) };
        let Some(pass) = connector.file.window.passes.iter().find(|pass| pass.name == sweep.pass) else {
            return Ok(None);
        };
        let pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
        let whole = || pulls.iter().filter(|pull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded)));
        let last_sweep = whole().filter(|pull| pull.findings.sweep.is_some()).map(|pull| pull.started_at).max();
        let first_pull = whole().map(|pull| pull.started_at).min();
        let is_due = last_sweep.or(first_pull).is_some_and(|last| is_due(last, now, sweep.every_days));
        let since =
            DateFormat::compile("yyyy-MM-dd").ok().and_then(|format| format.read(&pass.first_date, &instant::zone()));
        let range = |since| SliceRef { pass: pass.name.clone(), since_micros: since, until_micros: now };
        Ok(since.filter(|_| is_due).map(range))
    }
}

/// Whether so many calendar days have passed: a night that begins a minute earlier than the last one is the next night.
/// Microseconds UTC.
fn is_due(last: i64, now: i64, every_days: u32) -> bool {
    let days = instant::local(now).date().since(instant::local(last).date());
    days.is_ok_and(|days| i64::from(days.get_days()) >= i64::from(every_days))
}

/// Contents that were read before the ledger knew of files and whose landed pages are gone: their rows are older than
/// all that is stored.
fn read_before_files_were_known(start: &PullStart) -> BTreeMap<String, Vec<ReadBy>> {
    if !start.are_imported {
        return BTreeMap::new();
    }
    let is_known = |digest: &&String| start.known_files.iter().any(|file| file.content.digest == **digest);
    let unknown = start.cursor.files.iter().filter(|digest| !is_known(digest));
    unknown.map(|digest| (digest.clone(), vec![ReadBy { run: 0, page: 0 }])).collect()
}

/// Empties the landing folder unless pages of the task lie in it, and writes the plan by which a night's pull can be
/// resumed.
fn prepare_folder(task: &PullTask<'_>, folder: &LandedPull) -> Result<(), PullError> {
    if task.landed.is_empty() {
        folder.clear()?;
    }
    let (start, is_resumed) = (&task.start, task.start.resume.is_some());
    if task.purpose == Purpose::Night && !is_resumed {
        folder.write_plan(&PullPlan {
            connector: task.connector.digest.clone(),
            now: start.now,
            cursor: start.cursor.clone(),
            oldest_open: start.oldest_open.clone(),
            whole: start.whole_pass.clone(),
            sweep: task.sweep.clone(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_sweep_is_due_after_calendar_days() {
        let last = instant::from_local(date(2026, 3, 1).at(1, 30, 0, 0));
        for (day, hour, every_days, expected) in
            [(1, 23, 1, false), (2, 0, 1, true), (2, 1, 1, true), (7, 23, 7, false), (8, 0, 7, true), (1, 2, 0, true)]
        {
            let now = instant::from_local(date(2026, 3, day).at(hour, 0, 0, 0));
            assert_eq!(is_due(last, now, every_days), expected, "day {day}, {hour} o'clock, every {every_days} days");
        }
    }
}
