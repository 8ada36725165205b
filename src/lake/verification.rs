//! Compares data files with the digests in their table's log.
//!
//! A scan takes [`VerifiedFiles`] only, so no row is read from a file that was not compared. The check reads the whole
//! file, which Polars then finds in memory. Within one run a file is compared once in a quarter of an hour: a night asks
//! the same files several times. A time stamp proves nothing, since a flipped bit does not change it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::data_files::DataFile;
use super::error::{Damage, DamagedFile, LakeError, blocking, file_error};
use crate::digests;

/// How long the result of a comparison holds within one run.
const VALID_FOR: Duration = Duration::from_mins(15);

/// Data files whose content matched the log.
#[derive(Debug, Clone, Default)]
pub(super) struct VerifiedFiles(Vec<DataFile>);

impl VerifiedFiles {
    pub(super) fn iter(&self) -> impl Iterator<Item = &DataFile> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The files that `wanted` chooses.
    pub(super) fn filtered(&self, wanted: impl Fn(&DataFile) -> bool) -> Self {
        Self(self.0.iter().filter(|file| wanted(file)).cloned().collect())
    }

    pub(super) fn into_files(self) -> Vec<DataFile> {
        self.0
    }
}

/// When files were last found whole, by path. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Verifier {
    whole: Arc<Mutex<HashMap<PathBuf, Instant>>>,
}

impl Verifier {
    /// The files, if all of them are whole.
    pub(super) async fn verified(&self, table: &'static str, files: Vec<DataFile>) -> Result<VerifiedFiles, LakeError> {
        let (whole, damaged) = self.sorted(table, files).await?;
        if damaged.is_empty() {
            return Ok(whole);
        }
        let files = damaged.into_iter().map(|(_, damaged)| damaged).collect();
        Err(LakeError::Damaged { table: table.to_owned(), files })
    }

    /// The files that are whole, and the damaged ones.
    pub(super) async fn sorted(
        &self,
        table: &'static str,
        files: Vec<DataFile>,
    ) -> Result<(VerifiedFiles, Vec<(DataFile, DamagedFile)>), LakeError> {
        let own = self.clone();
        blocking(table, move || {
            let (mut whole, mut damaged) = (Vec::new(), Vec::new());
            for file in files {
                match own.damage(&file)? {
                    None => whole.push(file),
                    Some(damage) => {
                        let path = file.path.clone();
                        damaged.push((file, DamagedFile { path, damage }));
                    }
                }
            }
            Ok((VerifiedFiles(whole), damaged))
        })
        .await
    }

    /// Compares a file unless that was done a moment ago.
    fn damage(&self, file: &DataFile) -> Result<Option<Damage>, LakeError> {
        let lock = || self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = lock().get(&file.path).is_some_and(|at| at.elapsed() < VALID_FOR);
        if is_recent && file.path.exists() {
            return Ok(None);
        }
        let damage = compare(&file.path, file.bytes, file.digest.as_deref())?;
        match damage {
            None => lock().insert(file.path.clone(), Instant::now()),
            Some(_) => lock().remove(&file.path),
        };
        Ok(damage)
    }
}

/// Compares a file with its size and its digest, if it has one. `None` if it is whole.
pub(super) fn compare(path: &Path, bytes: u64, digest: Option<&str>) -> Result<Option<Damage>, LakeError> {
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Some(Damage::Missing)),
        Err(error) => return Err(file_error("read the size of", path)(error)),
        Ok(meta) if meta.len() != bytes => return Ok(Some(Damage::Size)),
        Ok(_) => {}
    }
    let Some(digest) = digest else { return Ok(None) };
    let (found, _) = digests::of_file(path).map_err(file_error("read", path))?;
    Ok((found != digest).then_some(Damage::Content))
}
