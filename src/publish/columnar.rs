//! Figures as Parquet and Arrow IPC.
use std::io::{Cursor, Read as _, Seek as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use polars::io::utils::file::Writable;
use polars::prelude::*;

use super::error::{PublishedFilesError, file_error};
use super::figure_rows::FigureRow;
use crate::indicators::{self, row_columns};

/// Rows as the bytes of a Parquet file that every reader can read. `scratch`: a folder for a file without a name, of which
/// nothing is left after a kill.
pub fn parquet<'a>(
    rows: impl IntoIterator<Item = FigureRow<'a>>,
    scratch: &Path,
) -> Result<Vec<u8>, PublishedFilesError> {
    let failed = |what| file_error(what, scratch);
    let mut file = tempfile::tempfile_in(scratch).map_err(failed("write into"))?;
    // The sink closes its own handle.
    let sunk = Writable::Local(file.try_clone().map_err(failed("write into"))?);
    let target = SinkTarget::Dyn(SpecialEq::new(Arc::new(Mutex::new(Some(sunk)))));
    sink_parquet(target, scratch, row_frame(rows)?)?;
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed("read from"))?;
    Ok(bytes)
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

/// Writes a frame as a Parquet file that every reader can read.
pub(super) fn write_parquet(path: &Path, frame: DataFrame) -> Result<(), PublishedFilesError> {
    let failed = |source| PublishedFilesError::Parquet { path: path.to_owned(), source };
    sink_parquet(SinkTarget::Path(PlRefPath::try_from_path(path).map_err(failed)?), path, frame)
}

/// Writes Parquet without view types, which not every reader supports. `ParquetWriter` always declares them, so the sink is
/// used. `path`: for errors.
fn sink_parquet(target: SinkTarget, path: &Path, frame: DataFrame) -> Result<(), PublishedFilesError> {
    let failed = |source| PublishedFilesError::Parquet { path: path.to_owned(), source };
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
