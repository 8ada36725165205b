//! The verdict on a classified pull: its contract, then its completeness against earlier pulls of the same weekday.

use crate::calendar::WorkingCalendar;
use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{Certificate, Drift, DriftKind, Outcome, Purpose};
use crate::run::error::RunError;
use crate::run::ledger::Pull;
use crate::run::settling::classify::Classified;
use crate::run::settling::judge::{USUAL_PULLS, Verdict, judge};
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
    /// Judges a classified pull; adds the drift to its findings.
    pub(super) async fn verdict(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        classified: &mut Classified,
    ) -> Result<Verdict, RunError> {
        let known_fields = self.ledger.fields_seen(&connector.name, certificate.run).await?;
        let received = classified.counts.received;
        let mut drift = contract::drift(connector, &certificate.fields, &known_fields, received);
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
        let usual_volumes = if is_night { self.usual_volumes(connector, certificate).await? } else { Vec::new() };
        let mut verdict = judge(certificate, classified.counts, &classified.findings, terms, &usual_volumes);
        // A retry, replay or backfill has few rows, and those are known to be bad: their share does not judge the
        // source.
        if !is_night && verdict.outcome == Outcome::Degraded {
            verdict.outcome = Outcome::Complete;
        }
        Ok(verdict)
    }

    /// Rows received by the last complete or degraded pulls of the same weekday, newest first. Empty after a day that
    /// is not a working day, and for a second pull of a day, which receives only the remaining rows.
    async fn usual_volumes(&self, connector: &Connector, certificate: &Certificate) -> Result<Vec<u64>, RunError> {
        let began = instant::local(certificate.started_at);
        let day = if began.hour() < 12 { began.date().yesterday().unwrap_or(began.date()) } else { began.date() };
        if !WorkingCalendar::new(&self.config.registries.calendar).is_working(day) {
            return Ok(Vec::new());
        }
        let mut pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
        pulls.retain(|pull| {
            matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded))
                && pull.run < certificate.run
                && pull.purpose == Purpose::Night
        });
        if pulls.iter().any(|pull| instant::local(pull.started_at).date() == began.date()) {
            return Ok(Vec::new());
        }
        let of_weekday = pulls.into_iter().filter(|pull| {
            instant::local(pull.started_at).weekday() == began.weekday() && pull.connector_digest == connector.digest
        });
        Ok(of_weekday.take(USUAL_PULLS).map(|pull| pull.counts.received).collect())
    }
}
