//! Backup and restore of a data folder. A backup is a folder of files with their digests; one that is not whole is
//! refused.
//!
//! A backup is made under the lock of the data folder, so no run is under way. The service may still write to the
//! databases: they are copied as consistent snapshots. `SHA256SUMS` names every file and is written last; without it a
//! folder is no backup. Files that motcua writes once and never changes are hard-linked if backup and data are on one
//! file system, else copied.

mod error;
mod restoring;
mod sums;

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::error::BackupError;
pub use self::restoring::restore;
use self::sums::{LAST, digest, write_sums};
use crate::durable;
use crate::lake;
use crate::run::error::RunError;
use crate::run::file_listing::list_files;
use crate::run::ledger::copy_database;
use crate::run::lock::Lock;
use crate::run::progress::Progress;

/// Name of the file that describes a backup.
const ABOUT: &str = "backup.json";
/// Format of backups; increased when an older motcua can no longer restore them.
const FORMAT: u32 = 1;

/// `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    format: u32,
    motcua: String,
    /// Microseconds UTC.
    made_at: i64,
    /// Symbolic link and its target, both relative to the data folder.
    links: Vec<(String, String)>,
    /// Number of files, without this one and `SHA256SUMS`.
    files: u64,
    bytes: u64,
}

/// Size and age of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// When the backup was made, microseconds UTC.
    pub made_at: i64,
    pub files: u64,
    pub bytes: u64,
}

/// Makes a backup of a data folder in `target`, which must be absent or empty.
pub async fn back_up(data: &Path, target: &Path, now: i64, progress: &Progress<'_>) -> Result<BackupReport, RunError> {
    if !data.join("lake").is_dir() {
        return Err(BackupError::Nothing { folder: data.to_owned() }.into());
    }
    let _lock = Lock::take(data, "backup", now)?;
    let target = sums::empty_folder(target, data)?;
    let mut about = About {
        format: FORMAT,
        motcua: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        links: Vec::new(),
        files: 0,
        bytes: 0,
    };
    let mut sums = Vec::new();
    let data = sums::without_links(data)?;
    for file in list_files(&data)? {
        let name = sums::name_of(&file.path, &data)?;
        let to = target.join(&name);
        match BackupMethod::of(&name) {
            _ if file.is_link => {
                if !matches!(BackupMethod::of(&name), BackupMethod::Skip) {
                    about.links.push((name, sums::target_of(&file.path)?));
                }
                continue;
            }
            BackupMethod::Skip => continue,
            BackupMethod::Database => {
                copy_database(&file.path, &to).await?;
                // SQLite does not sync what `VACUUM INTO` writes.
                durable::sync(&to)?;
            }
            BackupMethod::Copy => durable::copy(&file.path, &to)?,
            BackupMethod::Link => durable::link_or_copy(&file.path, &to)?,
        }
        let (digest, bytes) = digest(&to)?;
        about.files += 1;
        about.bytes += bytes;
        progress(&format!("{} files, {} MB", about.files, about.bytes / 1_000_000));
        sums.push((name, digest));
    }
    check_copy(&data, &target, progress).await?;
    let text = serde_json::to_vec_pretty(&about).expect("it is plain data");
    durable::create(&target.join(ABOUT), |out| out.write_all(&text))?;
    sums.push((ABOUT.to_owned(), digest(&target.join(ABOUT))?.0));
    write_sums(&target.join(LAST), &sums)?;
    Ok(BackupReport { made_at: now, files: about.files, bytes: about.bytes })
}

/// Compares the copied tables with their logs: every file that a log names must be in the backup and match its digest.
async fn check_copy(data: &Path, target: &Path, progress: &Progress<'_>) -> Result<(), RunError> {
    let tables =
        lake::check_tables(&target.join("lake"), &|table| progress(&format!("checking table {table}"))).await?;
    let Some(table) = tables.iter().find(|table| !table.is_whole()) else { return Ok(()) };
    let (path, what) = match table.log.iter().chain(&table.data).find(|file| !file.state.is_fine()) {
        Some(file) => (file.path.strip_prefix(target).unwrap_or(&file.path).to_owned(), file.what.clone()),
        None => (Path::new("lake").join(&table.name), table.unreadable.clone().unwrap_or_default()),
    };
    Err(BackupError::DamagedData { path: data.join(path), what, target: target.to_owned() }.into())
}

/// How a file is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BackupMethod {
    /// Left out: locks, files of a database that its snapshot contains, and half-written files.
    Skip,
    /// Copied as a snapshot.
    Database,
    /// Copied, since it may be changed in place.
    Copy,
    /// Hard-linked, since it never changes.
    Link,
}

impl BackupMethod {
    fn of(name: &str) -> Self {
        let (top, last) = (name.split('/').next().unwrap_or(name), name.rsplit('/').next().unwrap_or(name));
        let ends = |endings: &[&str]| endings.iter().any(|ending| last.ends_with(ending));
        if name.split('/').any(|part| part.ends_with(".partial")) {
            Self::Skip
        } else if top != name {
            let is_once = ["lake", "landing", "published", "definitions"].contains(&top);
            if is_once && last != "_last_checkpoint" { Self::Link } else { Self::Copy }
        } else if name == "lock" || ends(&[".lock", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal"]) {
            Self::Skip
        } else if ends(&[".sqlite"]) {
            Self::Database
        } else {
            Self::Copy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BackupMethod;

    #[test]
    fn the_name_of_a_file_decides_how_it_is_backed_up() {
        for (name, method) in [
            ("ledger.sqlite", BackupMethod::Database),
            ("access.sqlite", BackupMethod::Database),
            ("ledger.sqlite-wal", BackupMethod::Skip),
            ("lock", BackupMethod::Skip),
            ("serve.lock", BackupMethod::Skip),
            ("lake/dossiers/_delta_log/00000000000000000001.json", BackupMethod::Link),
            ("lake/dossiers/_delta_log/_last_checkpoint", BackupMethod::Copy),
            ("landing/desk/00000001/000001.ndjson.zst", BackupMethod::Link),
            ("landing/desk/00000001/certificate.partial", BackupMethod::Skip),
            ("landing/desk/.00000001.partial/plan.json", BackupMethod::Skip),
            ("notes.txt", BackupMethod::Copy),
            ("other/notes.txt", BackupMethod::Copy),
        ] {
            assert_eq!(BackupMethod::of(name), method, "{name}");
        }
    }
}
