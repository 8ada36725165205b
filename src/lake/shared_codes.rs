//! Dossier codes that several records of one source have: as a rule one dossier under two keys, which counts twice.
//!
//! The number of such rows is counted when a file of the image is written, and kept by source as a tag of the file in the
//! log: a night reads no row for it. Rows are compared within their partition. A dossier that comes again under another
//! key has the same date of reception, as a rule, and so the same partition.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;

use super::error::{LakeError, rows_error};
use super::layout::Layout;
use crate::model::table::RecordKind;

/// Number of rows whose code another row of their source has, by source.
pub(super) type SharedCodes = BTreeMap<String, u64>;

/// Whether files of a table have the tag: those of the image of dossiers.
pub(super) fn are_counted(layout: &Layout) -> bool {
    layout.name == RecordKind::Dossiers.image_name()
}

/// The text of the tag of a data file. Blocks the thread.
pub(super) fn tag_of(layout: &Layout, path: &Path) -> Result<String, LakeError> {
    let path = PlRefPath::try_from_path(path).map_err(rows_error("read", layout.name))?;
    let rows = LazyFrame::scan_parquet(path, ScanArgsParquet::default()).map_err(rows_error("read", layout.name))?;
    let with_count = shared(rows, &["source", "dossier_code"]).group_by([col("source")]).agg([col("rows").sum()]);
    let frame = with_count.collect_with_engine(Engine::Streaming).map_err(rows_error("read", layout.name))?;
    let frame = frame.unwrap_single();
    let counts = || -> PolarsResult<SharedCodes> {
        let (sources, rows) = (frame.column("source")?.str()?, frame.column("rows")?.i64()?);
        let counted = sources.iter().zip(rows.iter());
        Ok(counted.filter_map(|(source, rows)| Some((source?.to_owned(), rows?.unsigned_abs()))).collect())
    };
    let counts = counts().map_err(rows_error("read", layout.name))?;
    Ok(serde_json::to_string(&counts).expect("a map of numbers is JSON"))
}

/// The groups of rows with a code that is not unique in them, with the number of rows.
pub(super) fn shared(rows: LazyFrame, by: &[&str]) -> LazyFrame {
    rows.filter(col("deleted").fill_null(lit(false)).not().and(col("dossier_code").is_not_null()))
        .group_by(by.iter().copied().map(col).collect::<Vec<_>>())
        .agg([len().cast(DataType::Int64).alias("rows")])
        .filter(col("rows").gt(lit(1_i64)))
}
