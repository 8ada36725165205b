//! Recovery: finishes the pulls and runs that an earlier process left unfinished. Landing is the write-ahead log.
//!
//! Every run begins with it, so no pull starts at the cursor of another that is not done.

use strum::IntoEnumIterator as _;

use crate::landing::LandedPull;
use crate::model::pull::Certificate;
use crate::model::table::RecordKind;
use crate::run::data_folder::DataFolder;
use crate::run::error::RunError;
use crate::run::failure::Failure;
use crate::run::ledger::{Pull, PullState};
use crate::run::progress::Progress;
use crate::run::settling::SealedPull;

impl DataFolder<'_> {
    /// Brings the images up to their versions, finishes every pull that was cut, and ends every run that was. `run`: the run that
    /// does it.
    pub(super) async fn finish_cut_runs(&self, run: i64, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        for kind in RecordKind::iter() {
            match self.lake.update_image(kind).await {
                // The log has the place and the connectors, whose pulls fail until it is mended.
                Err(error) if error.is_of_rows() => {
                    tracing::error!(table = kind.image_name(), "the image is not up to date: {error}");
                }
                updated => {
                    updated?;
                }
            }
        }
        for pull in self.ledger.unfinished_pulls().await? {
            self.check_stop(run).await?;
            tracing::warn!(run = pull.run, connector = pull.connector, "finishing a pull that was cut");
            self.finish_cut_pull(pull, now, progress).await?;
        }
        for cut in self.ledger.unfinished_runs().await?.into_iter().filter(|cut| *cut != run) {
            tracing::warn!(run = cut, "ending a run that was cut");
            self.ledger.finish_run(cut, now, None).await?;
        }
        Ok(())
    }

    /// Finishes a pull that was cut. If the tables hold its versions, it is done. Otherwise it is settled under its own
    /// run if it was sealed, else resumed, else `interrupted`.
    async fn finish_cut_pull(&self, pull: Pull, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        let settler = self.settler(progress);
        let committed = self.lake.committed_runs(&pull.connector).await?;
        if pull.state == PullState::Settled && committed.contains(&pull.run) {
            // The tables of every kind are looked at: the connector may be configured no more.
            let mut kinds = Vec::new();
            for kind in RecordKind::iter() {
                if self.lake.behind(kind).await?.contains(&pull.connector) {
                    kinds.push(kind);
                }
            }
            match kinds.first() {
                Some(kind) => settler.finish_imaged(*kind, pull).await?,
                None => settler.finish(pull).await?,
            };
            return Ok(());
        }
        if committed.last().is_some_and(|newest| *newest > pull.run) {
            return self.discard_overtaken(pull, progress).await;
        }
        if self.config.mistaken(&pull.connector).is_some() {
            let (run, connector) = (pull.run, &pull.connector);
            tracing::warn!(
                run,
                connector,
                "the pull stays unfinished until the mistakes in its connector are corrected"
            );
            return Ok(());
        }
        let landed = LandedPull::new(&self.data, &pull.connector, pull.run);
        if let (Some(connector), Some(certificate)) =
            (self.config.connector(&pull.connector), certificate_of(&landed, &pull))
        {
            // The process may have ended between the certificate and the removal.
            landed.remove_cursors()?;
            let sealed = SealedPull { connector, landed: &landed, certificate: &certificate };
            settler.settle_or_fail(sealed, pull).await?;
            return Ok(());
        }
        if pull.state == PullState::Reading
            && let Some(read) = self.reader(progress).resume(&pull, pull.run, now).await?
        {
            settler.settle_read(read).await?;
            return Ok(());
        }
        landed.remove_cursors()?;
        let stopped_by = self.ledger.run(pull.run).await?.and_then(|run| run.stopped_by);
        let failure = match stopped_by {
            Some(by) => stopped(&by),
            None => interrupted("the run was cut while pages were being read"),
        };
        settler.fail(pull, failure).await?;
        Ok(())
    }

    /// Fails a pull that can no longer be committed, because a later run of its connector is. What it read is read
    /// again: cursors of later pulls may build on its own.
    async fn discard_overtaken(&self, pull: Pull, progress: &Progress<'_>) -> Result<(), RunError> {
        LandedPull::new(&self.data, &pull.connector, pull.run).remove_cursors()?;
        if pull.cursor.is_some() {
            self.ledger.discard_cursors_after(&pull.connector, pull.run).await?;
        }
        let message = "the run was cut before what it read was stored, and later runs were stored since";
        self.settler(progress).fail(pull, interrupted(message)).await?;
        Ok(())
    }
}

/// Certificate of a pull. One that cannot be read counts as missing: the pages are read from the source again.
fn certificate_of(landed: &LandedPull, pull: &Pull) -> Option<Certificate> {
    landed.certificate().unwrap_or_else(|error| {
        let (run, connector) = (pull.run, &pull.connector);
        tracing::warn!(run, connector, "the pull cannot be finished from landing: {error}");
        None
    })
}

fn stopped(by: &str) -> Failure {
    Failure {
        code: "stopped",
        message: format!("the run was stopped by `{by}` while pages were being read"),
        hint: "nothing to do: the next night reads the connector again; repeat a backfill, or a retry of rejected rows",
    }
}

fn interrupted(message: &str) -> Failure {
    Failure {
        code: "interrupted",
        message: message.to_owned(),
        hint: "nothing to do: the next run reads the connector from its source again",
    }
}
