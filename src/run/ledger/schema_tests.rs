use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use super::*;
use crate::model::pull::Purpose;
use crate::run::Ledger;

/// The schema as motcua dac0eeb created it: all tables and columns, no version.
const UNVERSIONED: &str = include_str!("unversioned.sql");

async fn database(folder: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(folder.join("ledger.sqlite")).create_if_missing(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("SQLite opens a file")
}

async fn execute(folder: &Path, sql: &str) {
    let pool = database(folder).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.expect("the statements are SQL");
    pool.close().await;
}

/// Table, column, type, whether it may be null, default; then the names of indexes.
async fn schema(folder: &Path) -> Vec<(String, String, String, bool, Option<String>)> {
    let pool = database(folder).await;
    let columns = sqlx::query_as(
        "SELECT tables.name, columns.name, columns.type, \"notnull\", dflt_value FROM sqlite_master AS tables, \
         pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' \
         UNION ALL SELECT name, '', 'index', 0, NULL FROM sqlite_master WHERE type = 'index' ORDER BY 1, 2",
    );
    let schema = columns.fetch_all(&pool).await.expect("the schema can be read");
    pool.close().await;
    schema
}

async fn new_schema() -> Vec<(String, String, String, bool, Option<String>)> {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    Ledger::open(folder.path()).await.expect("a new ledger opens").close().await;
    schema(folder.path()).await
}

#[tokio::test]
async fn a_ledger_without_a_version_is_given_one_and_keeps_its_rows() {
    let expected = new_schema().await;
    assert!(expected.len() > 60, "{expected:?}");
    // As the last version without migrations wrote it, and as the first one did, without later tables and columns.
    let oldest = UNVERSIONED.split("ALTER TABLE").next().expect("the tables come first");
    let oldest = oldest.split("CREATE TABLE IF NOT EXISTS slots").next().expect("it creates tables");
    for sql in [UNVERSIONED, oldest] {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        execute(folder.path(), sql).await;
        execute(folder.path(), "INSERT INTO runs (run, started_at, finished_at, complete) VALUES (7, 1, 2, 1)").await;
        let ledger = Ledger::open(folder.path()).await.expect("an older ledger opens");
        let run = ledger.run(7).await.expect("the ledger can be read").expect("the run is kept");
        assert_eq!((run.purpose, run.finished_at, run.complete), (Purpose::Night, Some(2), Some(true)));
        ledger.close().await;
        assert_eq!(schema(folder.path()).await, expected);
    }
}

#[tokio::test]
async fn a_ledger_of_this_schema_is_not_written_when_it_is_opened() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    Ledger::open(folder.path()).await.expect("a new ledger opens").close().await;
    let pool = database(folder.path()).await;
    let changes = "PRAGMA data_version";
    let before: i64 = sqlx::query_scalar(changes).fetch_one(&pool).await.expect("it can be read");
    Ledger::open(folder.path()).await.expect("it opens again").close().await;
    let after: i64 = sqlx::query_scalar(changes).fetch_one(&pool).await.expect("it can be read");
    assert_eq!(before, after);
    pool.close().await;
}

#[tokio::test]
async fn a_ledger_of_a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    Ledger::open(folder.path()).await.expect("a new ledger opens").close().await;
    execute(
        folder.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'later', TRUE, x'00', 0)",
    )
    .await;
    let refused = Ledger::open(folder.path()).await.expect_err("it has tables that this version does not know");
    let known = migrator().iter().map(|migration| migration.version).max();
    assert!(matches!(refused, RunError::NewerLedger { version: 99, newest } if Some(newest) == known), "{refused}");
    assert!(refused.to_string().contains("schema version 99"), "{refused}");
}
