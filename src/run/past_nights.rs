//! Published nights of the past: read from their folders, or rebuilt from the figure versions if their files were
//! removed as old.

use std::path::{Path, PathBuf};

use polars::prelude::{Engine, SortMultipleOptions, col, lit};

use crate::indicators::{IndicatorError, figures_from_frame, sort_figures, stored_columns};
use crate::lake::{FIGURE_TABLE, FigureTable};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::publish::{self, NightFigures, NightRecord, PublishedFilesError};
use crate::run::error::RunError;
use crate::run::newest_figures::newest_versions;

/// The newest published night, or the newest one as of `as_of` or earlier (microseconds UTC). `None` if there is none.
pub async fn night_as_of(data: &Path, as_of: Option<i64>) -> Result<Option<(NightRecord, Vec<Figure>)>, RunError> {
    match publish::night_folder(data, as_of)? {
        Some(folder) => read(data, folder).await.map(Some),
        None => Ok(None),
    }
}

/// The night that a run published; `None` if it published none.
pub async fn night_of_run(data: &Path, run: i64) -> Result<Option<(NightRecord, Vec<Figure>)>, RunError> {
    match publish::night_folder_of_run(data, run) {
        Some(folder) => read(data, folder).await.map(Some),
        None => Ok(None),
    }
}

/// The oldest published night, for messages; `None` if there is none.
pub fn first_night(data: &Path) -> Result<Option<Night>, RunError> {
    Ok(publish::first_night(data)?)
}

async fn read(data: &Path, folder: PathBuf) -> Result<(NightRecord, Vec<Figure>), RunError> {
    let (record, figures) = tokio::task::spawn_blocking(move || publish::read_night(&folder)).await??;
    let removed = match figures {
        NightFigures::Present(figures) => return Ok((record, figures)),
        NightFigures::Removed(removed) => removed,
    };
    let figures = rebuilt(data, record.night.run).await?;
    if !removed.matches(&figures) {
        return Err(PublishedFilesError::FiguresDiffer { run: record.night.run }.into());
    }
    Ok((record, figures))
}

/// The figures as a run published them, rebuilt from the figure versions: the newest version of each up to that run,
/// without those that are gone.
pub(super) async fn rebuilt(data: &Path, run: i64) -> Result<Vec<Figure>, RunError> {
    let versions = FigureTable::read(&data.join("lake"), FIGURE_TABLE, &stored_columns()).await?;
    let known = versions.filter(col("run").lt_eq(lit(run)));
    let mut figures = tokio::task::spawn_blocking(move || newest_versions(known)).await??;
    sort_figures(&mut figures);
    Ok(figures)
}

/// A figure as a night published it.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureRevision {
    pub run: i64,
    /// The night's moment in microseconds UTC; `None` if its folder is gone.
    pub as_of: Option<i64>,
    pub figure: Figure,
    /// The night no longer had the figure; its values are those that it had last.
    pub is_gone: bool,
}

/// The nights at which a figure changed, the newest first: at most `limit`.
///
/// # Errors
/// A table or a night's record that cannot be read.
pub async fn figure_revisions(data: &Path, of: &Figure, limit: u32) -> Result<Vec<FigureRevision>, RunError> {
    let text = |name: &str, value: Option<&str>| match value {
        Some(value) => col(name).eq(lit(value)),
        None => col(name).is_null(),
    };
    let versions = FigureTable::read(&data.join("lake"), FIGURE_TABLE, &stored_columns()).await?;
    let of_figure = versions
        .filter(text("indicator", Some(&of.indicator)))
        .filter(text("period", Some(&of.period.to_string())))
        .filter(text("rules", Some(&of.rules)))
        .filter(text("agency", of.agency.as_deref()))
        .filter(text("tier", of.tier.map(Tier::name)));
    let data = data.to_owned();
    tokio::task::spawn_blocking(move || {
        let newest_first = SortMultipleOptions::default().with_order_descending(true);
        let sorted = of_figure.sort(["run"], newest_first).limit(limit);
        let frame = sorted.collect_with_engine(Engine::Streaming).map_err(IndicatorError::from)?.unwrap_single();
        let figures = figures_from_frame(&frame)?;
        let runs = frame.column("run").and_then(|runs| runs.i64()).map_err(IndicatorError::from)?;
        let gone = frame.column("gone").and_then(|gone| gone.bool()).map_err(IndicatorError::from)?;
        let revisions = figures.into_iter().enumerate().map(|(at, figure)| {
            let run = runs.get(at).unwrap_or_default();
            let as_of = publish::night_of_run(&data, run)?.map(|night| night.as_of);
            Ok(FigureRevision { run, as_of, figure, is_gone: gone.get(at).unwrap_or(false) })
        });
        revisions.collect()
    })
    .await?
}
