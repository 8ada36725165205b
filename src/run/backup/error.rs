//! Errors of backup and restore.

use std::path::PathBuf;

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("`{folder}` is not empty: nothing was written into it")]
    NotEmpty { folder: PathBuf },
    #[error("`{folder}` lies in the data folder that it is to hold")]
    Inside { folder: PathBuf },
    #[error("there is nothing in data folder `{folder}` to back up")]
    Nothing { folder: PathBuf },
    #[error("`{folder}` is no whole backup: it has no `{file}`")]
    NotWhole { folder: PathBuf, file: &'static str },
    #[error("the backup is damaged: `{path}` {what}; nothing was restored")]
    Damaged { path: String, what: String },
    #[error("the backup was made by motcua {version}, in a form that this version does not know")]
    Newer { version: String },
    #[error("`{path}` is a link that motcua did not make: a backup would not hold what it leads to")]
    Link { path: PathBuf },
    #[error("`{path}` cannot be named in a backup: its name is not UTF-8 or holds a line break")]
    Name { path: PathBuf },
}

impl BackupError {
    /// Whether it is what was asked for that is wrong.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Damaged { .. } | Self::Name { .. })
    }
}
