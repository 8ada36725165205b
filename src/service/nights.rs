//! Published nights in memory: what the API and the pages read. A night is held whole, so an answer never mixes two.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, RwLock};

use crate::model::figure::Figure;
use crate::publish::{self, NightRecord};
use crate::run::{self, RunError};

/// Past nights that are held besides the newest.
const PAST_HELD: usize = 3;
/// How long somebody waits while another past night is read.
const WAIT: Duration = Duration::from_secs(5);

/// A published night, whole, with ways to find its figures.
#[derive(Debug)]
pub(super) struct PublishedNight {
    pub(super) record: NightRecord,
    /// In the order in which they were published: stable for a run.
    pub(super) figures: Vec<Figure>,
    by_indicator: HashMap<Arc<str>, Vec<u32>>,
    by_agency: HashMap<Arc<str>, Vec<u32>>,
    /// The province's figures and whole tiers'.
    whole: Vec<u32>,
}

impl PublishedNight {
    pub(super) fn new(record: NightRecord, figures: Vec<Figure>) -> Self {
        let (mut by_indicator, mut by_agency) = (HashMap::<_, Vec<u32>>::new(), HashMap::<_, Vec<u32>>::new());
        let mut whole = Vec::new();
        for (place, figure) in (0_u32..).zip(&figures) {
            by_indicator.entry(Arc::clone(&figure.indicator)).or_default().push(place);
            match &figure.agency {
                Some(agency) => by_agency.entry(Arc::clone(agency)).or_default().push(place),
                None => whole.push(place),
            }
        }
        Self { record, figures, by_indicator, by_agency, whole }
    }

    /// Places of an indicator's figures, in order.
    pub(super) fn of_indicator(&self, id: &str) -> &[u32] {
        self.by_indicator.get(id).map_or(&[], Vec::as_slice)
    }

    /// Places of an agency's figures, in order.
    pub(super) fn of_agency(&self, code: &str) -> &[u32] {
        self.by_agency.get(code).map_or(&[], Vec::as_slice)
    }

    /// Places of the province's figures and of whole tiers', in order.
    pub(super) fn of_whole(&self) -> &[u32] {
        &self.whole
    }

    pub(super) fn at(&self, place: u32) -> &Figure {
        &self.figures[place as usize]
    }

    /// Codes and names of the agencies that have figures, by code.
    pub(super) fn agencies(&self) -> Vec<(&str, Option<&str>)> {
        let name = |places: &Vec<u32>| places.first().and_then(|place| self.at(*place).agency_name.as_deref());
        let mut agencies: Vec<_> = self.by_agency.iter().map(|(code, places)| (&**code, name(places))).collect();
        agencies.sort_unstable();
        agencies
    }
}

/// The nights of a data folder.
#[derive(Debug)]
pub(super) struct Nights {
    data: PathBuf,
    newest: RwLock<Option<Arc<PublishedNight>>>,
    /// The last asked for stand last.
    past: Mutex<Vec<Arc<PublishedNight>>>,
    /// Nights are read from disk one at a time.
    reading: Mutex<()>,
}

impl Nights {
    pub(super) fn new(data: PathBuf) -> Self {
        Self { data, newest: RwLock::default(), past: Mutex::default(), reading: Mutex::default() }
    }

    /// The newest published night; `None` before the first.
    pub(super) async fn newest(&self) -> Result<Option<Arc<PublishedNight>>, RunError> {
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

    /// The night of a run; `None` if it published none, or if it is kept no more.
    pub(super) async fn of_run(&self, run: i64) -> Result<Option<Arc<PublishedNight>>, RunError> {
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
            if past.len() >= PAST_HELD {
                past.remove(0);
            }
            past.push(Arc::clone(night));
        }
        Ok(night)
    }

    async fn read(&self, run: i64) -> Result<Option<Arc<PublishedNight>>, RunError> {
        let Some((record, figures)) = run::night_of_run(&self.data, run).await? else { return Ok(None) };
        let indexed = tokio::task::spawn_blocking(move || Arc::new(PublishedNight::new(record, figures)));
        Ok(Some(indexed.await?))
    }
}
