//! Keys that a partition of an image has more than once. An image has one row per key; a partition that does not is never
//! committed, and one that an older motcua committed is rebuilt.

use std::path::Path;

use polars::prelude::*;

use super::data_files::UncommittedFile;
use super::error::{LakeError, rows_error};
use super::files;
use super::layout::Layout;
use super::rows::{KEY, columns};

/// Number of rows of a data file besides the first one of each key. Blocks the thread.
pub(super) fn repeated_rows(layout: &Layout, path: &Path) -> Result<u64, LakeError> {
    let failed = || rows_error("read", layout.name);
    let path = PlRefPath::try_from_path(path).map_err(failed())?;
    let rows = LazyFrame::scan_parquet(path, ScanArgsParquet::default()).map_err(failed())?;
    let repeated = rows
        .group_by(columns(KEY))
        .agg([len().cast(DataType::Int64).alias("rows")])
        .select([(col("rows") - lit(1_i64)).sum().alias("repeated")]);
    let repeated = repeated.collect_with_engine(Engine::Streaming).map_err(failed())?.unwrap_single();
    let repeated = repeated.column("repeated").and_then(|column| column.i64()).map_err(failed())?.get(0);
    Ok(repeated.unwrap_or_default().unsigned_abs())
}

/// An error if a written partition of an image has a key more than once; its file is removed. Blocks the thread.
pub(super) fn check_keys(layout: &Layout, written: &UncommittedFile) -> Result<(), LakeError> {
    let rows = repeated_rows(layout, &written.path)?;
    if rows == 0 {
        return Ok(());
    }
    files::remove_uncommitted(&written.path);
    Err(LakeError::Repeated { table: layout.name, part: written.part.clone().unwrap_or_default(), rows })
}
