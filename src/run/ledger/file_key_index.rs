//! Which contents of files may have a key: a pull that merges its rows with those of other files looks at these contents only,
//! however many files a folder ever had.

use std::collections::HashSet;

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::model::folder::ContentRef;
use crate::run::ledger::{Ledger, key_hash};

/// Keys that one statement looks up.
const KEYS_AT_ONCE: usize = 20_000;

/// Number of a content in the index, from its digest. If two contents have one number, both are looked at.
pub(in crate::run) fn content_number(digest: &str) -> i64 {
    key_hash(digest).cast_signed()
}

impl Ledger {
    /// Contents of a connector whose keys, as known before `run`, are all in the index, with change times that were read as
    /// `change_times` says or are not known. Of every other content it is not known which keys it has.
    pub(in crate::run) async fn indexed_contents(
        &self,
        connector: &str,
        run: i64,
        change_times: i64,
    ) -> Result<HashSet<ContentRef>, Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT digest, landed_by FROM file_keys AS known WHERE connector = ?1 AND indexed = 1 \
             AND (change_times IS NULL OR change_times = ?3) AND run = \
             (SELECT MAX(run) FROM file_keys AS newer WHERE newer.connector = ?1 AND newer.digest = known.digest \
             AND newer.landed_by = known.landed_by AND newer.run < ?2)",
        )
        .bind(connector)
        .bind(run)
        .bind(change_times)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(digest, landed_by)| ContentRef { digest, landed_by }).collect())
    }

    /// Numbers of the contents in the index that may have one of the keys.
    pub(in crate::run) async fn contents_with(&self, connector: &str, keys: &[u64]) -> Result<HashSet<i64>, Error> {
        let mut found = HashSet::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            // `CROSS JOIN`: each key is looked up in the index, which is never read from its beginning.
            let contents: Vec<i64> = sqlx::query_scalar(
                "SELECT DISTINCT known.content FROM json_each(?1) AS wanted CROSS JOIN file_key_index AS known \
                 ON known.connector = ?2 AND known.key = wanted.value",
            )
            .bind(as_json(keys))
            .bind(connector)
            .fetch_all(&self.pool)
            .await?;
            found.extend(contents);
        }
        Ok(found)
    }

    /// Adds contents to the index, each with the hashes of all keys that it has as known before `run`.
    pub(in crate::run) async fn index_contents(
        &self,
        connector: &str,
        run: i64,
        contents: &[(ContentRef, Vec<u64>)],
    ) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        for (content, keys) in contents {
            store(&mut transaction, connector, &content.digest, keys).await?;
            sqlx::query(
                "UPDATE file_keys SET indexed = 1 WHERE connector = ?1 AND digest = ?2 AND landed_by = ?3 AND run = \
                 (SELECT MAX(run) FROM file_keys WHERE connector = ?1 AND digest = ?2 AND landed_by = ?3 AND run < ?4)",
            )
            .bind(connector)
            .bind(&content.digest)
            .bind(content.landed_by)
            .bind(run)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}

/// Adds the keys of a content.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    connector: &str,
    digest: &str,
    keys: &[u64],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT OR IGNORE INTO file_key_index (connector, key, content) SELECT ?1, value, ?2 FROM json_each(?3)",
    )
    .bind(connector)
    .bind(content_number(digest))
    .bind(as_json(keys))
    .execute(connection)
    .await?;
    Ok(())
}

/// The keys as SQLite's integers, which have a sign.
fn as_json(keys: &[u64]) -> String {
    let signed: Vec<i64> = keys.iter().map(|key| key.cast_signed()).collect();
    serde_json::to_string(&signed).expect("numbers are plain data")
}
