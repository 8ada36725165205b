//! Tables of `access.sqlite`, and the columns that files of an older motcua lack.

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    used_at INTEGER,
    agencies TEXT
);
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY,
    token TEXT NOT NULL REFERENCES tokens (name),
    csrf TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    opened_at INTEGER,
    used_at INTEGER
);
CREATE TABLE IF NOT EXISTS reads (
    at INTEGER NOT NULL,
    reader TEXT NOT NULL,
    way TEXT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reads_by_time ON reads (at DESC);
";

/// Columns that were added later: a query that finds the column, and a statement that adds it.
const ADDED_COLUMNS: [(&str, &str); 3] = [
    (
        "SELECT 1 FROM pragma_table_info('tokens') WHERE name = 'agencies'",
        "ALTER TABLE tokens ADD COLUMN agencies TEXT",
    ),
    (
        "SELECT 1 FROM pragma_table_info('sessions') WHERE name = 'opened_at'",
        "ALTER TABLE sessions ADD COLUMN opened_at INTEGER",
    ),
    (
        "SELECT 1 FROM pragma_table_info('sessions') WHERE name = 'used_at'",
        "ALTER TABLE sessions ADD COLUMN used_at INTEGER",
    ),
];

/// Creates the tables, and adds the columns that a file of an older motcua lacks.
pub(super) async fn create(connection: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    for (has, add) in ADDED_COLUMNS {
        if sqlx::query(has).fetch_optional(&mut *connection).await?.is_some() {
            continue;
        }
        match sqlx::raw_sql(add).execute(&mut *connection).await {
            // Another process may have added it meanwhile.
            Err(error) if sqlx::query(has).fetch_optional(&mut *connection).await?.is_none() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
