//! Files of a backup and their digests, in the format of `sha256sum -c SHA256SUMS`.
#![expect(clippy::disallowed_methods, reason = "edge: a backup is a folder of files")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::durable;
use crate::durable::file_error;
use crate::rights;
use crate::run::backup::BackupError;
use crate::run::error::RunError;

/// The file that is written last.
pub(super) const LAST: &str = "SHA256SUMS";

/// Creates a folder, or accepts an empty one, outside the data folder; returns its path without links.
pub(super) fn empty_folder(folder: &Path, data: &Path) -> Result<PathBuf, RunError> {
    let whole = std::path::absolute(folder).map_err(file_error("find", folder))?;
    // The nearest existing parent decides where the folder will be.
    let above = whole.ancestors().find(|above| above.exists()).unwrap_or(&whole);
    let (above, data) = (above.canonicalize().map_err(file_error("find", above))?, data.canonicalize());
    if data.map_err(file_error("find", folder)).is_ok_and(|data| above.starts_with(data)) {
        return Err(BackupError::Inside { folder: folder.to_owned() }.into());
    }
    // It holds what the data folder holds: nobody else may enter it.
    rights::create_private_folder(folder).map_err(file_error("create", folder))?;
    if fs::read_dir(folder).map_err(file_error("list", folder))?.next().is_some() {
        return Err(BackupError::NotEmpty { folder: folder.to_owned() }.into());
    }
    Ok(folder.canonicalize().map_err(file_error("find", folder))?)
}

/// The relative path of a file below a folder, as it is written in a line of `SHA256SUMS`.
pub(super) fn name_of(path: &Path, folder: &Path) -> Result<String, RunError> {
    let name = path.strip_prefix(folder).ok().and_then(Path::to_str).filter(|name| !name.contains(['\n', '\r', '\\']));
    name.map(str::to_owned).ok_or_else(|| BackupError::Name { path: path.to_owned() }.into())
}

/// The path of a folder with its links resolved.
pub(super) fn without_links(folder: &Path) -> Result<PathBuf, RunError> {
    Ok(folder.canonicalize().map_err(file_error("find", folder))?)
}

/// The target of a link; an error unless it is relative and inside the data folder.
pub(super) fn target_of(path: &Path) -> Result<String, RunError> {
    let target = fs::read_link(path).map_err(file_error("read", path))?;
    let inside = target.to_str().filter(|target| is_inside(target)).map(str::to_owned);
    inside.ok_or_else(|| BackupError::Link { path: path.to_owned() }.into())
}

/// Whether a relative path stays in its folder.
pub(super) fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// SHA-256 of a file, and its size in bytes.
pub(super) fn digest(path: &Path) -> Result<(String, u64), RunError> {
    let mut file = File::open(path).map_err(file_error("open", path))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let read = file.read(&mut buffer).map_err(file_error("read", path))?;
        if read == 0 {
            return Ok((format!("{:x}", hash.finalize()), bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Creates the symbolic link `path`.
pub(super) fn link_to(target: &str, path: &Path) -> Result<(), RunError> {
    durable::create_parent(path)?;
    Ok(std::os::unix::fs::symlink(target, path).map_err(file_error("link", path))?)
}

/// Writes the digests of all files, which completes the backup.
pub(super) fn write_sums(path: &Path, sums: &[(String, String)]) -> Result<(), RunError> {
    let lines: Vec<String> = sums.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    Ok(durable::replace(path, "finish a backup", |out| out.write_all(lines.concat().as_bytes()))?)
}

/// Name and digest of every file.
pub(super) fn read_sums(path: &Path) -> Result<Vec<(String, String)>, RunError> {
    let damaged = |what: String| BackupError::Damaged { path: LAST.to_owned(), what };
    let bytes = fs::read(path).map_err(file_error("read", path))?;
    let text = String::from_utf8(bytes).map_err(|_| damaged("is not UTF-8".to_owned()))?;
    let mut sums = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let parts = line.split_once("  ").filter(|(digest, name)| digest.len() == 64 && is_inside(name));
        let (digest, name) = parts.ok_or_else(|| damaged(format!("has no digest and name in line {number}")))?;
        sums.push((name.to_owned(), digest.to_owned()));
    }
    Ok(sums)
}
