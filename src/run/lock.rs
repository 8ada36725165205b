//! Locks of the data folder, held by one process at a time. The lock file names the process that holds it.
#![expect(clippy::disallowed_methods, reason = "edge: the lock is a file")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::model::instant;

/// Why a data folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("data folder `{folder}` is held by {holder}")]
    Held { folder: PathBuf, holder: String },
    #[error("cannot lock data folder `{folder}`: {source}")]
    Io { folder: PathBuf, source: std::io::Error },
}

/// A lock, held until it is dropped. The operating system releases it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder for a verb that changes it.
    pub fn take(data: &Path, verb: &str, now: i64) -> Result<Self, LockError> {
        Self::take_file("lock", data, verb, now)
    }

    /// Locks the folder for the one service that may run on it. It does not exclude the lock of [`take`](Self::take).
    pub fn take_for_service(data: &Path, now: i64) -> Result<Self, LockError> {
        Self::take_file("serve.lock", data, "serve", now)
    }

    /// Locks the publication of the newest night to targets outside the folder.
    pub(super) fn take_for_publication(data: &Path, now: i64) -> Result<Self, LockError> {
        Self::take_file("publish.lock", data, "publish", now)
    }

    fn take_file(name: &str, data: &Path, verb: &str, now: i64) -> Result<Self, LockError> {
        let io = |source| LockError::Io { folder: data.to_owned(), source };
        std::fs::create_dir_all(data).map_err(io)?;
        let path = data.join(name);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(LockError::Held { folder: data.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        let holder = format!("process {} (`motcua {verb}`) since {}", std::process::id(), instant::display(now));
        file.write_all(holder.as_bytes()).map_err(io)?;
        file.flush().map_err(io)?;
        Ok(Self { _file: file })
    }
}
