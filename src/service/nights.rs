//! Cache of published nights for the API and the pages. A night is kept whole in memory, so an answer never mixes two
//! nights.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell, RwLock};

use crate::config::Configuration;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::period::Period;
use crate::publish::{self, NightRecord};
use crate::run::{self, RunError};

/// Past nights that are kept besides the newest.
const PAST_KEPT: usize = 3;
/// How long a request waits while another past night is read from disk.
const WAIT: Duration = Duration::from_secs(5);

/// A published night with indexes into its figures. An index holds positions in [`LoadedNight::figures`].
#[derive(Debug)]
pub(super) struct LoadedNight {
    pub(super) record: NightRecord,
    /// In the order in which they were published, which is stable for a run.
    pub(super) figures: Vec<Figure>,
    by_indicator: HashMap<Arc<str>, Vec<u32>>,
    by_agency: HashMap<Arc<str>, Vec<u32>>,
    by_period: HashMap<Period, Vec<u32>>,
    by_tier: HashMap<Tier, Vec<u32>>,
    /// Figures of the province and of whole tiers.
    without_agency: Vec<u32>,
    /// The configuration with the definitions that the night kept; empty until a request needs it.
    pub(super) config: OnceCell<Arc<Configuration>>,
}

impl LoadedNight {
    pub(super) fn new(record: NightRecord, figures: Vec<Figure>) -> Self {
        let (mut by_indicator, mut by_agency) = (HashMap::<_, Vec<u32>>::new(), HashMap::<_, Vec<u32>>::new());
        let (mut by_period, mut by_tier) = (HashMap::<_, Vec<u32>>::new(), HashMap::<_, Vec<u32>>::new());
        let mut without_agency = Vec::new();
        for (position, figure) in (0_u32..).zip(&figures) {
            by_indicator.entry(Arc::clone(&figure.indicator)).or_default().push(position);
            by_period.entry(figure.period).or_default().push(position);
            if let Some(tier) = figure.tier {
                by_tier.entry(tier).or_default().push(position);
            }
            match &figure.agency {
                Some(agency) => by_agency.entry(Arc::clone(agency)).or_default().push(position),
                None => without_agency.push(position),
            }
        }
        let config = OnceCell::new();
        Self { record, figures, by_indicator, by_agency, by_period, by_tier, without_agency, config }
    }

    /// Positions of an indicator's figures, ascending.
    pub(super) fn of_indicator(&self, id: &str) -> &[u32] {
        self.by_indicator.get(id).map_or(&[], Vec::as_slice)
    }

    /// Positions of an agency's figures, ascending.
    pub(super) fn of_agency(&self, code: &str) -> &[u32] {
        self.by_agency.get(code).map_or(&[], Vec::as_slice)
    }

    /// Positions of the figures of a tier and of its agencies, ascending.
    pub(super) fn of_tier(&self, tier: Tier) -> &[u32] {
        self.by_tier.get(&tier).map_or(&[], Vec::as_slice)
    }

    /// Positions of the figures of a period, ascending.
    pub(super) fn of_period(&self, period: Period) -> &[u32] {
        self.by_period.get(&period).map_or(&[], Vec::as_slice)
    }

    /// The periods that have figures, each with the positions of its figures, ascending.
    pub(super) fn by_period(&self) -> impl Iterator<Item = (Period, &[u32])> {
        self.by_period.iter().map(|(period, positions)| (*period, positions.as_slice()))
    }

    /// Number of figures. Positions are below it.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.figures.len()).unwrap_or(u32::MAX)
    }

    /// Positions of the figures of the province and of whole tiers, ascending.
    pub(super) fn without_agency(&self) -> &[u32] {
        &self.without_agency
    }

    pub(super) fn at(&self, position: u32) -> &Figure {
        &self.figures[position as usize]
    }

    /// Codes and names of the agencies that have figures, in the order of the codes.
    pub(super) fn agencies(&self) -> Vec<(&str, Option<&str>)> {
        let name =
            |positions: &Vec<u32>| positions.first().and_then(|position| self.at(*position).agency_name.as_deref());
        let mut agencies: Vec<_> = self.by_agency.iter().map(|(code, positions)| (&**code, name(positions))).collect();
        agencies.sort_unstable();
        agencies
    }
}

/// The newest night and the past nights that were read last.
#[derive(Debug)]
pub(super) struct NightCache {
    data: PathBuf,
    newest: RwLock<Option<Arc<LoadedNight>>>,
    /// Least recently used first.
    past: Mutex<Vec<Arc<LoadedNight>>>,
    /// Held while the newest night is read from disk, so that it is read once.
    reading: Mutex<()>,
}

impl NightCache {
    pub(super) fn new(data: PathBuf) -> Self {
        Self { data, newest: RwLock::default(), past: Mutex::default(), reading: Mutex::default() }
    }

    /// The newest published night; `None` before the first publication.
    pub(super) async fn newest(&self) -> Result<Option<Arc<LoadedNight>>, RunError> {
        let Some(run) = publish::newest_run(&self.data) else { return Ok(None) };
        if let Some(night) = self.newest.read().await.as_ref().filter(|night| night.record.night.run == run) {
            return Ok(Some(Arc::clone(night)));
        }
        let _reading = self.reading.lock().await;
        if let Some(night) = self.newest.read().await.as_ref().filter(|night| night.record.night.run >= run) {
            return Ok(Some(Arc::clone(night)));
        }
        let night = self.read(run).await?;
        if let Some(night) = &night {
            *self.newest.write().await = Some(Arc::clone(night));
        }
        Ok(night)
    }

    /// The night of a run; `None` if the run published none or its night has been deleted.
    pub(super) async fn of_run(&self, run: i64) -> Result<Option<Arc<LoadedNight>>, RunError> {
        if let Some(night) = self.newest().await?.filter(|night| night.record.night.run == run) {
            return Ok(Some(night));
        }
        let waiting = tokio::time::timeout(WAIT, self.past.lock());
        let mut past = waiting.await.map_err(|_| RunError::NightsBusy)?;
        if let Some(held) = past.iter().position(|night| night.record.night.run == run) {
            let night = past.remove(held);
            past.push(Arc::clone(&night));
            return Ok(Some(night));
        }
        let night = self.read(run).await?;
        if let Some(night) = &night {
            if past.len() >= PAST_KEPT {
                past.remove(0);
            }
            past.push(Arc::clone(night));
        }
        Ok(night)
    }

    async fn read(&self, run: i64) -> Result<Option<Arc<LoadedNight>>, RunError> {
        let Some((record, figures)) = run::night_of_run(&self.data, run).await? else { return Ok(None) };
        let indexed = tokio::task::spawn_blocking(move || Arc::new(LoadedNight::new(record, figures)));
        Ok(Some(indexed.await?))
    }
}
