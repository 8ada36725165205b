//! Files of folders: what each name holds, and the keys of its rows.
//!
//! Rows are written with the settlement of a pull and are never changed. What counted before a run is found again, so
//! a pull that is settled a second time gives the same.

use std::collections::HashSet;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::model::folder::{ContentRef, FileTime, KnownFile};
use crate::run::ledger::Ledger;

/// What a pull changes about the files of a folder.
#[derive(Debug, Default)]
pub(in crate::run) struct FileChanges {
    /// Runs from here on do not count any more: their versions are lost, or it is the pull itself.
    pub(in crate::run) counted_before: i64,
    pub(in crate::run) holds: Vec<KnownFile>,
    /// Names that no longer count.
    pub(in crate::run) forgotten: Vec<String>,
    /// Keys of contents, as bytes.
    pub(in crate::run) keys: Vec<(ContentRef, Vec<u8>)>,
}

impl Ledger {
    /// Files of a folder that hold rows, as known before `run`.
    pub(in crate::run) async fn known_files(&self, connector: &str, run: i64) -> Result<Vec<KnownFile>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM file_names AS file WHERE connector = ?1 AND digest <> '' AND run = \
             (SELECT MAX(run) FROM file_names AS newer WHERE newer.connector = ?1 AND newer.name = file.name AND run < ?2) \
             ORDER BY name",
        )
        .bind(connector)
        .bind(run)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(known_file).collect()
    }

    /// Run before which the files of a connector count: `run`, or an earlier one if the tables have lost versions.
    /// `reached`: newest run in the table's log.
    pub(in crate::run) async fn files_counted_before(
        &self,
        connector: &str,
        reached: Option<i64>,
        run: i64,
    ) -> Result<i64, Error> {
        let newest: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(run) FROM pulls WHERE connector = ? AND accepted > 0 AND state = 'done' AND run < ?",
        )
        .bind(connector)
        .bind(run)
        .fetch_one(&self.pool)
        .await?;
        let reached = reached.unwrap_or(-1);
        Ok(if newest.is_some_and(|newest| reached < newest) { reached + 1 } else { run })
    }

    /// Keys of a content as known before `run`; `None` if they were never written.
    pub(in crate::run) async fn keys_of_content(
        &self,
        connector: &str,
        content: &ContentRef,
        run: i64,
    ) -> Result<Option<Vec<u8>>, Error> {
        sqlx::query_scalar(
            "SELECT keys FROM file_keys WHERE connector = ? AND digest = ? AND landed_by = ? AND run < ? \
             ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .bind(&content.digest)
        .bind(content.landed_by)
        .bind(run)
        .fetch_optional(&self.pool)
        .await
    }

    /// Connectors and runs whose landed pages hold the present content of a file.
    pub(in crate::run) async fn runs_with_files(&self) -> Result<HashSet<(String, i64)>, Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT DISTINCT connector, landed_by FROM file_names AS file WHERE digest <> '' AND run = \
             (SELECT MAX(run) FROM file_names AS newer WHERE newer.connector = file.connector AND newer.name = file.name)",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }
}

/// Writes what a pull changes, in place of what an earlier attempt at it wrote, and of runs that no longer count.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    run: i64,
    connector: &str,
    changes: &FileChanges,
) -> Result<(), Error> {
    delete(connection, changes.counted_before.min(run), connector).await?;
    let forgotten = changes.forgotten.iter().map(|name| KnownFile {
        name: name.clone(),
        content: ContentRef { digest: String::new(), landed_by: run },
        time: FileTime::default(),
        former: Vec::new(),
    });
    for file in changes.holds.iter().cloned().chain(forgotten) {
        sqlx::query(
            "INSERT OR REPLACE INTO file_names (connector, name, run, digest, landed_by, ordered_at, modified_at, former) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(connector)
        .bind(&file.name)
        .bind(run)
        .bind(&file.content.digest)
        .bind(file.content.landed_by)
        .bind(file.time.ordered_at)
        .bind(file.time.modified_at)
        .bind(serde_json::to_string(&file.former).expect("contents are plain data"))
        .execute(&mut *connection)
        .await?;
    }
    for (content, keys) in &changes.keys {
        sqlx::query(
            "INSERT OR REPLACE INTO file_keys (connector, digest, landed_by, run, keys) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(connector)
        .bind(&content.digest)
        .bind(content.landed_by)
        .bind(run)
        .bind(keys)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Deletes what a connector's pulls from a run on wrote.
pub(super) async fn delete(connection: &mut SqliteConnection, from_run: i64, connector: &str) -> Result<(), Error> {
    for statement in [
        "DELETE FROM file_names WHERE connector = ? AND run >= ?",
        "DELETE FROM file_keys WHERE connector = ? AND run >= ?",
    ] {
        sqlx::query(statement).bind(connector).bind(from_run).execute(&mut *connection).await?;
    }
    Ok(())
}

fn known_file(row: &SqliteRow) -> Result<KnownFile, Error> {
    let former: String = row.try_get("former")?;
    Ok(KnownFile {
        name: row.try_get("name")?,
        content: ContentRef { digest: row.try_get("digest")?, landed_by: row.try_get("landed_by")? },
        time: FileTime { ordered_at: row.try_get("ordered_at")?, modified_at: row.try_get("modified_at")? },
        former: serde_json::from_str(&former).unwrap_or_default(),
    })
}
