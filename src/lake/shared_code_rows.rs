//! The rows whose dossier code another row of their source has: their number, and the rows themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;

use super::data_files::DataFile;
use super::error::{LakeError, blocking, rows_error};
use super::rows::{collect, columns, scan};
use super::shared_codes::{SharedCodes, shared, tag_of};
use super::table::Table;

/// Number of rows of `source` in an image whose code another one of the same partition has. Files of an older motcua get
/// their tag.
pub(super) async fn count(image: &Table, source: &str) -> Result<u64, LakeError> {
    let table = image.load().await?;
    let files = image.files(&table)?;
    let mut counts: Vec<String> = files.iter().filter_map(|file| file.shared_codes.clone()).collect();
    let (_, untagged): (Vec<DataFile>, Vec<DataFile>) = files.into_iter().partition(|file| file.shared_codes.is_some());
    if !untagged.is_empty() {
        let (untagged, layout) = (image.verified(untagged).await?.into_files(), image.layout.clone());
        let tags = blocking(layout.name, move || {
            let tag = |file: DataFile| Ok((file.path.clone(), tag_of(&layout, &file.path)?));
            untagged.into_iter().map(tag).collect::<Result<BTreeMap<PathBuf, String>, LakeError>>()
        })
        .await?;
        image.tag_shared_codes(&table, &tags).await?;
        counts.extend(tags.into_values());
    }
    // A tag that cannot be read is none: another program wrote it.
    let counted = counts.iter().filter_map(|text| serde_json::from_str::<SharedCodes>(text).ok());
    Ok(counted.filter_map(|counts| counts.get(source).copied()).sum())
}

/// A row of dossiers whose code another row of its source has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedCode {
    pub source: String,
    pub dossier_code: String,
    pub source_key: String,
}

/// Every such row of an image, whatever its partition, in order.
pub(super) async fn rows(image: &Table) -> Result<Vec<SharedCode>, LakeError> {
    let files = image.verified_files(&image.load().await?).await?;
    let layout = image.layout.clone();
    blocking(layout.name, move || {
        let held = || {
            Ok::<_, LakeError>(scan(&layout, &files)?.select(columns([
                "source",
                "source_key",
                "dossier_code",
                "deleted",
            ])))
        };
        let by = ["source", "dossier_code"];
        // First the codes, then their rows: few of them.
        let codes = collect(layout.name, shared(held()?, &by).select(columns(by)))?;
        let is_held = col("deleted").fill_null(lit(false)).not();
        let found = held()?.filter(is_held).join(codes.lazy(), columns(by), columns(by), JoinArgs::new(JoinType::Semi));
        let frame = collect(layout.name, found)?;
        let read = || -> PolarsResult<Vec<SharedCode>> {
            let text = |name: &str| frame.column(name)?.str();
            let (sources, codes, keys) = (text("source")?, text("dossier_code")?, text("source_key")?);
            let row = |at: usize| {
                let text = |column: &StringChunked| column.get(at).map(str::to_owned);
                Some(SharedCode { source: text(sources)?, dossier_code: text(codes)?, source_key: text(keys)? })
            };
            Ok((0..frame.height()).filter_map(row).collect())
        };
        let mut rows = read().map_err(rows_error("read", layout.name))?;
        rows.sort();
        Ok(rows)
    })
    .await
}
