//! Lists the files of a local folder, waits until a file no longer changes, and reads it.
//!
//! The content of a file is identified by its digest: a copy under another name is not read again.
#![expect(clippy::disallowed_methods, reason = "edge: the age of a file is its modification time against the clock")]

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use globset::GlobBuilder;
use tokio::io::AsyncReadExt;

use crate::fields::shown_name;
use crate::sources::decode::hex_digest;
use crate::sources::error::{ErrorKind, SourceError};

/// A file in the folder. The order is by modification time, then by name: if two files contain the same record, the one
/// delivered later is read later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// `None` if the file's metadata cannot be read.
    modified: Option<SystemTime>,
    pub name: String,
    path: PathBuf,
}

impl FoundFile {
    /// The name as messages and origins show it, see [`shown_name`].
    #[must_use]
    pub fn shown(&self) -> String {
        shown_name(&self.name)
    }

    /// Modification time, microseconds UTC; 0 if it is not known.
    pub(crate) fn modified_at(&self) -> i64 {
        let since = self.modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or_default()
    }
}

/// Content of a file. `Debug` shows the digest only.
pub struct FileContent {
    /// SHA-256, hexadecimal.
    pub digest: String,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for FileContent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FileContent").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Size, modification time and inode of a file: if two stamps are equal, the file was not changed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    bytes: u64,
    modified: SystemTime,
    inode: u64,
}

async fn stamp_of(path: &Path) -> Result<FileStamp, SourceError> {
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    Ok(FileStamp { bytes: metadata.len(), modified: metadata.modified().map_err(unreadable)?, inode: metadata.ino() })
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn unreadable(error: std::io::Error) -> SourceError {
    SourceError::new(ErrorKind::FileUnreadable, error.kind().to_string())
}

/// Files of `folder` whose name matches `glob`, ignoring case, the oldest modification first. Hidden files are skipped:
/// they are being written, or belong to a program.
///
/// # Errors
/// `misconfigured`, `folder_missing`, `file_unreadable`.
pub async fn list(folder: &str, glob: &str) -> Result<Vec<FoundFile>, SourceError> {
    let matcher = GlobBuilder::new(glob)
        .case_insensitive(true)
        .build()
        .map_err(|_| {
            SourceError::new(ErrorKind::Misconfigured, format!("`access.glob` `{glob}` is not a valid pattern"))
        })?
        .compile_matcher();
    let unreadable = |error: &std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ErrorKind::FolderMissing,
            _ => ErrorKind::FileUnreadable,
        };
        SourceError::new(kind, format!("list folder `{folder}`: {}", error.kind()))
    };
    let mut entries = tokio::fs::read_dir(folder).await.map_err(|error| unreadable(&error))?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(|error| unreadable(&error))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || !matcher.is_match(&name) {
            continue;
        }
        // A file without readable metadata is kept: `read` then reports the error.
        let metadata = tokio::fs::metadata(entry.path()).await.ok();
        if metadata.as_ref().is_none_or(std::fs::Metadata::is_file) {
            let modified = metadata.and_then(|metadata| metadata.modified().ok());
            found.push(FoundFile { modified, name, path: entry.path() });
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a whole file; `None` if it is still being written. If it was modified less than `settle` ago, this function
/// waits until it is that old. If it was replaced while it was read, it is read once more.
///
/// # Errors
/// `file_unreadable`, `body_too_large`.
pub async fn read(file: &FoundFile, max_bytes: u64, settle: Duration) -> Result<Option<FileContent>, SourceError> {
    let mut before = stamp_of(&file.path).await?;
    // The clock of a file server may be ahead (`duration_since` then fails): the wait is never longer than `settle`.
    let age = SystemTime::now().duration_since(before.modified).unwrap_or_default();
    if age < settle {
        tokio::time::sleep(settle.saturating_sub(age)).await;
        if stamp_of(&file.path).await? != before {
            return Ok(None);
        }
    }
    for _ in 0..2 {
        let content = read_bytes(file, max_bytes).await;
        let after = stamp_of(&file.path).await?;
        if before == after {
            return content.map(Some);
        }
        before = after;
    }
    Ok(None)
}

async fn read_bytes(file: &FoundFile, max_bytes: u64) -> Result<FileContent, SourceError> {
    let opened = tokio::fs::File::open(&file.path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    opened.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(SourceError::new(ErrorKind::BodyTooLarge, format!("the file is longer than {max_bytes} bytes")));
    }
    Ok(FileContent { digest: hex_digest(&bytes), bytes })
}
