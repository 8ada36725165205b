//! Runs: which were begun, which ended, and which published.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::model::pull::Purpose;
use crate::run::ledger::Ledger;

/// One run as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub run: i64,
    pub purpose: Purpose,
    pub started_at: i64,
    pub finished_at: Option<i64>,
    /// Whether the figures that it published are complete.
    pub complete: Option<bool>,
}

impl Ledger {
    pub async fn begin_run(&self, run: i64, purpose: Purpose, now: i64) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("INSERT INTO runs (run, purpose, started_at) VALUES (?, ?, ?)")
            .bind(run)
            .bind(purpose.name())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Runs, newest first.
    pub async fn runs(&self, most: i64) -> Result<Vec<Run>, Error> {
        self.runs_before(None, most).await
    }

    /// Runs before one, or all, newest first.
    pub async fn runs_before(&self, before: Option<i64>, most: i64) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query("SELECT * FROM runs WHERE ?1 IS NULL OR run < ?1 ORDER BY run DESC LIMIT ?2")
            .bind(before)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(run).collect()
    }

    pub async fn run(&self, number: i64) -> Result<Option<Run>, Error> {
        let row = sqlx::query("SELECT * FROM runs WHERE run = ?").bind(number).fetch_optional(&self.pool).await?;
        row.as_ref().map(run).transpose()
    }

    /// The newest run that published figures, and when it ended.
    pub async fn newest_published(&self) -> Result<Option<(i64, i64)>, Error> {
        sqlx::query_as("SELECT run, finished_at FROM runs WHERE complete IS NOT NULL ORDER BY run DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
    }

    /// When the newest run that published began.
    pub async fn published_from(&self) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT started_at FROM runs WHERE complete IS NOT NULL ORDER BY run DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
    }

    /// When the newest night began that read a connector whole and published.
    pub async fn read_whole_from(&self, connector: &str) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(
            "SELECT pulls.started_at FROM pulls JOIN runs USING (run) WHERE connector = ? AND pulls.purpose = 'night' \
             AND outcome = 'complete' AND state = 'done' AND complete IS NOT NULL ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .fetch_optional(&self.pool)
        .await
    }

    /// `complete`: whether its figures are; none if it published none.
    pub async fn finish_run(&self, run: i64, now: i64, complete: Option<bool>) -> Result<(), Error> {
        let _crash_point = crash_point("write to the ledger");
        sqlx::query("UPDATE runs SET finished_at = ?, complete = ? WHERE run = ?")
            .bind(now)
            .bind(complete)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Runs that were cut, oldest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<i64>, Error> {
        sqlx::query_scalar("SELECT run FROM runs WHERE finished_at IS NULL ORDER BY run").fetch_all(&self.pool).await
    }

    /// 0 without any.
    pub async fn highest_run(&self) -> Result<i64, Error> {
        sqlx::query_scalar("SELECT COALESCE(MAX(run), 0) FROM runs").fetch_one(&self.pool).await
    }
}

fn run(row: &SqliteRow) -> Result<Run, Error> {
    Ok(Run {
        run: row.try_get("run")?,
        purpose: Purpose::from_name(row.try_get("purpose")?).unwrap_or_default(),
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        complete: row.try_get("complete")?,
    })
}
