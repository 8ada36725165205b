//! Restores a backup. Every digest is checked before the first file is written.
#![expect(clippy::disallowed_methods, reason = "edge: a data folder is filled from a backup")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::durable;
use crate::durable::file_error;
use crate::run::backup::sums::{self, LAST, digest, is_inside, read_sums};
use crate::run::backup::{ABOUT, About, BackupError, BackupReport, FORMAT};
use crate::run::error::RunError;
use crate::run::lock::Lock;
use crate::run::progress::Progress;

/// Folder in which files are collected until all of them are copied.
const BESIDE: &str = ".restore.partial";
/// Files that an empty data folder may contain.
const IGNORED: [&str; 3] = ["lock", "serve.lock", "lost+found"];

/// Restores a backup into `data`, which must be absent or empty.
pub async fn restore(backup: &Path, data: &Path, now: i64, progress: &Progress<'_>) -> Result<BackupReport, RunError> {
    for file in [LAST, ABOUT] {
        if !backup.join(file).is_file() {
            return Err(BackupError::NotWhole { folder: backup.to_owned(), file }.into());
        }
    }
    let (about, names) = checked(backup, progress)?;
    must_be_empty(data)?;
    let _lock = Lock::take(data, "restore", now)?;
    let beside = data.join(BESIDE);
    for name in &names {
        progress(&format!("copying {name}"));
        durable::copy(&backup.join(name), &beside.join(name))?;
    }
    for (name, target) in &about.links {
        sums::link_to(target, &beside.join(name))?;
    }
    // The ledger last: a data folder without it reads its sources again and accepts nothing twice.
    let tops: BTreeSet<&str> =
        names.iter().chain(about.links.iter().map(|(name, _)| name)).map(|name| top(name)).collect();
    let (last, first): (Vec<&str>, Vec<&str>) = tops.into_iter().partition(|name| *name == "ledger.sqlite");
    for name in first.into_iter().chain(last) {
        durable::rename(&beside.join(name), &data.join(name), "put a restored folder in its place")?;
    }
    fs::remove_dir_all(&beside).map_err(file_error("remove", &beside))?;
    durable::sync(data)?;
    Ok(BackupReport { made_at: about.made_at, files: about.files, bytes: about.bytes })
}

/// First part of a relative path.
fn top(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// Checks every file against its digest. Returns the description of the backup and the names of its files.
fn checked(backup: &Path, progress: &Progress<'_>) -> Result<(About, Vec<String>), RunError> {
    let sums = read_sums(&backup.join(LAST))?;
    let mut names = Vec::new();
    for (name, expected) in sums {
        progress(&format!("checking {name}"));
        let path = backup.join(&name);
        let damaged = |what: &str| BackupError::Damaged { path: name.clone(), what: what.to_owned() };
        if !path.is_file() {
            return Err(damaged("is missing").into());
        }
        if digest(&path)?.0 != expected {
            return Err(damaged("does not match its digest").into());
        }
        names.push(name);
    }
    let damaged = |what: String| BackupError::Damaged { path: ABOUT.to_owned(), what };
    if !names.iter().any(|name| name == ABOUT) {
        return Err(damaged(format!("is not named by `{LAST}`")).into());
    }
    names.retain(|name| name != ABOUT);
    let path = backup.join(ABOUT);
    let text = fs::read(&path).map_err(file_error("read", &path))?;
    let about: About = serde_json::from_slice(&text).map_err(|error| damaged(format!("cannot be read: {error}")))?;
    if about.format > FORMAT {
        return Err(BackupError::Newer { version: about.motcua }.into());
    }
    if about.files != names.len() as u64 {
        let what = format!("counts {} files, `{LAST}` names {}", about.files, names.len());
        return Err(damaged(what).into());
    }
    if about.links.iter().any(|(name, target)| !is_inside(name) || !is_inside(target)) {
        return Err(damaged("has a link whose target is outside the data folder".to_owned()).into());
    }
    Ok((about, names))
}

fn must_be_empty(data: &Path) -> Result<(), RunError> {
    if !data.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(data).map_err(file_error("list", data))? {
        let name = entry.map_err(file_error("list", data))?.file_name();
        if !IGNORED.iter().any(|ignored| name == *ignored) {
            return Err(BackupError::NotEmpty { folder: data.to_owned() }.into());
        }
    }
    Ok(())
}
