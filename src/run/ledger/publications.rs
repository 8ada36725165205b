//! Publications: the newest night that each target outside the data folder holds, and the attempts that failed since.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// State of a publication target. Instants in microseconds UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// For example `postgres`.
    pub target: String,
    /// Newest run that it holds.
    pub run: Option<i64>,
    pub published_at: Option<i64>,
    /// Time of the last attempt, if it failed.
    pub failed_at: Option<i64>,
    /// Time of the first failed attempt since the last success.
    pub failing_since: Option<i64>,
    /// Failed attempts since the last success.
    pub tries: u32,
    /// Why the last attempt failed; contains neither user nor password.
    pub message: Option<String>,
    /// What the operator should do about it.
    pub hint: Option<String>,
}

impl Ledger {
    /// State of a target; `None` if it was never tried.
    pub async fn publication(&self, target: &str) -> Result<Option<Publication>, Error> {
        let row =
            sqlx::query("SELECT * FROM publications WHERE target = ?").bind(target).fetch_optional(&self.pool).await?;
        row.as_ref().map(publication).transpose()
    }

    /// Writes the state of a target, in place of the one before.
    pub async fn write_publication(&self, publication: &Publication) -> Result<(), Error> {
        let _crash_point = crash_point("write a publication");
        sqlx::query(
            "INSERT OR REPLACE INTO publications (target, run, published_at, failed_at, failing_since, tries, message, hint) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&publication.target)
        .bind(publication.run)
        .bind(publication.published_at)
        .bind(publication.failed_at)
        .bind(publication.failing_since)
        .bind(i64::from(publication.tries))
        .bind(&publication.message)
        .bind(&publication.hint)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn publication(row: &SqliteRow) -> Result<Publication, Error> {
    Ok(Publication {
        target: row.try_get("target")?,
        run: row.try_get("run")?,
        published_at: row.try_get("published_at")?,
        failed_at: row.try_get("failed_at")?,
        failing_since: row.try_get("failing_since")?,
        tries: row.try_get::<i64, _>("tries")?.try_into().unwrap_or(u32::MAX),
        message: row.try_get("message")?,
        hint: row.try_get("hint")?,
    })
}
