//! A night in PostgreSQL, for dashboards: tables `figures`, `figure_latest`, `indicators`, `agencies`, `connectors`, `runs`.
//!
//! A night goes in within one transaction: who reads sees the night before or this one, whole. Rows are deleted and
//! inserted, never truncated or swapped, so nobody who reads is waited for or stopped, and views and grants of others
//! stay. The same night published again changes nothing. Neither user nor password stands in any error.

mod address;
mod copy;
mod error;
mod schema;
mod tables;

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

pub use address::Target;
pub use error::PostgresError;

use crate::crash_points::crash_point;
use crate::model::agency::Agency;
use crate::model::figure::Figure;
use crate::model::indicator::Definition;
use crate::publish::NightRecord;

/// A server that does not answer is not waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A publication that hangs ends: the night's process waits for it.
const PUBLISH_WITHIN: Duration = Duration::from_mins(20);
/// Each transaction's own limits. A lock that somebody else holds is told, not waited for all night; the server ends a
/// transaction whose client is gone; a commit that was acknowledged is on disk.
const LIMITS: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '30s'; \
    SET LOCAL idle_in_transaction_session_timeout = '2min'; SET LOCAL synchronous_commit = on";

/// All that is published of one night.
#[derive(Debug)]
pub struct Edition<'a> {
    pub record: &'a NightRecord,
    pub figures: &'a [Figure],
    /// The night's definitions with their digests.
    pub indicators: &'a [(&'a Definition, &'a str)],
    pub agencies: &'a [Agency],
    pub connectors: &'a [ConnectorRow],
    /// Microseconds UTC.
    pub published_at: i64,
}

/// A connector as it stood on the night. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    pub connector: String,
    pub title: String,
    /// Table that it fills.
    pub kind: &'static str,
    pub state: &'static str,
    pub since: Option<i64>,
    pub reason_code: Option<String>,
    /// Words of the program's own, never of the source.
    pub hint: Option<String>,
    pub last_success: Option<i64>,
    pub data_until: Option<i64>,
}

/// What a publication did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub figures: u64,
    /// Rows that were added to the history.
    pub changed: u64,
    /// What somebody should know although it was published.
    pub remarks: Vec<String>,
}

/// Publishes a night.
///
/// # Errors
/// A server that cannot be reached or refuses; a schema of a newer program; a schema that holds a newer night, or that of
/// another data folder. Then nothing was changed but, at most, the tables' version.
pub async fn publish(target: &Target, edition: &Edition<'_>) -> Result<Receipt, PostgresError> {
    tokio::time::timeout(PUBLISH_WITHIN, within_limits(target, edition))
        .await
        .unwrap_or_else(|_| Err(target.slow("publish", PUBLISH_WITHIN)))
}

async fn within_limits(target: &Target, edition: &Edition<'_>) -> Result<Receipt, PostgresError> {
    let mut connection = connect(target).await?;
    let remarks = schema::bring_up(&mut connection, target, edition.published_at).await?;
    let (figures, changed) = tables::replace(&mut connection, target, edition).await?;
    // Published or not, this is decided: a farewell that fails says nothing.
    let _ = connection.close().await;
    Ok(Receipt { figures, changed, remarks })
}

async fn connect(target: &Target) -> Result<PgConnection, PostgresError> {
    let connecting = PgConnection::connect_with(target.options());
    match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
        Ok(connected) => connected.map_err(target.failed("connect")),
        Err(_) => Err(target.slow("connect", CONNECT_WITHIN)),
    }
}

/// Begins a transaction within [`LIMITS`] that no other publication to the same schema runs beside.
async fn begin(connection: &mut PgConnection, target: &Target) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    sqlx::raw_sql(LIMITS).execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("motcua/{}", target.schema))
        .execute(connection)
        .await?;
    Ok(())
}

async fn commit(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let _crash_point = crash_point("publish to postgres");
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(())
}

/// Runs SQL of the program's own, with the name of the schema in it.
async fn run(connection: &mut PgConnection, sql: String) -> Result<u64, sqlx::Error> {
    Ok(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?.rows_affected())
}
