//! The tables' versions, and who may read them. A version is applied once, in a transaction of its own, and never edited.

use sqlx::postgres::PgConnection;

use crate::model::instant;
use crate::publish::postgres::address::quoted;
use crate::publish::postgres::{PostgresError, Target, begin, run};

/// Version N is the text at N - 1.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_tables.sql")];

/// The table that says which of them were applied.
const VERSIONS: &str = "
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

/// What the reader role may read.
const READABLE: [&str; 7] =
    ["agencies", "connectors", "figure_latest", "figures", "indicators", "runs", "schema_version"];

/// Brings the schema to the newest version and grants the reader role what it may read; gives what the administrator should
/// know. `now` in microseconds UTC.
pub(super) async fn bring_up(
    connection: &mut PgConnection,
    target: &Target,
    now: i64,
) -> Result<Vec<String>, PostgresError> {
    let failed = || target.failed("prepare the tables");
    begin(connection, target).await.map_err(failed())?;
    let held = version(connection, target).await.map_err(failed())?;
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if held > known {
        return Err(PostgresError::NewerSchema {
            schema: target.schema.clone(),
            place: target.place().to_owned(),
            found: held,
            known,
        });
    }
    for (migration, version) in MIGRATIONS.iter().zip(1..).filter(|(_, version)| *version > held) {
        migrate(connection, target, migration, version, now).await.map_err(failed())?;
    }
    let remarks = grant(connection, target).await.map_err(failed())?;
    run(connection, "COMMIT".to_owned()).await.map_err(failed())?;
    Ok(remarks)
}

/// 0 of a schema that is not there, which is made.
async fn version(connection: &mut PgConnection, target: &Target) -> Result<i32, sqlx::Error> {
    let schema = target.quoted_schema();
    // `CREATE SCHEMA IF NOT EXISTS` wants a right that who owns the schema need not have.
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(&target.schema)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        run(connection, format!("CREATE SCHEMA {schema}")).await?;
        let about = "Nightly figures of the province''s one-stop shops, written by motcua; read only.";
        run(connection, format!("COMMENT ON SCHEMA {schema} IS '{about}'")).await?;
    }
    let table = format!("{schema}.schema_version");
    let is_there: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table).fetch_one(&mut *connection).await?;
    if !is_there {
        run(connection, VERSIONS.replace("{schema}", &schema)).await?;
    }
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT coalesce(max(version), 0) FROM {table}")))
        .fetch_one(connection)
        .await
}

async fn migrate(
    connection: &mut PgConnection,
    target: &Target,
    migration: &str,
    version: i32,
    now: i64,
) -> Result<(), sqlx::Error> {
    let schema = target.quoted_schema();
    run(connection, migration.replace("{schema}", &schema)).await?;
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

/// Makes the reader role where it is absent and may be made, and lets it read the tables, nothing else.
async fn grant(connection: &mut PgConnection, target: &Target) -> Result<Vec<String>, sqlx::Error> {
    let Some(role) = &target.reader_role else { return Ok(Vec::new()) };
    let (is_there, may_make): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), \
         EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolcreaterole OR rolsuper))",
    )
    .bind(role)
    .fetch_one(&mut *connection)
    .await?;
    let name = quoted(role);
    if !is_there {
        if !may_make {
            return Ok(vec![format!(
                "role `{role}` is not there and may not be made by this user: the administrator makes it with \
                 `CREATE ROLE {role} NOLOGIN`; the next publication lets it read"
            )]);
        }
        run(connection, format!("CREATE ROLE {name} NOLOGIN")).await?;
    }
    let schema = target.quoted_schema();
    let tables = READABLE.map(|table| format!("{schema}.{table}")).join(", ");
    run(connection, format!("GRANT USAGE ON SCHEMA {schema} TO {name}")).await?;
    run(connection, format!("GRANT SELECT ON {tables} TO {name}")).await?;
    Ok(Vec::new())
}
