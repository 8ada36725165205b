//! Rebuilds the partitions of an image whose files are damaged or lost, or have a key twice, from the versions.
//!
//! A key belongs to the partition that its first version names. So the rows of a partition are the newest version of
//! every key whose first version names it, of the pulls that the image already contains.

use std::collections::{BTreeMap, BTreeSet};

use deltalake_core::DeltaTable;
use deltalake_core::kernel::{Action, Transaction};
use polars::prelude::*;

use super::data_files::{DataFile, UncommittedFile};
use super::due_columns;
use super::error::{LakeError, blocking};
use super::files;
use super::image::{self, is_contained};
use super::layout::{Layout, PART};
use super::repeated_keys::{check_keys, repeated_rows};
use super::rows::{KEY, collect, columns, newest_per_key, scan, sink};
use super::shared_codes;
use super::table::Table;
use super::verification::VerifiedFiles;

/// The order in which the versions of a key were stored.
const STORED_ORDER: [&str; 3] = ["run", "page", "row"];

/// Compares the files of `image` with their digests, and rebuilds the partitions of those that are damaged or missing, or
/// that an older motcua wrote with keys that repeat. Returns their number.
pub(super) async fn mend(versions: &Table, image: &Table) -> Result<usize, LakeError> {
    let table = image.load().await?;
    let (whole, damaged) = image.sorted(image.files(&table)?).await?;
    let repeated = with_repeated_keys(image, whole).await?;
    if damaged.is_empty() && repeated.is_empty() {
        return Ok(0);
    }
    for (part, rows) in &repeated {
        tracing::warn!(
            table = image.layout.name,
            part,
            rows,
            "a part of the image has rows whose key it has already, which an older motcua wrote: it is rebuilt from the versions"
        );
    }
    for (_, file) in &damaged {
        tracing::warn!(
            table = image.layout.name,
            path = %file.path.display(),
            "a file of the image {}: its partition is rebuilt from the versions. Check the health of the disk",
            file.damage.what()
        );
    }
    let from = versions.load().await?;
    let reached = image::reached(versions, &from, image, &table).await?;
    let version_files = versions.verified(versions.files(&from)?).await?;
    let parts = damaged.iter().filter_map(|(file, _)| file.part.clone());
    let parts: BTreeSet<String> = parts.chain(repeated.keys().cloned()).collect();
    // A partition has one file; of several, all are replaced.
    let mut replaced = image.files(&table)?;
    replaced.retain(|file| file.part.as_ref().is_some_and(|part| parts.contains(part)));
    let (to, layout) = (image.clone(), versions.layout.clone());
    // A name that no commit has used: a lost file must not come back under its own name, which the commit removes.
    let stem = format!("rebuilt-{:08}", table.version().unwrap_or_default());
    let written: Vec<UncommittedFile> = blocking(image.layout.name, move || {
        parts
            .iter()
            .filter_map(|part| rebuilt_part(&layout, &version_files, &to, &reached, part, &stem).transpose())
            .collect()
    })
    .await?;
    // Rows that the versions do not hold must not vanish with the file that held them.
    let stated: Option<u64> = replaced.iter().map(|file| file.rows).sum();
    let stated = stated.map(|stated| stated - repeated.values().sum::<u64>());
    if stated.is_some_and(|stated| stated != written.iter().map(|file| file.rows).sum::<u64>()) {
        for file in &written {
            files::remove_uncommitted(&file.path);
        }
        let files = damaged.into_iter().map(|(_, file)| file).collect();
        return Err(LakeError::Damaged { table: image.layout.name.to_owned(), files });
    }
    replace(image, &table, replaced, &written, Vec::new()).await?;
    Ok(damaged.len() + repeated.len())
}

/// The partitions with rows whose key they have already, and the number of these rows. Only files without the tag that
/// this version adds can have any: see [`repeated_keys`](super::repeated_keys).
async fn with_repeated_keys(image: &Table, files: VerifiedFiles) -> Result<BTreeMap<String, u64>, LakeError> {
    let layout = image.layout.clone();
    if !shared_codes::are_counted(&layout) {
        return Ok(BTreeMap::new());
    }
    let untagged = files.filtered(|file| file.shared_codes.is_none()).into_files();
    if untagged.is_empty() {
        return Ok(BTreeMap::new());
    }
    blocking(layout.name, move || {
        let mut repeated = BTreeMap::new();
        for file in untagged {
            let rows = repeated_rows(&layout, &file.path)?;
            if rows > 0 {
                *repeated.entry(file.part.unwrap_or_default()).or_default() += rows;
            }
        }
        Ok(repeated)
    })
    .await
}

/// Replaces files of an image in one commit.
pub(super) async fn replace(
    image: &Table,
    table: &DeltaTable,
    replaced: Vec<DataFile>,
    written: &[UncommittedFile],
    numbers: Vec<Transaction>,
) -> Result<(), LakeError> {
    let mut actions: Vec<Action> = replaced.into_iter().map(|file| Action::Remove(file.remove)).collect();
    for file in written {
        actions.push(Action::Add(image.add(file)?));
    }
    image.commit(table, actions, numbers).await?;
    Ok(())
}

/// Writes the rows of one partition. `None` if it has none. `reached`: newest run of each source that the image contains.
fn rebuilt_part(
    versions: &Layout,
    files: &VerifiedFiles,
    image: &Table,
    reached: &BTreeMap<String, i64>,
    part: &str,
    stem: &str,
) -> Result<Option<UncommittedFile>, LakeError> {
    let name = image.layout.name;
    let is_contained = is_contained(reached);
    let stored = || Ok::<_, LakeError>(scan(versions, files)?.filter(is_contained.clone()));
    let named = stored()?.filter(col(PART).eq(lit(part))).select(columns(KEY));
    let named = collect(name, named.unique_generic(None, UniqueKeepStrategy::Any))?.lazy();
    let semi = || JoinArgs::new(JoinType::Semi);
    let order = columns(KEY.into_iter().chain(STORED_ORDER).chain([PART]));
    let first = stored()?
        .select(order)
        .join(named, columns(KEY), columns(KEY), semi())
        .sort_by_exprs(columns(STORED_ORDER), SortMultipleOptions::default())
        .unique_stable_generic(Some(columns(KEY)), UniqueKeepStrategy::First)
        .filter(col(PART).eq(lit(part)))
        .select(columns(KEY));
    let own = collect(name, first)?;
    if own.height() == 0 {
        return Ok(None);
    }
    let own = stored()?.join(own.lazy(), columns(KEY), columns(KEY), semi()).drop(by_name([PART], true, false));
    let rows = if due_columns::are_in(&image.layout) {
        due_columns::newest_with_history(&image.layout, own)?
    } else {
        newest_per_key(own)
    };
    let folder = image.folder.join(format!("{PART}={part}"));
    let written = sink(&image.layout, rows, &folder, stem, Some(part.to_owned()))?;
    check_keys(&image.layout, &written)?;
    Ok(Some(written))
}
