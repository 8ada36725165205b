//! Folders on servers: SFTP, FTP, WebDAV, S3. One rule for all of them, whatever a server says about its files.
//!
//! A file is read if two looks at it, `access.settle_secs` apart by the clock of this machine, show the same: the first
//! look is the list of the folder. The clock of the server is not compared with this machine's. Looks before and after
//! reading must agree, and so must the number of bytes. A list that does not come to its end is an error, never a short
//! list. If a server describes a file otherwise than its list does, the first look is one at the file (`first_looks`).
//! Failures that pass by themselves are retried as `[retry]` declares.

mod first_looks;
mod ftp;
mod ftp_list;
mod http_store;
mod server_client;
mod session;
mod sftp;
mod sftp_packets;
mod ssh;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use globset::GlobMatcher;
use tokio::time::Instant;

use crate::model::connector::{Access, ConnectorFile, Content, FileOrder, FileServer, Retry};
use crate::model::values::PlaceholderValues;
use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::request::{self, TemplateContext};
use crate::sources::retry;
use crate::sources::transport::files::{self, FileContent, FileLimits, FoundFile};
use crate::sources::transport::remote::first_looks::FirstLooks;
use crate::sources::transport::remote::ftp::FtpServer;
use crate::sources::transport::remote::http_store::HttpStore;
use crate::sources::transport::remote::sftp::SftpServer;
use crate::sources::transport::remote_stamp::RemoteStamp;

/// Matching files of a folder above which its list is refused. Each takes about half a kilobyte of memory.
const MAX_FILES: usize = 200_000;
/// Bytes of a list that comes in one answer, above which it is refused.
const MAX_LIST_BYTES: u64 = 32 << 20;

/// Tag of a listed file whose size and time the server did not say, neither in the list nor when it was asked. No server
/// sends it: a header or an XML document cannot contain this character.
const NOT_DESCRIBED: &str = "\0";

/// A file in the list of a server. Names are bytes: not every server writes them in UTF-8.
type ListedFile = (Vec<u8>, RemoteStamp);

/// A folder of one server.
trait RemoteServer: Send + Sync {
    /// Files of the folder whose name the matcher accepts; folders are left out.
    fn list<'a>(&'a self, wanted: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<ListedFile>, SourceError>>;

    /// `None` if the file is not there.
    fn stat<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<RemoteStamp>, SourceError>>;

    /// The bytes of a file, at most one more than `max_bytes`.
    fn read<'a>(&'a self, name: &'a [u8], max_bytes: u64) -> BoxFuture<'a, Result<Vec<u8>, SourceError>>;
}

/// A folder on a server, and the retries that its pull has left.
pub(crate) struct RemoteFolder {
    server: Box<dyn RemoteServer>,
    /// As messages name it: without credentials.
    shown: String,
    retry: Retry,
    retries: AtomicU32,
    limits: FileLimits,
    listed_at: Instant,
    first_looks: FirstLooks,
    /// Whether only the newest file is read (`content = "whole"`).
    is_whole: bool,
    /// Whether the files are ordered by their modification time.
    is_by_time: bool,
}

impl fmt::Debug for RemoteFolder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RemoteFolder").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// What the servers have in common.
struct ServerLimits {
    connect: Duration,
    /// Longest time without new bytes.
    silence: Duration,
}

impl RemoteFolder {
    /// Opens the folder; nothing is sent yet.
    ///
    /// # Errors
    /// `misconfigured`, `unset_placeholder`.
    pub(crate) fn open(
        (server, folder): (&FileServer, &str),
        file: &ConnectorFile,
        values: &PlaceholderValues,
        limits: FileLimits,
    ) -> Result<Self, SourceError> {
        let filled = |text: &String| request::fill(text, TemplateContext::default(), values);
        let server_limits =
            ServerLimits { connect: Duration::from_secs(file.limits.connect_timeout_secs), silence: limits.silence };
        let (server, shown): (Box<dyn RemoteServer>, String) = match server {
            FileServer::Sftp { port, .. } => {
                let [host, user, key_file, known_hosts] = fill_all(server, &filled)?;
                let shown = format!("sftp://{host}:{port}/{}", folder.trim_start_matches('/'));
                let login =
                    ssh::Login { host, port: *port, user, key_file, known_hosts, connect: server_limits.connect };
                (Box::new(SftpServer::new(login, folder, server_limits.silence)), shown)
            }
            FileServer::Ftp { host, port, user, password, tls, ca_certificates } => {
                let host = filled(host)?;
                let shown = format!("ftp://{host}:{port}/{}", folder.trim_start_matches('/'));
                let ca = ca_certificates.as_ref().map(filled).transpose()?;
                let tls = tls.then(|| ftp::tls_config(ca.as_deref())).transpose()?;
                let login = (filled(user)?, filled(password)?.into());
                (Box::new(FtpServer::new((host, *port), login, tls, folder, server_limits)), shown)
            }
            FileServer::Webdav { .. } | FileServer::S3 { .. } => {
                let store = HttpStore::new(server, folder, &filled, &server_limits)?;
                let shown = store.shown().to_owned();
                (Box::new(store), shown)
            }
        };
        let (retry, retries) = (file.retry.clone(), AtomicU32::new(0));
        Ok(Self {
            server,
            shown,
            retry,
            retries,
            limits,
            listed_at: Instant::now(),
            first_looks: FirstLooks::default(),
            is_whole: matches!(file.access, Access::Files { content: Content::Whole, .. }),
            is_by_time: false,
        })
    }

    /// Files whose name matches the pattern, as [`files::list`] lists those of a local folder.
    ///
    /// # Errors
    /// Why there is no list, or not all of it; `misconfigured` if the order of the files is not known.
    pub(crate) async fn list(&mut self, glob: &str, order: &FileOrder) -> Result<Vec<FoundFile>, SourceError> {
        let wanted = files::matcher(glob)?;
        self.is_by_time = *order == FileOrder::Modified;
        let listed = self.retried("list", || self.ordered_list(&wanted)).await;
        self.listed_at = Instant::now();
        let mut found = listed.map_err(|error| error.on(format!("list folder `{}`", self.shown)))?;
        found.sort();
        // Of whole lists one file is read, unless the newest is chosen by the title rows of all.
        let reads_one = self.is_whole && !matches!(order, FileOrder::Title(_));
        let names = found.iter().filter(|_| !reads_one).filter_map(FoundFile::remote_place);
        self.first_looks = FirstLooks::new(names.map(|(name, _)| name.to_vec()).collect());
        Ok(found)
    }

    /// The list of the server, if its files can be ordered.
    fn ordered_list<'a>(&'a self, wanted: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<FoundFile>, SourceError>> {
        Box::pin(async move {
            let listed = self.server.list(wanted).await?;
            let found: Vec<FoundFile> =
                listed.into_iter().map(|(name, stamp)| FoundFile::remote(name, stamp)).collect();
            if self.is_by_time {
                check_times(&found, self.is_whole)?;
            }
            Ok(found)
        })
    }

    /// Reads a whole file; `None` if it is still being written.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) async fn read(&self, name: &[u8], listed: &RemoteStamp) -> Result<Option<FileContent>, SourceError> {
        let mut before = self.stat(name).await?;
        if self.is_by_time && listed.tag == NOT_DESCRIBED {
            // Its place in the order is not known: the next run lists it again.
            return Ok(None);
        }
        self.first_looks.reached(name);
        // What was replaced since it was listed must stand still as long as what was listed now.
        let is_as_listed = before == *listed;
        let since = if is_as_listed { self.listed_at.elapsed() } else { self.first_looks.age(name, &before) };
        let wait = self.limits.settle.saturating_sub(since);
        if !wait.is_zero() {
            if is_as_listed {
                tokio::time::sleep(wait).await;
            } else {
                self.look_ahead(wait).await;
            }
            if self.stat(name).await? != before {
                return Ok(None);
            }
        }
        for _ in 0..2 {
            if before.bytes > self.limits.max_bytes {
                return Err(files::too_large(self.limits.max_bytes));
            }
            let bytes = self.retried("read", || self.server.read(name, self.limits.max_bytes)).await;
            let after = self.stat(name).await?;
            if before == after {
                return self.content(bytes?, &before).await.map(Some);
            }
            before = after;
        }
        Ok(None)
    }

    /// Waits, and looks meanwhile at the files that follow: if the server describes every file otherwise than its list
    /// does, they share this wait.
    async fn look_ahead(&self, wait: Duration) {
        let end = Instant::now() + wait;
        while Instant::now() < end {
            let Some(name) = self.first_looks.next_name() else { break };
            match self.server.stat(&name).await {
                Ok(Some(stamp)) => {
                    self.first_looks.age(&name, &stamp);
                }
                // The connection failed: no other file is asked for without a reason.
                Err(error) if error.kind != ErrorKind::FileUnreadable => self.first_looks.stop(),
                // Reading the file gives the reason.
                _ => {}
            }
        }
        tokio::time::sleep_until(end).await;
    }

    async fn content(&self, bytes: Vec<u8>, stamp: &RemoteStamp) -> Result<FileContent, SourceError> {
        if bytes.len() as u64 != stamp.bytes && bytes.len() as u64 <= self.limits.max_bytes {
            let message = format!("the server sent {} bytes of a file of {} bytes", bytes.len(), stamp.bytes);
            return Err(SourceError::new(ErrorKind::BodyCutShort, message));
        }
        let limits = self.limits;
        let content = tokio::task::spawn_blocking(move || files::content_of(bytes, limits)).await;
        content.map_err(|_| SourceError::new(ErrorKind::FileUnreadable, "reading it failed; the log has the place"))?
    }

    async fn stat(&self, name: &[u8]) -> Result<RemoteStamp, SourceError> {
        let stamp = self.retried("look at", || self.server.stat(name)).await?;
        let gone = || SourceError::new(ErrorKind::FileVanished, "the folder's list had the file, and it is gone now");
        let stamp = stamp.ok_or_else(gone)?;
        if stamp.is_special { Err(files::not_a_file("a pipe, device or socket, not a file")) } else { Ok(stamp) }
    }

    /// Asks the server, again as long as `[retry]` allows.
    async fn retried<'a, T>(
        &self,
        what: &str,
        ask: impl Fn() -> BoxFuture<'a, Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let mut attempt = 1;
        loop {
            let error = match ask().await {
                Err(error) if error.is_retryable() => error,
                done => return done,
            };
            let Some(wait) = retry::wait(&self.retry, attempt, error.retry_after.as_deref(), 0) else {
                return Err(error);
            };
            if self.retries.fetch_add(1, Ordering::Relaxed) >= self.retry.budget {
                let message = format!("{error}, and the pull's {} retries are used up", self.retry.budget);
                return Err(SourceError::new(ErrorKind::RetryBudget, message));
            }
            let (reason, wait_millis) = (error.kind.code(), u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            tracing::warn!(reason, attempt, wait_millis, "a file server failed to {what}; asked again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// Whether files can be ordered by their modification times.
///
/// # Errors
/// `misconfigured` if the server has no times; `file_unreadable` if the newest file is to be chosen and the server does
/// not describe one of the files.
fn check_times(found: &[FoundFile], is_whole: bool) -> Result<(), SourceError> {
    if is_whole && let Some(file) = found.iter().find(|file| !is_described(file)) {
        let count = found.iter().filter(|file| !is_described(file)).count();
        let message = format!(
            "the server does not say the size and time of {count} of {} files, such as `{}`: one of them may be the newest",
            found.len(),
            file.shown()
        );
        let hint = "run again; if it stays, look at the file's permissions, move it away or rename it, or declare in \
                    `access.order` a date in the names";
        // The next list may have them.
        return Err(SourceError { class: ErrorClass::Transient, hint, ..files::not_a_file(&message) });
    }
    if found.len() > 1 && found.iter().any(|file| is_described(file) && file.is_undated()) {
        let message = "the server does not say when its files were modified: declare in `access.order` a date in their \
                       names or title rows";
        return Err(SourceError::new(ErrorKind::Misconfigured, message));
    }
    Ok(())
}

fn is_described(file: &FoundFile) -> bool {
    file.remote_place().is_none_or(|(_, stamp)| stamp.tag != NOT_DESCRIBED)
}

/// The filled texts of a server, in the order of [`FileServer::texts`].
fn fill_all<const N: usize>(
    server: &FileServer,
    filled: &impl Fn(&String) -> Result<String, SourceError>,
) -> Result<[String; N], SourceError> {
    let texts = server.texts().into_iter().map(filled).collect::<Result<Vec<_>, _>>()?;
    texts.try_into().map_err(|_| SourceError::new(ErrorKind::Misconfigured, "`access.server` has other keys"))
}

/// Whether a listed name is wanted. Of more than [`MAX_FILES`] none is.
///
/// # Errors
/// `list_incomplete`.
fn take_name(
    found: &mut Vec<ListedFile>,
    wanted: &GlobMatcher,
    name: Vec<u8>,
    stamp: RemoteStamp,
) -> Result<(), SourceError> {
    if files::is_wanted(&String::from_utf8_lossy(&name), wanted) {
        if found.len() == MAX_FILES {
            let message = format!("more than {MAX_FILES} files match `access.glob`");
            // The next list would be as long.
            return Err(SourceError { class: ErrorClass::Fatal, ..list_cut(&message) });
        }
        found.push((name, stamp));
    }
    Ok(())
}

/// An error of a list whose end did not come.
fn list_cut(why: &str) -> SourceError {
    SourceError::new(ErrorKind::ListIncomplete, why)
}

/// An error of a name that the protocol cannot ask for.
fn not_utf8() -> SourceError {
    SourceError::new(
        ErrorKind::FileUnreadable,
        "its name is not UTF-8, and this server cannot be asked for it: rename it",
    )
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
