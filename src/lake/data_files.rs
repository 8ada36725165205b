//! Data files of a table, and how the files of a pull are named.

use std::path::PathBuf;

use deltalake_core::kernel::Remove;

/// A data file that the newest log entry of its table names.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    /// Value of the partition column; `None` in a table without partitions.
    pub(super) part: Option<String>,
    /// Source and run, read from the file name, if all rows are versions of one pull.
    pub(super) pull: Option<(String, i64)>,
    /// Size as the log states it.
    pub(super) bytes: u64,
    /// Number of rows as the log states it.
    pub(super) rows: Option<u64>,
    /// Digest of the content as the log states it; `None` if an older motcua wrote the file.
    pub(super) digest: Option<String>,
    /// [`shared_codes`](super::shared_codes): the tag of the file; `None` without it.
    pub(super) shared_codes: Option<String>,
    /// The log action that takes the file out of the table.
    pub(super) remove: Remove,
}

/// A data file that was written and that no log names yet.
#[derive(Debug)]
pub(super) struct UncommittedFile {
    pub(super) path: PathBuf,
    /// Value of the partition column; `None` in a table without partitions.
    pub(super) part: Option<String>,
    pub(super) rows: u64,
    /// [`shared_codes`](super::shared_codes): the tag of the file; `None` in other tables.
    pub(super) shared_codes: Option<String>,
}

/// Stem of the files of a pull: `run-00000042-portal-igate`. Names of connectors are lowercase letters, digits and `-`.
pub(super) fn pull_stem(run: i64, source: &str) -> String {
    format!("run-{run:08}-{source}")
}

/// Source and run of a file that [`pull_stem`] named: `run-00000042-portal-igate-0.parquet`. `None` for other files.
pub(super) fn pull_of(path: &str) -> Option<(String, i64)> {
    let (run, rest) = path.strip_prefix("run-")?.split_once('-')?;
    let (source, number) = rest.strip_suffix(".parquet")?.rsplit_once('-')?;
    number.parse::<u32>().ok()?;
    Some((source.to_owned(), run.parse().ok()?))
}
