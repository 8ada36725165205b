//! The newest night, published outside the data folder: tried after each night and again until it succeeds.
//!
//! A publication that fails never fails the night: it stands in the ledger, and `standing` tells it. Neither the lock of the
//! data folder nor a run is needed: `published/latest` is what is published.

use std::path::Path;

use crate::config::{Configuration, Postgres};
use crate::model::figure::Figure;
use crate::publish::postgres::{
    self, ConnectorRow, NightPublication, PostgresError, PostgresTarget, PublicationReport,
};
use crate::publish::{self, NightRecord};
use crate::run::connector_health::assess_connectors_on_night;
use crate::run::ledger::{Ledger, Publication};
use crate::run::{
    ConnectorHealth, DataFolder, HealthSubject, Lock, LockError, POSTGRES, Progress, RunError, clock, night_as_of,
    with_causes,
};

/// Microseconds of a minute.
const MINUTE_MICROS: i64 = 60_000_000;

/// Minutes between a try that failed and the next, by the tries that failed; then always the last.
const WAITS: [i64; 5] = [1, 2, 5, 10, 15];

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationOutcome {
    Published {
        run: i64,
        figures: u64,
        /// What somebody should know although it was published.
        remarks: Vec<String>,
    },
    Failed {
        /// Holds neither user nor password.
        message: String,
        hint: String,
    },
}

impl PublicationOutcome {
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// When a publication that failed is tried again, microseconds UTC; one that has not failed: now.
#[must_use]
pub fn next_try(publication: &Publication, now: i64) -> i64 {
    let (Some(failed_at), tries) = (publication.failed_at, publication.tries) else { return now };
    if tries == 0 {
        return now;
    }
    let nth = usize::try_from(tries).unwrap_or(usize::MAX).min(WAITS.len()) - 1;
    // A clock that was set back must not hold it up.
    failed_at.min(now) + WAITS[nth] * MINUTE_MICROS
}

/// Publishes the newest night if it is not published yet and its time has come; for a caller that asks each minute.
pub async fn publish_due(
    config: &Configuration,
    ledger: &Ledger,
    now: i64,
) -> Result<Option<PublicationOutcome>, RunError> {
    if config.settings.postgres.is_none() {
        return Ok(None);
    }
    let Some(record) = publish::newest_record(&config.settings.data)? else { return Ok(None) };
    let publication = ledger.publication(POSTGRES).await?.unwrap_or_default();
    let is_held = publication.message.is_none() && publication.run == Some(record.night.run);
    if is_held || now < next_try(&publication, now) {
        return Ok(None);
    }
    publish_newest(config, &config.settings.data, ledger).await
}

/// Publishes the newest night at once and writes down what became of it; nothing without `[postgres]` or without a night.
pub async fn publish_newest(
    config: &Configuration,
    data: &Path,
    ledger: &Ledger,
) -> Result<Option<PublicationOutcome>, RunError> {
    match try_newest(config, data, ledger).await {
        // Whatever keeps it from being published is told where the publication stands, and is waited for.
        Err(error) if !matches!(error, RunError::Ledger(_)) => {
            let unpublished = Unpublished {
                message: with_causes(&error),
                hint: "`motcua publish` tries again".to_owned(),
                newer: false,
            };
            let before = ledger.publication(POSTGRES).await?.unwrap_or_default();
            let (failed, outcome) = failed(before, unpublished);
            ledger.write_publication(&Publication { target: POSTGRES.to_owned(), ..failed }).await?;
            Ok(Some(outcome))
        }
        done => done,
    }
}

/// The publication after a try that failed.
fn failed(before: Publication, unpublished: Unpublished) -> (Publication, PublicationOutcome) {
    let (ended, Unpublished { message, hint, .. }) = (clock::now(), unpublished);
    let still_held = Publication {
        failed_at: Some(ended),
        failing_since: before.failing_since.or(Some(ended)),
        tries: before.tries.saturating_add(1),
        message: Some(message.clone()),
        hint: Some(hint.clone()),
        ..before
    };
    (still_held, PublicationOutcome::Failed { message, hint })
}

async fn try_newest(
    config: &Configuration,
    data: &Path,
    ledger: &Ledger,
) -> Result<Option<PublicationOutcome>, RunError> {
    let Some(settings) = &config.settings.postgres else { return Ok(None) };
    // Somebody else publishes: that is no failure, and what is behind afterwards is tried again.
    let _lock = match Lock::take_for_publication(data, clock::now()) {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(mut night) = read(config, data).await? else { return Ok(None) };
    let mut tried = attempt(config, settings, &night, ledger).await?;
    // Another process published the next night while this one was on its way.
    if let Err(Unpublished { newer: true, .. }) = &tried
        && publish::newest_record(data)?.is_some_and(|record| record.night.run > night.record.night.run)
        && let Some(newer) = read(config, data).await?
    {
        night = newer;
        tried = attempt(config, settings, &night, ledger).await?;
    }
    let before = ledger.publication(POSTGRES).await?.unwrap_or_default();
    let run = night.record.night.run;
    let (publication, outcome) = match tried {
        Ok(PublicationReport { figures, changed, mut remarks }) => {
            tracing::info!(run, figures, changed, "published to PostgreSQL");
            remarks.extend(night.remark);
            let now_held = Publication { run: Some(run), published_at: Some(clock::now()), ..Publication::default() };
            (now_held, PublicationOutcome::Published { run, figures, remarks })
        }
        Err(unpublished) => {
            // Told by whoever asked, as a pull that failed is.
            tracing::info!(run, reason = "publication_failed", "not published to PostgreSQL: {}", unpublished.message);
            failed(before, unpublished)
        }
    };
    ledger.write_publication(&Publication { target: POSTGRES.to_owned(), ..publication }).await?;
    Ok(Some(outcome))
}

impl DataFolder<'_> {
    /// Publishes the newest night where the settings name a place outside the data folder. Whatever happens here, the night is done.
    pub async fn publish_elsewhere(&self, progress: &Progress<'_>) -> Option<PublicationOutcome> {
        self.config.settings.postgres.as_ref()?;
        progress("publishing to PostgreSQL");
        publish_newest(self.config, &self.data, &self.ledger).await.unwrap_or_else(|error| {
            let message = error.to_string();
            tracing::info!(reason = "publication_failed", "not published to PostgreSQL: {message}");
            Some(PublicationOutcome::Failed { message, hint: "`motcua publish` tries again".to_owned() })
        })
    }
}

/// The newest night and what it was computed by.
struct Newest {
    record: NightRecord,
    figures: Vec<Figure>,
    config: Configuration,
    remark: Option<String>,
}

async fn read(config: &Configuration, data: &Path) -> Result<Option<Newest>, RunError> {
    let (config, data) = (config.clone(), data.to_owned());
    let Some((record, figures)) = night_as_of(&data, None).await? else { return Ok(None) };
    let newest = tokio::task::spawn_blocking(move || {
        let kept = publish::read_definitions(&data, &record).ok().and_then(|kept| config.of_night(&kept).ok());
        let remark = kept.is_none().then(|| {
            format!("what run {} kept cannot be read: `indicators` and `agencies` are those of today", record.night.run)
        });
        Newest { record, figures, config: kept.unwrap_or(config), remark }
    });
    Ok(Some(newest.await?))
}

/// Why a night was not published.
struct Unpublished {
    message: String,
    hint: String,
    /// The schema holds a newer night.
    newer: bool,
}

impl From<PostgresError> for Unpublished {
    fn from(error: PostgresError) -> Self {
        let newer = matches!(error, PostgresError::NewerRun { .. });
        Self { message: error.to_string(), hint: error.hint().to_owned(), newer }
    }
}

async fn attempt(
    config: &Configuration,
    settings: &Postgres,
    night: &Newest,
    ledger: &Ledger,
) -> Result<Result<PublicationReport, Unpublished>, RunError> {
    let target = match target(config, settings) {
        Ok(target) => target,
        Err(unpublished) => return Ok(Err(unpublished)),
    };
    let indicators: Vec<_> =
        night.config.indicators.iter().map(|indicator| (&indicator.definition, indicator.digest.as_str())).collect();
    // As of the night: what is published is the same however late it is.
    let standings = assess_connectors_on_night(config, ledger, &night.record.night).await?;
    let connectors: Vec<_> = standings.into_iter().filter_map(|standing| connector_row(config, standing)).collect();
    let publication = NightPublication {
        record: &night.record,
        figures: &night.figures,
        indicators: &indicators,
        agencies: &night.config.registries.agencies,
        connectors: &connectors,
        published_at: clock::now(),
    };
    Ok(postgres::publish(&target, &publication).await.map_err(Unpublished::from))
}

fn target(config: &Configuration, settings: &Postgres) -> Result<PostgresTarget, Unpublished> {
    let url = config.values.fill(&settings.url).map_err(|unset| Unpublished {
        message: format!(
            "`{}` in `postgres.url` has no value{}",
            unset.placeholder,
            unset.why.map(|why| format!(": {why}")).unwrap_or_default()
        ),
        hint: "set the variable, or the one with `_FILE` that names a file".to_owned(),
        newer: false,
    })?;
    Ok(PostgresTarget::new(&url, &settings.schema, settings.reader_role.as_deref())?)
}

fn connector_row(config: &Configuration, standing: ConnectorHealth) -> Option<ConnectorRow> {
    let connector = config.connector(&standing.connector).filter(|_| standing.kind == HealthSubject::Connector)?;
    Some(ConnectorRow {
        title: connector.file.connector.title.clone(),
        kind: connector.file.connector.kind.image_name(),
        connector: standing.connector,
        state: standing.state.name(),
        since: standing.since,
        reason_code: standing.reason_code,
        hint: standing.hint,
        last_success: standing.last_success,
        data_until: standing.data_until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `serve` spawns it.
    const _: fn(&'static Configuration, &'static Ledger) = |config, ledger| {
        fn is_send(_: impl Send) {}
        is_send(publish_due(config, ledger, 0));
    };

    #[test]
    fn tries_come_apart_and_stay_a_quarter_of_an_hour_apart() {
        let now = 1_000 * MINUTE_MICROS;
        let failed = |tries, failed_at| Publication { tries, failed_at: Some(failed_at), ..Publication::default() };
        for (tries, minutes) in [(1, 1), (2, 2), (3, 5), (4, 10), (5, 15), (6, 15), (4_000_000_000, 15)] {
            assert_eq!(next_try(&failed(tries, now), now), now + minutes * MINUTE_MICROS, "after {tries} tries");
        }
        assert_eq!(next_try(&Publication::default(), now), now);
        // The clock was set back by a day: it is not waited for.
        assert_eq!(next_try(&failed(1, now + 1440 * MINUTE_MICROS), now), now + MINUTE_MICROS);
    }
}
