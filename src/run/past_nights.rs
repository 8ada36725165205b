//! Published nights as they were: read from their folders, or rebuilt from the versions of figures where they were removed as old.

use std::path::{Path, PathBuf};

use polars::prelude::{col, lit};

use crate::indicators::{sort_figures, stored_columns};
use crate::lake::FigureTable;
use crate::model::figure::Figure;
use crate::publish::{self, NightFigures, NightRecord, PublishedFilesError};
use crate::run::RunError;
use crate::run::night::{FIGURE_TABLE, newest_figures};

/// A published night: the newest, or the newest whose figures speak of a moment at or before `as_of` (microseconds UTC).
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

/// The figures as a run published them, from their versions: the newest of each up to that run, but those that are gone.
pub(super) async fn rebuilt(data: &Path, run: i64) -> Result<Vec<Figure>, RunError> {
    let versions = FigureTable::read(&data.join("lake"), FIGURE_TABLE, &stored_columns()).await?;
    let known = versions.filter(col("run").lt_eq(lit(run)));
    let mut figures = tokio::task::spawn_blocking(move || newest_figures(known)).await??;
    sort_figures(&mut figures);
    Ok(figures)
}
