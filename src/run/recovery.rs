//! Recovery: finishes the runs that an earlier process left unfinished. Landing is the write-ahead log.

use strum::IntoEnumIterator as _;

use crate::landing::LandedPull;
use crate::model::pull::Outcome;
use crate::model::table::RecordKind;
use crate::run::data_folder::DataFolder;
use crate::run::error::RunError;
use crate::run::ledger::{Pull, PullState};
use crate::run::progress::Progress;
use crate::run::settling::SealedPull;

impl DataFolder<'_> {
    /// Brings the images up to their versions and finishes every run that was cut.
    pub(super) async fn finish_cut_runs(&self, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        for kind in RecordKind::iter() {
            self.lake.update_image(kind).await?;
        }
        for run in self.ledger.unfinished_runs().await? {
            tracing::warn!(run, "finishing a run that was cut");
            for pull in self.ledger.pulls_of_run(run).await? {
                if pull.state != PullState::Done {
                    self.finish_cut_pull(pull, now, progress).await?;
                }
            }
            self.ledger.finish_run(run, now, None).await?;
        }
        Ok(())
    }

    /// Finishes a pull that was cut: it is settled under its own run if it was sealed, else resumed, else
    /// `interrupted`.
    async fn finish_cut_pull(&self, pull: Pull, now: i64, progress: &Progress<'_>) -> Result<(), RunError> {
        let landed = LandedPull::new(&self.data, &pull.connector, pull.run);
        // A certificate that cannot be read counts as missing: the pages are read from the source again.
        let certificate = landed.certificate().unwrap_or_else(|error| {
            tracing::warn!(
                run = pull.run,
                connector = pull.connector,
                "the pull cannot be finished from landing: {error}"
            );
            None
        });
        if let (Some(connector), Some(certificate)) = (self.config.connector(&pull.connector), certificate) {
            let sealed = SealedPull { connector, landed: &landed, certificate: &certificate };
            self.settler(progress).settle_or_fail(sealed, pull).await?;
            return Ok(());
        }
        if pull.state == PullState::Reading
            && let Some(read) = self.reader(progress).resume(&pull, now).await?
        {
            self.settler(progress).settle_read(read).await?;
            return Ok(());
        }
        let failed = Pull {
            state: PullState::Done,
            outcome: Some(Outcome::Failed),
            reason: Some("interrupted".to_owned()),
            message: Some("the run was cut while pages were being read".to_owned()),
            finished_at: Some(now),
            ..pull
        };
        self.ledger.write_pull(&failed).await?;
        Ok(())
    }
}
