//! Files of a local folder: which are new, and what they hold.
//!
//! A file is known by the digest of its content: under another name it is not taken again.

use std::fmt;
use std::path::PathBuf;

use globset::GlobBuilder;
use tokio::io::AsyncReadExt;

use crate::sources::decode::hex_digest;
use crate::sources::error::{ErrorKind, SourceError};

/// A file to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    pub name: String,
    path: PathBuf,
}

/// A file's content. Its Debug shows the digest only.
pub struct Content {
    /// SHA-256, hexadecimal.
    pub digest: String,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Content").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Files of `folder` whose name matches `glob` without regard to case, by name. Hidden files are passed over: they are
/// being written, or belong to a program.
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
        if tokio::fs::metadata(entry.path()).await.map_or(true, |about| about.is_file()) {
            found.push(FoundFile { name, path: entry.path() });
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file whole.
///
/// # Errors
/// `file_unreadable`, `body_too_large`.
pub async fn read(file: &FoundFile, max_bytes: u64) -> Result<Content, SourceError> {
    let unreadable = |error: std::io::Error| SourceError::new(ErrorKind::FileUnreadable, error.kind().to_string());
    let opened = tokio::fs::File::open(&file.path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    opened.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(SourceError::new(ErrorKind::BodyTooLarge, format!("the file is longer than {max_bytes} bytes")));
    }
    Ok(Content { digest: hex_digest(&bytes), bytes })
}
