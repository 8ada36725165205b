//! Transactions and statements of a publication.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::target::PostgresTarget;
use crate::crash_points::crash_point;

/// Limits of each transaction. A lock that another session holds is an error after 30 seconds; the server ends a
/// transaction whose client is gone; a commit that was acknowledged is on the disk.
const LIMITS: &str = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '30s'; \
    SET LOCAL idle_in_transaction_session_timeout = '2min'; SET LOCAL synchronous_commit = on";

/// Begins a transaction with [`LIMITS`]. It waits until no other publication to the same schema is under way.
pub(super) async fn begin(connection: &mut PgConnection, target: &PostgresTarget) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    sqlx::raw_sql(LIMITS).execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("motcua/{}", target.schema))
        .execute(connection)
        .await?;
    Ok(())
}

/// Commits the transaction that makes a night visible.
pub(super) async fn commit_night(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let _crash_point = crash_point("publish to postgres");
    sqlx::raw_sql("COMMIT").execute(connection).await?;
    Ok(())
}

/// Runs SQL that the program wrote itself, and returns the number of affected rows. Names in it must be quoted.
pub(super) async fn execute(connection: &mut PgConnection, sql: String) -> Result<u64, sqlx::Error> {
    Ok(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?.rows_affected())
}
