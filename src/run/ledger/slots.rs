//! Slots of the schedule and what was decided about each, so that a slot runs once whatever happens; and paused
//! connectors.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// What was decided about a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Its run has begun. A process that dies leaves it so.
    Begun,
    /// Its run ended, whether or not its sources failed.
    Done,
    /// Its run ended in an error of motcua's own, or died with its process too often.
    Failed,
    /// Somebody stopped its run.
    Stopped,
    /// No run began in time, and it is too late to make it up.
    Missed,
}

impl SlotState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Missed => "missed",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "done" => Self::Done,
            "failed" => Self::Failed,
            "stopped" => Self::Stopped,
            "missed" => Self::Missed,
            _ => Self::Begun,
        }
    }
}

/// One scheduled time of a connector. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The scheduled time; it identifies the slot.
    pub slot: i64,
    pub state: SlotState,
    /// Number of runs begun for it.
    pub tries: u32,
    /// Whether its run began later than scheduled.
    pub made_up: bool,
    /// Why it failed or was missed, or who stopped it; contains no cell values.
    pub message: Option<String>,
    pub decided_at: i64,
    /// Cron line that it belongs to.
    pub cron: String,
}

/// A paused connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub connector: String,
    pub since: i64,
    /// Name of the token that paused it.
    pub paused_by: String,
}

impl Ledger {
    /// Slots of a connector up to `until`, newest first, at most `most`. A clock that was ahead may have decided later
    /// ones.
    pub async fn slots_of(&self, connector: &str, until: i64, most: i64) -> Result<Vec<Slot>, Error> {
        let rows = sqlx::query("SELECT * FROM slots WHERE connector = ? AND slot <= ? ORDER BY slot DESC LIMIT ?")
            .bind(connector)
            .bind(until)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(slot).collect()
    }

    /// Time of the newest decision about a connector's slots, by the clock of that time.
    pub async fn slots_decided_until(&self, connector: &str) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT MAX(decided_at) FROM slots WHERE connector = ?")
            .bind(connector)
            .fetch_one(&self.pool)
            .await
    }

    /// Writes decisions about slots of connectors: all of them or none.
    pub async fn write_slots(&self, decided: &[(String, Slot)]) -> Result<(), Error> {
        let _crash_point = crash_point("write slots");
        let mut transaction = self.pool.begin().await?;
        for (connector, slot) in decided {
            sqlx::query(
                "INSERT OR REPLACE INTO slots (connector, slot, state, tries, made_up, message, decided_at, cron) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(connector)
            .bind(slot.slot)
            .bind(slot.state.name())
            .bind(i64::from(slot.tries))
            .bind(slot.made_up)
            .bind(&slot.message)
            .bind(slot.decided_at)
            .bind(&slot.cron)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Paused connectors, by name.
    pub async fn pauses(&self) -> Result<Vec<Pause>, Error> {
        let rows = sqlx::query("SELECT * FROM pauses ORDER BY connector").fetch_all(&self.pool).await?;
        let pause = |row: &SqliteRow| {
            let (connector, since) = (row.try_get("connector")?, row.try_get("since")?);
            Ok(Pause { connector, since, paused_by: row.try_get("paused_by")? })
        };
        rows.iter().map(pause).collect()
    }

    /// Pauses a connector. If it is paused already, nothing changes.
    pub async fn pause(&self, pause: &Pause) -> Result<(), Error> {
        let _crash_point = crash_point("pause a connector");
        sqlx::query("INSERT OR IGNORE INTO pauses (connector, since, paused_by) VALUES (?, ?, ?)")
            .bind(&pause.connector)
            .bind(pause.since)
            .bind(&pause.paused_by)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends the pause of a connector; returns whether it was paused.
    pub async fn resume(&self, connector: &str) -> Result<bool, Error> {
        let _crash_point = crash_point("resume a connector");
        let deleted = sqlx::query("DELETE FROM pauses WHERE connector = ?").bind(connector).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }
}

fn slot(row: &SqliteRow) -> Result<Slot, Error> {
    Ok(Slot {
        slot: row.try_get("slot")?,
        state: SlotState::from_name(row.try_get("state")?),
        tries: row.try_get::<i64, _>("tries")?.try_into().unwrap_or(u32::MAX),
        made_up: row.try_get("made_up")?,
        message: row.try_get("message")?,
        decided_at: row.try_get("decided_at")?,
        cron: row.try_get("cron")?,
    })
}
