//! Retention and backup: whether a landed pull is still needed, when it was removed, old slots, and copies of the
//! database.
//!
//! The database is never compacted in place (`VACUUM`): that may give rejected rows new ids, and certificates name them
//! by id.

use std::collections::HashMap;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::model::pull::Cursor;
use crate::rights;
use crate::run::ledger::pulls::{pull, sealed_cursor};
use crate::run::ledger::{Ledger, PullState};

/// Newest pulls of a connector whose cursors keep the digests of the files that were read. A pull that is cut falls back to
/// one of them; on an older one, the files would be read again, which accepts nothing twice.
const PULLS_WITH_FILES: i64 = 20;

/// Pulls of which the cursor lists files and which have so many newer pulls that count.
const OLD_FILE_LISTS: &str = "SELECT * FROM pulls AS old WHERE state = 'done' \
     AND CASE WHEN json_valid(cursor) THEN json_array_length(cursor, '$.files') > 0 ELSE FALSE END \
     AND (SELECT COUNT(*) FROM pulls AS newer WHERE newer.connector = old.connector AND newer.run > old.run \
     AND newer.state = 'done' AND newer.outcome IN ('complete', 'degraded') AND newer.cursor IS NOT NULL) >= ?";

/// Facts that decide whether the landed pages of a pull are still needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedNeed {
    /// Microseconds UTC.
    pub started_at: i64,
    /// The pull is done and its run has ended.
    pub is_done: bool,
    /// Some of its rejected rows are open.
    pub has_open: bool,
    /// It accepted or deleted rows, so the tables must hold its run.
    pub has_rows: bool,
}

impl Ledger {
    /// The needs of every pull, by connector and run.
    pub async fn landed_needs(&self) -> Result<HashMap<(String, i64), LandedNeed>, Error> {
        let rows = sqlx::query(
            "SELECT pulls.*, runs.run IS NULL OR runs.finished_at IS NOT NULL AS ended, \
             EXISTS (SELECT 1 FROM quarantine WHERE quarantine.connector = pulls.connector \
             AND quarantine.run = pulls.run AND closed_by IS NULL) AS has_open \
             FROM pulls LEFT JOIN runs ON runs.run = pulls.run",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut needs = HashMap::new();
        for row in &rows {
            let known = pull(row)?;
            let need = LandedNeed {
                started_at: known.started_at,
                is_done: known.state == PullState::Done && row.try_get("ended")?,
                has_open: row.try_get("has_open")?,
                has_rows: known.has_versions(),
            };
            needs.insert((known.connector, known.run), need);
        }
        Ok(needs)
    }

    /// Whether an earlier vacuum found that a night's figures cannot be rebuilt.
    pub async fn keeps_figures(&self, run: i64) -> Result<bool, Error> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM runs WHERE run = ? AND figures_kept_at IS NOT NULL)")
            .bind(run)
            .fetch_one(&self.pool)
            .await
    }

    /// Notes that a night's figures cannot be rebuilt.
    pub async fn note_figures_kept(&self, run: i64, now: i64) -> Result<(), Error> {
        let _crash_point = crash_point("note that the figures of a night are kept");
        sqlx::query("UPDATE runs SET figures_kept_at = ? WHERE run = ?")
            .bind(now)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// When a person last had old files removed (microseconds UTC).
    pub async fn ages_confirmed_at(&self) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT confirmed_at FROM confirmed_ages").fetch_optional(&self.pool).await
    }

    /// Notes that a person had old files removed.
    pub async fn confirm_ages(&self, now: i64) -> Result<(), Error> {
        let _crash_point = crash_point("note that a person had old files removed");
        sqlx::query("INSERT OR REPLACE INTO confirmed_ages (id, confirmed_at) VALUES (1, ?)")
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that the landed pages of a pull are removed. Written before the removal, so that a missing folder is
    /// explained.
    pub async fn note_landing_removed(&self, connector: &str, run: i64, now: i64) -> Result<(), Error> {
        let _crash_point = crash_point("note the removal of a landed pull");
        sqlx::query("UPDATE pulls SET landing_removed_at = ? WHERE connector = ? AND run = ?")
            .bind(now)
            .bind(connector)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Connectors whose landed pages of a run were removed, each with the time of the removal.
    pub async fn landing_removed(&self, run: i64) -> Result<Vec<(String, i64)>, Error> {
        sqlx::query_as(
            "SELECT connector, landing_removed_at FROM pulls WHERE run = ? AND landing_removed_at IS NOT NULL \
             ORDER BY connector",
        )
        .bind(run)
        .fetch_all(&self.pool)
        .await
    }

    /// Number of old pulls whose cursors list the files that were read, and the bytes of these cursors.
    pub async fn old_file_lists(&self) -> Result<(u64, u64), Error> {
        let statement = format!("SELECT COUNT(*), COALESCE(SUM(LENGTH(cursor)), 0) FROM ({OLD_FILE_LISTS})");
        let (pulls, bytes): (i64, i64) =
            sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(PULLS_WITH_FILES).fetch_one(&self.pool).await?;
        Ok((pulls.unsigned_abs(), bytes.unsigned_abs()))
    }

    /// Takes the lists of files out of the cursors of old pulls. The newest pulls keep theirs: a connector reads on from
    /// them.
    pub async fn remove_old_file_lists(&self) -> Result<(), Error> {
        let _crash_point = crash_point("shorten the cursors of old pulls");
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query(OLD_FILE_LISTS).bind(PULLS_WITH_FILES).fetch_all(&mut *transaction).await?;
        for row in &rows {
            let old = pull(row)?;
            // A cursor that does not match its digest stays as it is: it does not count.
            let Some(cursor) = old.cursor else { continue };
            sqlx::query("UPDATE pulls SET cursor = ? WHERE connector = ? AND run = ?")
                .bind(sealed_cursor(&Cursor { files: Vec::new(), ..cursor }))
                .bind(&old.connector)
                .bind(old.run)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Number of slots before a moment, and from it on.
    pub async fn slots_around(&self, moment: i64) -> Result<(i64, i64), Error> {
        sqlx::query_as("SELECT COALESCE(SUM(slot < ?1), 0), COALESCE(SUM(slot >= ?1), 0) FROM slots")
            .bind(moment)
            .fetch_one(&self.pool)
            .await
    }

    /// Deletes the slots before a moment.
    pub async fn delete_slots_before(&self, moment: i64) -> Result<(), Error> {
        let _crash_point = crash_point("delete old slots");
        sqlx::query("DELETE FROM slots WHERE slot < ?").bind(moment).execute(&self.pool).await?;
        Ok(())
    }
}

/// Moves the write-ahead log of a database into its file and empties the log; does nothing while others read.
pub(in crate::run) async fn checkpoint(database: &Path) -> Result<(), Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(SqliteConnectOptions::new().filename(database))
        .await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&pool).await?;
    pool.close().await;
    Ok(())
}

/// Copies a consistent snapshot of a database, also while others write to it. `to` must not exist.
pub(in crate::run) async fn copy_database(from: &Path, to: &Path) -> Result<(), Error> {
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(SqliteConnectOptions::new().filename(from)).await?;
    let _crash_point = crash_point("copy a database");
    // SQLite writes into an empty file that is there.
    rights::private_file(to)?;
    // Unlike `VACUUM` in place, it keeps the ids of rejected rows; a test checks that.
    sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy().into_owned()).execute(&pool).await?;
    pool.close().await;
    Ok(())
}

/// What is wrong with a database, as SQLite's own check finds it; `None` if nothing is. Nothing is changed.
pub(in crate::run) async fn database_damage(path: &Path) -> Option<String> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let checked = async {
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&pool).await?;
        pool.close().await;
        Ok::<_, Error>(found)
    };
    match checked.await {
        Ok(found) if found == ["ok"] => None,
        Ok(found) => Some(format!("is damaged: {}", found.join("; "))),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}
