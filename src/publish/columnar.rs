//! Figures as Parquet and Arrow IPC.
#![expect(clippy::disallowed_methods, reason = "edge: Parquet is written to a file, and read from it, here")]

use std::fs;
use std::io::Cursor;
use std::path::Path;

use polars::prelude::*;

use super::error::{PublishedFilesError, file_error};
use super::figure_rows::FigureRow;
use crate::indicators::{self, row_columns};

/// Rows as the bytes of a Parquet file that every reader can read. `scratch`: a folder for a temporary file.
pub fn parquet<'a>(
    rows: impl IntoIterator<Item = FigureRow<'a>>,
    scratch: &Path,
) -> Result<Vec<u8>, PublishedFilesError> {
    // The sink writes files only. A file that a killed process leaves is removed by its ending, `.partial`.
    let path = scratch.join(format!(".figures-{:016x}.partial", rand::random::<u64>()));
    let written =
        write_parquet(&path, row_frame(rows)?).and_then(|()| fs::read(&path).map_err(file_error("read", &path)));
    let _ = fs::remove_file(&path);
    written
}

/// Rows as an Arrow IPC file without view types, which few readers support.
pub fn arrow<'a>(rows: impl IntoIterator<Item = FigureRow<'a>>) -> Result<Vec<u8>, PublishedFilesError> {
    let mut frame = row_frame(rows)?;
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = IpcWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest());
    writer.finish(&mut frame).map_err(|source| PublishedFilesError::Parquet { path: "memory".into(), source })?;
    Ok(bytes.into_inner())
}

fn row_frame<'a>(rows: impl IntoIterator<Item = FigureRow<'a>>) -> Result<DataFrame, PublishedFilesError> {
    let figures: Vec<_> = rows.into_iter().map(|row| row.figure()).collect();
    Ok(indicators::figure_frame(row_columns(), &figures)?)
}

/// Writes a frame as a Parquet file without view types, which not every reader supports. `ParquetWriter` always
/// declares them, so the sink is used.
pub(super) fn write_parquet(path: &Path, frame: DataFrame) -> Result<(), PublishedFilesError> {
    let failed = |source| PublishedFilesError::Parquet { path: path.to_owned(), source };
    let target = SinkTarget::Path(PlRefPath::try_from_path(path).map_err(failed)?);
    let options = ParquetWriteOptions { compression: ParquetCompression::Snappy, ..ParquetWriteOptions::default() };
    let format = FileWriteFormat::Parquet(options.into());
    let sink =
        frame.lazy().sink(SinkDestination::File { target }, format, UnifiedSinkArgs::default()).map_err(failed)?;
    // On its own thread: the caller may be a worker of an async runtime, which Polars must not block.
    std::thread::scope(|scope| {
        let sinking = scope.spawn(|| sink.collect_with_engine(Engine::Streaming));
        sinking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .map_err(failed)
    .map(drop)
}
