//! Replay: what a run landed, mapped again with today's connectors and without the source.
//!
//! A pull whose versions the tables have lost is settled under its own run: the same tables come out. Else the landed
//! pages are settled under a new run, and change only what the mapping reads otherwise; what was stored since is newer.

use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{Certificate, Purpose};
use crate::run::ledger::{Pull, PullState};
use crate::run::{DataFolder, Progress, RunError, RunReport};

impl DataFolder<'_> {
    /// Replays every pull of a run that was landed whole, then computes and publishes.
    pub async fn replay(&self, run: i64, now: i64, progress: &Progress<'_>) -> Result<RunReport, RunError> {
        let mut found = Vec::new();
        for connector in &self.config.connectors {
            let landed = LandedPull::new(&self.data, &connector.name, run);
            if let Some(certificate) = landed.certificate()? {
                found.push((connector, landed, certificate));
            }
        }
        let removed = self.ledger.landing_removed(run).await?;
        if found.is_empty() {
            if let Some((_, at)) = removed.first() {
                return Err(RunError::LandingRemoved { run, day: instant::local(*at).date().to_string() });
            }
            return Err(RunError::NothingLanded { run, folder: self.data.join("landing") });
        }
        for (connector, at) in removed {
            if !found.iter().any(|(known, ..)| known.name == connector) {
                let day = instant::local(at).date();
                tracing::warn!(run, connector, "not replayed: what it landed was removed on {day}");
            }
        }
        let new_run = self.begin(Purpose::Replay, now, progress).await?;
        let mut pulls = Vec::new();
        for (connector, landed, certificate) in found {
            progress(&format!("{}: mapping run {run} again", connector.name));
            pulls.push(self.replay_pull(connector, &landed, &certificate, new_run, now).await?);
        }
        self.close(new_run, pulls, now, progress).await
    }

    async fn replay_pull(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        new_run: i64,
        now: i64,
    ) -> Result<Pull, RunError> {
        let kind = connector.file.connector.kind;
        let reached = self.lake.last_run(kind, &connector.name).await?;
        if reached.is_none_or(|reached| reached < certificate.run) {
            let known = self.ledger.pulls_of_run(certificate.run).await?;
            let known = known.into_iter().find(|pull| pull.connector == connector.name);
            let begun = known.unwrap_or_else(|| {
                Pull::begun(certificate.run, connector, certificate.purpose, certificate.started_at)
            });
            return self.settle(connector, landed, certificate, Pull { state: PullState::Reading, ..begun }).await;
        }
        let begun = Pull::begun(new_run, connector, Purpose::Replay, now);
        self.ledger.write_pull(&begun).await?;
        let again = LandedPull::new(&self.data, &connector.name, new_run);
        again.clear()?;
        let pages = certificate.pages.iter().map(|page| again.adopt(landed, page, certificate.run));
        let open = self.ledger.quarantined(Some(&connector.name), Some(certificate.run), true).await?;
        let renewed = Certificate {
            run: new_run,
            purpose: Purpose::Replay,
            pages: pages.collect::<Result<_, _>>()?,
            cursor: self.start_of(connector, now).await?.cursor,
            // A sweep is true of its night alone.
            sweep: None,
            mends: open.iter().map(|rejected| rejected.id).collect(),
            ..certificate.clone()
        };
        again.seal(&renewed)?;
        self.settle(connector, &again, &renewed, begun).await
    }
}
