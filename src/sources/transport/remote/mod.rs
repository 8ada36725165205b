//! Folders on servers: SFTP, FTP, WebDAV, S3. One rule for all of them, whatever a server says about its files.
//!
//! A file is read if two looks at it, `access.settle_secs` apart by the clock of this machine, show the same: the first
//! look is the list of the folder. The clock of the server is not compared with this machine's. Looks before and after
//! reading must agree, and so must the number of bytes. A list that does not come to its end is an error, never a short
//! list. Failures that pass by themselves are retried as `[retry]` declares.

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

use crate::model::connector::{ConnectorFile, FileOrder, FileServer, Retry};
use crate::model::values::PlaceholderValues;
use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::request::{self, TemplateContext};
use crate::sources::retry;
use crate::sources::transport::files::{self, FileContent, FileLimits, FoundFile};
use crate::sources::transport::remote::ftp::FtpServer;
use crate::sources::transport::remote::http_store::HttpStore;
use crate::sources::transport::remote::sftp::SftpServer;
use crate::sources::transport::remote_stamp::RemoteStamp;

/// Matching files of a folder above which its list is refused. Each takes about half a kilobyte of memory.
const MAX_FILES: usize = 200_000;
/// Bytes of a list that comes in one answer, above which it is refused.
const MAX_LIST_BYTES: u64 = 32 << 20;

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
        Ok(Self { server, shown, retry, retries, limits, listed_at: Instant::now() })
    }

    /// Files whose name matches the pattern, as [`files::list`] lists those of a local folder.
    ///
    /// # Errors
    /// Why there is no list, or not all of it; `misconfigured` if the order of the files is not known.
    pub(crate) async fn list(&mut self, glob: &str, order: &FileOrder) -> Result<Vec<FoundFile>, SourceError> {
        let wanted = files::matcher(glob)?;
        let listed = self.retried("list", || self.server.list(&wanted)).await.and_then(|listed| {
            let found: Vec<FoundFile> = listed.into_iter().map(|(name, stamp)| FoundFile::remote(name, stamp)).collect();
            if *order == FileOrder::Modified && found.len() > 1 && found.iter().any(FoundFile::is_undated) {
                let message = "the server does not say when its files were modified: declare in `access.order` a date in \
                               their names or title rows";
                return Err(SourceError::new(ErrorKind::Misconfigured, message));
            }
            Ok(found)
        });
        self.listed_at = Instant::now();
        let mut found = listed.map_err(|error| error.on(format!("list folder `{}`", self.shown)))?;
        found.sort();
        Ok(found)
    }

    /// Reads a whole file; `None` if it is still being written.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) async fn read(&self, name: &[u8], listed: &RemoteStamp) -> Result<Option<FileContent>, SourceError> {
        let mut before = self.stat(name).await?;
        let since = self.listed_at.elapsed();
        // What was replaced since it was listed must stand still as long as what was listed now.
        let wait = if before == *listed { self.limits.settle.saturating_sub(since) } else { self.limits.settle };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
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
