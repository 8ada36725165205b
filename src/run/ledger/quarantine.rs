//! The quarantine index: place and reason of every rejected row, and whether it is still open. Its kept fields are in
//! landing.

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};
use utoipa::ToSchema;

use crate::model::record::Rejection;
use crate::run::ledger::Ledger;

/// A rejected row: its place and the reason, none of its values. It is open until a later pull meets its key or reads
/// its page again; in a folder, while it is the newest row of its key. Of a key that a portal's pull rejects several times the
/// last row is open. A row that states a part of its record is open until the same row is read again, or, in a folder, until
/// a newer file has the whole record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RejectedRow)]
pub struct QuarantinedRow {
    /// Never changes while the ledger exists.
    pub id: i64,
    pub run: i64,
    pub connector: String,
    pub page: u32,
    pub row: u32,
    /// Canonical field that failed; null if the whole row did.
    pub field: Option<String>,
    /// Code of the reason.
    pub reason: String,
    /// Run that closed it; null while it is open.
    pub closed_by: Option<i64>,
    /// Number of pulls in a row that rejected the row for this reason, this one included.
    pub times: i64,
    /// The first run of these.
    pub first_run: i64,
}

/// A rejected row of an earlier pull of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::run) struct FileRejection {
    pub(in crate::run) id: i64,
    /// Run that rejected it, and its page in that run.
    pub(in crate::run) run: i64,
    pub(in crate::run) page: u32,
    /// Hash of the key of its row; `None` if the key could not be read.
    pub(in crate::run) key: Option<u64>,
    /// Hash of a row that states a part of its record.
    pub(in crate::run) row_hash: Option<u64>,
    /// Digest of the content of its file; `None` if an older motcua rejected it.
    pub(in crate::run) content: Option<String>,
    pub(in crate::run) is_open: bool,
}

/// A rejection as a pull writes it.
#[derive(Debug)]
pub(in crate::run) struct NewRejection<'a> {
    pub(in crate::run) rejection: &'a Rejection,
    /// Run that read its page first.
    pub(in crate::run) read_by: i64,
    /// Digest of the content of its file; `None` for other sources.
    pub(in crate::run) content: Option<&'a str>,
    /// Whether another row counts: it is closed at once.
    pub(in crate::run) is_covered: bool,
}

/// Rejections of one pull that share field and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionGroup {
    pub field: Option<String>,
    pub reason: String,
    pub rows: i64,
    /// Page and row of the first one.
    pub page: u32,
    pub row: u32,
}

impl Ledger {
    /// The rejections of runs before `run` that are open or that an earlier attempt at `run` closed, and those of these
    /// contents that another row covers and whose key could be read. By run.
    pub(in crate::run) async fn file_rejections(
        &self,
        connector: &str,
        run: i64,
        contents: &[&str],
    ) -> Result<Vec<FileRejection>, Error> {
        let rows = sqlx::query(
            "SELECT rowid, run, page, key_hash, row_hash, content, closed_by IS NULL OR closed_by = ?2 AS is_open FROM quarantine \
             WHERE connector = ?1 AND run < ?2 AND (is_open \
             OR (is_covered AND (key_hash IS NOT NULL OR row_hash IS NOT NULL) AND content IN (SELECT value FROM json_each(?3)))) \
             ORDER BY run, rowid",
        )
        .bind(connector)
        .bind(run)
        .bind(serde_json::to_string(contents).expect("digests are texts"))
        .fetch_all(&self.pool)
        .await?;
        let known = |row: &SqliteRow| {
            Ok(FileRejection {
                id: row.try_get("rowid")?,
                run: row.try_get("run")?,
                page: place(row, "page")?,
                key: hash(row, "key_hash")?,
                row_hash: hash(row, "row_hash")?,
                content: row.try_get("content")?,
                is_open: row.try_get("is_open")?,
            })
        };
        rows.iter().map(known).collect()
    }

    /// Rejections of a pull by field and reason, most frequent first.
    pub async fn rejections(&self, run: i64, connector: &str) -> Result<Vec<RejectionGroup>, Error> {
        let rows = sqlx::query(
            "SELECT field, reason, COUNT(*) AS number, MIN(page * 4294967296 + row) AS place FROM quarantine \
             WHERE run = ? AND connector = ? GROUP BY field, reason ORDER BY number DESC, field, reason",
        )
        .bind(run)
        .bind(connector)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(group).collect()
    }

    /// Rejected rows, newest run first, then by connector, page and row. `None` for `connector` or `run` selects all of
    /// them.
    pub async fn quarantined(
        &self,
        connector: Option<&str>,
        run: Option<i64>,
        open_only: bool,
    ) -> Result<Vec<QuarantinedRow>, Error> {
        let rows = sqlx::query(
            "SELECT rowid, * FROM quarantine WHERE (?1 IS NULL OR connector = ?1) AND (?2 IS NULL OR run = ?2) \
             AND (NOT ?3 OR closed_by IS NULL) ORDER BY run DESC, connector, page, row",
        )
        .bind(connector)
        .bind(run)
        .bind(open_only)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(quarantined).collect()
    }

    /// `most` rows of [`quarantined`](Self::quarantined), from the 0-based `offset` on.
    pub async fn quarantined_page(
        &self,
        connector: Option<&str>,
        run: Option<i64>,
        open_only: bool,
        (offset, most): (i64, i64),
    ) -> Result<Vec<QuarantinedRow>, Error> {
        let rows = sqlx::query(
            "SELECT rowid, * FROM quarantine WHERE (?1 IS NULL OR connector = ?1) AND (?2 IS NULL OR run = ?2) \
             AND (NOT ?3 OR closed_by IS NULL) ORDER BY run DESC, connector, page, row LIMIT ?4 OFFSET ?5",
        )
        .bind(connector)
        .bind(run)
        .bind(open_only)
        .bind(most)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(quarantined).collect()
    }

    /// Open rejections of a connector by field and reason, most frequent first.
    pub async fn open_groups(&self, connector: &str) -> Result<Vec<(Option<String>, String, i64)>, Error> {
        sqlx::query_as(
            "SELECT field, reason, COUNT(*) AS number FROM quarantine WHERE connector = ? AND closed_by IS NULL \
             GROUP BY field, reason ORDER BY number DESC, field, reason",
        )
        .bind(connector)
        .fetch_all(&self.pool)
        .await
    }

    /// Number of rows that [`quarantined`](Self::quarantined) returns.
    pub async fn count_quarantined(
        &self,
        connector: Option<&str>,
        run: Option<i64>,
        open_only: bool,
    ) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM quarantine WHERE (?1 IS NULL OR connector = ?1) AND (?2 IS NULL OR run = ?2) \
             AND (NOT ?3 OR closed_by IS NULL)",
        )
        .bind(connector)
        .bind(run)
        .bind(open_only)
        .fetch_one(&self.pool)
        .await?;
        Ok(count.cast_unsigned())
    }

    /// A rejected row by id; `None` if there is none.
    pub async fn quarantined_row(&self, id: i64) -> Result<Option<QuarantinedRow>, Error> {
        let row =
            sqlx::query("SELECT rowid, * FROM quarantine WHERE rowid = ?").bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(quarantined).transpose()
    }

    /// Whether rejections of runs before `run` are open, or an earlier attempt at `run` closed some.
    pub(in crate::run) async fn has_open_before(&self, connector: &str, run: i64) -> Result<bool, Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM quarantine WHERE connector = ?1 AND run < ?2 \
             AND (closed_by IS NULL OR closed_by = ?2))",
        )
        .bind(connector)
        .bind(run)
        .fetch_one(&self.pool)
        .await
    }

    /// Number of open rejections of a connector.
    pub async fn open_rejections(&self, connector: &str) -> Result<i64, Error> {
        sqlx::query_scalar("SELECT COUNT(*) FROM quarantine WHERE connector = ? AND closed_by IS NULL")
            .bind(connector)
            .fetch_one(&self.pool)
            .await
    }
}

/// Writes the rejections of a pull, in place of those that an earlier attempt at it wrote; what that attempt closed is
/// open again.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    run: i64,
    connector: &str,
    rejections: &[NewRejection<'_>],
) -> Result<(), Error> {
    delete(connection, run, connector).await?;
    for NewRejection { rejection, read_by, content, is_covered } in rejections {
        sqlx::query(
            "INSERT INTO quarantine (run, connector, page, row, field, reason, key_hash, row_hash, read_by, content, is_covered, \
             closed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(run)
        .bind(connector)
        .bind(i64::from(rejection.page))
        .bind(i64::from(rejection.row))
        .bind(&rejection.field)
        .bind(rejection.reason.code())
        .bind(rejection.key.as_deref().map(|key| key_hash(key).cast_signed()))
        .bind(rejection.row_hash.map(u64::cast_signed))
        .bind(read_by)
        .bind(content)
        .bind(is_covered)
        .bind(is_covered.then_some(run))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Closes the open rejections of earlier runs whose key `run` read in a row that is no older: it accepted the record, or
/// rejected it again. `keys_read`: newest run that read a row, by the hash of its key. A rejected part of a record is found by
/// the hash of its row, or by the [mark](part_mark) of its key.
pub(super) async fn close_read(
    connection: &mut SqliteConnection,
    run: i64,
    connector: &str,
    keys_read: &HashMap<u64, i64>,
) -> Result<(), Error> {
    let open = sqlx::query(
        "SELECT rowid, COALESCE(read_by, run) AS read_by, key_hash, row_hash FROM quarantine \
         WHERE connector = ? AND run < ? AND closed_by IS NULL AND (key_hash IS NOT NULL OR row_hash IS NOT NULL)",
    )
    .bind(connector)
    .bind(run)
    .fetch_all(&mut *connection)
    .await?;
    let mut closed = Vec::new();
    for row in open {
        let (key, row_hash) = (hash(&row, "key_hash")?, hash(&row, "row_hash")?);
        let rejected: i64 = row.try_get("read_by")?;
        let of_key = if row_hash.is_some() { key.map(part_mark) } else { key };
        let read_by = row_hash.into_iter().chain(of_key).filter_map(|hash| keys_read.get(&hash)).max();
        if read_by.is_some_and(|read_by| *read_by >= rejected) {
            closed.push(row.try_get("rowid")?);
        }
    }
    close(connection, run, &closed).await
}

/// Closes rejections by id, for good.
pub(super) async fn close(connection: &mut SqliteConnection, run: i64, ids: &[i64]) -> Result<(), Error> {
    set_closed(connection, run, ids, false).await
}

/// Closes rejections by id of which another row counts.
pub(super) async fn cover(connection: &mut SqliteConnection, run: i64, ids: &[i64]) -> Result<(), Error> {
    set_closed(connection, run, ids, true).await
}

async fn set_closed(connection: &mut SqliteConnection, run: i64, ids: &[i64], is_covered: bool) -> Result<(), Error> {
    for id in ids {
        sqlx::query("UPDATE quarantine SET closed_by = COALESCE(closed_by, ?), is_covered = ? WHERE rowid = ?")
            .bind(run)
            .bind(is_covered)
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Opens rejections again. If the pull fails afterwards they stay open until the next one that reads a file decides about
/// them.
pub(super) async fn open(connection: &mut SqliteConnection, ids: &[i64]) -> Result<(), Error> {
    for id in ids {
        sqlx::query("UPDATE quarantine SET closed_by = NULL, is_covered = FALSE WHERE rowid = ?")
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Deletes the rejections of a pull and opens those again that it closed.
pub(super) async fn delete(connection: &mut SqliteConnection, run: i64, connector: &str) -> Result<(), Error> {
    for statement in [
        "DELETE FROM quarantine WHERE run = ? AND connector = ?",
        "UPDATE quarantine SET closed_by = NULL, is_covered = FALSE WHERE closed_by = ? AND connector = ?",
    ] {
        sqlx::query(statement).bind(run).bind(connector).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Hash of a key by which an open rejection is found again: the first 64 bits of its SHA-256.
pub(in crate::run) fn key_hash(key: &str) -> u64 {
    let whole: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    u64::from_be_bytes(whole[..8].try_into().expect("a quarter of 32 bytes"))
}

/// Stands for the parts of the record with a key, where hashes of keys stand for whole rows.
pub(in crate::run) fn part_mark(key_hash: u64) -> u64 {
    key_hash ^ 0x7061_7274_5f6d_6b31
}

fn hash(row: &SqliteRow, name: &str) -> Result<Option<u64>, Error> {
    Ok(row.try_get::<Option<i64>, _>(name)?.map(i64::cast_unsigned))
}

fn place(row: &SqliteRow, name: &str) -> Result<u32, Error> {
    Ok(row.try_get::<i64, _>(name)?.try_into().unwrap_or(u32::MAX))
}

fn quarantined(row: &SqliteRow) -> Result<QuarantinedRow, Error> {
    Ok(QuarantinedRow {
        id: row.try_get("rowid")?,
        run: row.try_get("run")?,
        connector: row.try_get("connector")?,
        page: place(row, "page")?,
        row: place(row, "row")?,
        field: row.try_get("field")?,
        reason: row.try_get("reason")?,
        closed_by: row.try_get("closed_by")?,
        times: row.try_get("times")?,
        first_run: row.try_get::<Option<i64>, _>("first_run")?.unwrap_or(row.try_get("run")?),
    })
}

fn group(row: &SqliteRow) -> Result<RejectionGroup, Error> {
    let at: i64 = row.try_get("place")?;
    Ok(RejectionGroup {
        field: row.try_get("field")?,
        reason: row.try_get("reason")?,
        rows: row.try_get("number")?,
        page: u32::try_from(at >> 32).unwrap_or(u32::MAX),
        row: u32::try_from(at & 0xffff_ffff).unwrap_or(u32::MAX),
    })
}
