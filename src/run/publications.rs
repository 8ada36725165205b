//! Publishes the newest night to targets outside the data folder: after each night, and again until it succeeds.
//!
//! A failed publication does not fail the night: the ledger records it, and it is part of the health. It needs neither
//! the lock of the data folder nor a run, since it publishes what `published/latest` points to.

use std::path::Path;

use crate::config::{Configuration, Postgres};
use crate::model::connector::Connector;
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

/// Minutes between a failed attempt and the next, by number of failed attempts; the last value repeats.
const RETRY_WAITS: [i64; 5] = [1, 2, 5, 10, 15];

/// Result of an attempt to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationOutcome {
    Published {
        run: i64,
        figures: u64,
        /// What somebody should know although it was published.
        remarks: Vec<String>,
    },
    Failed {
        /// Contains neither user nor password.
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

/// Time of the next attempt after a failed one, microseconds UTC; `now` if the last one did not fail.
#[must_use]
pub fn next_try(publication: &Publication, now: i64) -> i64 {
    let (Some(failed_at), tries) = (publication.failed_at, publication.tries) else { return now };
    if tries == 0 {
        return now;
    }
    let nth = usize::try_from(tries).unwrap_or(usize::MAX).min(RETRY_WAITS.len()) - 1;
    // A clock that was set back must not delay it.
    failed_at.min(now) + RETRY_WAITS[nth] * MINUTE_MICROS
}

/// Publishes the newest night unless it is published already or waits for its next attempt. Called every minute.
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

/// Publishes the newest night at once and records the result. `None` without `[postgres]`, without a night, or while
/// another process publishes.
pub async fn publish_newest(
    config: &Configuration,
    data: &Path,
    ledger: &Ledger,
) -> Result<Option<PublicationOutcome>, RunError> {
    match try_to_publish(config, data, ledger).await {
        // Every error but one of the ledger is recorded as a failed attempt, which is repeated.
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

/// State and result of a publication after a failed attempt.
fn failed(before: Publication, unpublished: Unpublished) -> (Publication, PublicationOutcome) {
    let (now, Unpublished { message, hint, .. }) = (clock::now(), unpublished);
    let state = Publication {
        failed_at: Some(now),
        failing_since: before.failing_since.or(Some(now)),
        tries: before.tries.saturating_add(1),
        message: Some(message.clone()),
        hint: Some(hint.clone()),
        ..before
    };
    (state, PublicationOutcome::Failed { message, hint })
}

async fn try_to_publish(
    config: &Configuration,
    data: &Path,
    ledger: &Ledger,
) -> Result<Option<PublicationOutcome>, RunError> {
    let Some(settings) = &config.settings.postgres else { return Ok(None) };
    // Another process publishes: no failure. If the publication is behind afterwards, it is tried again.
    let _lock = match Lock::take_for_publication(data, clock::now()) {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(mut night) = read_newest(config, data).await? else { return Ok(None) };
    let mut tried = publish_once(config, settings, &night, ledger).await?;
    // Another process published a newer night while this one was being published: publish the newest.
    if let Err(Unpublished { newer: true, .. }) = &tried
        && publish::newest_record(data)?.is_some_and(|record| record.night.run > night.record.night.run)
        && let Some(newer) = read_newest(config, data).await?
    {
        night = newer;
        tried = publish_once(config, settings, &night, ledger).await?;
    }
    let before = ledger.publication(POSTGRES).await?.unwrap_or_default();
    let run = night.record.night.run;
    let (publication, outcome) = match tried {
        Ok(PublicationReport { figures, changed, mut remarks }) => {
            tracing::info!(run, figures, changed, "published to PostgreSQL");
            remarks.extend(night.remark);
            let published = Publication { run: Some(run), published_at: Some(clock::now()), ..Publication::default() };
            (published, PublicationOutcome::Published { run, figures, remarks })
        }
        Err(unpublished) => {
            // At level info: the caller reports the failure, as it does for a pull.
            tracing::info!(run, reason = "publication_failed", "not published to PostgreSQL: {}", unpublished.message);
            failed(before, unpublished)
        }
    };
    ledger.write_publication(&Publication { target: POSTGRES.to_owned(), ..publication }).await?;
    Ok(Some(outcome))
}

impl DataFolder<'_> {
    /// Publishes the newest night to the target of the settings, if they have one. A failure does not fail the night.
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

/// The newest night, with the configuration that it was computed by.
struct NewestNight {
    record: NightRecord,
    figures: Vec<Figure>,
    config: Configuration,
    remark: Option<String>,
}

async fn read_newest(config: &Configuration, data: &Path) -> Result<Option<NewestNight>, RunError> {
    let (config, data) = (config.clone(), data.to_owned());
    let Some((record, figures)) = night_as_of(&data, None).await? else { return Ok(None) };
    let newest = tokio::task::spawn_blocking(move || {
        let kept = publish::read_definitions(&data, &record).ok().and_then(|kept| config.of_night(&kept).ok());
        let remark = kept.is_none().then(|| {
            format!(
                "the definitions that run {} kept cannot be read: `indicators` and `agencies` are those of today",
                record.night.run
            )
        });
        NewestNight { record, figures, config: kept.unwrap_or(config), remark }
    });
    Ok(Some(newest.await?))
}

/// Why a night was not published.
struct Unpublished {
    message: String,
    hint: String,
    /// The target holds a newer night.
    newer: bool,
}

impl From<PostgresError> for Unpublished {
    fn from(error: PostgresError) -> Self {
        let newer = matches!(error, PostgresError::NewerRun { .. });
        Self { message: error.to_string(), hint: error.hint().to_owned(), newer }
    }
}

async fn publish_once(
    config: &Configuration,
    settings: &Postgres,
    night: &NewestNight,
    ledger: &Ledger,
) -> Result<Result<PublicationReport, Unpublished>, RunError> {
    let target = match target(config, settings) {
        Ok(target) => target,
        Err(unpublished) => return Ok(Err(unpublished)),
    };
    let indicators: Vec<_> =
        night.config.indicators.iter().map(|indicator| (&indicator.definition, indicator.digest.as_str())).collect();
    // As of the night, so that a late publication writes the same rows.
    let health = assess_connectors_on_night(config, ledger, &night.record.night).await?;
    let connectors: Vec<_> = health.into_iter().filter_map(|health| connector_row(config, health)).collect();
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
        hint: "set the environment variable, or the one that ends in `_FILE` to a file that holds the value".to_owned(),
        newer: false,
    })?;
    Ok(PostgresTarget::new(&url, &settings.schema, settings.reader_role.as_deref())?)
}

fn connector_row(config: &Configuration, health: ConnectorHealth) -> Option<ConnectorRow> {
    let of_sound = |connector: &Connector| {
        let about = &connector.file.connector;
        (about.title.clone(), about.kind)
    };
    let of_mistaken = || config.mistaken(&health.connector).and_then(|known| Some((known.name.clone(), known.kind?)));
    let about = config.connector(&health.connector).map(of_sound).or_else(of_mistaken);
    let (title, kind) = about.filter(|_| health.kind == HealthSubject::Connector)?;
    Some(ConnectorRow {
        title,
        kind: kind.image_name(),
        connector: health.connector,
        state: health.state.name(),
        since: health.since,
        reason_code: health.reason_code,
        hint: health.hint,
        last_success: health.last_success,
        data_until: health.data_until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `serve` spawns this future, so it must be `Send`.
    const _: fn(&'static Configuration, &'static Ledger) = |config, ledger| {
        fn is_send(_: impl Send) {}
        is_send(publish_due(config, ledger, 0));
    };

    #[test]
    fn attempts_are_repeated_after_longer_and_longer_waits_up_to_a_quarter_of_an_hour() {
        let now = 1_000 * MINUTE_MICROS;
        let failed = |tries, failed_at| Publication { tries, failed_at: Some(failed_at), ..Publication::default() };
        for (tries, minutes) in [(1, 1), (2, 2), (3, 5), (4, 10), (5, 15), (6, 15), (4_000_000_000, 15)] {
            assert_eq!(next_try(&failed(tries, now), now), now + minutes * MINUTE_MICROS, "after {tries} tries");
        }
        assert_eq!(next_try(&Publication::default(), now), now);
        // The clock was set back by a day: that does not delay the attempt.
        assert_eq!(next_try(&failed(1, now + 1440 * MINUTE_MICROS), now), now + MINUTE_MICROS);
    }
}
