//! Lists the files of a local folder, waits until a file no longer changes, and reads it.
//!
//! The content of a file is identified by its digest: a copy under another name is not read again. The folder may lie
//! on a share that stops answering in the middle of any call. Each call therefore runs in a thread of its own and has a
//! time limit (`answer_within`).
#![expect(clippy::disallowed_methods, reason = "edge: the age of a file is its modification time against the clock")]

use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use globset::{GlobBuilder, GlobMatcher};

use crate::fields::shown_name;
use crate::model::escape::escaped;
use crate::sources::decode::{hex_digest, inflate, without_panic};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::transport::remote_stamp::RemoteStamp;

/// Endings of names that programs give to files which are not complete, or which they remove again.
const TEMPORARY_ENDINGS: [&str; 8] = [".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~"];
/// Files that Windows and macOS create in folders by themselves.
const SYSTEM_FILES: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// A file may take this many times as long as it may stand still. As for HTTP responses.
const LONGEST_READING: u32 = 10;
/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub struct FileLimits {
    /// Longest file that is read.
    pub max_bytes: u64,
    /// Longest file of a ZIP archive, after decompression.
    pub max_expanded_bytes: u64,
    /// `access.settle_secs`: a file modified more recently is waited for.
    pub settle: Duration,
    /// `limits.read_timeout_secs`: longest time without new bytes, or until a folder is listed.
    pub silence: Duration,
}

/// A file in the folder. The order is by modification time, then by name: if two files contain the same record, the one
/// delivered later is read later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// `None` if the file's metadata cannot be read.
    modified: Option<SystemTime>,
    /// Name in which `access.glob` and `access.order` are searched. Bytes that are no UTF-8 are U+FFFD in it. Two files may
    /// have the same one: the bytes of a name identify a file.
    pub name: String,
    path: PathBuf,
    /// What the server said about it; `None` for a file of this machine.
    listed: Option<RemoteStamp>,
}

impl FoundFile {
    /// A file on a server.
    pub(super) fn remote(name: Vec<u8>, stamp: RemoteStamp) -> Self {
        let text = String::from_utf8_lossy(&name).into_owned();
        let path = PathBuf::from(OsString::from_vec(name));
        Self { modified: stamp.modified(), name: text, path, listed: Some(stamp) }
    }

    /// Name and listed stamp of a file on a server.
    pub(super) fn remote_place(&self) -> Option<(&[u8], &RemoteStamp)> {
        self.listed.as_ref().map(|stamp| (self.path.as_os_str().as_bytes(), stamp))
    }

    pub(super) fn is_undated(&self) -> bool {
        self.modified.is_none()
    }

    /// The bytes of the name. Not every program writes names in UTF-8.
    pub(crate) fn name_bytes(&self) -> &[u8] {
        let name =
            if self.listed.is_some() { self.path.as_os_str() } else { self.path.file_name().unwrap_or_default() };
        name.as_bytes()
    }

    /// The name, if it is UTF-8.
    pub(crate) fn utf8_name(&self) -> Option<&str> {
        std::str::from_utf8(self.name_bytes()).ok()
    }

    /// The name as messages and origins show it, see [`shown_name`]. A byte that is no UTF-8 is shown as `\xCC`.
    #[must_use]
    pub fn shown(&self) -> String {
        let shown = shown_name(&self.name);
        let is_withheld = shown != escaped(&self.name);
        if is_withheld || self.utf8_name().is_some() {
            shown
        } else {
            escaped(&text_of(self.name_bytes())).into_owned()
        }
    }

    /// Modification time, microseconds UTC; 0 if it is not known.
    pub(crate) fn modified_at(&self) -> i64 {
        let since = self.modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or_default()
    }
}

/// A name with every byte that is no UTF-8 as `\xCC`.
fn text_of(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len() + 16);
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
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

impl FileStamp {
    /// # Errors
    /// `file_unreadable` if the file is not there, or is a pipe, a device or a socket.
    fn of(path: &Path) -> Result<Self, SourceError> {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if path.is_symlink() => not_a_file("a link to a file that does not exist"),
            _ => unreadable(error),
        })?;
        check_is_file(&metadata)?;
        let modified = metadata.modified().map_err(unreadable)?;
        Ok(Self { bytes: metadata.len(), modified, inode: metadata.ino() })
    }
}

fn check_is_file(metadata: &std::fs::Metadata) -> Result<(), SourceError> {
    if metadata.is_file() { Ok(()) } else { Err(not_a_file("a pipe, device or socket, not a file")) }
}

pub(super) fn not_a_file(what: &str) -> SourceError {
    SourceError::new(ErrorKind::FileUnreadable, what)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn unreadable(error: std::io::Error) -> SourceError {
    SourceError::new(ErrorKind::FileUnreadable, error.kind().to_string())
}

/// Runs `work` in a thread of its own, and returns its result. `work` gets a counter and adds to it while it gets on. If
/// the counter stands still for `silence`, or `work` takes ten times as long, the result is `timeout`. A call that hangs
/// cannot be interrupted: its thread is left behind, and ends with the call or with the process.
///
/// # Errors
/// `timeout`, `file_unreadable` if the thread panics or cannot be started, and the errors of `work`.
pub(super) async fn answer_within<T: Send + 'static>(
    silence: Duration,
    work: impl FnOnce(&AtomicU64) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let (sender, mut answer) = tokio::sync::oneshot::channel();
    let counter = Arc::new(AtomicU64::new(0));
    let of_thread = Arc::clone(&counter);
    let answer_later = move || {
        // Fails if the time is over: then nobody waits for the answer.
        let _ = sender.send(work(&of_thread));
    };
    std::thread::Builder::new().name("read files".to_owned()).spawn(answer_later).map_err(unreadable)?;
    let mut last = 0;
    for _ in 0..LONGEST_READING {
        match tokio::time::timeout(silence, &mut answer).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(_)) => {
                return Err(SourceError::new(ErrorKind::FileUnreadable, "reading it failed; the log has the place"));
            }
            Err(_) if counter.load(Ordering::Relaxed) == last => break,
            Err(_) => last = counter.load(Ordering::Relaxed),
        }
    }
    let message = format!("no answer within {} s: its share may have stopped answering", silence.as_secs());
    Err(SourceError::new(ErrorKind::Timeout, message))
}

/// Files of `folder` whose name matches `glob`, ignoring case, the oldest modification first. Folders are skipped, and
/// so are the files that programs create beside their documents (see `is_delivery`). Pipes, devices and links that
/// lead nowhere are listed, so that [`read`] reports them.
///
/// # Errors
/// `misconfigured`, `folder_missing`, `file_unreadable`, `timeout`.
pub async fn list(folder: &str, glob: &str, silence: Duration) -> Result<Vec<FoundFile>, SourceError> {
    let matcher = matcher(glob)?;
    let listed = PathBuf::from(folder);
    let found = answer_within(silence, move |_| list_folder(&listed, &matcher)).await;
    found.map_err(|error| error.on(format!("list folder `{folder}`")))
}

/// The pattern of `access.glob`, which ignores case.
///
/// # Errors
/// `misconfigured`.
pub(super) fn matcher(glob: &str) -> Result<GlobMatcher, SourceError> {
    let wrong =
        |_| SourceError::new(ErrorKind::Misconfigured, format!("`access.glob` `{glob}` is not a valid pattern"));
    let glob = GlobBuilder::new(glob).case_insensitive(true).build().map_err(wrong)?;
    Ok(glob.compile_matcher())
}

fn list_folder(folder: &Path, matcher: &GlobMatcher) -> Result<Vec<FoundFile>, SourceError> {
    let folder_error = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            SourceError::new(ErrorKind::FolderMissing, error.kind().to_string())
        }
        _ => unreadable(error),
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(folder_error)? {
        let entry = entry.map_err(folder_error)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_wanted(&name, matcher) {
            continue;
        }
        // A file without readable metadata is kept: `read` then reports the error.
        let metadata = std::fs::metadata(entry.path()).ok();
        if metadata.as_ref().is_none_or(|metadata| !metadata.is_dir()) {
            let modified = metadata.and_then(|metadata| metadata.modified().ok());
            found.push(FoundFile { modified, name, path: entry.path(), listed: None });
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name matches, and is that of a delivered file.
pub(super) fn is_wanted(name: &str, matcher: &GlobMatcher) -> bool {
    if !matcher.is_match(name) {
        return false;
    }
    let is_wanted = is_delivery(name);
    if !is_wanted {
        tracing::debug!(file = shown_name(name), "file of a program skipped");
    }
    is_wanted
}

/// Whether a name is that of a delivered file, not of one that a program creates for itself: hidden files, the lock
/// files of office programs (`~$list.xlsx`), files that are still being transferred, backups of editors.
fn is_delivery(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_temporary = TEMPORARY_ENDINGS.iter().any(|ending| name.ends_with(ending));
    !(name.starts_with('.') || name.starts_with("~$") || is_temporary || SYSTEM_FILES.contains(&name.as_str()))
}

/// Reads a whole file; `None` if it is still being written. If it was modified less than `settle` ago, this function
/// waits until it is that old. If it was replaced while it was read, it is read once more.
///
/// # Errors
/// `file_unreadable`, `file_empty`, `body_too_large`, `timeout`.
pub async fn read(file: &FoundFile, limits: FileLimits) -> Result<Option<FileContent>, SourceError> {
    let path = file.path.clone();
    let silence = limits.silence.saturating_add(limits.settle);
    answer_within(silence, move |counter| read_settled(&path, limits, counter)).await
}

fn read_settled(path: &Path, limits: FileLimits, counter: &AtomicU64) -> Result<Option<FileContent>, SourceError> {
    let mut before = FileStamp::of(path)?;
    // The clock of a file server may be ahead (`duration_since` then fails): the wait is never longer than `settle`.
    let age = SystemTime::now().duration_since(before.modified).unwrap_or_default();
    if age < limits.settle {
        std::thread::sleep(limits.settle.saturating_sub(age));
        if FileStamp::of(path)? != before {
            return Ok(None);
        }
    }
    for _ in 0..2 {
        let content = read_bytes(path, limits, counter);
        let after = FileStamp::of(path)?;
        if before == after {
            return content.map(Some);
        }
        before = after;
    }
    Ok(None)
}

fn read_bytes(path: &Path, limits: FileLimits, counter: &AtomicU64) -> Result<FileContent, SourceError> {
    let max_bytes = limits.max_bytes;
    let opened = open(path).map_err(unreadable)?;
    // Again, now of the opened file: it may have been replaced by a pipe.
    check_is_file(&opened.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    let mut left = opened.take(max_bytes.saturating_add(1));
    while left.by_ref().take(CHUNK_BYTES).read_to_end(&mut bytes).map_err(unreadable)? > 0 {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    content_of(bytes, limits)
}

/// The content of a file with these bytes.
///
/// # Errors
/// `body_too_large`, `file_empty`, and those of a compressed file.
pub(super) fn content_of(bytes: Vec<u8>, limits: FileLimits) -> Result<FileContent, SourceError> {
    if bytes.len() as u64 > limits.max_bytes {
        return Err(too_large(limits.max_bytes));
    }
    if bytes.is_empty() {
        return Err(SourceError::new(ErrorKind::FileEmpty, "the file has 0 bytes"));
    }
    let digest = hex_digest(&bytes);
    let bytes = without_panic(|| inflate::only_file(bytes, limits.max_expanded_bytes))?;
    Ok(FileContent { digest, bytes })
}

pub(super) fn too_large(max_bytes: u64) -> SourceError {
    SourceError::new(ErrorKind::BodyTooLarge, format!("the file is longer than {max_bytes} bytes"))
}

/// Opens a file without waiting: opening a pipe would wait for its writer. A file that another program holds under a
/// lease cannot be opened so (`WouldBlock`); it is opened with waiting.
fn open(path: &Path) -> std::io::Result<File> {
    match File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
