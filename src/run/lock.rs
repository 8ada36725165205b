//! Locks of the data folder, held by one process at a time. The first line of the lock file names the process that holds it; a
//! second line the number from which its runs begin, if it may begin any.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::model::instant;
use crate::rights;

/// Before the number on the second line of a lock file.
const RUNS_FROM: &str = "runs from ";
/// After how long a lock that is held is asked for once more: whoever only looks whether it is held has it for microseconds.
const SECOND_TRY: Duration = Duration::from_millis(50);

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
    file: File,
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

    /// Writes into the lock file that runs of the holder have numbers from `first` on.
    pub(super) fn note_runs_from(&self, data: &Path, first: i64) -> Result<(), LockError> {
        let line = format!("\n{RUNS_FROM}{first}\n");
        (&self.file).write_all(line.as_bytes()).map_err(|source| LockError::Io { folder: data.to_owned(), source })
    }

    /// The number from which the runs of the holder of [`take`](Self::take) begin; `None` if nobody holds the lock, or for a verb
    /// that begins no run. The lock is asked for and given back at once, which [`take`](Self::take) outwaits.
    pub(super) fn runs_from(data: &Path) -> Result<Option<i64>, LockError> {
        let io = |source| LockError::Io { folder: data.to_owned(), source };
        let mut file = open(&data.join("lock"), data, "lock")?;
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io)?;
        // A line without its end is still being written.
        let number = text.split_once('\n').and_then(|(_, rest)| rest.strip_prefix(RUNS_FROM)?.strip_suffix('\n'));
        Ok(number.and_then(|number| number.parse().ok()))
    }

    fn take_file(name: &'static str, data: &Path, verb: &str, now: i64) -> Result<Self, LockError> {
        let io = |source| LockError::Io { folder: data.to_owned(), source };
        rights::create_private_folder(data).map_err(io)?;
        let mut file = open(&data.join(name), data, name)?;
        let first_try = file.try_lock();
        let tried = if matches!(first_try, Err(TryLockError::WouldBlock)) {
            thread::sleep(SECOND_TRY);
            file.try_lock()
        } else {
            first_try
        };
        match tried {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = holder.lines().next().unwrap_or("another process").to_owned();
                return Err(LockError::Held { folder: data.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        let holder = format!("process {} (`motcua {verb}`) since {}", std::process::id(), instant::display(now));
        file.write_all(holder.as_bytes()).map_err(io)?;
        file.flush().map_err(io)?;
        Ok(Self { file })
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
    fn a_lock_names_its_holder_and_its_runs_until_it_is_dropped() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let data = root.path().join("data");
        let held = Lock::take(&data, "run", 0).expect("nobody holds it");
        assert_eq!(Lock::runs_from(&data).expect("it can be read"), None, "no run is named yet");
        held.note_runs_from(&data, 12).expect("it can be written");
        assert_eq!(Lock::runs_from(&data).expect("it can be read"), Some(12));
        let refused = Lock::take(&data, "verify", 0).expect_err("it is held").to_string();
        assert!(refused.contains("(`motcua run`) since") && !refused.contains('\n'), "{refused}");
        drop(held);
        assert_eq!(Lock::runs_from(&data).expect("it can be read"), None, "nobody holds it");
        let verify = Lock::take(&data, "verify", 0).expect("it was given back");
        assert_eq!(Lock::runs_from(&data).expect("it can be read"), None, "the runs were those of the holder before");
        drop(verify);
    }

    #[test]
    fn a_look_at_the_lock_keeps_nobody_from_taking_it() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let looking = open(&root.path().join("lock"), root.path(), "lock").expect("the folder is writable");
        looking.try_lock_shared().expect("nobody holds it");
        let look = thread::spawn(move || {
            thread::sleep(SECOND_TRY / 10);
            drop(looking);
        });
        assert!(Lock::take(root.path(), "run", 0).is_ok(), "the look has ended");
        look.join().expect("it does not panic");
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
