//! Source fields that the pulls of a connector met: a field that none of them met before is drift, and so is one that
//! they met and later pulls do not.

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::model::pull::{FieldsSeen, Purpose};
use crate::run::ledger::{Ledger, Pull};

/// A source field that pulls of a connector met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownField {
    pub name: String,
    /// First run that met it.
    pub first_run: i64,
    /// Last night that met it; `None` if only an older motcua did.
    pub last_run: Option<i64>,
}

impl Ledger {
    /// Source fields that pulls of a connector met before `run`.
    pub async fn fields_seen(&self, connector: &str, run: i64) -> Result<Vec<KnownField>, Error> {
        let rows: Vec<(String, i64, Option<i64>)> =
            sqlx::query_as("SELECT field, run, last_run FROM fields_seen WHERE connector = ? AND run < ?")
                .bind(connector)
                .bind(run)
                .fetch_all(&self.pool)
                .await?;
        let field = |(name, first_run, last_run)| KnownField { name, first_run, last_run };
        Ok(rows.into_iter().map(field).collect())
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

/// Stores the source fields that a pull read. Only a night shows that the source still has them: other pulls read landed
/// pages again, or a past range.
pub(super) async fn store_fields(
    connection: &mut SqliteConnection,
    pull: &Pull,
    seen: &FieldsSeen,
) -> Result<(), Error> {
    let last_run = (pull.purpose == Purpose::Night).then_some(pull.run);
    for field in seen.kept.iter().chain(seen.others.keys()) {
        sqlx::query(
            "INSERT INTO fields_seen (connector, field, run, last_run) VALUES (?, ?, ?, ?) \
             ON CONFLICT (connector, field) DO UPDATE SET last_run = MAX(COALESCE(last_run, 0), excluded.last_run) \
             WHERE excluded.last_run IS NOT NULL",
        )
        .bind(&pull.connector)
        .bind(field)
        .bind(pull.run)
        .bind(last_run)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
