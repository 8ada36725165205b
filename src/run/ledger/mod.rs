//! The ledger: runs, pulls, cursors and the quarantine index, in SQLite (WAL, synchronous = FULL).
//!
//! A pull's counts and cursor are written here before its versions are committed; the table's log decides whether they
//! count. If the ledger is lost, the next run reads every source in full and changes no figure.

mod accepted_deletions;
mod backfills;
mod fields;
mod file_key_index;
mod files;
mod notifications;
mod publications;
mod pulls;
mod quarantine;
mod repeated_rejections;
mod retention;
mod runs;
mod schema;
mod settlements;
mod slots;
mod stamp;
mod totals;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

pub use self::accepted_deletions::AcceptedDeletions;
pub(super) use self::fields::KnownField;
pub(super) use self::file_key_index::content_number;
pub(super) use self::files::{FileChanges, NewKeys, StoredKeys};
pub use self::notifications::Notification;
pub use self::publications::Publication;
pub use self::pulls::{Pull, PullState};
pub(super) use self::quarantine::{FileRejection, NewRejection, key_hash, part_mark};
pub use self::quarantine::{QuarantinedRow, RejectionGroup};
pub(super) use self::retention::{LandedNeed, checkpoint, copy_database, database_damage};
pub use self::runs::Run;
pub(super) use self::settlements::Settlement;
pub use self::slots::{Pause, Slot, SlotState};
pub use self::stamp::LedgerStamp;
pub use self::totals::LedgerTotals;
use crate::durable::file_error;
use crate::rights;
use crate::run::error::RunError;

/// How long a write waits for another's: the pages of the service write beside a run.
const BUSY_WAIT: Duration = Duration::from_mins(1);

/// The open ledger of a data folder.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: SqlitePool,
}

impl Ledger {
    /// Opens `<data>/ledger.sqlite`; creates it if it is missing.
    pub async fn open(data: &Path) -> Result<Self, RunError> {
        let path = data.join("ledger.sqlite");
        // SQLite gives its write-ahead log the rights of the database.
        rights::private_file(&path).map_err(file_error("create", &path))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_WAIT);
        schema::migrate(&options).await?;
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        Ok(Self { pool })
    }

    /// Opens the ledger if the data folder has one.
    pub async fn open_existing(data: &Path) -> Result<Option<Self>, RunError> {
        if data.join("ledger.sqlite").exists() { Self::open(data).await.map(Some) } else { Ok(None) }
    }

    /// An error if SQLite finds the structure of the ledger damaged.
    pub(super) async fn check(&self) -> Result<(), RunError> {
        let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_all(&self.pool).await?;
        if found == ["ok"] { Ok(()) } else { Err(RunError::DamagedLedger { what: found.join("; ") }) }
    }

    /// Closes the connections; the last one to close empties SQLite's write-ahead log.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
