//! Published nights of the past: read from their folders, or rebuilt from the figure versions if their files were
//! removed as old.

use std::path::{Path, PathBuf};

use polars::prelude::{col, lit};

use crate::indicators::{sort_figures, stored_columns};
use crate::lake::{FIGURE_TABLE, FigureTable};
use crate::model::figure::Figure;
use crate::publish::{self, NightFigures, NightRecord, PublishedFilesError};
use crate::run::error::RunError;
use crate::run::night_closing::newest_figures;

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
    let mut figures = tokio::task::spawn_blocking(move || newest_figures(known)).await??;
    sort_figures(&mut figures);
    Ok(figures)
}
