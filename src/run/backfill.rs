//! Backfill: a stretch of the past read again, slice by slice, each a run of its own. The nights' cursor stays where it is.
//!
//! A slice that was read is noted: called again, a backfill that was cut goes on after it; one that was done begins anew.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::connector::Connector;
use crate::model::instant::{self, DAY_MICROS};
use crate::model::pull::{Outcome, Purpose, SliceRef};
use crate::run::pull::PullTask;
use crate::run::{DataFolder, Progress, RunError, RunReport};
use crate::sources::PullStart;

impl DataFolder<'_> {
    /// Reads the days from `from` to `to`, both included, then computes and publishes.
    pub async fn backfill(
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
        let mut run = self.begin(Purpose::Backfill, now, progress).await?;
        let done = self.ledger.backfilled(connector, &from, &to).await?;
        let count = slices.len();
        let mut ahead: Vec<(usize, SliceRef, String)> = Vec::new();
        for (number, slice) in (1..).zip(slices) {
            let named = format!("{} {}", slice.pass, instant::local(slice.since_micros).date());
            if !done.contains(&named) {
                ahead.push((number, slice, named));
            }
        }
        let mut pulls = Vec::new();
        for (number, slice, named) in ahead {
            if !pulls.is_empty() {
                self.ledger.finish_run(run, now, None).await?;
                run = self.begin(Purpose::Backfill, now, progress).await?;
            }
            progress(&format!("{name}: slice {number} of {count}, {named}"));
            let cursor = self.start_of(connector, now).await?.cursor;
            let start = PullStart { now, cursor, only_slices: Some(vec![slice]), ..PullStart::default() };
            let (purpose, landed, old_files) = (Purpose::Backfill, Vec::new(), BTreeMap::new());
            let task = PullTask { connector, run, purpose, start, sweep: None, landed, mends: Vec::new(), old_files };
            let pull = self.pull(task, progress).await?;
            let whole = matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
            pulls.push(pull);
            if !whole {
                return self.close(run, pulls, now, progress).await;
            }
            self.ledger.note_backfilled(connector, (&from, &to), &named, run).await?;
        }
        self.ledger.forget_backfill(connector, &from, &to).await?;
        self.close(run, pulls, now, progress).await
    }
}

/// Every pass over the days, in slices of its length; nothing after now.
fn slices(connector: &Connector, (from, to): (Date, Date), now: i64) -> Vec<SliceRef> {
    let first = instant::from_local(from.into());
    let Ok(after) = to.tomorrow() else { return Vec::new() };
    let last = instant::from_local(after.into()).min(now);
    let mut slices = Vec::new();
    for pass in &connector.file.window.passes {
        let step = i64::from(pass.slice_days.max(1)) * DAY_MICROS;
        let mut since = first;
        while since < last {
            let until = (since + step).min(last);
            slices.push(SliceRef { pass: pass.name.clone(), since_micros: since, until_micros: until });
            since = until;
        }
    }
    slices
}
