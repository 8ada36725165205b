//! Slots of the schedule, and connectors that are paused: what was decided, so that a slot runs once whatever happens.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::run::ledger::Ledger;

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Its run was begun; a process that dies leaves it so.
    Begun,
    /// Its run ended, however its sources did.
    Done,
    /// Its run could not be done.
    Failed,
    /// Nobody was there, and its time to be made up is over.
    Missed,
}

impl SlotState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Missed => "missed",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "done" => Self::Done,
            "failed" => Self::Failed,
            "missed" => Self::Missed,
            _ => Self::Begun,
        }
    }
}

/// A slot of a connector's schedule. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub slot: i64,
    pub state: SlotState,
    /// How often a run was begun for it.
    pub tries: u32,
    /// Begun after its time.
    pub made_up: bool,
    /// Why it failed or was missed; a text without cells.
    pub message: Option<String>,
    pub decided_at: i64,
    /// The cron line that it is of.
    pub cron: String,
}

/// A connector that somebody paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub connector: String,
    pub since: i64,
    /// Name of the token.
    pub paused_by: String,
}

impl Ledger {
    /// Slots of a connector up to a moment, newest first: what a clock that was wrong decided of the future is left out.
    pub async fn slots_of(&self, connector: &str, until: i64, most: i64) -> Result<Vec<Slot>, Error> {
        let rows = sqlx::query("SELECT * FROM slots WHERE connector = ? AND slot <= ? ORDER BY slot DESC LIMIT ?")
            .bind(connector)
            .bind(until)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(slot).collect()
    }

    /// When something was last decided of a connector's slots, by the clock as it then stood.
    pub async fn slots_decided_until(&self, connector: &str) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT MAX(decided_at) FROM slots WHERE connector = ?")
            .bind(connector)
            .fetch_one(&self.pool)
            .await
    }

    /// Writes what was decided of slots, all or none.
    pub async fn write_slots(&self, decided: &[(String, Slot)]) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
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

    /// Connectors that are paused, by name.
    pub async fn pauses(&self) -> Result<Vec<Pause>, Error> {
        let rows = sqlx::query("SELECT * FROM pauses ORDER BY connector").fetch_all(&self.pool).await?;
        let pause = |row: &SqliteRow| {
            let (connector, since) = (row.try_get("connector")?, row.try_get("since")?);
            Ok(Pause { connector, since, paused_by: row.try_get("paused_by")? })
        };
        rows.iter().map(pause).collect()
    }

    /// Pauses a connector; one that is paused stays as it is.
    pub async fn pause(&self, pause: &Pause) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("INSERT OR IGNORE INTO pauses (connector, since, paused_by) VALUES (?, ?, ?)")
            .bind(&pause.connector)
            .bind(pause.since)
            .bind(&pause.paused_by)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Lets a connector run again; tells whether it was paused.
    pub async fn resume(&self, connector: &str) -> Result<bool, Error> {
        let _crash_point = crash_point("write to the ledger");
        let gone = sqlx::query("DELETE FROM pauses WHERE connector = ?").bind(connector).execute(&self.pool).await?;
        Ok(gone.rows_affected() > 0)
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
