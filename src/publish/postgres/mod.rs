//! Copies a night into PostgreSQL, for dashboards: tables `figures`, `figure_latest`, `indicators`, `agencies`,
//! `connectors`, `runs`.
//!
//! A night is written in one transaction: readers see the night before or this one, never a part. Rows are deleted and
//! inserted; tables are never truncated or swapped, so publications and readers do not block each other, and views and
//! grants of others stay valid. Publishing the same night again changes nothing. No error contains the user or the
//! password.

mod copy_rows;
mod error;
mod night;
mod schema;
mod sql;
mod target;

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

pub use error::PostgresError;
pub use night::{ConnectorRow, NightPublication};
#[cfg(test)]
pub(super) use schema::MIGRATIONS;
pub use target::PostgresTarget;

/// A server that does not answer a connection for this long counts as down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for a whole publication: the process of the night waits for it.
const PUBLISH_TIMEOUT: Duration = Duration::from_mins(20);

/// What a publication wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationReport {
    pub figures: u64,
    /// Rows that were added to the history.
    pub changed: u64,
    /// What the administrator should know although the night was published.
    pub remarks: Vec<String>,
}

/// Publishes a night.
///
/// # Errors
/// A server that cannot be reached or refuses; a schema of a newer motcua; a schema that holds a newer night, or a
/// night of another data folder. In all cases at most the schema was migrated, and no night was changed.
pub async fn publish(
    target: &PostgresTarget,
    night: &NightPublication<'_>,
) -> Result<PublicationReport, PostgresError> {
    tokio::time::timeout(PUBLISH_TIMEOUT, publish_without_timeout(target, night))
        .await
        .unwrap_or_else(|_| Err(target.timed_out("publish", PUBLISH_TIMEOUT)))
}

async fn publish_without_timeout(
    target: &PostgresTarget,
    night: &NightPublication<'_>,
) -> Result<PublicationReport, PostgresError> {
    let mut connection = connect(target).await?;
    let remarks = schema::migrate(&mut connection, target, night.published_at).await?;
    let (figures, changed) = night::replace(&mut connection, target, night).await?;
    // The night is committed: errors on close are ignored.
    let _ = connection.close().await;
    Ok(PublicationReport { figures, changed, remarks })
}

async fn connect(target: &PostgresTarget) -> Result<PgConnection, PostgresError> {
    let connecting = PgConnection::connect_with(target.options());
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected.map_err(target.failed("connect")),
        Err(_) => Err(target.timed_out("connect", CONNECT_TIMEOUT)),
    }
}
