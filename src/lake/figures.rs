//! A table of figures: append-only like the versions, one commit a night.
//!
//! Its columns are given by the caller, who owns their meaning; a night appends the figures that changed.

use std::path::Path;

use polars::prelude::*;

use super::durable;
use super::error::{LakeError, blocking};
use super::layout::{Layout, StoredType};
use super::rows::{columns, scan, sink};
use super::table::Table;

/// The application of the nights' transaction numbers.
pub(super) const FIGURES: &str = "figures";

/// A table of figures under the lake's root folder.
#[derive(Debug, Clone)]
pub struct FigureTable {
    table: Table,
}

impl FigureTable {
    /// Opens the table `name`, or creates it; `columns` may only grow from one version of motcua to the next.
    pub async fn open(
        root: &Path,
        name: &'static str,
        columns: &[(&'static str, StoredType)],
    ) -> Result<Self, LakeError> {
        durable::create_folder(root)?;
        let layout = Layout { name, columns: columns.to_vec(), parted: false };
        Ok(Self { table: Table::open(&durable::absolute(root)?, layout).await? })
    }

    /// All figures of all runs in the table `name` under `root` as it stands, none if it is not there: nothing is repaired or
    /// written.
    pub async fn read(
        root: &Path,
        name: &'static str,
        columns: &[(&'static str, StoredType)],
    ) -> Result<LazyFrame, LakeError> {
        let layout = Layout { name, columns: columns.to_vec(), parted: false };
        if !durable::tables(root)?.iter().any(|known| known == name) {
            return scan(&layout, &[]);
        }
        let table = Self { table: Table { folder: durable::absolute(root)?.join(name), layout } };
        table.scan().await
    }

    /// Appends the figures of one run in one commit; gives the table's version. A run that was committed before changes
    /// nothing; so does a frame without rows.
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
        let folder = self.table.folder.clone();
        let written = blocking(layout.name, move || {
            let wanted = columns(layout.columns.iter().map(|(name, _)| *name));
            sink(&layout, figures.lazy().select(wanted), &folder, &format!("run-{run:08}"), None)
        })
        .await?;
        self.table.append(FIGURES, run, vec![written]).await
    }

    /// The newest run whose figures are in the table.
    pub async fn reached(&self) -> Result<Option<i64>, LakeError> {
        self.table.reached(&self.table.load().await?, FIGURES).await
    }

    /// All figures of all runs.
    pub async fn scan(&self) -> Result<LazyFrame, LakeError> {
        scan(&self.table.layout, &self.table.files(&self.table.load().await?)?)
    }
}
