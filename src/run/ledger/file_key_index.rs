//! Which contents of files may have a key: a pull that merges its rows with those of other files looks at these contents only,
//! however many files a folder ever had.

use std::collections::HashSet;

use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::run::ledger::{Ledger, key_hash};

/// Keys that one statement looks up.
const KEYS_AT_ONCE: usize = 20_000;

/// Number of a content in the index, from its digest. If two contents have one number, both are looked at.
pub(in crate::run) fn content_number(digest: &str) -> i64 {
    key_hash(digest).cast_signed()
}

impl Ledger {
    /// Numbers of the contents of a connector that may have one of the keys, and of those whose keys are not in the index.
    pub(in crate::run) async fn contents_with(&self, connector: &str, keys: &[u64]) -> Result<HashSet<i64>, Error> {
        let unindexed: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT digest FROM file_keys WHERE connector = ? AND indexed = 0")
                .bind(connector)
                .fetch_all(&self.pool)
                .await?;
        let mut found: HashSet<i64> = unindexed.iter().map(|digest| content_number(digest)).collect();
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
