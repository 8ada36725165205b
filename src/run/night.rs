//! The end of a run: compute, append what changed, publish.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use polars::prelude::*;

use crate::calendar::WorkingCalendar;
use crate::indicators::{
    self, FigureInputs, FigureKey, FigureOfNight, compute, figure_key, figures_from_frame, key_columns, stored_columns,
    stored_frame,
};
use crate::lake::FigureTable;
use crate::model::connector::Connector;
use crate::model::figure::{Figure, Night};
use crate::model::instant;
use crate::model::pull::{Outcome, Purpose};
use crate::model::table::Kind;
use crate::publish::{self, NightRecord};
use crate::run::catalogue::Catalogue;
use crate::run::figures::inputs;
use crate::run::judge::is_over_budget;
use crate::run::ledger::{Ledger, Pull};
use crate::run::{DataFolder, RunError};

/// Name of the versioned table of figures.
pub(super) const FIGURE_TABLE: &str = "figure_versions";

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;

/// What a night published.
#[derive(Debug, Clone)]
pub struct ClosedNight {
    pub night: Night,
    pub folder: PathBuf,
    pub figures: usize,
    /// Figures that differ from the night before, gone ones included.
    pub changed: usize,
    /// Connectors that keep the night from being complete.
    pub not_whole: Vec<String>,
}

impl DataFolder<'_> {
    /// Computes the figures as of `now`, appends those that changed and publishes the night.
    pub(super) async fn close_night(&self, run: i64, now: i64) -> Result<ClosedNight, RunError> {
        let figures = self.compute(run, now).await?;
        let (night, not_whole) = self.night(run, now).await?;
        let changed = self.append_changed(&figures, night).await?;
        self.lake.record_changes(run, now).await?;
        let tables = self.lake.table_versions().await?;
        let sources = publish::store_definitions(&self.data, &self.config.definition_texts)?;
        let record = NightRecord { night, not_whole: not_whole.clone(), tables, sources };
        let folder = publish::publish_night(&self.data, &figures, &record)?;
        Ok(ClosedNight { night, folder, figures: figures.len(), changed, not_whole })
    }

    async fn compute(&self, run: i64, now: i64) -> Result<Vec<Figure>, RunError> {
        let mut tables = Vec::new();
        for kind in Kind::ALL {
            tables.push(self.lake.scan_image(kind).await?);
        }
        let config = self.config.clone();
        let figures = tokio::task::spawn_blocking(move || {
            let catalogue = Catalogue::among(&tables)?;
            catalogue.differences(&config.registries, instant::local(now).date()).tell(run);
            let registries = catalogue.completed(&config.registries);
            let indicators: Vec<_> =
                config.indicators.iter().map(|indicator| (&indicator.definition, indicator.digest.as_str())).collect();
            let calendar = WorkingCalendar::new(&registries.calendar);
            compute(&FigureInputs {
                indicators: &indicators,
                rules: &config.rules.values().collect::<Vec<_>>(),
                ..inputs(&registries, &calendar, tables, now)
            })
        })
        .await??;
        Ok(figures)
    }

    /// Whether every connector was read whole at its last try and not long ago, and how far the data reach; with the connectors
    /// that were not.
    async fn night(&self, run: i64, now: i64) -> Result<(Night, Vec<String>), RunError> {
        let (mut not_whole, mut data_until) = (Vec::new(), None);
        for connector in &self.config.connectors {
            if self.config.settings.disabled_connectors.contains(&connector.name) {
                continue;
            }
            let pulls = self.ledger.pulls_of(&connector.name, 400).await?;
            let last = pulls.iter().find(|pull| pull.purpose == Purpose::Night);
            let is_whole = match last {
                Some(last) => self.is_whole(connector, last, now).await?,
                None => false,
            };
            if !is_whole {
                not_whole.push(connector.name.clone());
            }
            if connector.file.connector.kind == Kind::Dossiers {
                let until = pulls.iter().find_map(|pull| pull.data_until);
                data_until = match (data_until, until) {
                    (Some(left), Some(right)) => Some(std::cmp::min::<i64>(left, right)),
                    (left, right) => left.or(right),
                };
            }
        }
        Ok((Night { run, as_of: now, complete: not_whole.is_empty(), data_until }, not_whole))
    }

    /// Whether figures may rest on a pull: complete, or degraded and its rejections taken since, and fresh.
    async fn is_whole(&self, connector: &Connector, last: &Pull, now: i64) -> Result<bool, RunError> {
        let fresh = now - last.started_at <= i64::from(connector.file.schedule.fresh_within_hours) * HOUR_MICROS;
        Ok(fresh
            && match last.outcome {
                Some(Outcome::Complete) => true,
                Some(Outcome::Degraded) => is_mended(&self.ledger, connector, last).await?,
                _ => false,
            })
    }

    async fn figure_table(&self) -> Result<FigureTable, RunError> {
        Ok(FigureTable::open(&self.data.join("lake"), FIGURE_TABLE, &stored_columns()).await?)
    }

    /// Appends the figures that differ from the newest stored ones, and returns their number.
    async fn append_changed(&self, figures: &[Figure], night: Night) -> Result<usize, RunError> {
        let table = self.figure_table().await?;
        let stored = table.scan().await?;
        let stored = tokio::task::spawn_blocking(move || newest_figures(stored)).await??;
        let mut before: HashMap<FigureKey, Figure> =
            stored.into_iter().map(|figure| (figure_key(&figure), figure)).collect();
        let mut changed: Vec<FigureOfNight<'_>> = Vec::new();
        for figure in figures {
            if before.remove(&figure_key(figure)).as_ref() != Some(figure) {
                changed.push(FigureOfNight { figure, night, is_gone: false });
            }
        }
        let gone: BTreeMap<_, _> = before.into_iter().collect();
        changed.extend(gone.values().map(|figure| FigureOfNight { figure, night, is_gone: true }));
        if !changed.is_empty() {
            table.append(stored_frame(&changed)?, night.run).await?;
        }
        Ok(changed.len())
    }
}

/// Whether a pull that rejected too many rows has so few of them open by now that its contract allows them.
pub async fn is_mended(ledger: &Ledger, connector: &Connector, pull: &Pull) -> Result<bool, RunError> {
    let open = ledger.count_quarantined(Some(&connector.name), Some(pull.run), true).await?;
    Ok(!is_over_budget(open, pull.counts.received, &connector.file.contract))
}

/// The newest version of every figure that is not gone.
pub(super) fn newest_figures(versions: LazyFrame) -> Result<Vec<Figure>, indicators::IndicatorError> {
    let key: Vec<Expr> = key_columns().map(|column| col(column.name)).collect();
    let newest = versions
        .sort(["run"], SortMultipleOptions::default().with_maintain_order(true))
        .group_by_stable(key)
        .agg([all().as_expr().last()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    figures_from_frame(&newest)
}
