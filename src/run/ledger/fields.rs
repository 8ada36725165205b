//! Source fields that the pulls of a connector met: a field that none of them met before is drift.

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::model::pull::FieldsSeen;
use crate::run::ledger::Ledger;

impl Ledger {
    /// Source fields that pulls of a connector met before `run`.
    pub async fn fields_seen(&self, connector: &str, run: i64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT field FROM fields_seen WHERE connector = ? AND run < ?")
            .bind(connector)
            .bind(run)
            .fetch_all(&self.pool)
            .await
    }
}

/// Deletes the source fields that a pull was the first to read.
pub(super) async fn delete_fields(connection: &mut SqliteConnection, connector: &str, run: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM fields_seen WHERE connector = ? AND run = ?")
        .bind(connector)
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores the source fields that a pull read and no earlier pull did.
pub(super) async fn store_fields(
    connection: &mut SqliteConnection,
    connector: &str,
    run: i64,
    seen: &FieldsSeen,
) -> Result<(), Error> {
    for field in seen.kept.iter().chain(seen.others.keys()) {
        sqlx::query("INSERT OR IGNORE INTO fields_seen (connector, field, run) VALUES (?, ?, ?)")
            .bind(connector)
            .bind(field)
            .bind(run)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
