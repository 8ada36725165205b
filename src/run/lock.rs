//! Locks of the data folder, held by one process at a time. The lock file names the process that holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::model::instant;
use crate::rights;

/// Why a data folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("data folder `{folder}` is held by {holder}")]
    Held { folder: PathBuf, holder: String },
    #[error("cannot lock data folder `{folder}`: {source}")]
    Io { folder: PathBuf, source: io::Error },
    #[error("cannot lock data folder `{folder}`: `{name}` in it is a link, or no file")]
    NoFile { folder: PathBuf, name: &'static str },
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

    /// Whether a process holds the lock of [`take`](Self::take). It is asked for and given back at once, so only ask where somebody
    /// probably holds it: for that moment nobody else can take it.
    pub(super) fn is_held(data: &Path) -> Result<bool, LockError> {
        match open(&data.join("lock"), data, "lock")?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(LockError::Io { folder: data.to_owned(), source }),
        }
    }

    fn take_file(name: &'static str, data: &Path, verb: &str, now: i64) -> Result<Self, LockError> {
        let io = |source| LockError::Io { folder: data.to_owned(), source };
        rights::create_private_folder(data).map_err(io)?;
        let mut file = open(&data.join(name), data, name)?;
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

/// Opens a lock file, or creates it. The name of the holder is written into it, so a link is not followed: whatever it
/// leads to would be emptied.
fn open(path: &Path, data: &Path, name: &'static str) -> Result<File, LockError> {
    let no_file = || LockError::NoFile { folder: data.to_owned(), name };
    let opened = rights::private_options().read(true).truncate(false).custom_flags(libc::O_NOFOLLOW).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(no_file()),
        Err(source) => return Err(LockError::Io { folder: data.to_owned(), source }),
    };
    if file.metadata().is_ok_and(|known| known.is_file()) { Ok(file) } else { Err(no_file()) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write and read files")]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let data = root.path().join("data");
        let held = Lock::take(&data, "run", 0).expect("nobody holds it");
        assert!(Lock::is_held(&data).expect("it can be opened"));
        drop(held);
        assert!(!Lock::is_held(&data).expect("it can be opened"));
        assert!(Lock::take(&data, "run", 0).is_ok(), "it was given back");
    }

    #[test]
    fn a_link_in_the_place_of_a_lock_is_refused_and_what_it_leads_to_stays() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let (data, other) = (root.path().join("data"), root.path().join("other.txt"));
        rights::create_private_folder(&data).expect("the folder is writable");
        std::fs::write(&other, "kept").expect("the folder is writable");
        for (name, target) in [("lock", other.as_path()), ("serve.lock", &root.path().join("absent"))] {
            std::os::unix::fs::symlink(target, data.join(name)).expect("the folder is writable");
        }
        let refused = Lock::take(&data, "run", 0).expect_err("it is a link");
        assert!(refused.to_string().contains("`lock` in it is a link"), "{refused}");
        assert!(matches!(Lock::take_for_service(&data, 0), Err(LockError::NoFile { .. })));
        assert_eq!(std::fs::read_to_string(&other).expect("it is there"), "kept");
        assert!(!root.path().join("absent").exists(), "nothing was created at the end of the link");
        assert!(Lock::take_for_publication(&data, 0).is_ok());
    }
}
