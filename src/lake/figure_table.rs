//! A table of figures: append-only, one commit per night.
//!
//! The caller gives the columns and owns their meaning. A night appends the figures that changed since the night
//! before.

use std::path::Path;

use polars::prelude::*;

use super::data_files::DataFile;
use super::error::{LakeError, blocking};
use super::files;
use super::layout::{Layout, StoredType};
use super::rows::{columns, scan, sink};
use super::table::Table;
use super::transactions::FIGURES;
use super::verification::VerifiedFiles;
use crate::durable;

/// Name of the table of figure versions.
pub const FIGURE_TABLE: &str = "figure_versions";

/// A table of figures under the lake's root folder.
#[derive(Debug, Clone)]
pub struct FigureTable {
    table: Table,
}

impl FigureTable {
    /// Opens the table `name`, or creates it. From one version of motcua to the next, `columns` may only grow.
    pub async fn open(
        root: &Path,
        name: &'static str,
        columns: &[(&'static str, StoredType)],
    ) -> Result<Self, LakeError> {
        durable::create_folder(root)?;
        let layout = Layout { name, columns: columns.to_vec(), parted: false };
        Ok(Self { table: Table::open(&files::absolute(root)?, layout).await? })
    }

    /// Scans the figures of all runs in the table `name` under `root`, without repairing or writing anything. A table
    /// that does not exist has no figures.
    pub async fn read(
        root: &Path,
        name: &'static str,
        columns: &[(&'static str, StoredType)],
    ) -> Result<LazyFrame, LakeError> {
        let layout = Layout { name, columns: columns.to_vec(), parted: false };
        if !files::has_table(root, name)? {
            return scan(&layout, &VerifiedFiles::default());
        }
        let table = Self { table: Table::existing(&files::absolute(root)?, layout) };
        table.scan().await
    }

    /// Appends the figures of one run in one commit, and returns the table's version. Nothing changes if the run is
    /// committed already or the frame has no rows. It is an error if the run is not committed and a later one is.
    pub async fn append(&self, figures: DataFrame, run: i64) -> Result<u64, LakeError> {
        let layout = self.table.layout.clone();
        for (column, stored) in &layout.columns {
            if figures.column(column).map(Column::dtype).ok() != Some(&stored.polars()) {
                return Err(LakeError::Column { table: layout.name, column });
            }
        }
        if figures.height() == 0 {
            return self.table.append(FIGURES, run, Vec::new()).await;
        }
        let loaded = self.table.load().await?;
        let stem = format!("run-{run:08}");
        let is_own =
            |file: &DataFile| file.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&stem));
        if self.table.files(&loaded)?.iter().any(is_own) {
            return Ok(loaded.version().unwrap_or_default());
        }
        let folder = self.table.folder.clone();
        let written = blocking(layout.name, move || {
            let wanted = columns(layout.columns.iter().map(|(name, _)| *name));
            sink(&layout, figures.lazy().select(wanted), &folder, &stem, None)
        })
        .await?;
        self.table.append(FIGURES, run, vec![written]).await
    }

    /// The newest version of the table.
    pub async fn version(&self) -> Result<u64, LakeError> {
        Ok(self.table.load().await?.version().unwrap_or_default())
    }

    /// The newest run whose figures are committed.
    pub async fn last_run(&self) -> Result<Option<i64>, LakeError> {
        self.table.last_number(&self.table.load().await?, FIGURES).await
    }

    /// Scans the figures of all runs.
    pub async fn scan(&self) -> Result<LazyFrame, LakeError> {
        scan(&self.table.layout, &self.table.verified_files(&self.table.load().await?).await?)
    }
}
