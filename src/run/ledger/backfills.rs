//! Slices that a backfill has read, so that a call after an interruption goes on behind them.

use sqlx::Error;

use crate::crash_points::crash_point;
use crate::model::connector::Connector;
use crate::run::ledger::Ledger;

impl Ledger {
    /// Slices of a backfill from day `from` to day `to` that were read by a connector that reads the same records.
    pub async fn backfilled(&self, connector: &Connector, from: &str, to: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(
            "SELECT slice FROM backfilled WHERE connector = ? AND from_day = ? AND to_day = ? AND digest IN (?, ?)",
        )
        .bind(&connector.name)
        .bind(from)
        .bind(to)
        .bind(&connector.digest)
        .bind(&connector.file_digest)
        .fetch_all(&self.pool)
        .await
    }

    /// Notes that `run` read a slice of a backfill.
    pub async fn note_backfilled(
        &self,
        connector: &Connector,
        (from, to): (&str, &str),
        slice: &str,
        run: i64,
    ) -> Result<(), Error> {
        let _crash_point = crash_point("note a slice of a backfill");
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

    /// Deletes the slices of a backfill: the next call with the same days reads all of them again.
    pub async fn delete_backfill(&self, connector: &Connector, from: &str, to: &str) -> Result<(), Error> {
        let _crash_point = crash_point("forget a backfill");
        sqlx::query("DELETE FROM backfilled WHERE connector = ? AND from_day = ? AND to_day = ?")
            .bind(&connector.name)
            .bind(from)
            .bind(to)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
