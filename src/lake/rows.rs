//! Reading and writing the Parquet files of a table.
//!
//! A row group holds [`GROUP_ROWS`] rows: a scan with a filter skips most groups, and a writer holds one in memory.
//! Compression is zstd level 1. Columns that older files lack are read as null.

use std::path::Path;

use polars::prelude::*;

use super::data_files::UncommittedFile;
use super::error::{LakeError, rows_error};
use super::files;
use super::layout::{Layout, PART};
use super::shared_codes;
use super::verification::VerifiedFiles;
use crate::durable;

/// Rows of one row group.
pub(super) const GROUP_ROWS: usize = 65_536;

/// The key of a record.
pub(super) const KEY: [&str; 2] = ["source", "source_key"];

/// The order of the versions of a key, the newest last: the source's change time if it has one, then run, page and row.
pub(super) const VERSION_ORDER: [&str; 4] = ["source_updated_at", "run", "page", "row"];

/// The named columns as expressions.
pub(super) fn columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Expr> {
    names.into_iter().map(col).collect()
}

/// Scans the given files with the columns of `layout`. Without files the scan has no rows.
pub(super) fn scan(layout: &Layout, files: &VerifiedFiles) -> Result<LazyFrame, LakeError> {
    let error = || rows_error("read", layout.name);
    let paths: Vec<PlRefPath> =
        files.iter().map(|file| PlRefPath::try_from_path(&file.path).map_err(error())).collect::<Result<_, _>>()?;
    let wanted = layout.scan_schema();
    if paths.is_empty() {
        return Ok(DataFrame::empty_with_schema(&wanted).lazy());
    }
    let hive_options = if layout.parted {
        let part = Schema::from_iter([(PlSmallStr::from_static(PART), DataType::String)]);
        HiveOptions { enabled: Some(true), hive_start_idx: 0, schema: Some(part.into()), try_parse_dates: false }
    } else {
        HiveOptions::new_disabled()
    };
    let arguments = ScanArgsParquet {
        hive_options,
        schema: Some(layout.file_schema()),
        glob: false,
        cache: false,
        allow_missing_columns: true,
        ..ScanArgsParquet::default()
    };
    let scanned = LazyFrame::scan_parquet_files(paths.into(), arguments).map_err(error())?;
    Ok(scanned.select(columns(wanted.iter_names().map(PlSmallStr::as_str))))
}

/// Runs a query in the streaming engine. Blocks the thread.
pub(super) fn collect(table: &'static str, query: LazyFrame) -> Result<DataFrame, LakeError> {
    let result = query.collect_with_engine(Engine::Streaming).map_err(rows_error("read", table))?;
    Ok(result.unwrap_single())
}

/// Compression, statistics and row groups of the data files.
pub(super) fn options() -> ParquetWriteOptions {
    ParquetWriteOptions {
        compression: ParquetCompression::Zstd(polars::polars_utils::compression::ZstdLevel::try_new(1).ok()),
        statistics: StatisticsOptions::default(),
        row_group_size: Some(GROUP_ROWS),
        ..ParquetWriteOptions::default()
    }
}

/// Writes the rows of a query into a new data file of `folder`. Blocks the thread. `part`: value of the partition
/// column.
pub(super) fn sink(
    layout: &Layout,
    query: LazyFrame,
    folder: &Path,
    stem: &str,
    part: Option<String>,
) -> Result<UncommittedFile, LakeError> {
    let error = || rows_error("write", layout.name);
    durable::create_folder(folder)?;
    let path = files::new_file(folder, stem)?;
    let target = SinkTarget::Path(PlRefPath::try_from_path(&path).map_err(error())?);
    let format = FileWriteFormat::Parquet(options().into());
    let arguments = UnifiedSinkArgs { maintain_order: false, ..UnifiedSinkArgs::default() };
    let sunk = query.sink(SinkDestination::File { target }, format, arguments).map_err(error())?;
    sunk.collect_with_engine(Engine::Streaming).map_err(error())?;
    let rows = ParquetReader::new(files::open(&path)?).num_rows().map_err(error())?;
    let shared_codes = shared_codes::are_counted(layout).then(|| shared_codes::tag_of(layout, &path)).transpose()?;
    Ok(UncommittedFile { path, part, rows: u64::try_from(rows).unwrap_or(u64::MAX), shared_codes })
}

/// Reduces versions to the newest version per key.
pub(super) fn newest_per_key(rows: LazyFrame) -> LazyFrame {
    let options = SortMultipleOptions::default().with_nulls_last(false);
    rows.sort_by_exprs(columns(VERSION_ORDER), options)
        .unique_stable_generic(Some(columns(KEY)), UniqueKeepStrategy::Last)
}
