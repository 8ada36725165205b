//! How many dossiers are on each worklist, for pages that show it beside other things. Counting reads the tables, so a count
//! is kept for some minutes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::indicators::{FigureOf, SILENT, SilentAgency, silent_title, worklists};
use crate::run::{self, NO_RATIO_OF_ON_TIME};
use crate::service::Service;
use crate::service::explaining::permit;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// How long a count is shown. Lists move with the working hours, so it is short.
const KEPT_MICROS: i64 = 10 * 60 * 1_000_000;
/// Scopes that are kept.
const MOST_KEPT: usize = 64;

/// The counts of one scope.
#[derive(Debug)]
pub(super) struct CountedWorklists {
    run: i64,
    /// When they were counted, microseconds UTC.
    pub(super) at: i64,
    /// Name, title in Vietnamese and English, number of dossiers or agencies.
    pub(super) lists: Vec<(String, [String; 2], u64)>,
    /// Dossiers by connector.
    pub(super) sources: BTreeMap<String, u64>,
}

/// The counts of the scopes that were shown last.
#[derive(Debug, Default)]
pub(super) struct WorklistCountCache {
    by_scope: Mutex<HashMap<String, Arc<CountedWorklists>>>,
}

impl WorklistCountCache {
    /// The counts of a scope, from the tables of a night, as of `now` or at most ten minutes before.
    ///
    /// # Errors
    /// 404 without a ratio of on time; 503 while others are being counted; 500 if a table cannot be read.
    pub(super) async fn counts(
        &self,
        service: &Service,
        night: &LoadedNight,
        of: &FigureOf,
        now: i64,
    ) -> Result<Arc<CountedWorklists>, Problem> {
        let (scope, run) = (format!("{of:?}"), night.record.night.run);
        let is_new = |kept: &&Arc<CountedWorklists>| kept.run == run && (0..KEPT_MICROS).contains(&(now - kept.at));
        if let Some(kept) = self.by_scope.lock().await.get(&scope).filter(is_new) {
            return Ok(Arc::clone(kept));
        }
        let counted = Arc::new(count(service, night, of, now).await?);
        let mut kept = self.by_scope.lock().await;
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(scope, Arc::clone(&counted));
        Ok(counted)
    }
}

async fn count(service: &Service, night: &LoadedNight, of: &FigureOf, now: i64) -> Result<CountedWorklists, Problem> {
    let no_ratio = || Problem::not_found(NO_RATIO_OF_ON_TIME);
    let (config, settings) = (&service.config, &service.config.settings.worklists);
    let of_night = &night.record.night;
    let counts = run::worklist_counts(config, (of_night, now), of.clone(), permit().await?).await?;
    let counted = worklists().iter().zip(counts.ok_or_else(no_ratio)?);
    let mut lists: Vec<(String, [String; 2], u64)> =
        counted.map(|(list, count)| (list.name.clone(), list.title(settings), count)).collect();
    let silent = silent_agencies(service, night, of, now).await?;
    lists.push((SILENT.to_owned(), silent_title(settings), silent.len() as u64));
    let sources = run::dossier_sources(config, of_night, of.clone(), permit().await?).await?;
    Ok(CountedWorklists { run: of_night.run, at: now, lists, sources: sources.ok_or_else(no_ratio)? })
}

/// The agencies of a scope that have received nothing for the days of `[worklists]`.
///
/// # Errors
/// As of [`WorklistCountCache::counts`].
pub(super) async fn silent_agencies(
    service: &Service,
    night: &LoadedNight,
    of: &FigureOf,
    now: i64,
) -> Result<Vec<SilentAgency>, Problem> {
    let found = run::silent_agencies(&service.config, (&night.record.night, now), permit().await?).await?;
    let (code, tier) = of.agency_and_tier();
    let is_of = |agency: &SilentAgency| {
        code.is_none_or(|code| agency.code == code) && tier.is_none_or(|tier| agency.tier == tier)
    };
    let found = found.ok_or_else(|| Problem::not_found(NO_RATIO_OF_ON_TIME))?;
    Ok(found.into_iter().filter(is_of).collect())
}
