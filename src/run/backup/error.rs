//! Errors of backup and restore.

use std::path::PathBuf;

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("`{folder}` is not empty: nothing was written into it")]
    NotEmpty { folder: PathBuf },
    #[error("backup folder `{folder}` is inside the data folder")]
    Inside { folder: PathBuf },
    #[error("there is nothing in data folder `{folder}` to back up")]
    Nothing { folder: PathBuf },
    #[error("`{folder}` is not a complete backup: it has no `{file}`")]
    NotWhole { folder: PathBuf, file: &'static str },
    #[error("the backup is damaged: `{path}` {what}; nothing was restored")]
    Damaged { path: String, what: String },
    #[error("`{path}` {what}: the copy in `{target}` is no backup")]
    DamagedData { path: PathBuf, what: String, target: PathBuf },
    #[error("the backup was made by motcua {version}, in a format that this version does not know")]
    Newer { version: String },
    #[error("`{path}` is a link that motcua did not make: a backup would not contain its target")]
    Link { path: PathBuf },
    #[error("`{path}` cannot be part of a backup: its name is not UTF-8, or contains a line break or a backslash")]
    Name { path: PathBuf },
}

impl BackupError {
    /// Whether the arguments or the folders are wrong, rather than the data.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Damaged { .. } | Self::DamagedData { .. } | Self::Name { .. })
    }
}
