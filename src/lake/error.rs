//! Errors of the lake: of a file, of a Delta log, of rows, or a record that does not fit its table.

use std::path::{Path, PathBuf};

use deltalake_core::DeltaTableError;
use polars::prelude::PolarsError;

use crate::durable::FileError;

/// A stored file that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFile {
    pub path: PathBuf,
    pub damage: Damage,
}

/// How a stored file differs from what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The file is gone.
    Missing,
    /// It has another size than the log states.
    Size,
    /// Its content does not match its digest.
    Content,
}

impl Damage {
    /// What is wrong with the file, to follow its name.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::Size => "has another size than its table's log states",
            Self::Content => "does not match its digest",
        }
    }
}

/// What is wrong with the first file, and how many others there are.
fn listed(files: &[DamagedFile]) -> String {
    let Some(first) = files.first() else { return "a file was changed".to_owned() };
    let more = files.len() - 1;
    let others = if more == 0 { String::new() } else { format!(" (and {more} more files)") };
    format!("`{}` {}{others}", first.path.display(), first.damage.what())
}

/// An error of the lake. The cause is in `source`.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("could not {attempted} `{}`", path.display())]
    File { attempted: &'static str, path: PathBuf, source: std::io::Error },
    #[error("could not {attempted} the log of table `{table}`")]
    Log { attempted: &'static str, table: String, source: Box<DeltaTableError> },
    #[error("could not {attempted} the rows of table `{table}`")]
    Rows { attempted: &'static str, table: &'static str, source: Box<PolarsError> },
    #[error("could not write page `{page}`, row `{row}` into table `{table}`: column `{column}` does not fit")]
    Misfit { table: &'static str, column: &'static str, page: u32, row: u32 },
    #[error("could not write figures into table `{table}`: column `{column}` is absent or of another type")]
    Column { table: &'static str, column: &'static str },
    #[error("could not read table `{table}`: its log names `{path}`, which motcua did not write")]
    Foreign { table: &'static str, path: String },
    #[error("could not use `{}` for the lake: its path holds `=` or is not UTF-8", path.display())]
    Root { path: PathBuf },
    /// Without this error the pull would be lost in silence: readers take the highest number for all before it.
    #[error(
        "could not commit run {run} of `{application}` to table `{table}`: run {committed} is committed already, and run {run} is not"
    )]
    Overtaken { table: &'static str, application: String, run: i64, committed: i64 },
    /// Records of the source would be compared with old ones.
    #[error(
        "table `{table}` lacks pulls of `{connector}` that are stored: it could not be updated with them, because of an unexpected \
         error in motcua itself; the log has its place"
    )]
    ImageBehind { table: &'static str, connector: String },
    /// One dossier would count several times.
    #[error(
        "table `{table}` was not updated: its part `{part}` would have {rows} rows whose key it has already, because of an \
         unexpected error in motcua itself"
    )]
    Repeated { table: &'static str, part: String, rows: u64 },
    #[error("table `{table}` is damaged: {}", listed(.files))]
    Damaged { table: String, files: Vec<DamagedFile> },
    #[error("could not finish the work on table `{table}`: its background task panicked or was cancelled")]
    Interrupted { table: &'static str },
}

/// How a file of the lake is restored.
pub const RESTORE: &str = "copy the file of the same name from the newest backup into its place, and check with \
     `motcua verify`; without it, restore the whole data folder (docs/OPERATIONS.md). Check the health of the disk";

impl LakeError {
    /// Whether the work on rows failed, not the disk under them: a panic, or an operation that Polars refuses. The same
    /// rows fail again.
    #[must_use]
    pub fn is_of_rows(&self) -> bool {
        match self {
            Self::Interrupted { .. } | Self::Repeated { .. } => true,
            Self::Rows { source, .. } => !matches!(**source, PolarsError::IO { .. }),
            _ => false,
        }
    }

    /// What the engineer on duty can do; `None` if there is no advice beyond the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Root { .. } => {
                Some("choose a data folder whose path has no `=`: partition folders of the lake are named `part=…`")
            }
            Self::File { .. } => Some("check that the disk has space and that the data folder belongs to this user"),
            Self::Damaged { .. } => Some(RESTORE),
            Self::Foreign { .. } => Some("only motcua may write these tables; restore the folder from a backup"),
            _ => None,
        }
    }
}

impl From<FileError> for LakeError {
    fn from(error: FileError) -> Self {
        Self::File { attempted: error.attempted, path: error.path, source: error.source }
    }
}

/// Adds the operation and the path to an I/O error.
pub(super) fn file_error(attempted: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LakeError + use<> {
    let path = path.to_owned();
    move |source| LakeError::File { attempted, path, source }
}

/// Adds the operation and the table to an error of its log.
pub(super) fn log_error(attempted: &'static str, table: &str) -> impl FnOnce(DeltaTableError) -> LakeError + use<> {
    let table = table.to_owned();
    move |source| LakeError::Log { attempted, table, source: Box::new(source) }
}

/// Adds the operation and the table to an error of its rows.
pub(super) fn rows_error(attempted: &'static str, table: &'static str) -> impl FnOnce(PolarsError) -> LakeError {
    move |source| LakeError::Rows { attempted, table, source: Box::new(source) }
}

/// Runs work on rows on a thread for blocking work: Polars blocks the thread, and must not run inside an async
/// task.
pub(super) async fn blocking<T: Send + 'static>(
    table: &'static str,
    work: impl FnOnce() -> Result<T, LakeError> + Send + 'static,
) -> Result<T, LakeError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LakeError::Interrupted { table }))
}
