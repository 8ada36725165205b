//! Schema of the ledger, as migrations of sqlx. An open ledger has the schema that this program knows: older ones are
//! migrated, newer ones are refused.
//!
//! To change the schema, add a file to `migrations/` and a line to [`migrator`]. A released file never changes: sqlx
//! compares its checksum with the one in the ledger.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Error, SqlSafeStr as _};

use crate::crash_points::crash_point;
use crate::run::error::RunError;

/// Every migration in order. Files are included by hand: `sqlx::migrate!` would build SQLite a second time, for the
/// compiler's host.
fn migrator() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "tables", include_str!("migrations/0001_tables.sql")),
        migration(2, "files", include_str!("migrations/0002_files.sql")),
        migration(3, "accepted deletions", include_str!("migrations/0003_accepted_deletions.sql")),
        migration(4, "fields and refusals", include_str!("migrations/0004_fields_and_refusals.sql")),
        migration(5, "rejected contents", include_str!("migrations/0005_rejected_contents.sql")),
        migration(6, "rejected parts", include_str!("migrations/0006_rejected_parts.sql")),
        migration(7, "repeated rejections", include_str!("migrations/0007_repeated_rejections.sql")),
        migration(8, "index of file keys", include_str!("migrations/0008_file_key_index.sql")),
        migration(9, "stopped runs", include_str!("migrations/0009_stopped_runs.sql")),
        migration(10, "change times of keys", include_str!("migrations/0010_change_times_of_keys.sql")),
        migration(11, "kept figures", include_str!("migrations/0011_kept_figures.sql")),
        migration(12, "confirmed ages", include_str!("migrations/0012_confirmed_ages.sql")),
    ])
}

/// Brings a ledger to the newest schema. On a connection of its own, which is closed afterwards: connections that are
/// opened later read the new schema, and no write-ahead log is left behind.
pub(super) async fn migrate(options: &SqliteConnectOptions) -> Result<(), RunError> {
    let mut connection = options.connect().await?;
    let migrated = migrate_connection(&mut connection).await;
    connection.close().await?;
    migrated
}

/// Applies the migrations that a ledger lacks, in one transaction. A ledger that has the newest schema is only read.
async fn migrate_connection(connection: &mut SqliteConnection) -> Result<(), RunError> {
    let migrator = migrator();
    let newest = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    match version(connection).await? {
        Some(version) if version > newest => return Err(RunError::NewerLedger { version, newest }),
        Some(version) if version == newest => return Ok(()),
        Some(_) | None => {}
    }
    let _crash_point = crash_point("migrate the ledger");
    // The transactions of single migrations become savepoints of this one. IMMEDIATE: another process may open the
    // ledger too.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if version(&mut transaction).await?.is_none() {
        complete_unversioned(&mut transaction).await?;
    }
    migrator.run(&mut *transaction).await.map_err(Error::from)?;
    transaction.commit().await?;
    Ok(())
}

/// Newest migration that a ledger has; `None` if it has no version yet: it is empty, or older than versions.
async fn version(connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
    let is_versioned: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut *connection)
            .await?;
    if !is_versioned {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(connection).await
}

/// Table, column and type of the columns that tables got before ledgers had a version.
const ADDED_COLUMNS: [(&str, &str, &str); 10] = [
    ("runs", "purpose", "TEXT NOT NULL DEFAULT 'night'"),
    ("pulls", "purpose", "TEXT NOT NULL DEFAULT 'night'"),
    ("pulls", "connector_digest", "TEXT NOT NULL DEFAULT ''"),
    ("pulls", "findings", "TEXT"),
    ("pulls", "landing_removed_at", "INTEGER"),
    ("quarantine", "key_hash", "INTEGER"),
    ("quarantine", "closed_by", "INTEGER"),
    ("quarantine", "read_by", "INTEGER"),
    ("slots", "cron", "TEXT NOT NULL DEFAULT ''"),
    ("publications", "hint", "TEXT"),
];

/// Adds the columns that the tables of a ledger without a version may lack. Tables that it lacks are created by
/// migration 1.
async fn complete_unversioned(connection: &mut SqliteConnection) -> Result<(), Error> {
    for (table, column, definition) in ADDED_COLUMNS {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(&mut *connection).await?;
        if !columns.is_empty() && !columns.iter().any(|known| known == column) {
            let statement = format!("ALTER TABLE {table} ADD COLUMN {column} {definition}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
