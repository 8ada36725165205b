//! Folders of WebDAV and S3, through one OpenDAL `Operator`.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::TryStreamExt as _;
use globset::GlobMatcher;
use opendal::services::{S3, Webdav};
use opendal::{EntryMode, HttpTransporter, Metadata, OperationContext, Operator};
use url::Url;

use crate::model::connector::FileServer;
use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::transport::files::{not_a_file, too_large};
use crate::sources::transport::remote::server_client::ServerClient;
use crate::sources::transport::remote::{
    ListedFile, MAX_LIST_BYTES, RemoteServer, ServerLimits, list_cut, not_utf8, take_name,
};
use crate::sources::transport::remote_stamp::RemoteStamp;

/// A folder of WebDAV, or the keys of an S3 bucket with one beginning.
pub(super) struct HttpStore {
    operator: Operator,
    client: ServerClient,
    shown: String,
    is_s3: bool,
    /// Path of the folder, with a `/` at its end; empty for the root. OpenDAL takes its own root for a folder that is there.
    folder: String,
}

impl HttpStore {
    /// # Errors
    /// `misconfigured`, `unset_placeholder`.
    pub(super) fn new(
        server: &FileServer,
        folder: &str,
        filled: &impl Fn(&String) -> Result<String, SourceError>,
        limits: &ServerLimits,
    ) -> Result<Self, SourceError> {
        let (FileServer::Webdav { ca_certificates, .. } | FileServer::S3 { ca_certificates, .. }) = server else {
            return Err(SourceError::new(ErrorKind::Misconfigured, "`access.server` is no HTTP server"));
        };
        let ca_file = ca_certificates.as_ref().map(filled).transpose()?;
        let client = ServerClient::new(limits, ca_file.as_deref())?;
        let wrong = |_| SourceError::new(ErrorKind::Misconfigured, "`access.server` cannot be used");
        let (operator, shown) = match server {
            FileServer::Webdav { url, user, password, .. } => {
                let url = address("url", &filled(url)?)?;
                let mut builder = Webdav::default().endpoint(url.as_str().trim_end_matches('/')).root("/");
                if let (Some(user), Some(password)) = (user, password) {
                    builder = builder.username(&filled(user)?).password(&filled(password)?);
                }
                (Operator::new(builder).map_err(wrong)?, shown(&url, folder))
            }
            FileServer::S3 { endpoint, bucket, region, access_key, secret_key, .. } => {
                let (endpoint, bucket) = (address("endpoint", &filled(endpoint)?)?, filled(bucket)?);
                // Nothing but what is declared: no credentials of the machine.
                let builder = S3::default()
                    .endpoint(endpoint.as_str().trim_end_matches('/'))
                    .bucket(&bucket)
                    .region(&filled(region)?)
                    .access_key_id(&filled(access_key)?)
                    .secret_access_key(&filled(secret_key)?)
                    .disable_config_load()
                    .disable_ec2_metadata();
                let shown = shown(&endpoint, &format!("{bucket}/{}", folder.trim_start_matches('/')));
                (Operator::new(builder).map_err(wrong)?, shown)
            }
            FileServer::Sftp { .. } | FileServer::Ftp { .. } => return Err(list_cut("not an HTTP server")),
        };
        let context = OperationContext::new().with_http_transport(HttpTransporter::new(client.clone()));
        let folder = folder.trim_matches('/');
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let is_s3 = matches!(server, FileServer::S3 { .. });
        Ok(Self { operator: operator.with_context(context), client, shown, is_s3, folder })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    fn path(&self, name: &[u8]) -> Result<String, SourceError> {
        Ok(format!("{}{}", self.folder, std::str::from_utf8(name).map_err(|_| not_utf8())?))
    }

    /// Runs a call of OpenDAL. `None` if what it asks for is not there.
    async fn ask<T>(
        &self,
        other: impl FnOnce() -> SourceError,
        call: impl Future<Output = opendal::Result<T>>,
    ) -> Result<Option<T>, SourceError> {
        self.client.take_error();
        let panicked = |_| SourceError::new(ErrorKind::FileUnreadable, "reading it failed; the log has the place");
        match AssertUnwindSafe(call).catch_unwind().await.map_err(panicked)? {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match self.client.take_error() {
                Some(known) => Err(known),
                None if error.kind() == opendal::ErrorKind::NotFound || self.client.is_missing() => Ok(None),
                None => {
                    tracing::debug!(reason = error.kind().into_static(), "a file server's answer was not understood");
                    Err(other())
                }
            },
        }
    }

    async fn list_folder(&self, wanted: &GlobMatcher) -> Result<Vec<ListedFile>, SourceError> {
        self.client.limit(MAX_LIST_BYTES);
        self.list_entries(wanted).await.map_err(|error| match error.kind {
            // The next list would be as long.
            ErrorKind::BodyTooLarge => SourceError {
                class: ErrorClass::Fatal,
                ..list_cut(&format!("the list is longer than {MAX_LIST_BYTES} bytes"))
            },
            _ => error,
        })
    }

    async fn list_entries(&self, wanted: &GlobMatcher) -> Result<Vec<ListedFile>, SourceError> {
        let no_list = || list_cut("the answer is no list of files");
        let missing = |what: &str| SourceError::new(ErrorKind::FolderMissing, what);
        // The list of a WebDAV folder that is not there looks like that of an empty one.
        let is_root = self.folder.is_empty();
        if !self.is_s3 && !is_root {
            let folder = self.ask(no_list, self.operator.stat(&self.folder)).await?;
            let folder = folder.ok_or_else(|| missing("the server has no such folder"))?;
            if folder.mode() != EntryMode::DIR {
                return Err(missing("it is a file, not a folder"));
            }
        }
        let path = if is_root { "/" } else { &self.folder };
        let lister = self.ask(no_list, self.operator.lister(path)).await?;
        let mut lister = lister.ok_or_else(|| missing("the server has no such bucket"))?;
        let (mut found, mut has_entries) = (Vec::new(), false);
        loop {
            let next = self.ask(no_list, lister.try_next()).await?;
            let Some(entry) = next.ok_or_else(|| missing("the server has no such bucket or folder"))? else { break };
            has_entries = true;
            let name = entry.path();
            if name.ends_with('/') || name.is_empty() || entry.metadata().mode() == EntryMode::DIR {
                continue;
            }
            // An address that does not lie below the folder's would be taken for another file.
            let name = name.strip_prefix(&self.folder).filter(|name| !name.contains('/'));
            let Some(name) = name else {
                return Err(list_cut("the server lists files under addresses that do not lie in the folder"));
            };
            take_name(&mut found, wanted, name.as_bytes().to_vec(), stamp_of(entry.metadata()))?;
        }
        // S3 has no folders: a wrong beginning of the keys would look like an empty folder.
        if self.is_s3 && !has_entries && !is_root {
            return Err(missing("the bucket has no key with this beginning"));
        }
        Ok(found)
    }

    async fn look_at(&self, name: &[u8]) -> Result<Option<RemoteStamp>, SourceError> {
        let path = self.path(name)?;
        self.client.limit(MAX_LIST_BYTES);
        let other = || not_a_file("the server does not describe the file");
        Ok(self.ask(other, self.operator.stat(&path)).await?.as_ref().map(stamp_of))
    }

    async fn read_file(&self, name: &[u8], max_bytes: u64) -> Result<Vec<u8>, SourceError> {
        let path = self.path(name)?;
        self.client.limit(max_bytes);
        let other = || SourceError::new(ErrorKind::BodyCutShort, "the server did not send the file");
        let read = self
            .ask(other, self.operator.read(&path))
            .await
            .map_err(|error| if error.kind == ErrorKind::BodyTooLarge { too_large(max_bytes) } else { error })?;
        let gone = || SourceError::new(ErrorKind::FileVanished, "it is gone since it was listed");
        Ok(read.ok_or_else(gone)?.to_vec())
    }
}

impl RemoteServer for HttpStore {
    fn list<'a>(&'a self, wanted: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<ListedFile>, SourceError>> {
        Box::pin(self.list_folder(wanted))
    }

    fn stat<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<RemoteStamp>, SourceError>> {
        Box::pin(self.look_at(name))
    }

    fn read<'a>(&'a self, name: &'a [u8], max_bytes: u64) -> BoxFuture<'a, Result<Vec<u8>, SourceError>> {
        Box::pin(self.read_file(name, max_bytes))
    }
}

/// Lists have fractions of seconds, and headers have none: only whole seconds are compared.
fn stamp_of(metadata: &Metadata) -> RemoteStamp {
    RemoteStamp {
        bytes: metadata.content_length(),
        modified: metadata.last_modified().map(|at| at.into_inner().as_second()),
        tag: metadata.etag().unwrap_or_default().trim_matches('"').to_owned(),
        is_special: false,
    }
}

/// The address of `[access.server]`, checked after its placeholders are filled.
fn address(key: &str, text: &str) -> Result<Url, SourceError> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let wrong = || {
        let message = format!("`access.server.{key}` is not an http or https address without credentials");
        SourceError::new(ErrorKind::Misconfigured, message)
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(wrong)
}

fn shown(url: &Url, folder: &str) -> String {
    format!("{}/{}", url.as_str().trim_end_matches('/'), folder.trim_start_matches('/'))
}
