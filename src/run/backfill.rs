//! Backfill: days of the past are read again, slice by slice, each slice in a run of its own. The cursor of the nights
//! stays where it is.
//!
//! Slices that were read are noted. A backfill that was cut, called again with the same days, goes on behind them; one
//! that was finished starts again from its first slice.

use jiff::civil::Date;

use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{Outcome, Purpose, SliceRef};
use crate::run::data_folder::{DataFolder, RunReport};
use crate::run::error::RunError;
use crate::run::ledger::Pull;
use crate::run::progress::Progress;
use crate::run::reading::PullTask;
use crate::sources::{PullStart, plan};

/// A slice of a backfill that is not read yet.
struct PendingSlice {
    /// 1-based position among all slices.
    number: usize,
    slice: SliceRef,
    /// Pass and first day: the name under which it is noted as read.
    name: String,
}

impl DataFolder<'_> {
    /// Reads the days from `from` to `to`, both included, then computes and publishes. Ends at the first slice that
    /// fails or is incomplete.
    pub async fn backfill(
        &self,
        name: &str,
        (from, to): (Date, Date),
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<RunReport, RunError> {
        let done = Box::pin(self.backfill_days(name, (from, to), now, progress)).await;
        self.end_if_stopped(done).await
    }

    async fn backfill_days(
        &self,
        name: &str,
        (from, to): (Date, Date),
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<RunReport, RunError> {
        let connector = self.connector(name)?;
        if connector.file.window.passes.is_empty() {
            return Err(RunError::NoWindow { name: name.to_owned() });
        }
        let slices = slices(connector, (from, to), now);
        let (from, to) = (from.to_string(), to.to_string());
        if slices.is_empty() {
            return Err(RunError::NoStretch { from, to });
        }
        let count = slices.len();
        let mut run = self.begin(Purpose::Backfill, now, progress).await?;
        let mut pulls = Vec::new();
        for pending in self.pending(connector, slices, (&from, &to)).await? {
            self.check_stop(run).await?;
            if !pulls.is_empty() {
                self.ledger.finish_run(run, now, None).await?;
                run = self.begin(Purpose::Backfill, now, progress).await?;
            }
            let PendingSlice { number, slice, name: slice_name } = pending;
            progress(&format!("{name}: slice {number} of {count}, {slice_name}"));
            let pull = self.backfill_slice(connector, slice, run, now, progress).await?;
            let is_whole = matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
            pulls.push(pull);
            if !is_whole {
                self.check_stop(run).await?;
                return self.close(run, pulls, now, progress).await;
            }
            self.ledger.note_backfilled(connector, (&from, &to), &slice_name, run).await?;
        }
        self.check_stop(run).await?;
        self.ledger.delete_backfill(connector, &from, &to).await?;
        self.close(run, pulls, now, progress).await
    }

    /// The slices that an earlier call of the same backfill has not read.
    async fn pending(
        &self,
        connector: &Connector,
        slices: Vec<SliceRef>,
        (from, to): (&str, &str),
    ) -> Result<Vec<PendingSlice>, RunError> {
        let read = self.ledger.backfilled(connector, from, to).await?;
        let numbered = (1..).zip(slices).map(|(number, slice)| {
            let name = format!("{} {}", slice.pass, instant::local(slice.since_micros).date());
            PendingSlice { number, slice, name }
        });
        Ok(numbered.filter(|pending| !read.contains(&pending.name)).collect())
    }

    async fn backfill_slice(
        &self,
        connector: &Connector,
        slice: SliceRef,
        run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Pull, RunError> {
        let reader = self.reader(progress);
        let cursor = reader.start_of(connector, now).await?.cursor;
        let start = PullStart { now, cursor, only_slices: Some(vec![slice]), ..PullStart::default() };
        let read = reader.read(PullTask::new(connector, run, Purpose::Backfill, start)).await?;
        self.settler(progress).settle_read(read).await
    }
}

/// The days from `from` to `to` in slices, for every pass of the connector; nothing after `now`.
fn slices(connector: &Connector, (from, to): (Date, Date), now: i64) -> Vec<SliceRef> {
    let first = instant::from_local(from.into());
    let Ok(after) = to.tomorrow() else { return Vec::new() };
    let last = instant::from_local(after.into()).min(now);
    let mut slices = Vec::new();
    for pass in &connector.file.window.passes {
        let slice = |(since_micros, until_micros)| SliceRef { pass: pass.name.clone(), since_micros, until_micros };
        slices.extend(plan::cut(pass, first, last).into_iter().map(slice));
    }
    slices
}
