//! How many dossiers are on each worklist, for pages that show it beside other things. Counting reads the tables, so a count
//! is kept for some minutes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::service::Service;
use crate::service::dossiers;
use crate::service::explaining::NightRead;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;
use crate::service::readable_scope::ReadableScope;

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
        of: &ReadableScope,
        now: i64,
    ) -> Result<Arc<CountedWorklists>, Problem> {
        let (scope, run) = (format!("{:?}", of.of()), night.record.night.run);
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

async fn count(
    service: &Service,
    night: &LoadedNight,
    scope: &ReadableScope,
    now: i64,
) -> Result<CountedWorklists, Problem> {
    // Today's work, by today's definitions.
    let of = NightRead { config: &service.config, night: &night.record.night };
    let counts = dossiers::worklist_counts(of, now, scope).await?;
    let lists = counts.into_iter().map(|one| (one.name, [one.title, one.title_en], one.count)).collect();
    let sources = dossiers::dossier_sources(of, scope).await?;
    Ok(CountedWorklists { run: of.night.run, at: now, lists, sources })
}
