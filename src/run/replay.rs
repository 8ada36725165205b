//! Replay: the landed pages of a run are mapped again with today's connectors, without the source.
//!
//! If the tables have lost a pull's versions, it is settled under its own run and the same tables come out. Otherwise
//! its pages are settled under a new run: only what today's mapping reads differently changes, and what was stored
//! since is newer.

use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{Certificate, Purpose};
use crate::run::data_folder::{DataFolder, RunReport};
use crate::run::error::RunError;
use crate::run::ledger::{Pull, PullState};
use crate::run::progress::Progress;
use crate::run::settling::SealedPull;

impl DataFolder<'_> {
    /// Replays every sealed pull of a run, then computes and publishes.
    pub async fn replay(&self, run: i64, now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let done = Box::pin(self.replay_pulls(run, now, progress)).await;
        self.end_if_stopped(done).await
    }

    async fn replay_pulls(&self, run: i64, now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let found = self.sealed_pulls(run).await?;
        let new_run = self.begin(Purpose::Replay, now, progress).await?;
        let mut pulls = Vec::new();
        for (connector, landed, certificate) in &found {
            self.check_stop(new_run).await?;
            progress(&format!("{}: mapping run {run} again", connector.name));
            let sealed = SealedPull { connector, landed, certificate };
            pulls.push(self.replay_pull(sealed, new_run, now, progress).await?);
        }
        self.check_stop(new_run).await?;
        self.close(new_run, pulls, now, progress).await
    }

    /// The sealed pulls of a run; an error if there is none. Pulls whose landing was removed as old are logged.
    async fn sealed_pulls(&self, run: i64) -> Result<Vec<(&Connector, LandedPull, Certificate)>, RunError> {
        let mut found = Vec::new();
        for connector in &self.config.connectors {
            let landed = LandedPull::new(&self.data, &connector.name, run);
            if let Some(certificate) = landed.certificate()? {
                found.push((connector, landed, certificate));
            }
        }
        let removed = self.ledger.landing_removed(run).await?;
        if found.is_empty() {
            return Err(match removed.first() {
                Some((_, at)) => RunError::LandingRemoved { run, day: instant::local(*at).date().to_string() },
                None => RunError::NothingLanded { run, folder: self.data.join("landing") },
            });
        }
        for (connector, at) in removed {
            if !found.iter().any(|(known, ..)| known.name == connector) {
                let day = instant::local(at).date();
                tracing::warn!(run, connector, "not replayed: its landed pages were removed as old on {day}");
            }
        }
        Ok(found)
    }

    async fn replay_pull(
        &self,
        sealed: SealedPull<'_>,
        new_run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Pull, RunError> {
        let SealedPull { connector, certificate, .. } = sealed;
        let reached = self.lake.last_run(connector.file.connector.kind, &connector.name).await?;
        let known = self.ledger.pulls_of_run(certificate.run).await?;
        let known = known.into_iter().find(|pull| pull.connector == connector.name);
        // A pull that changed nothing has no versions that could be lost.
        let has_versions = known.as_ref().is_none_or(Pull::has_versions);
        if has_versions && reached.is_none_or(|reached| reached < certificate.run) {
            return self.restore_pull(sealed, known, progress).await;
        }
        let begun = Pull::begun(new_run, connector, Purpose::Replay, now);
        self.ledger.write_pull(&begun).await?;
        let landed = LandedPull::new(&self.data, &connector.name, new_run);
        let certificate = self.adopt(sealed, &landed, new_run, now, progress).await?;
        let adopted = SealedPull { connector, landed: &landed, certificate: &certificate };
        self.settler(progress).settle(adopted, begun).await
    }

    /// Settles a pull whose versions the tables have lost, under its own run.
    async fn restore_pull(
        &self,
        sealed: SealedPull<'_>,
        known: Option<Pull>,
        progress: &Progress<'_>,
    ) -> Result<Pull, RunError> {
        let SealedPull { connector, certificate, .. } = sealed;
        let begun = known
            .unwrap_or_else(|| Pull::begun(certificate.run, connector, certificate.purpose, certificate.started_at));
        self.settler(progress).settle(sealed, Pull { state: PullState::Reading, ..begun }).await
    }

    /// Lands the pages of a pull once more under a new run, and seals them.
    async fn adopt(
        &self,
        sealed: SealedPull<'_>,
        landed: &LandedPull,
        new_run: i64,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Certificate, RunError> {
        let SealedPull { connector, landed: old, certificate } = sealed;
        landed.clear()?;
        let pages = certificate.pages.iter().map(|page| landed.adopt(old, page, certificate.run));
        let open = self.ledger.quarantined(Some(&connector.name), Some(certificate.run), true).await?;
        let adopted = Certificate {
            run: new_run,
            purpose: Purpose::Replay,
            pages: pages.collect::<Result<_, _>>()?,
            cursor: self.reader(progress).start_of(connector, now).await?.cursor,
            // What the file names hold now stays: rows of contents that no name holds any more are outdated.
            files: Vec::new(),
            // A sweep compares the source's list of its own night with the tables.
            sweep: None,
            mends: open.iter().map(|rejected| rejected.id).collect(),
            ..certificate.clone()
        };
        landed.seal(&adopted)?;
        Ok(adopted)
    }
}
