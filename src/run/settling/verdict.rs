//! The verdict on a classified pull: its contract, then its completeness against earlier pulls of the same weekday.

use crate::calendar::WorkingCalendar;
use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{Certificate, Drift, DriftKind, Outcome, Purpose};
use crate::run::error::RunError;
use crate::run::ledger::Pull;
use crate::run::settling::classified::Classified;
use crate::run::settling::contract::FieldHistory;
use crate::run::settling::judge::{Verdict, judge};
use crate::run::settling::usual_volume::UsualVolume;
use crate::run::settling::{Settler, contract};

/// Earlier pulls that are searched for those of the same weekday.
const EARLIER_PULLS: i64 = 400;

impl Verdict {
    /// The pull with outcome, reason, message and hint of the verdict.
    pub(super) fn apply_to(self, pull: Pull) -> Pull {
        let none_if_empty = |text: String| Some(text).filter(|text| !text.is_empty());
        Pull {
            outcome: Some(self.outcome),
            reason: none_if_empty(self.reason),
            message: none_if_empty(self.message),
            hint: none_if_empty(self.hint),
            ..pull
        }
    }
}

impl Settler<'_> {
    /// Judges a classified pull; adds the drift to its findings. `older_rows`: rows that were in the tables before and do
    /// not count as received when the volume is judged.
    pub(super) async fn verdict(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        classified: &mut Classified,
        older_rows: u64,
    ) -> Result<Verdict, RunError> {
        let history = self.field_history(connector, certificate).await?;
        let parts = if connector.file.partial.is_some() { classified.partial_rows } else { 0 };
        let received = [classified.counts.received - parts, parts];
        let mut drift = contract::drift(connector, &certificate.fields, &history, received);
        drift.extend(std::mem::take(&mut classified.ill_typed).into_iter().map(|(field, first)| Drift {
            kind: DriftKind::IllTyped,
            field,
            first: Some(first),
        }));
        classified.findings.drift = drift;
        let terms = &connector.file.contract;
        if let Some(verdict) = contract::broken(terms, &classified.findings, &classified.rejections) {
            return Ok(verdict);
        }
        let is_night = certificate.purpose == Purpose::Night;
        let usual = if is_night && older_rows == 0 {
            self.usual_volume(connector, certificate).await?
        } else {
            UsualVolume::unknown()
        };
        let mut verdict = judge(certificate, classified.counts, &classified.findings, terms, &usual);
        // A retry, replay or backfill has few rows, and those are known to be bad: their share does not judge the
        // source.
        if !is_night && verdict.outcome == Outcome::Degraded {
            verdict = Verdict::complete();
        }
        Ok(verdict)
    }

    /// What is known of the source's fields before a pull.
    async fn field_history(&self, connector: &Connector, certificate: &Certificate) -> Result<FieldHistory, RunError> {
        let run = certificate.run;
        let fields = self.ledger.fields_seen(&connector.name, run).await?;
        let pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
        let pulls = pulls.iter().filter(|pull| {
            pull.run < run && pull.purpose == Purpose::Night && connector.was_read_with(&pull.connector_digest)
        });
        Ok(FieldHistory { run, fields, pulls: pulls.map(|pull| (pull.run, pull.counts.received)).collect() })
    }

    /// Volume that a night's pull is compared with. Unknown after a day that is not a working day.
    async fn usual_volume(&self, connector: &Connector, certificate: &Certificate) -> Result<UsualVolume, RunError> {
        let began = instant::local(certificate.started_at);
        let day = if began.hour() < 12 { began.date().yesterday().unwrap_or(began.date()) } else { began.date() };
        if !WorkingCalendar::new(&self.config.registries.calendar).is_working(day) {
            return Ok(UsualVolume::unknown());
        }
        let mut pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
        pulls.retain(|pull| pull.run < certificate.run);
        Ok(UsualVolume::before(certificate.started_at, &pulls, connector))
    }
}
