//! The ledger: runs, pulls, cursors and the quarantine index, in SQLite (WAL, synchronous = FULL).
//!
//! The tables' logs decide what was taken; the ledger says what a pull would reach before it commits. Lost, it
//! costs one full pull.

use std::path::Path;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Error, Row as _};

use crate::model::pull::{Counts, Cursor, Outcome};
use crate::model::record::Rejection;

/// The schema, applied at every start; a column added later gets its own statement.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    complete INTEGER
);
CREATE TABLE IF NOT EXISTS pulls (
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    reason TEXT,
    message TEXT,
    hint TEXT,
    received INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    cursor TEXT,
    data_until INTEGER,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (run, connector)
);
CREATE INDEX IF NOT EXISTS pulls_by_connector ON pulls (connector, run DESC);
CREATE TABLE IF NOT EXISTS quarantine (
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    page INTEGER NOT NULL,
    row INTEGER NOT NULL,
    field TEXT,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_by_pull ON quarantine (connector, run);
";

/// How far a pull has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its pages are being read; without a certificate it never happened.
    Reading,
    /// Counted and about to commit: the table's log says whether it did.
    Settled,
    Done,
}

impl State {
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
    pub state: State,
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
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

impl Pull {
    #[must_use]
    pub fn begun(run: i64, connector: &str, now: i64) -> Self {
        Self {
            run,
            connector: connector.to_owned(),
            state: State::Reading,
            outcome: None,
            reason: None,
            message: None,
            hint: None,
            counts: Counts::default(),
            cursor: None,
            data_until: None,
            started_at: now,
            finished_at: None,
        }
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
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }

    pub async fn begin_run(&self, run: i64, now: i64) -> Result<(), Error> {
        sqlx::query("INSERT INTO runs (run, started_at) VALUES (?, ?)").bind(run).bind(now).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn finish_run(&self, run: i64, now: i64, complete: bool) -> Result<(), Error> {
        sqlx::query("UPDATE runs SET finished_at = ?, complete = ? WHERE run = ?")
            .bind(now)
            .bind(complete)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Runs that were cut, oldest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<i64>, Error> {
        sqlx::query_scalar("SELECT run FROM runs WHERE finished_at IS NULL ORDER BY run").fetch_all(&self.pool).await
    }

    /// 0 without any.
    pub async fn highest_run(&self) -> Result<i64, Error> {
        sqlx::query_scalar("SELECT COALESCE(MAX(run), 0) FROM runs").fetch_one(&self.pool).await
    }

    /// Writes a pull, whole.
    pub async fn write_pull(&self, pull: &Pull) -> Result<(), Error> {
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
             started_at, finished_at, received, accepted, unchanged, duplicate, superseded, quarantined) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(pull.finished_at);
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
            "SELECT * FROM pulls WHERE connector = ? AND outcome = 'complete' \
             AND (run <= ? OR (accepted = 0 AND state = 'done')) ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .bind(reached.unwrap_or(-1))
        .fetch_all(&self.pool)
        .await?;
        let newest = rows.first().map(pull).transpose()?;
        Ok(newest.and_then(|pull| pull.cursor).unwrap_or_default())
    }

    /// Writes the rejections of a pull in place of any earlier try's.
    pub async fn write_quarantine(&self, run: i64, connector: &str, rejections: &[Rejection]) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM quarantine WHERE run = ? AND connector = ?")
            .bind(run)
            .bind(connector)
            .execute(&mut *transaction)
            .await?;
        for rejection in rejections {
            sqlx::query("INSERT INTO quarantine (run, connector, page, row, field, reason) VALUES (?, ?, ?, ?, ?, ?)")
                .bind(run)
                .bind(connector)
                .bind(i64::from(rejection.page))
                .bind(i64::from(rejection.row))
                .bind(&rejection.field)
                .bind(rejection.reason.code())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Rejections of a pull by field and reason, most first.
    pub async fn rejections(&self, run: i64, connector: &str) -> Result<Vec<(Option<String>, String, i64)>, Error> {
        let rows = sqlx::query(
            "SELECT field, reason, COUNT(*) AS number FROM quarantine WHERE run = ? AND connector = ? \
             GROUP BY field, reason ORDER BY number DESC, field, reason",
        )
        .bind(run)
        .bind(connector)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("field")?, row.try_get("reason")?, row.try_get("number")?))).collect()
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn pull(row: &SqliteRow) -> Result<Pull, Error> {
    let number = |name: &str| -> Result<u64, Error> { Ok(row.try_get::<i64, _>(name)?.try_into().unwrap_or(0)) };
    let outcome: Option<String> = row.try_get("outcome")?;
    let cursor: Option<String> = row.try_get("cursor")?;
    Ok(Pull {
        run: row.try_get("run")?,
        connector: row.try_get("connector")?,
        state: State::from_name(row.try_get("state")?),
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
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
