//! Checks every file of the tables against its digest, and every image against its versions. Nothing is repaired or
//! written.

use std::path::{Path, PathBuf};

use polars::prelude::*;
use strum::IntoEnumIterator as _;

use super::error::{Damage, LakeError, blocking};
use super::files::{self, LOG_FOLDER};
use super::image;
use super::layout::Layout;
use super::log_digests::{self, LogDigests, StoredDigests};
use super::rows::{KEY, VERSION_ORDER, collect, columns, newest_per_key, scan};
use super::table::{self, Table};
use super::verification::compare;
use crate::model::checked_file::CheckedFile;
use crate::model::table::RecordKind;

/// The files of one table.
#[derive(Debug, Clone)]
pub struct CheckedTable {
    pub name: String,
    /// Entries and checkpoints of the log, and the digests of them.
    pub log: Vec<CheckedFile>,
    pub data: Vec<CheckedFile>,
    /// Why the table cannot be read; `None` if it can.
    pub unreadable: Option<String>,
}

impl CheckedTable {
    /// Whether every file is as it was written, and the table can be read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unreadable.is_none() && self.log.iter().chain(&self.data).all(|file| file.state.is_fine())
    }
}

/// Checks the files of every table under `root`, by name. `progress` is called with the name of each table.
pub async fn check_tables(root: &Path, progress: &(dyn Fn(&str) + Sync)) -> Result<Vec<CheckedTable>, LakeError> {
    let mut checked = Vec::new();
    if !root.is_dir() {
        return Ok(checked);
    }
    let root = files::absolute(root)?;
    let mut names = files::tables(&root)?;
    names.sort();
    for name in names {
        progress(&name);
        checked.push(check_table(&root, &name).await?);
    }
    Ok(checked)
}

async fn check_table(root: &Path, name: &str) -> Result<CheckedTable, LakeError> {
    let mut checked = CheckedTable { name: name.to_owned(), log: Vec::new(), data: Vec::new(), unreadable: None };
    let stored = StoredDigests::of(root, name)?;
    checked.log = check_log(&root.join(name).join(LOG_FOLDER), &stored.clone().known())?;
    let table = match table::load(&root.join(name), name).await {
        Ok(table) => table,
        // The damaged files of the log are listed already.
        Err(LakeError::Damaged { .. }) => return Ok(checked),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            checked.unreadable = Some(format!("{error}{cause}"));
            return Ok(checked);
        }
    };
    let mut active = Vec::new();
    for file in table.snapshot().map_err(super::error::log_error("read", name))?.log_data().iter() {
        let path = root.join(name).join(file.path().into_owned());
        active.push((path, u64::try_from(file.size()).unwrap_or_default(), table::digest_of(&file)));
    }
    let has_digests = active.iter().any(|(.., digest)| digest.is_some());
    checked.log.extend(check_digests(root, name, &stored, has_digests));
    checked.data = tokio::task::spawn_blocking(move || check_data(active))
        .await
        .unwrap_or(Err(LakeError::Interrupted { table: "lake" }))?;
    Ok(checked)
}

/// The data files that a log names, each with its size and digest.
fn check_data(active: Vec<(PathBuf, u64, Option<String>)>) -> Result<Vec<CheckedFile>, LakeError> {
    let check = |(path, bytes, digest): (PathBuf, u64, Option<String>)| {
        let damage = compare(&path, bytes, digest.as_deref())?;
        Ok(checked_file(path, bytes, damage, digest.is_some()))
    };
    active.into_iter().map(check).collect()
}

/// The files of a log, and those that are missing although the newest state is read from them.
fn check_log(log: &Path, digests: &LogDigests) -> Result<Vec<CheckedFile>, LakeError> {
    let mut checked = Vec::new();
    for name in log_digests::names(log)? {
        let path = log.join(&name);
        let bytes = path.metadata().map_or(0, |meta| meta.len());
        let damage = digests.damage(log, &name)?;
        checked.push(checked_file(path, bytes, damage, digests.has(&name)));
    }
    for missing in digests.damaged(log)?.into_iter().filter(|file| file.damage == Damage::Missing) {
        checked.push(CheckedFile::missing(missing.path));
    }
    Ok(checked)
}

/// The file with the digests of a log; `None` for a table of an older motcua, which has none.
fn check_digests(root: &Path, name: &str, stored: &StoredDigests, has_digests: bool) -> Option<CheckedFile> {
    let path = log_digests::path_of(root, name);
    let damage = match stored {
        StoredDigests::Present(_) => None,
        StoredDigests::Damaged => Some(Damage::Content),
        StoredDigests::Absent if has_digests => Some(Damage::Missing),
        StoredDigests::Absent => return None,
    };
    let bytes = path.metadata().map_or(0, |meta| meta.len());
    Some(checked_file(path, bytes, damage, true))
}

fn checked_file(path: PathBuf, bytes: u64, damage: Option<Damage>, has_digest: bool) -> CheckedFile {
    match damage {
        None => CheckedFile::whole(path, bytes, has_digest),
        Some(Damage::Missing) => CheckedFile::missing(path),
        Some(damage) => CheckedFile::damaged(path, bytes, damage.what()),
    }
}

/// Rows of an image that its versions do not give, and rows that are absent from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageDifference {
    pub kind: RecordKind,
    /// Rows of the image that are not the newest version of their key, or repeat it.
    pub surplus: u64,
    /// Newest versions that the image does not hold.
    pub absent: u64,
}

/// Compares each image under `root` with the newest version of every key, of the pulls that it contains. Images that are
/// equal are left out. The tables must be whole.
pub async fn image_differences(root: &Path) -> Result<Vec<ImageDifference>, LakeError> {
    let root = files::absolute(root)?;
    let mut differences = Vec::new();
    for kind in RecordKind::iter() {
        if files::has_table(&root, kind.versions_name())? && files::has_table(&root, kind.image_name())? {
            differences.extend(image_difference(&root, kind).await?);
        }
    }
    Ok(differences)
}

async fn image_difference(root: &Path, kind: RecordKind) -> Result<Option<ImageDifference>, LakeError> {
    let versions = Table::existing(root, Layout::versions(kind));
    let image = Table::existing(root, Layout::image(kind));
    let (from, to) = (versions.load().await?, image.load().await?);
    let reached = image::reached(&versions, &from, &image, &to).await?;
    let (version_files, image_files) = (versions.verified_files(&from).await?, image.verified_files(&to).await?);
    blocking(kind.image_name(), move || {
        let place = || columns(KEY.into_iter().chain(VERSION_ORDER));
        let name = kind.image_name();
        let stored = scan(&versions.layout, &version_files)?.filter(image::is_contained(&reached)).select(place());
        let newest = collect(name, newest_per_key(stored))?;
        let held = collect(name, scan(&image.layout, &image_files)?.select(place()))?;
        let without = |left: &DataFrame, right: &DataFrame| -> Result<u64, LakeError> {
            // A source without change times has null in all of its rows: nulls are equal.
            let join = JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Anti) };
            let rest = left.clone().lazy().join(right.clone().lazy(), place(), place(), join);
            Ok(collect(name, rest.select([len()]))?.column("len").map_or(0, rows_of))
        };
        let keys = held.clone().lazy().select(columns(KEY)).unique_generic(None, UniqueKeepStrategy::Any);
        let repeated = held.height() - collect(name, keys)?.height();
        let (surplus, absent) = (without(&held, &newest)? + repeated as u64, without(&newest, &held)?);
        Ok((surplus + absent > 0).then_some(ImageDifference { kind, surplus, absent }))
    })
    .await
}

/// The number in a column with the number of rows.
fn rows_of(column: &Column) -> u64 {
    column.cast(&DataType::UInt64).ok().and_then(|column| column.u64().ok()?.get(0)).unwrap_or_default()
}
