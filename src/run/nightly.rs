//! The night: every connector is read, settled, and the night is closed.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::model::connector::Connector;
use crate::model::pull::{Outcome, Purpose};
use crate::run::clock;
use crate::run::data_folder::{DataFolder, RunReport};
use crate::run::error::RunError;
use crate::run::progress::Progress;

impl DataFolder<'_> {
    /// Runs one night: of the named connectors, or of all that are neither disabled nor paused. It can be stopped until its
    /// figures are computed ([`Ledger::ask_to_stop`](crate::run::Ledger::ask_to_stop)).
    pub async fn run_once(&self, only: &[String], now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let done = Box::pin(self.night(only, now, progress)).await;
        self.end_if_stopped(done).await
    }

    async fn night(&self, only: &[String], now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let connectors = self.chosen(only).await?;
        let mut run = self.begin(Purpose::Night, now, progress).await?;
        if Box::pin(self.resume_failed(&connectors, run, now, progress)).await? {
            self.check_stop(run).await?;
            // A run of its own: a night has one pull of a connector, and the night before is closed, so that what it did not
            // have is stored under a later run.
            self.ledger.finish_run(run, clock::now(), None).await?;
            run = self.begin(Purpose::Night, now, progress).await?;
        }
        // Sources are read side by side; their pulls are settled one after the other, in the order of the names.
        let (reader, settler) = (self.reader(progress), self.settler(progress));
        let reading = connectors.iter().map(|connector| reader.read_night_or_stop(connector, run, now));
        let at_once = self.config.settings.night.connectors_at_once;
        let read: Vec<_> = stream::iter(reading).buffered(at_once).try_collect().await?;
        let mut pulls = Vec::new();
        for read in read {
            self.check_stop(run).await?;
            pulls.push(settler.settle_read(read?).await?);
        }
        self.check_stop(run).await?;
        self.close(run, pulls, now, progress).await
    }

    /// Resumes the last pull of each connector if it failed, so that the pages it landed are not requested again. Returns
    /// whether there was one.
    async fn resume_failed(
        &self,
        connectors: &[&Connector],
        run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<bool, RunError> {
        let mut is_any = false;
        for connector in connectors {
            self.check_stop(run).await?;
            let last = self.ledger.pulls_of(&connector.name, 1).await?.into_iter().next();
            if let Some(failed) = last.filter(|last| last.outcome == Some(Outcome::Failed))
                && let Some(read) = self.reader(progress).resume(&failed, run, now).await?
            {
                self.settler(progress).settle_read(read).await?;
                is_any = true;
            }
        }
        Ok(is_any)
    }
}
