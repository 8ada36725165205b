//! What was published where, and what was told to whom: so that neither is done twice or forgotten.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// How far a target of publication is. Instants in microseconds UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// For example `postgres`.
    pub target: String,
    /// The newest run that it holds.
    pub run: Option<i64>,
    pub published_at: Option<i64>,
    /// The last try, if it failed.
    pub failed_at: Option<i64>,
    /// The first of the tries that failed since it last succeeded.
    pub failing_since: Option<i64>,
    /// Tries since it last succeeded.
    pub tries: u32,
    /// Why the last try failed; holds neither user nor password.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The state of a subject as it was last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// A connector, a publication, or what else has a state.
    pub subject: String,
    pub state: String,
    pub since: Option<i64>,
    pub sent_at: i64,
}

impl Ledger {
    pub async fn publication(&self, target: &str) -> Result<Option<Publication>, Error> {
        let row =
            sqlx::query("SELECT * FROM publications WHERE target = ?").bind(target).fetch_optional(&self.pool).await?;
        row.as_ref().map(publication).transpose()
    }

    pub async fn write_publication(&self, publication: &Publication) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
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

    pub async fn notifications(&self) -> Result<Vec<Notification>, Error> {
        let rows = sqlx::query("SELECT * FROM alerts ORDER BY subject").fetch_all(&self.pool).await?;
        let notification = |row: &SqliteRow| {
            let (subject, state) = (row.try_get("subject")?, row.try_get("state")?);
            Ok(Notification { subject, state, since: row.try_get("since")?, sent_at: row.try_get("told_at")? })
        };
        rows.iter().map(notification).collect()
    }

    pub async fn write_notification(&self, notification: &Notification) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("INSERT OR REPLACE INTO alerts (subject, state, since, told_at) VALUES (?, ?, ?, ?)")
            .bind(&notification.subject)
            .bind(&notification.state)
            .bind(notification.since)
            .bind(notification.sent_at)
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
