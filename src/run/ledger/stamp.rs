//! Whether the ledger has changed, without reading it.

use std::path::Path;
use std::time::SystemTime;

/// Length and time of the last write of the ledger and of the write-ahead log beside it. Each commit writes into one of them,
/// whichever process commits: if two stamps differ, something may have been committed between them.
///
/// Equal stamps are no proof. Two commits within the few milliseconds by which a file system tells times apart, into a log that
/// has begun anew, can have one stamp. Whoever relies on it forgets what was read after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerStamp([Option<(u64, SystemTime)>; 2]);

impl LedgerStamp {
    /// The stamp of the ledger of a data folder. Take it before the ledger is read.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(["ledger.sqlite", "ledger.sqlite-wal"].map(|name| {
            let file = data.join(name).metadata().ok()?;
            Some((file.len(), file.modified().ok()?))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ledger::{Ledger, Pause};

    #[tokio::test]
    async fn the_stamp_changes_with_each_commit_of_whoever_commits() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let ledger = Ledger::open(folder.path()).await.expect("a new ledger");
        // As another process has it.
        let other = Ledger::open(folder.path()).await.expect("it is shared");
        let mut last = LedgerStamp::of(folder.path());
        assert_eq!(LedgerStamp::of(folder.path()), last);
        for (at, by) in [(1, &ledger), (2, &other), (3, &ledger)] {
            let pause = Pause { connector: format!("c{at}"), since: at, paused_by: "op".to_owned() };
            by.pause(&pause).await.expect("it is written");
            let stamp = LedgerStamp::of(folder.path());
            assert_ne!(stamp, last, "commit {at}");
            ledger.pauses().await.expect("it is read");
            assert_eq!(LedgerStamp::of(folder.path()), stamp, "reading changes nothing");
            last = stamp;
        }
    }
}
