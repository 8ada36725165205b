//! Large deletions that an operator accepted after the guard had refused them. An acceptance is used once, and only for
//! the rows that were refused.

use std::collections::HashSet;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::model::instant::DAY_MICROS;
use crate::run::ledger::Ledger;

/// How long an acceptance that is not used counts.
const VALID_MICROS: i64 = 7 * DAY_MICROS;

/// An operator's word that the source has deleted rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedDeletions {
    /// 0 until it is stored.
    pub id: i64,
    pub connector: String,
    /// Run whose pull refused the deletions.
    pub refused_by: i64,
    /// Number of rows that were refused.
    pub rows: u64,
    /// Name of the user.
    pub accepted_by: String,
    /// Microseconds UTC.
    pub accepted_at: i64,
    /// Run whose pull deleted the rows.
    pub used_by: Option<i64>,
}

impl Ledger {
    /// Stores an acceptance.
    pub async fn accept_deletions(&self, accepted: &AcceptedDeletions) -> Result<(), Error> {
        let _crash_point = crash_point("accept deletions");
        sqlx::query(
            "INSERT INTO accepted_deletions (connector, refused_by, rows, accepted_by, accepted_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&accepted.connector)
        .bind(accepted.refused_by)
        .bind(i64::try_from(accepted.rows).unwrap_or(i64::MAX))
        .bind(&accepted.accepted_by)
        .bind(accepted.accepted_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Every acceptance, newest first.
    pub async fn accepted_deletions(&self) -> Result<Vec<AcceptedDeletions>, Error> {
        let rows = sqlx::query("SELECT * FROM accepted_deletions ORDER BY id DESC").fetch_all(&self.pool).await?;
        rows.iter().map(accepted_deletions).collect()
    }

    /// Hashes of the keys of the rows that a pull refused to delete; `None` if it refused none, or if an older motcua
    /// counted them only.
    pub(in crate::run) async fn refused_keys(&self, connector: &str, run: i64) -> Result<Option<HashSet<u64>>, Error> {
        let keys: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT keys FROM refused_deletions WHERE connector = ? AND run = ?")
                .bind(connector)
                .bind(run)
                .fetch_optional(&self.pool)
                .await?;
        Ok(keys.map(|keys| hashes_in(&keys)))
    }

    /// Hashes of the keys of the rows that the last pull before `run` refused to delete; none if it refused none.
    pub(in crate::run) async fn refused_keys_before(&self, connector: &str, run: i64) -> Result<HashSet<u64>, Error> {
        let keys: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT keys FROM refused_deletions WHERE connector = ? AND run < ? ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .bind(run)
        .fetch_optional(&self.pool)
        .await?;
        Ok(keys.map(|keys| hashes_in(&keys)).unwrap_or_default())
    }

    /// The newest acceptance that a pull may use: none has used it, or an earlier attempt at the same pull. It counts for
    /// a week.
    pub(in crate::run) async fn usable_acceptance(
        &self,
        connector: &str,
        run: i64,
        started_at: i64,
    ) -> Result<Option<AcceptedDeletions>, Error> {
        let row = sqlx::query(
            "SELECT * FROM accepted_deletions WHERE connector = ? AND (used_by = ? OR (used_by IS NULL AND accepted_at > ?)) \
             ORDER BY id DESC LIMIT 1",
        )
        .bind(connector)
        .bind(run)
        .bind(started_at - VALID_MICROS)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(accepted_deletions).transpose()
    }
}

/// Writes which acceptance a pull uses, in place of what an earlier attempt at it wrote.
pub(super) async fn replace_use(
    connection: &mut SqliteConnection,
    run: i64,
    connector: &str,
    used: Option<i64>,
) -> Result<(), Error> {
    sqlx::query("UPDATE accepted_deletions SET used_by = NULL WHERE connector = ? AND used_by = ?")
        .bind(connector)
        .bind(run)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE accepted_deletions SET used_by = ? WHERE id = ?")
        .bind(run)
        .bind(used)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes which rows a pull refused to delete, in place of those of earlier pulls that nobody accepted. Those of an
/// acceptance that this pull uses stay: the pull may be settled again. With `None` the pull decided about no deletion, so
/// that earlier refusals stay.
pub(super) async fn replace_refused(
    connection: &mut SqliteConnection,
    run: i64,
    connector: &str,
    keys: Option<&[u64]>,
) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM refused_deletions WHERE connector = ? AND (run = ? OR (? AND run NOT IN \
         (SELECT refused_by FROM accepted_deletions WHERE accepted_deletions.connector = refused_deletions.connector \
         AND (used_by IS NULL OR used_by = ?))))",
    )
    .bind(connector)
    .bind(run)
    .bind(keys.is_some())
    .bind(run)
    .execute(&mut *connection)
    .await?;
    if let Some(keys) = keys.filter(|keys| !keys.is_empty()) {
        sqlx::query("INSERT INTO refused_deletions (connector, run, keys) VALUES (?, ?, ?)")
            .bind(connector)
            .bind(run)
            .bind(keys.iter().flat_map(|hash| hash.to_le_bytes()).collect::<Vec<u8>>())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Hashes of keys, 8 bytes each, little-endian.
fn hashes_in(bytes: &[u8]) -> HashSet<u64> {
    bytes.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect()
}

fn accepted_deletions(row: &SqliteRow) -> Result<AcceptedDeletions, Error> {
    Ok(AcceptedDeletions {
        id: row.try_get("id")?,
        connector: row.try_get("connector")?,
        refused_by: row.try_get("refused_by")?,
        rows: row.try_get::<i64, _>("rows")?.try_into().unwrap_or(0),
        accepted_by: row.try_get("accepted_by")?,
        accepted_at: row.try_get("accepted_at")?,
        used_by: row.try_get("used_by")?,
    })
}
