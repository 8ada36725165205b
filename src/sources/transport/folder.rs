//! The folder of a file connector, on this machine or on a server.

use crate::model::connector::{Access, ConnectorFile};
use crate::model::values::PlaceholderValues;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, TemplateContext};
use crate::sources::transport::files::{self, FileContent, FileLimits, FoundFile};
use crate::sources::transport::remote::RemoteFolder;

/// Reads the files that [`Folder::list`] found.
#[derive(Debug)]
pub(crate) enum Folder {
    Local(FileLimits),
    Remote(Box<RemoteFolder>),
}

impl Folder {
    /// Opens the folder of `[access]` and lists its files, see [`files::list`].
    ///
    /// # Errors
    /// `misconfigured`, `unset_placeholder`, and why there is no list.
    pub(crate) async fn list(
        file: &ConnectorFile,
        values: &PlaceholderValues,
        limits: FileLimits,
    ) -> Result<(Self, Vec<FoundFile>), SourceError> {
        let Access::Files { folder, server, glob, order, .. } = &file.access else {
            return Err(SourceError::new(ErrorKind::Misconfigured, "the connector reads no folder"));
        };
        let folder = request::fill(folder, TemplateContext::default(), values)?;
        let Some(server) = server else {
            return Ok((Self::Local(limits), files::list(&folder, glob, limits.silence).await?));
        };
        let mut remote = RemoteFolder::open((server, &folder), file, values, limits)?;
        let found = remote.list(glob, order).await?;
        Ok((Self::Remote(Box::new(remote)), found))
    }

    /// Reads a whole file; `None` if it is still being written, see [`files::read`].
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) async fn read(&self, file: &FoundFile) -> Result<Option<FileContent>, SourceError> {
        match (self, file.remote_place()) {
            (Self::Remote(remote), Some((name, stamp))) => remote.read(name, stamp).await,
            (Self::Local(limits), _) => files::read(file, *limits).await,
            (Self::Remote(_), None) => Err(files::not_a_file("a file of another folder")),
        }
    }
}
