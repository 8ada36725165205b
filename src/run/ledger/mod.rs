//! The ledger: runs, pulls, cursors and the quarantine index, in SQLite (WAL, synchronous = FULL).
//!
//! The tables' logs decide what was taken; the ledger says what a pull would reach before it commits. Lost, it
//! costs one full pull.

mod notifications;
mod quarantine;
mod retention;
mod runs;
mod schema;
mod slots;
mod totals;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Error, Row as _};

pub use self::notifications::{Notification, Publication};
pub(super) use self::quarantine::key_hash;
pub use self::quarantine::{QuarantinedRow, RejectionGroup};
pub(super) use self::retention::{LandedNeed, checkpoint, copy_database};
pub use self::runs::Run;
pub use self::slots::{Pause, Slot, SlotState};
pub use self::totals::LedgerTotals;
use crate::crash_points::crash_point;
use crate::model::connector::Connector;
use crate::model::pull::{Counts, Cursor, FieldsSeen, Findings, Outcome, Purpose};

/// How long a write waits for another's: the pages of the service write beside a run.
const BUSY_WAIT: Duration = Duration::from_mins(1);

/// How far a pull has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// Its pages are being read; without a certificate it never happened.
    Reading,
    /// Counted and about to commit: the table's log says whether it did.
    Settled,
    Done,
}

impl PullState {
    fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Settled => "settled",
            Self::Done => "done",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "settled" => Self::Settled,
            "done" => Self::Done,
            _ => Self::Reading,
        }
    }
}

/// One pull as the ledger knows it. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub run: i64,
    pub connector: String,
    pub state: PullState,
    pub outcome: Option<Outcome>,
    /// Code of the failure.
    pub reason: Option<String>,
    pub message: Option<String>,
    pub hint: Option<String>,
    pub counts: Counts,
    /// Where the next pull starts if this one counts.
    pub cursor: Option<Cursor>,
    /// Newest date among the connector's records.
    pub data_until: Option<i64>,
    pub purpose: Purpose,
    /// Digest of the connector that read it.
    pub connector_digest: String,
    pub findings: Findings,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

impl Pull {
    #[must_use]
    pub fn begun(run: i64, connector: &Connector, purpose: Purpose, now: i64) -> Self {
        Self {
            run,
            connector: connector.name.clone(),
            state: PullState::Reading,
            outcome: None,
            reason: None,
            message: None,
            hint: None,
            counts: Counts::default(),
            cursor: None,
            data_until: None,
            purpose,
            connector_digest: connector.digest.clone(),
            findings: Findings::default(),
            started_at: now,
            finished_at: None,
        }
    }

    /// How it ended; none while it has not: what is settled need not be in the tables yet.
    #[must_use]
    pub fn ended(&self) -> Option<Outcome> {
        self.outcome.filter(|_| self.state == PullState::Done)
    }
}

/// The open ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: SqlitePool,
}

impl Ledger {
    /// Opens or creates `<data>/ledger.sqlite`.
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(data.join("ledger.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_WAIT);
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        schema::apply(&pool).await?;
        Ok(Self { pool })
    }

    /// Opens the ledger of a data folder that has one.
    pub async fn open_existing(data: &Path) -> Result<Option<Self>, Error> {
        if data.join("ledger.sqlite").exists() { Self::open(data).await.map(Some) } else { Ok(None) }
    }

    /// Writes a pull, whole.
    pub async fn write_pull(&self, pull: &Pull) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        let cursor = pull.cursor.as_ref().map(|cursor| serde_json::to_string(cursor).expect("a cursor is plain data"));
        let counts = pull.counts;
        let numbers = [
            counts.received,
            counts.accepted,
            counts.unchanged,
            counts.duplicate,
            counts.superseded,
            counts.quarantined,
        ];
        let mut query = sqlx::query(
            "INSERT OR REPLACE INTO pulls (run, connector, state, outcome, reason, message, hint, cursor, data_until, \
             started_at, finished_at, purpose, connector_digest, findings, received, accepted, unchanged, duplicate, \
             superseded, quarantined) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(pull.run)
        .bind(&pull.connector)
        .bind(pull.state.name())
        .bind(pull.outcome.map(Outcome::name))
        .bind(&pull.reason)
        .bind(&pull.message)
        .bind(&pull.hint)
        .bind(cursor)
        .bind(pull.data_until)
        .bind(pull.started_at)
        .bind(pull.finished_at)
        .bind(pull.purpose.name())
        .bind(&pull.connector_digest)
        .bind(serde_json::to_string(&pull.findings).expect("findings are plain data"));
        for number in numbers {
            query = query.bind(i64::try_from(number).unwrap_or(i64::MAX));
        }
        query.execute(&self.pool).await?;
        Ok(())
    }

    pub async fn pulls_of_run(&self, run: i64) -> Result<Vec<Pull>, Error> {
        let rows =
            sqlx::query("SELECT * FROM pulls WHERE run = ? ORDER BY connector").bind(run).fetch_all(&self.pool).await?;
        rows.iter().map(pull).collect()
    }

    /// Pulls of a connector, newest first.
    pub async fn pulls_of(&self, connector: &str, most: i64) -> Result<Vec<Pull>, Error> {
        let rows = sqlx::query("SELECT * FROM pulls WHERE connector = ? ORDER BY run DESC LIMIT ?")
            .bind(connector)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(pull).collect()
    }

    /// The cursor that counts: of the newest complete pull whose run the table's log has `reached`, or that was
    /// done and accepted nothing.
    ///
    /// Where the log has fallen behind a pull that was done, versions were lost (a folder removed, an older backup): no
    /// cursor counts, and everything is read again.
    pub async fn cursor(&self, connector: &str, reached: Option<i64>) -> Result<Cursor, Error> {
        let taken: Option<i64> =
            sqlx::query_scalar("SELECT MAX(run) FROM pulls WHERE connector = ? AND accepted > 0 AND state = 'done'")
                .bind(connector)
                .fetch_one(&self.pool)
                .await?;
        if taken.is_some_and(|run| reached.unwrap_or(-1) < run) {
            return Ok(Cursor::default());
        }
        let rows = sqlx::query(
            "SELECT * FROM pulls WHERE connector = ? AND outcome IN ('complete', 'degraded') AND cursor IS NOT NULL \
             AND (run <= ? OR (accepted = 0 AND state = 'done')) ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .bind(reached.unwrap_or(-1))
        .fetch_all(&self.pool)
        .await?;
        let newest = rows.first().map(pull).transpose()?;
        Ok(newest.and_then(|pull| pull.cursor).unwrap_or_default())
    }

    /// The source fields that pulls of this connector met before `run`.
    pub async fn fields_seen(&self, connector: &str, run: i64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT field FROM fields_seen WHERE connector = ? AND run < ?")
            .bind(connector)
            .bind(run)
            .fetch_all(&self.pool)
            .await
    }

    /// Remembers the source fields that a pull met.
    pub async fn remember_fields(&self, connector: &str, run: i64, seen: &FieldsSeen) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        let mut transaction = self.pool.begin().await?;
        for field in seen.kept.iter().chain(seen.others.keys()) {
            sqlx::query("INSERT OR IGNORE INTO fields_seen (connector, field, run) VALUES (?, ?, ?)")
                .bind(connector)
                .bind(field)
                .bind(run)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// The slices of a backfill that were read.
    pub async fn backfilled(&self, connector: &Connector, from: &str, to: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(
            "SELECT slice FROM backfilled WHERE connector = ? AND from_day = ? AND to_day = ? AND digest = ?",
        )
        .bind(&connector.name)
        .bind(from)
        .bind(to)
        .bind(&connector.digest)
        .fetch_all(&self.pool)
        .await
    }

    /// Notes that a slice of a backfill was read by `run`.
    pub async fn note_backfilled(
        &self,
        connector: &Connector,
        (from, to): (&str, &str),
        slice: &str,
        run: i64,
    ) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("INSERT OR REPLACE INTO backfilled VALUES (?, ?, ?, ?, ?, ?)")
            .bind(&connector.name)
            .bind(from)
            .bind(to)
            .bind(&connector.digest)
            .bind(slice)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets a backfill: its next call reads everything again.
    pub async fn forget_backfill(&self, connector: &Connector, from: &str, to: &str) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("DELETE FROM backfilled WHERE connector = ? AND from_day = ? AND to_day = ?")
            .bind(&connector.name)
            .bind(from)
            .bind(to)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn pull(row: &SqliteRow) -> Result<Pull, Error> {
    let number = |name: &str| -> Result<u64, Error> { Ok(row.try_get::<i64, _>(name)?.try_into().unwrap_or(0)) };
    let outcome: Option<String> = row.try_get("outcome")?;
    let cursor: Option<String> = row.try_get("cursor")?;
    let findings: Option<String> = row.try_get("findings")?;
    Ok(Pull {
        run: row.try_get("run")?,
        connector: row.try_get("connector")?,
        state: PullState::from_name(row.try_get("state")?),
        outcome: outcome.as_deref().and_then(Outcome::from_name),
        reason: row.try_get("reason")?,
        message: row.try_get("message")?,
        hint: row.try_get("hint")?,
        counts: Counts {
            received: number("received")?,
            accepted: number("accepted")?,
            unchanged: number("unchanged")?,
            duplicate: number("duplicate")?,
            superseded: number("superseded")?,
            quarantined: number("quarantined")?,
        },
        cursor: cursor.and_then(|text| serde_json::from_str(&text).ok()),
        data_until: row.try_get("data_until")?,
        purpose: Purpose::from_name(row.try_get("purpose")?).unwrap_or_default(),
        connector_digest: row.try_get("connector_digest")?,
        findings: findings.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
