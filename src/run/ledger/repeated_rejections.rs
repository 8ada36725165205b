//! Rows that are rejected again: the newest rejection counts how many pulls in a row rejected the row. The earlier ones are
//! closed; they are deleted once no pull that they belong to can be settled again.

use std::collections::HashMap;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// Rejections that a later pull counted and closed, where the landed pages of both pulls were removed. The newest row of
/// the table always stays: SQLite would give its id to another one, and certificates name rows by id.
const OLD_REPEATS: &str = "FROM quarantine AS old WHERE closed_by IS NOT NULL AND NOT is_covered \
     AND (key_hash IS NOT NULL OR row_hash IS NOT NULL) \
     AND EXISTS (SELECT 1 FROM quarantine AS again WHERE again.connector = old.connector AND again.run = old.closed_by \
     AND again.key_hash IS old.key_hash AND again.row_hash IS old.row_hash AND again.field IS old.field \
     AND again.reason = old.reason AND again.times > old.times) \
     AND (SELECT COUNT(*) FROM pulls WHERE pulls.connector = old.connector AND pulls.run IN (old.run, old.closed_by) \
     AND landing_removed_at IS NOT NULL) = 2 AND old.rowid < (SELECT MAX(rowid) FROM quarantine)";

/// What makes two rejections those of one row: hashes of its key and of the row, field, and reason.
type RejectedAs = (Option<i64>, Option<i64>, Option<String>, String);

impl Ledger {
    /// Number of rejections that [`remove_old_repeats`](Self::remove_old_repeats) deletes.
    pub(in crate::run) async fn old_repeats(&self) -> Result<u64, Error> {
        let statement = format!("SELECT COUNT(*) {OLD_REPEATS}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&self.pool).await?;
        Ok(rows.unsigned_abs())
    }

    /// Deletes rejections that a later one counts, and that no replay can need.
    pub(in crate::run) async fn remove_old_repeats(&self) -> Result<(), Error> {
        let _crash_point = crash_point("delete rejections that are counted");
        let statement = format!("DELETE FROM quarantine WHERE rowid IN (SELECT old.rowid {OLD_REPEATS})");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&self.pool).await?;
        Ok(())
    }
}

/// Counts the rejections of a pull whose rows the pulls before it rejected too, for the same reason. They are those that
/// the pull has closed.
pub(super) async fn count(connection: &mut SqliteConnection, run: i64, connector: &str) -> Result<(), Error> {
    let closed = sqlx::query(
        "SELECT * FROM quarantine WHERE connector = ? AND closed_by = ? AND run < ? AND NOT is_covered \
         AND (key_hash IS NOT NULL OR row_hash IS NOT NULL)",
    )
    .bind(connector)
    .bind(run)
    .bind(run)
    .fetch_all(&mut *connection)
    .await?;
    if closed.is_empty() {
        return Ok(());
    }
    let mut known: HashMap<RejectedAs, (i64, i64)> = HashMap::new();
    for row in &closed {
        let first_run: Option<i64> = row.try_get("first_run")?;
        let counted = (row.try_get("times")?, first_run.unwrap_or(row.try_get("run")?));
        let longest = known.entry(rejected_as(row)?).or_insert(counted);
        *longest = counted.max(*longest);
    }
    let own = sqlx::query("SELECT rowid, * FROM quarantine WHERE connector = ? AND run = ?")
        .bind(connector)
        .bind(run)
        .fetch_all(&mut *connection)
        .await?;
    for row in &own {
        let Some((times, first_run)) = known.get(&rejected_as(row)?) else { continue };
        sqlx::query("UPDATE quarantine SET times = ?, first_run = ? WHERE rowid = ?")
            .bind(times + 1)
            .bind(first_run)
            .bind(row.try_get::<i64, _>("rowid")?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn rejected_as(row: &SqliteRow) -> Result<RejectedAs, Error> {
    Ok((row.try_get("key_hash")?, row.try_get("row_hash")?, row.try_get("field")?, row.try_get("reason")?))
}
