//! Backup and restore of a data folder: a folder of files with their digests, whole or refused.
//!
//! Made under the data folder's lock, so no run is under way; databases are copied as they stand at one moment, since the
//! service may write to them without it. `SHA256SUMS` names every file and is written last: without it a backup is none. Files that
//! motcua writes once and never changes are linked where backup and data lie on one file system, and copied elsewhere.

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
use crate::run::file_listing::list_files;
use crate::run::ledger::copy_database;
use crate::run::{Lock, Progress, RunError};

/// What a backup says of itself.
const ABOUT: &str = "backup.json";
/// Grows when an older motcua could not restore it any more.
const FORMAT: u32 = 1;

/// `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    format: u32,
    motcua: String,
    /// Microseconds UTC.
    made_at: i64,
    /// Link → where it leads to, both relative.
    links: Vec<(String, String)>,
    /// Files besides this one and `SHA256SUMS`.
    files: u64,
    bytes: u64,
}

/// What was backed up or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// When the backup was made, microseconds UTC.
    pub made_at: i64,
    pub files: u64,
    pub bytes: u64,
}

/// Backs a data folder up into `target`, which must be absent or empty.
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
        match Way::of(&name) {
            _ if file.is_link => {
                if !matches!(Way::of(&name), Way::Leave) {
                    about.links.push((name, sums::target_of(&file.path)?));
                }
                continue;
            }
            Way::Leave => continue,
            Way::Database => {
                copy_database(&file.path, &to).await?;
                // SQLite does not sync what `VACUUM INTO` writes.
                durable::sync(&to)?;
            }
            Way::Copy => durable::copy(&file.path, &to)?,
            Way::Link => durable::link_or_copy(&file.path, &to)?,
        }
        let (digest, bytes) = digest(&to)?;
        about.files += 1;
        about.bytes += bytes;
        progress(&format!("{} files, {} MB", about.files, about.bytes / 1_000_000));
        sums.push((name, digest));
    }
    let text = serde_json::to_vec_pretty(&about).expect("it is plain data");
    durable::create(&target.join(ABOUT), |out| out.write_all(&text))?;
    sums.push((ABOUT.to_owned(), digest(&target.join(ABOUT))?.0));
    write_sums(&target.join(LAST), &sums)?;
    Ok(BackupReport { made_at: now, files: about.files, bytes: about.bytes })
}

/// How a file comes into a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Locks, the parts of a database that its copy holds already, and what died half written.
    Leave,
    Database,
    /// May be changed in place.
    Copy,
    /// Written once.
    Link,
}

impl Way {
    fn of(name: &str) -> Self {
        let (top, last) = (name.split('/').next().unwrap_or(name), name.rsplit('/').next().unwrap_or(name));
        let ends = |endings: &[&str]| endings.iter().any(|ending| last.ends_with(ending));
        if name.split('/').any(|part| part.ends_with(".partial")) {
            Self::Leave
        } else if top != name {
            let is_once = ["lake", "landing", "published", "definitions"].contains(&top);
            if is_once && last != "_last_checkpoint" { Self::Link } else { Self::Copy }
        } else if name == "lock" || ends(&[".lock", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal"]) {
            Self::Leave
        } else if ends(&[".sqlite"]) {
            Self::Database
        } else {
            Self::Copy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Way;

    #[test]
    fn files_come_into_a_backup_each_in_its_way() {
        for (name, way) in [
            ("ledger.sqlite", Way::Database),
            ("access.sqlite", Way::Database),
            ("ledger.sqlite-wal", Way::Leave),
            ("lock", Way::Leave),
            ("serve.lock", Way::Leave),
            ("lake/dossiers/_delta_log/00000000000000000001.json", Way::Link),
            ("lake/dossiers/_delta_log/_last_checkpoint", Way::Copy),
            ("landing/desk/00000001/000001.ndjson.zst", Way::Link),
            ("landing/desk/00000001/certificate.partial", Way::Leave),
            ("landing/desk/.00000001.partial/plan.json", Way::Leave),
            ("notes.txt", Way::Copy),
            ("other/notes.txt", Way::Copy),
        ] {
            assert_eq!(Way::of(name), way, "{name}");
        }
    }
}
