#![expect(clippy::disallowed_methods, reason = "edge: the age of a file is told by the clock")]
//! Files of a local folder: which there are, whether they still change, and what they hold.
//!
//! A file is known by the digest of its content: under another name it is not taken again.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use globset::GlobBuilder;
use tokio::io::AsyncReadExt;

use crate::sources::decode::hex_digest;
use crate::sources::error::{ErrorKind, SourceError};

/// A file to look at. Those modified earlier come first, then by name: of two files that say something of one record the one
/// delivered later is read later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    modified: Option<SystemTime>,
    pub name: String,
    path: PathBuf,
}

/// A file's content. Its Debug shows the digest only.
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

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    bytes: u64,
    modified: SystemTime,
    inode: u64,
}

async fn stamp_of(path: &Path) -> Result<FileStamp, SourceError> {
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    Ok(FileStamp { bytes: about.len(), modified: about.modified().map_err(unreadable)?, inode: about.ino() })
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unreadable(error: std::io::Error) -> SourceError {
    SourceError::new(ErrorKind::FileUnreadable, error.kind().to_string())
}

/// Files of `folder` whose name matches `glob` without regard to case, those modified first first. Hidden files are passed
/// over: they are being written, or belong to a program.
///
/// # Errors
/// `misconfigured`, `folder_missing`, `file_unreadable`.
pub async fn list(folder: &str, glob: &str) -> Result<Vec<FoundFile>, SourceError> {
    let matcher = GlobBuilder::new(glob)
        .case_insensitive(true)
        .build()
        .map_err(|_| SourceError::new(ErrorKind::Misconfigured, format!("`access.glob` `{glob}` is no pattern")))?
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
        // What cannot be looked at is kept: reading it says why.
        let about = tokio::fs::metadata(entry.path()).await.ok();
        if about.as_ref().is_none_or(std::fs::Metadata::is_file) {
            let modified = about.and_then(|about| about.modified().ok());
            found.push(FoundFile { modified, name, path: entry.path() });
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file whole; `None` if it changes while it is looked at. One that changed less than `settle` ago is waited for until it
/// is that old; one that was replaced while it was read is read once more.
///
/// # Errors
/// `file_unreadable`, `body_too_large`.
pub async fn read(file: &FoundFile, max_bytes: u64, settle: Duration) -> Result<Option<FileContent>, SourceError> {
    let mut before = stamp_of(&file.path).await?;
    // A clock of another machine may be ahead: no wait is longer than `settle`.
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
