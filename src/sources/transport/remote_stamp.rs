//! What a server says about one of its files.

use std::time::{Duration, SystemTime};

/// What a server says about a file: two equal stamps mean that nothing shows a change in between.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteStamp {
    pub bytes: u64,
    /// Seconds since 1970; `None` if the server does not say.
    pub modified: Option<i64>,
    /// Entity tag of WebDAV and S3; empty without one.
    pub tag: String,
    /// Whether it is something else than a file: a pipe, a device, a socket.
    pub is_special: bool,
}

impl RemoteStamp {
    /// As the modification time of a found file.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        let seconds = u64::try_from(self.modified?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }
}
