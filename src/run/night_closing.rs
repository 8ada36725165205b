//! The end of a run: figures are computed, those that changed are appended, and the night is published.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use strum::IntoEnumIterator as _;

use crate::calendar::WorkingCalendar;
use crate::config::Configuration;
use crate::indicators::{
    self, ComputedFigures, FigureInputs, FigureKey, FigureOfNight, compute_each, figure_key, stored_columns,
    stored_frame,
};
use crate::lake::{FIGURE_TABLE, FigureTable, GroupCounts, Lake, LakeError};
use crate::model::connector::Connector;
use crate::model::figure::{Figure, Night};
use crate::model::instant;
use crate::model::pull::{Outcome, Purpose};
use crate::model::table::RecordKind;
use crate::publish::{self, NightRecord};
use crate::run::agency_numbers::AgencyNumbers;
use crate::run::calendar_coverage::warn_of_uncovered_years;
use crate::run::catalogue::Catalogue;
use crate::run::clock_doubt;
use crate::run::error::RunError;
use crate::run::figures::inputs;
use crate::run::ledger::{Ledger, Pull};
use crate::run::newest_figures::newest_figures;
use crate::run::settling::is_over_budget;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// Earlier pulls that are searched for a connector's last night.
const EARLIER_PULLS: i64 = 400;

/// The night that a run closed and published.
#[derive(Debug, Clone)]
pub struct ClosedNight {
    pub night: Night,
    pub folder: PathBuf,
    /// Number of figures.
    pub figures: usize,
    /// Number of figures that differ from the night before, including those that are gone.
    pub changed: usize,
    /// Names of the connectors, and `indicator ID` of the indicators, that keep the night from being complete.
    pub not_whole: Vec<String>,
    /// Identifiers of the indicators that could not be computed: the night has no figures of them, and is not complete.
    pub failed_indicators: Vec<String>,
    /// Why the clock of the machine cannot be right, which keeps the night from being complete.
    pub clock: Option<String>,
    /// Dossiers that do not count because a row of another source stands for them, by connector.
    pub elsewhere: BTreeMap<String, u64>,
    /// Dossiers that share codes with so many others that they are not merged, by connector. Each counts.
    pub not_merged: BTreeMap<String, u64>,
    /// Number of stored rows of connectors that are not configured any more, by connector. They count.
    pub without_connector: BTreeMap<String, u64>,
}

/// The night, with whether it is complete and until when its data reach, and what keeps it from being complete.
struct Completeness {
    night: Night,
    /// Names of connectors.
    not_whole: Vec<String>,
    /// Why the clock of the machine is doubted.
    clock: Option<String>,
}

/// Closes the night of a run.
pub(super) struct NightClosing<'a> {
    pub(super) config: &'a Configuration,
    pub(super) data: &'a Path,
    pub(super) lake: &'a Lake,
    pub(super) ledger: &'a Ledger,
    pub(super) run: i64,
    pub(super) now: i64,
}

impl NightClosing<'_> {
    /// Computes the figures as of `now`, appends those that changed, and publishes the night.
    pub(super) async fn close(&self) -> Result<ClosedNight, RunError> {
        warn_of_uncovered_years(self.config, self.lake, self.run, self.now).await?;
        let order = self.config.source_order.clone().unwrap_or_default();
        let GroupCounts { elsewhere, not_merged } = self.lake.update_groups(&order).await?;
        let without_connector = self.rows_without_connector().await?;
        let ComputedFigures { figures, failed } = self.compute().await?;
        let failed_indicators: Vec<String> = failed.into_iter().map(|(indicator, _)| indicator).collect();
        let Completeness { mut night, mut not_whole, clock } = self.completeness().await?;
        night.complete &= failed_indicators.is_empty();
        not_whole.extend(failed_indicators.iter().map(|indicator| format!("indicator {indicator}")));
        let changed = self.append_changed(&figures, night).await?;
        self.record_changes().await?;
        let tables = self.lake.table_versions().await?;
        let sources = publish::store_definitions(self.data, &self.config.definition_texts)?;
        let record = NightRecord {
            night,
            not_whole: not_whole.clone(),
            clock: clock.clone(),
            elsewhere: elsewhere.clone(),
            not_merged: not_merged.clone(),
            without_connector: without_connector.clone(),
            tables,
            sources,
            files: BTreeMap::new(),
        };
        let folder = publish::publish_night(self.data, &figures, &record)?;
        let figures = figures.len();
        Ok(ClosedNight {
            night,
            folder,
            figures,
            changed,
            not_whole,
            failed_indicators,
            clock,
            elsewhere,
            not_merged,
            without_connector,
        })
    }

    /// Number of stored rows of connectors that were removed or renamed. No pull updates them.
    async fn rows_without_connector(&self) -> Result<BTreeMap<String, u64>, RunError> {
        let mut rows = BTreeMap::new();
        for name in self.ledger.connectors_with_rows().await? {
            if self.config.connector(&name).is_some() || self.config.mistaken(&name).is_some() {
                continue;
            }
            let mut held = 0;
            for kind in RecordKind::iter() {
                held += self.lake.held_keys(kind, &name).await?.len() as u64;
            }
            if held > 0 {
                let run = self.run;
                tracing::warn!(run, connector = name, rows = held, "rows of a connector that is no more still count");
                rows.insert(name, held);
            }
        }
        Ok(rows)
    }

    /// Compares the new versions of dossiers with those before. Damaged versions stop their connector, not the night: the
    /// changes are found once they are restored. So do rows that cannot be compared.
    async fn record_changes(&self) -> Result<(), RunError> {
        match self.lake.record_changes(self.run, self.now).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_of_rows() || matches!(error, LakeError::Damaged { .. }) => {
                tracing::error!(run = self.run, "changes of dossiers are not compared tonight: {error}");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn compute(&self) -> Result<ComputedFigures, RunError> {
        let mut tables = Vec::new();
        for kind in RecordKind::iter() {
            tables.push(self.lake.scan_image(kind).await?);
        }
        let groups = self.lake.scan_groups().await?;
        let (config, run, now) = (self.config.clone(), self.run, self.now);
        let numbers = AgencyNumbers::read(self.data).await?;
        let (figures, numbers, given) = tokio::task::spawn_blocking(move || {
            let names = numbers.names(&config, &tables)?;
            let catalogue = Catalogue::among(&tables)?;
            catalogue.differences(&config.registries, instant::local(now).date()).log(run);
            let registries = catalogue.completed(&config.registries);
            let indicators: Vec<_> =
                config.indicators.iter().map(|indicator| (&indicator.definition, indicator.digest.as_str())).collect();
            let calendar = WorkingCalendar::new(&registries.calendar);
            let figures = compute_each(&FigureInputs {
                indicators: &indicators,
                rules: &config.rules.values().collect::<Vec<_>>(),
                ..inputs((&registries, &names), &calendar, (tables, groups), now)
            })?;
            Ok::<_, indicators::IndicatorError>((figures, numbers, names.into_numbered()))
        })
        .await??;
        // Before the figures that use them.
        numbers.write_given(self.data, &given, run)?;
        Ok(figures)
    }

    async fn completeness(&self) -> Result<Completeness, RunError> {
        let (mut not_whole, mut data_until, mut ahead) = (Vec::new(), None, Vec::new());
        let mut behind = BTreeSet::new();
        for kind in RecordKind::iter() {
            behind.extend(self.lake.behind(kind).await?);
        }
        let disabled = &self.config.settings.disabled_connectors;
        for connector in self.config.connectors.iter().filter(|connector| !disabled.contains(&connector.name)) {
            let pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
            let is_whole = match pulls.iter().find(|pull| pull.purpose == Purpose::Night) {
                Some(last) => {
                    ahead.extend(last.findings.source_ahead_secs);
                    self.is_whole(connector, last).await?
                }
                None => false,
            };
            // A retry or a backfill may have stored rows since the last night that the image does not take.
            if !is_whole || behind.contains(&connector.name) || self.shares_codes(connector).await? {
                not_whole.push(connector.name.clone());
            }
            if connector.file.connector.kind == RecordKind::Dossiers {
                // The night reaches as far as the source that is furthest behind.
                let until = pulls.iter().find_map(|pull| pull.data_until);
                data_until = data_until.into_iter().chain(until).min();
            }
        }
        for connector in self.config.not_read() {
            let mistakes = connector.problems.summary();
            tracing::error!(
                run = self.run,
                connector = connector.name,
                "not read, because of mistakes in it: {mistakes}"
            );
            not_whole.push(connector.name.clone());
            if connector.kind.is_none_or(|kind| kind == RecordKind::Dossiers) {
                let pulls = self.ledger.pulls_of(&connector.name, EARLIER_PULLS).await?;
                data_until = data_until.into_iter().chain(pulls.iter().find_map(|pull| pull.data_until)).min();
            }
        }
        not_whole.sort();
        let clock = clock_doubt::doubt(self.now, publish::latest_night(self.data)?.as_ref(), &ahead);
        if let Some(doubt) = &clock {
            tracing::error!(run = self.run, "the night is not complete: {doubt}");
        }
        let complete = not_whole.is_empty() && clock.is_none();
        Ok(Completeness { night: Night { run: self.run, as_of: self.now, complete, data_until }, not_whole, clock })
    }

    /// Whether dossiers of a connector share their codes, so that one may count twice. A backfill or a retry may have added
    /// them since its last night.
    async fn shares_codes(&self, connector: &Connector) -> Result<bool, RunError> {
        if connector.file.connector.kind != RecordKind::Dossiers {
            return Ok(false);
        }
        // Also where the contract accepts them: files of an older motcua get their tag, and are not read again.
        let dossiers = self.lake.shared_codes(&connector.name).await?;
        let is_doubtful = dossiers > 0 && connector.file.has_unique_codes();
        if is_doubtful {
            let (run, name) = (self.run, &connector.name);
            tracing::warn!(
                run,
                connector = name,
                dossiers,
                "dossiers share codes with others of the connector: `motcua groups --shared`"
            );
        }
        Ok(is_doubtful)
    }

    /// Whether complete figures may be based on a connector's last night: it is fresh, and complete or degraded with
    /// its rejections resolved since.
    async fn is_whole(&self, connector: &Connector, last: &Pull) -> Result<bool, RunError> {
        let fresh_micros = i64::from(connector.file.schedule.fresh_within_hours) * HOUR_MICROS;
        Ok(self.now - last.started_at <= fresh_micros
            && match last.outcome {
                Some(Outcome::Complete) => true,
                Some(Outcome::Degraded) => is_within_budget(self.ledger, connector, last).await?,
                _ => false,
            })
    }

    /// Appends the figures that differ from the newest stored ones; returns their number.
    async fn append_changed(&self, figures: &[Figure], night: Night) -> Result<usize, RunError> {
        let table = FigureTable::open(&self.data.join("lake"), FIGURE_TABLE, &stored_columns()).await?;
        let stored = newest_figures(self.data, &table).await?;
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
pub(super) async fn is_within_budget(ledger: &Ledger, connector: &Connector, pull: &Pull) -> Result<bool, RunError> {
    let open = ledger.count_quarantined(Some(&connector.name), Some(pull.run), true).await?;
    Ok(!is_over_budget(open, pull.counts.received, &connector.file.contract))
}
