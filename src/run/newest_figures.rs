//! The newest version of every figure, which a night's figures are compared with.
//!
//! A published night holds exactly that, as of the version of table `figure_versions` that its record names: a night appends
//! what differs, and then publishes. So the newest night serves as the table's image, and the table, which grows with every
//! night, is read only if the night is not of its newest version: after a run that was cut between the two, after an
//! upgrade that added a column, or if the night's file is damaged or gone. A table that was made anew can reach the same
//! version with other rows, so its newest run must not be later than the night's.

use std::path::Path;

use polars::prelude::*;

use crate::indicators::{IndicatorError, figures_from_frame, key_columns};
use crate::lake::{FIGURE_TABLE, FigureTable};
use crate::model::figure::Figure;
use crate::publish::{self, NightFigures, NightRecord, PublishedFilesError};
use crate::run::error::RunError;

/// The newest version of every figure in `table` that is not gone.
pub(super) async fn newest_figures(data: &Path, table: &FigureTable) -> Result<Vec<Figure>, RunError> {
    let (data, version, last_run) = (data.to_owned(), table.version().await?, table.last_run().await?);
    match tokio::task::spawn_blocking(move || published_figures(&data, version, last_run)).await? {
        Ok(Some(figures)) => return Ok(figures),
        Ok(None) => tracing::debug!(version, "the newest night is not of this version of the figures"),
        Err(error) => tracing::warn!("the newest night cannot be compared with, so all versions are read: {error}"),
    }
    let versions = table.scan().await?;
    Ok(tokio::task::spawn_blocking(move || newest_versions(versions)).await??)
}

/// The figures of the newest night if it was published at this version of the table, whose newest run is `last_run`. A night
/// without digests does not count: damage of its file would not be found.
fn published_figures(
    data: &Path,
    version: u64,
    last_run: Option<i64>,
) -> Result<Option<Vec<Figure>>, PublishedFilesError> {
    let newest = publish::newest_record(data)?;
    let is_image = |record: &NightRecord| {
        record.tables.get(FIGURE_TABLE) == Some(&version) && last_run.is_none_or(|run| run <= record.night.run)
    };
    if newest.filter(is_image).is_none_or(|record| record.files.is_empty()) {
        return Ok(None);
    }
    let Some(folder) = publish::night_folder(data, None)? else { return Ok(None) };
    Ok(match publish::read_night(&folder)?.1 {
        NightFigures::Present(figures) => Some(figures),
        NightFigures::Removed(_) => None,
    })
}

/// The newest version of every figure that is not gone, by their runs.
pub(super) fn newest_versions(versions: LazyFrame) -> Result<Vec<Figure>, IndicatorError> {
    let key: Vec<Expr> = key_columns().map(|column| col(column.name)).collect();
    let newest = versions
        .sort(["run"], SortMultipleOptions::default().with_maintain_order(true))
        .group_by_stable(key)
        .agg([all().as_expr().last()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    figures_from_frame(&newest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::indicators::{FigureOfNight, stored_columns, stored_frame};
    use crate::model::figure::Night;
    use crate::model::indicator::{IndicatorKind, TargetPeriods};
    use crate::model::period::Period;

    fn figure(numerator: u64) -> Figure {
        Figure {
            indicator: "par-3.4.1".into(),
            kind: IndicatorKind::Ratio,
            definition: "d".into(),
            rules: "seed-2639".into(),
            agency: None,
            agency_name: None,
            tier: None,
            period: Period::parse("2026").expect("a period"),
            numerator,
            denominator: Some(10),
            reachable: 10,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
        }
    }

    fn night(run: i64) -> Night {
        Night { run, as_of: 1_790_000_000_000_000 + run, complete: true, data_until: None }
    }

    async fn append(table: &FigureTable, run: i64, numerator: u64) -> u64 {
        let figure = figure(numerator);
        let frame = stored_frame(&[FigureOfNight { figure: &figure, night: night(run), is_gone: false }]);
        table.append(frame.expect("columns have one length"), run).await.expect("the folder is writable")
    }

    /// Publishes a night with a figure, at a version of the table.
    fn publish(data: &Path, run: i64, numerator: u64, version: u64) -> std::path::PathBuf {
        let record = NightRecord {
            night: night(run),
            not_whole: Vec::new(),
            clock: None,
            elsewhere: BTreeMap::new(),
            not_merged: BTreeMap::new(),
            without_connector: BTreeMap::new(),
            tables: BTreeMap::from([(FIGURE_TABLE.to_owned(), version)]),
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        publish::publish_night(data, &[figure(numerator)], &record).expect("the folder is writable")
    }

    /// The two states have different numerators, so that the test sees which of them was read.
    #[tokio::test]
    async fn the_newest_night_is_read_if_it_is_of_the_tables_version_and_whole() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let data = folder.path();
        let table = FigureTable::open(&data.join("lake"), FIGURE_TABLE, &stored_columns()).await.expect("it opens");
        let read = async || {
            let figures = newest_figures(data, &table).await.expect("they can be read");
            figures.into_iter().map(|figure| figure.numerator).collect::<Vec<_>>()
        };
        assert_eq!(read().await, [0_u64; 0], "neither a night nor a version");
        append(&table, 1, 1).await;
        let version = append(&table, 2, 2).await;
        assert_eq!(read().await, [2], "no night: the newest of the table");
        let folder = publish(data, 2, 22, version);
        assert_eq!(read().await, [22], "the night");
        let parquet = folder.join("figures.parquet");
        let mut bytes = read_file(&parquet);
        bytes[20] ^= 1;
        write_file(&parquet, &bytes);
        assert_eq!(read().await, [2], "a damaged night");
        bytes[20] ^= 1;
        write_file(&parquet, &bytes);
        assert_eq!(read().await, [22], "the night, whole again");
        // A run that was cut before it published.
        append(&table, 3, 3).await;
        assert_eq!(read().await, [3], "the table has a newer version");
        publish(data, 4, 44, version);
        assert_eq!(read().await, [3], "a night of an older version");
        let version = append(&table, 6, 6).await;
        publish(data, 5, 55, version);
        assert_eq!(read().await, [6], "a night of this version, before the table's newest run");
    }

    #[expect(clippy::disallowed_methods, reason = "tests damage published files")]
    fn read_file(path: &Path) -> Vec<u8> {
        std::fs::read(path).expect("it was written")
    }

    #[expect(clippy::disallowed_methods, reason = "tests damage published files")]
    fn write_file(path: &Path, bytes: &[u8]) {
        std::fs::write(path, bytes).expect("the folder is writable");
    }
}
