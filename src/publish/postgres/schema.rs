//! Migrations of the schema, and the rights of the reader role.
//!
//! All missing migrations are applied in one transaction. A migration that was released is never edited.

use sqlx::postgres::PgConnection;

use crate::model::instant;
use crate::publish::postgres::error::PostgresError;
use crate::publish::postgres::sql::{begin, execute};
use crate::publish::postgres::target::{PostgresTarget, quoted};

/// The migration to version N is at index N - 1.
pub(in crate::publish) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_target_period.sql"),
    include_str!("migrations/0003_unknown.sql"),
    include_str!("migrations/0004_points.sql"),
];

/// Creates the table that records the applied migrations.
const VERSION_TABLE: &str = "
CREATE TABLE {schema}.schema_version (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL,
    program text NOT NULL
);
COMMENT ON TABLE {schema}.schema_version IS 'Versions of these tables, one row each.';
COMMENT ON COLUMN {schema}.schema_version.version IS 'Number of the version.';
COMMENT ON COLUMN {schema}.schema_version.applied_at IS 'When it was applied.';
COMMENT ON COLUMN {schema}.schema_version.program IS 'Version of the motcua that applied it.';
";

/// The tables that the reader role may read.
const READABLE: [&str; 7] =
    ["agencies", "connectors", "figure_latest", "figures", "indicators", "runs", "schema_version"];

/// Migrates the schema to the newest version and grants the reader role its rights. Returns remarks for the
/// administrator. `now`: microseconds UTC.
pub(super) async fn migrate(
    connection: &mut PgConnection,
    target: &PostgresTarget,
    now: i64,
) -> Result<Vec<String>, PostgresError> {
    let failed = || target.failed("prepare the tables");
    begin(connection, target).await.map_err(failed())?;
    let found = version(connection, target).await.map_err(failed())?;
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if found > known {
        return Err(PostgresError::NewerSchema {
            schema: target.schema.clone(),
            location: target.location().to_owned(),
            found,
            known,
        });
    }
    for (migration, version) in MIGRATIONS.iter().zip(1..).filter(|(_, version)| *version > found) {
        apply(connection, target, migration, version, now).await.map_err(failed())?;
    }
    let remarks = grant(connection, target).await.map_err(failed())?;
    execute(connection, "COMMIT".to_owned()).await.map_err(failed())?;
    Ok(remarks)
}

/// The newest applied version. A schema that does not exist is created, and has version 0.
async fn version(connection: &mut PgConnection, target: &PostgresTarget) -> Result<i32, sqlx::Error> {
    let schema = target.quoted_schema();
    // `CREATE SCHEMA IF NOT EXISTS` needs the right CREATE on the database, which the owner of an existing schema may
    // lack.
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(&target.schema)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        execute(connection, format!("CREATE SCHEMA {schema}")).await?;
        let about = "Nightly figures of the province''s one-stop shops, written by motcua; read only.";
        execute(connection, format!("COMMENT ON SCHEMA {schema} IS '{about}'")).await?;
    }
    let table = format!("{schema}.schema_version");
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table).fetch_one(&mut *connection).await?;
    if !exists {
        execute(connection, VERSION_TABLE.replace("{schema}", &schema)).await?;
    }
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT coalesce(max(version), 0) FROM {table}")))
        .fetch_one(connection)
        .await
}

async fn apply(
    connection: &mut PgConnection,
    target: &PostgresTarget,
    migration: &str,
    version: i32,
    now: i64,
) -> Result<(), sqlx::Error> {
    let schema = target.quoted_schema();
    execute(connection, migration.replace("{schema}", &schema)).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO {schema}.schema_version (version, applied_at, program) VALUES ($1, $2::text::timestamptz, $3)"
    )))
    .bind(version)
    .bind(instant::display(now))
    .bind(env!("CARGO_PKG_VERSION"))
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets the reader role read the tables, and nothing else. Creates the role if it does not exist and the user may
/// create roles. Returns remarks for the administrator.
async fn grant(connection: &mut PgConnection, target: &PostgresTarget) -> Result<Vec<String>, sqlx::Error> {
    let Some(role) = &target.reader_role else { return Ok(Vec::new()) };
    let (exists, may_create): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), \
         EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolcreaterole OR rolsuper))",
    )
    .bind(role)
    .fetch_one(&mut *connection)
    .await?;
    let name = quoted(role);
    if !exists {
        if !may_create {
            return Ok(vec![format!(
                "role `{role}` does not exist, and this user may not create roles: the administrator creates it with \
                 `CREATE ROLE {role} NOLOGIN`; the next publication then lets it read the tables"
            )]);
        }
        execute(connection, format!("CREATE ROLE {name} NOLOGIN")).await?;
    }
    let schema = target.quoted_schema();
    let tables = READABLE.map(|table| format!("{schema}.{table}")).join(", ");
    execute(connection, format!("GRANT USAGE ON SCHEMA {schema} TO {name}")).await?;
    execute(connection, format!("GRANT SELECT ON {tables} TO {name}")).await?;
    Ok(Vec::new())
}
