//! State of each subject as it was last sent to the webhook or the heartbeat, so that a change is sent once.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// A subject's state as it was last sent. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// `connector/NAME`, `publication/NAME`, `night` or `heartbeat`.
    pub subject: String,
    pub state: String,
    pub since: Option<i64>,
    pub sent_at: i64,
}

impl Ledger {
    /// Every subject's last notification, by subject.
    pub async fn notifications(&self) -> Result<Vec<Notification>, Error> {
        let rows = sqlx::query("SELECT * FROM alerts ORDER BY subject").fetch_all(&self.pool).await?;
        let notification = |row: &SqliteRow| {
            let (subject, state) = (row.try_get("subject")?, row.try_get("state")?);
            Ok(Notification { subject, state, since: row.try_get("since")?, sent_at: row.try_get("told_at")? })
        };
        rows.iter().map(notification).collect()
    }

    /// Notes that a state was sent.
    pub async fn write_notification(&self, notification: &Notification) -> Result<(), Error> {
        let _crash_point = crash_point("note a notification");
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
