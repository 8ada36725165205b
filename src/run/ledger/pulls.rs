//! Pulls: what each read and how it ended, and the cursor at which the next one starts.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::digests;
use crate::model::connector::Connector;
use crate::model::pull::{Cursor, Findings, Outcome, PullCounts, Purpose};
use crate::run::ledger::Ledger;

/// How far a pull has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// Its pages are being read. Without a certificate it does not count.
    Reading,
    /// Its counts are written and it is about to commit; the table's log shows whether it did.
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

/// One connector's part of a run. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub run: i64,
    pub connector: String,
    pub state: PullState,
    pub outcome: Option<Outcome>,
    /// Code of the reason why it is not complete.
    pub reason: Option<String>,
    pub message: Option<String>,
    pub hint: Option<String>,
    pub counts: PullCounts,
    /// Where the next pull starts if this one counts.
    pub cursor: Option<Cursor>,
    /// Newest date in the connector's records, of this pull and earlier ones.
    pub data_until: Option<i64>,
    pub purpose: Purpose,
    /// Digest of the whole connector definition that it was read with.
    pub connector_digest: String,
    pub findings: Findings,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

impl Pull {
    /// Whether it wrote versions: accepted, deleted or restored rows.
    #[must_use]
    pub fn has_versions(&self) -> bool {
        self.counts.accepted + self.findings.swept + self.findings.restored > 0
    }

    /// A pull that is about to read its first page.
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
            counts: PullCounts::default(),
            cursor: None,
            data_until: None,
            purpose,
            connector_digest: connector.file_digest.clone(),
            findings: Findings::default(),
            started_at: now,
            finished_at: None,
        }
    }

    /// Its outcome if it is done. `None` for a pull that is only settled: the tables may not hold its versions yet.
    #[must_use]
    pub fn ended(&self) -> Option<Outcome> {
        self.outcome.filter(|_| self.state == PullState::Done)
    }
}

impl Ledger {
    /// Writes a pull, in place of the row that it may have.
    pub async fn write_pull(&self, pull: &Pull) -> Result<(), Error> {
        let _crash_point = crash_point("write a pull");
        upsert(&mut *self.pool.acquire().await?, pull).await
    }

    /// Pulls of a run, by connector.
    pub async fn pulls_of_run(&self, run: i64) -> Result<Vec<Pull>, Error> {
        let rows =
            sqlx::query("SELECT * FROM pulls WHERE run = ? ORDER BY connector").bind(run).fetch_all(&self.pool).await?;
        rows.iter().map(pull).collect()
    }

    /// Pulls of a connector, newest first, at most `most`.
    pub async fn pulls_of(&self, connector: &str, most: i64) -> Result<Vec<Pull>, Error> {
        let rows = sqlx::query("SELECT * FROM pulls WHERE connector = ? ORDER BY run DESC LIMIT ?")
            .bind(connector)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(pull).collect()
    }

    /// Names of the connectors of which rows were ever accepted.
    pub async fn connectors_with_rows(&self) -> Result<Vec<String>, Error> {
        let names = sqlx::query_scalar("SELECT DISTINCT connector FROM pulls WHERE accepted > 0 ORDER BY connector");
        names.fetch_all(&self.pool).await
    }

    /// Pulls that are not done, earliest run first: the process ended while it read or settled them.
    pub async fn unfinished_pulls(&self) -> Result<Vec<Pull>, Error> {
        let rows = sqlx::query("SELECT * FROM pulls WHERE state <> 'done' ORDER BY run, connector")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(pull).collect()
    }

    /// The cursor at which a connector's next pull starts. `reached`: newest run in the table's log.
    ///
    /// It is the cursor of the newest pull that is done, and complete or degraded. A pull is done only after the log
    /// holds what it accepted; one that is only settled is finished or undone by recovery first. If the log is behind a
    /// pull that is done, versions were lost (a folder was removed, an older backup was restored): then no cursor counts
    /// and everything is read again.
    pub async fn cursor(&self, connector: &str, reached: Option<i64>) -> Result<Cursor, Error> {
        let reached = reached.unwrap_or(-1);
        let newest_done: Option<i64> =
            sqlx::query_scalar("SELECT MAX(run) FROM pulls WHERE connector = ? AND accepted > 0 AND state = 'done'")
                .bind(connector)
                .fetch_one(&self.pool)
                .await?;
        if newest_done.is_some_and(|run| reached < run) {
            return Ok(Cursor::default());
        }
        let row = sqlx::query(
            "SELECT * FROM pulls WHERE connector = ? AND state = 'done' AND outcome IN ('complete', 'degraded') \
             AND cursor IS NOT NULL ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .fetch_optional(&self.pool)
        .await?;
        let newest = row.as_ref().map(pull).transpose()?;
        Ok(newest.and_then(|pull| pull.cursor).unwrap_or_default())
    }

    /// Discards the cursors that a connector's pulls reached after `run`: they may have started at a cursor of that run,
    /// which does not count.
    pub(in crate::run) async fn discard_cursors_after(&self, connector: &str, run: i64) -> Result<(), Error> {
        let _crash_point = crash_point("discard cursors");
        sqlx::query("UPDATE pulls SET cursor = NULL WHERE connector = ? AND run > ?")
            .bind(connector)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Writes a pull, in place of the row that it may have.
pub(super) async fn upsert(connection: &mut SqliteConnection, pull: &Pull) -> Result<(), Error> {
    let cursor = pull.cursor.as_ref().map(sealed_cursor);
    let PullCounts { received, accepted, unchanged, duplicate, superseded, quarantined } = pull.counts;
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
    for count in [received, accepted, unchanged, duplicate, superseded, quarantined] {
        query = query.bind(i64::try_from(count).unwrap_or(i64::MAX));
    }
    query.execute(connection).await?;
    Ok(())
}

/// A cursor with the digest of its text: one that is damaged would skip what was not read.
pub(super) fn sealed_cursor(cursor: &Cursor) -> String {
    String::from_utf8(digests::sealed(cursor)).expect("JSON is UTF-8")
}

/// A stored cursor; `None` if it is damaged: then the connector is read again, which accepts nothing twice.
fn unsealed_cursor(text: &str, row: &SqliteRow) -> Option<Cursor> {
    match digests::unsealed(text.as_bytes()) {
        Ok((cursor, _)) => Some(cursor),
        Err(what) => {
            let (run, connector) = (row.try_get::<i64, _>("run").ok(), row.try_get::<String, _>("connector").ok());
            tracing::warn!(
                run,
                connector,
                "the cursor of a pull in `ledger.sqlite` is damaged and does not count: {what}"
            );
            None
        }
    }
}

pub(super) fn pull(row: &SqliteRow) -> Result<Pull, Error> {
    let count = |name: &str| -> Result<u64, Error> { Ok(row.try_get::<i64, _>(name)?.try_into().unwrap_or(0)) };
    let outcome: Option<String> = row.try_get("outcome")?;
    let cursor: Option<String> = row.try_get("cursor")?;
    let findings: Option<String> = row.try_get("findings")?;
    Ok(Pull {
        run: row.try_get("run")?,
        connector: row.try_get("connector")?,
        state: PullState::from_name(row.try_get("state")?),
        outcome: outcome.as_deref().and_then(|outcome| outcome.parse().ok()),
        reason: row.try_get("reason")?,
        message: row.try_get("message")?,
        hint: row.try_get("hint")?,
        counts: PullCounts {
            received: count("received")?,
            accepted: count("accepted")?,
            unchanged: count("unchanged")?,
            duplicate: count("duplicate")?,
            superseded: count("superseded")?,
            quarantined: count("quarantined")?,
        },
        cursor: cursor.and_then(|text| unsealed_cursor(&text, row)),
        data_until: row.try_get("data_until")?,
        purpose: row.try_get::<&str, _>("purpose")?.parse().unwrap_or_default(),
        connector_digest: row.try_get("connector_digest")?,
        findings: findings.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

#[cfg(test)]
#[path = "pulls_tests.rs"]
mod tests;
