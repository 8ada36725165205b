//! Files of folders: what each name holds, and the keys of its rows.
//!
//! Rows are written with the settlement of a pull and are never changed. What counted before a run is found again, so
//! a pull that is settled a second time gives the same.

use std::collections::HashSet;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::model::folder::{ContentRef, FileTime, KnownFile};
use crate::run::ledger::{Ledger, file_key_index};

/// What a pull changes about the files of a folder.
#[derive(Debug, Default)]
pub(in crate::run) struct FileChanges {
    /// Runs from here on do not count any more: their versions are lost, or it is the pull itself.
    pub(in crate::run) counted_before: i64,
    pub(in crate::run) holds: Vec<KnownFile>,
    /// Names that no longer count.
    pub(in crate::run) forgotten: Vec<String>,
    pub(in crate::run) keys: Vec<NewKeys>,
    /// How their change times were read: see [`StoredKeys`].
    pub(in crate::run) change_times: i64,
}

/// Keys of a content as a pull stored them.
#[derive(Debug)]
pub(in crate::run) struct StoredKeys {
    /// With their ranks.
    pub(in crate::run) bytes: Vec<u8>,
    /// Number made of the declaration by which their change times were read; `None` if an older motcua stored them.
    pub(in crate::run) change_times: Option<i64>,
}

/// Keys of a content.
#[derive(Debug)]
pub(in crate::run) struct NewKeys {
    pub(in crate::run) content: ContentRef,
    /// With their ranks.
    pub(in crate::run) bytes: Vec<u8>,
    /// Hashes by which the content is found again; `None` if it is not looked up by its keys.
    pub(in crate::run) hashes: Option<Vec<u64>>,
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
    ) -> Result<Option<StoredKeys>, Error> {
        let stored: Option<(Vec<u8>, Option<i64>)> = sqlx::query_as(
            "SELECT keys, change_times FROM file_keys WHERE connector = ? AND digest = ? AND landed_by = ? AND run < ? \
             ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .bind(&content.digest)
        .bind(content.landed_by)
        .bind(run)
        .fetch_optional(&self.pool)
        .await?;
        Ok(stored.map(|(bytes, change_times)| StoredKeys { bytes, change_times }))
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
    for NewKeys { content, bytes, hashes } in &changes.keys {
        if let Some(hashes) = hashes {
            file_key_index::store(connection, connector, &content.digest, hashes).await?;
        }
        sqlx::query(
            "INSERT OR REPLACE INTO file_keys (connector, digest, landed_by, run, keys, indexed, change_times) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(connector)
        .bind(&content.digest)
        .bind(content.landed_by)
        .bind(run)
        .bind(bytes)
        .bind(hashes.is_some())
        .bind(changes.change_times)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ledger::content_number;

    fn keys(digest: &str, hashes: Option<Vec<u64>>) -> NewKeys {
        NewKeys { content: ContentRef { digest: digest.to_owned(), landed_by: 1 }, bytes: vec![1], hashes }
    }

    async fn write(ledger: &Ledger, run: i64, connector: &str, keys: Vec<NewKeys>) {
        let changes = FileChanges { counted_before: run, keys, ..FileChanges::default() };
        let mut transaction = ledger.pool.begin().await.expect("a connection is free");
        replace(&mut transaction, run, connector, &changes).await.expect("it can be written");
        transaction.commit().await.expect("it can be written");
    }

    async fn found(ledger: &Ledger, connector: &str, keys: &[u64]) -> Vec<i64> {
        let found = ledger.contents_with(connector, keys).await.expect("it can be read");
        let mut found: Vec<i64> = found.into_iter().collect();
        found.sort_unstable();
        found
    }

    fn numbers(digests: &[&str]) -> Vec<i64> {
        let mut numbers: Vec<i64> = digests.iter().map(|digest| content_number(digest)).collect();
        numbers.sort_unstable();
        numbers
    }

    #[tokio::test]
    async fn only_the_contents_that_have_a_key_are_found_among_many() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let ledger = Ledger::open(folder.path()).await.expect("a new ledger opens");
        // A thousand messages about a dossier each, and two about one more.
        let message = |number: u64| keys(&format!("m{number}"), Some(vec![number, u64::MAX - number]));
        write(&ledger, 1, "messages", (0..1_000).map(message).collect()).await;
        write(&ledger, 2, "messages", vec![keys("x", Some(vec![5_000])), keys("y", Some(vec![5_000, 7]))]).await;
        write(&ledger, 2, "others", vec![keys("z", Some(vec![5_000]))]).await;
        assert_eq!(found(&ledger, "messages", &[5_000]).await, numbers(&["x", "y"]));
        assert_eq!(found(&ledger, "messages", &[7, u64::MAX - 9]).await, numbers(&["m7", "m9", "y"]));
        assert_eq!(found(&ledger, "messages", &[6_000]).await, numbers(&[]));
        // More keys than one statement looks up.
        let many: Vec<u64> = (4_000..45_000).chain([3]).collect();
        assert_eq!(found(&ledger, "messages", &many).await, numbers(&["m3", "x", "y"]));
        ledger.close().await;
    }

    /// Digests of the contents whose keys, as known before `run`, are in the index.
    async fn indexed(ledger: &Ledger, run: i64, change_times: i64) -> Vec<String> {
        let found = ledger.indexed_contents("messages", run, change_times).await.expect("it can be read");
        let mut found: Vec<String> = found.into_iter().map(|content| content.digest).collect();
        found.sort_unstable();
        found
    }

    #[tokio::test]
    async fn a_content_is_indexed_if_its_newest_keys_are() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let ledger = Ledger::open(folder.path()).await.expect("a new ledger opens");
        write(&ledger, 1, "messages", vec![keys("old", None), keys("new", Some(vec![1]))]).await;
        assert_eq!(indexed(&ledger, 2, 0).await, ["new"]);
        assert!(indexed(&ledger, 1, 0).await.is_empty(), "nothing is known before the first run");
        assert!(indexed(&ledger, 2, 5).await.is_empty(), "change times are read otherwise now");
        assert_eq!(found(&ledger, "messages", &[1, 2]).await, numbers(&["new"]));

        // The old one is looked at, and from then on it is found by its keys only.
        let old = ContentRef { digest: "old".to_owned(), landed_by: 1 };
        ledger.index_contents("messages", 2, &[(old, vec![2])]).await.expect("it can be written");
        assert_eq!(indexed(&ledger, 2, 0).await, ["new", "old"]);
        assert_eq!(found(&ledger, "messages", &[2]).await, numbers(&["old"]));

        // Later keys that are not in the index count from their run on.
        write(&ledger, 2, "messages", vec![keys("new", None)]).await;
        assert_eq!(indexed(&ledger, 2, 0).await, ["new", "old"]);
        assert_eq!(indexed(&ledger, 3, 0).await, ["old"]);
        ledger.close().await;
    }
}
