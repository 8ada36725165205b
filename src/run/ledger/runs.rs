//! Runs: when each began and ended, and whether it published.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::crash_points::crash_point;
use crate::model::pull::Purpose;
use crate::run::ledger::Ledger;

/// One night's work, or a retry, replay or backfill. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub run: i64,
    pub purpose: Purpose,
    pub started_at: i64,
    /// `None` while it is under way, or if it was cut.
    pub finished_at: Option<i64>,
    /// Whether its figures are complete; `None` if it published none.
    pub complete: Option<bool>,
    /// Who stopped it; `None` if nobody did.
    pub stopped_by: Option<String>,
}

impl Ledger {
    /// Writes that a run begins. Its number must be new.
    pub async fn begin_run(&self, run: i64, purpose: Purpose, now: i64) -> Result<(), Error> {
        let _crash_point = crash_point("begin a run");
        sqlx::query("INSERT INTO runs (run, purpose, started_at) VALUES (?, ?, ?)")
            .bind(run)
            .bind(purpose.name())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The newest `most` runs, newest first.
    pub async fn runs(&self, most: i64) -> Result<Vec<Run>, Error> {
        self.runs_before(None, most).await
    }

    /// Runs with a number below `before`, or all, newest first, at most `most`.
    pub async fn runs_before(&self, before: Option<i64>, most: i64) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query("SELECT * FROM runs WHERE ?1 IS NULL OR run < ?1 ORDER BY run DESC LIMIT ?2")
            .bind(before)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(run).collect()
    }

    /// The number of the next run after one; `None` for the newest.
    pub async fn run_after(&self, number: i64) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT MIN(run) FROM runs WHERE run > ?").bind(number).fetch_one(&self.pool).await
    }

    /// A run by number; `None` if there is none.
    pub async fn run(&self, number: i64) -> Result<Option<Run>, Error> {
        let row = sqlx::query("SELECT * FROM runs WHERE run = ?").bind(number).fetch_optional(&self.pool).await?;
        row.as_ref().map(run).transpose()
    }

    /// Newest run that published figures, and when it ended.
    pub async fn newest_published(&self) -> Result<Option<(i64, i64)>, Error> {
        sqlx::query_as("SELECT run, finished_at FROM runs WHERE complete IS NOT NULL ORDER BY run DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
    }

    /// Start of the newest run that published figures.
    pub async fn published_from(&self) -> Result<Option<i64>, Error> {
        sqlx::query_scalar("SELECT started_at FROM runs WHERE complete IS NOT NULL ORDER BY run DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
    }

    /// Start of a connector's newest complete pull in a night that published figures.
    pub async fn read_whole_from(&self, connector: &str) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(
            "SELECT pulls.started_at FROM pulls JOIN runs USING (run) WHERE connector = ? AND pulls.purpose = 'night' \
             AND outcome = 'complete' AND state = 'done' AND complete IS NOT NULL ORDER BY run DESC LIMIT 1",
        )
        .bind(connector)
        .fetch_optional(&self.pool)
        .await
    }

    /// Writes that a run ended. `complete`: whether its figures are complete; `None` if it published none.
    pub async fn finish_run(&self, run: i64, now: i64, complete: Option<bool>) -> Result<(), Error> {
        let _crash_point = crash_point("finish a run");
        sqlx::query("UPDATE runs SET finished_at = ?, complete = ? WHERE run = ?")
            .bind(now)
            .bind(complete)
            .bind(run)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Writes that the run under way, the newest that has not ended, was stopped: it ended without figures. Returns its number.
    pub async fn stop_run(&self, now: i64, by: &str) -> Result<Option<i64>, Error> {
        let stopped: Vec<i64> = sqlx::query_scalar(
            "UPDATE runs SET finished_at = ?, stopped_by = ? \
             WHERE run = (SELECT MAX(run) FROM runs WHERE finished_at IS NULL) RETURNING run",
        )
        .bind(now)
        .bind(by)
        .fetch_all(&self.pool)
        .await?;
        Ok(stopped.first().copied())
    }

    /// Asks that a run, and the runs after it of the same verb, be stopped. The process that does the run reads the request from
    /// here, whichever process makes it. The first one who asks counts. If there is no such run, nothing is asked.
    pub async fn ask_to_stop(&self, run: i64, by: &str, now: i64) -> Result<(), Error> {
        sqlx::query(
            "INSERT OR IGNORE INTO stop_request (run, asked_by, asked_at) SELECT run, ?, ? FROM runs WHERE run = ?",
        )
        .bind(by)
        .bind(now)
        .bind(run)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who asked that a run be stopped whose number is `from` or above: one of those of a verb.
    pub async fn asked_to_stop(&self, from: i64) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT asked_by FROM stop_request WHERE run >= ? ORDER BY asked_at, run LIMIT 1")
            .bind(from)
            .fetch_optional(&self.pool)
            .await
    }

    /// Removes the requests to stop runs that have ended. Not between the runs of one verb, such as the slices of a backfill: a
    /// request is about the later ones too.
    pub async fn forget_stops(&self) -> Result<(), Error> {
        let ended = "DELETE FROM stop_request WHERE run IN (SELECT run FROM runs WHERE finished_at IS NOT NULL)";
        sqlx::query(ended).execute(&self.pool).await?;
        Ok(())
    }

    /// Numbers of the runs that have not ended, oldest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<i64>, Error> {
        sqlx::query_scalar("SELECT run FROM runs WHERE finished_at IS NULL ORDER BY run").fetch_all(&self.pool).await
    }

    /// Highest run number; 0 if there is no run.
    pub async fn highest_run(&self) -> Result<i64, Error> {
        sqlx::query_scalar("SELECT COALESCE(MAX(run), 0) FROM runs").fetch_one(&self.pool).await
    }
}

fn run(row: &SqliteRow) -> Result<Run, Error> {
    Ok(Run {
        run: row.try_get("run")?,
        purpose: row.try_get::<&str, _>("purpose")?.parse().unwrap_or_default(),
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        complete: row.try_get("complete")?,
        stopped_by: row.try_get("stopped_by")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(ledger: &Ledger, from: i64) -> Option<String> {
        ledger.asked_to_stop(from).await.expect("the ledger works")
    }

    #[tokio::test]
    async fn a_run_is_stopped_by_whom_asked_first() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let ledger = Ledger::open(folder.path()).await.expect("a new ledger opens");
        ledger.begin_run(1, Purpose::Night, 10).await.expect("the ledger works");
        assert_eq!(asked(&ledger, 1).await, None);
        ledger.ask_to_stop(2, "chi", 10).await.expect("the ledger works");
        assert_eq!(asked(&ledger, 1).await, None, "there is no run 2");
        for by in ["an", "binh"] {
            ledger.ask_to_stop(1, by, 11).await.expect("the ledger works");
        }
        assert_eq!(asked(&ledger, 1).await.as_deref(), Some("an"));
        assert_eq!(ledger.stop_run(12, "an").await.expect("the ledger works"), Some(1));
        ledger.forget_stops().await.expect("the ledger works");
        assert_eq!(asked(&ledger, 1).await, None);
        let stopped = ledger.run(1).await.expect("the ledger works").expect("it is there");
        assert_eq!((stopped.finished_at, stopped.complete), (Some(12), None));
        assert_eq!(stopped.stopped_by.as_deref(), Some("an"));
        assert!(ledger.unfinished_runs().await.expect("the ledger works").is_empty());
        assert_eq!(ledger.stop_run(14, "chi").await.expect("the ledger works"), None);
        ledger.close().await;
    }

    #[tokio::test]
    async fn a_request_about_a_cut_run_hides_none_about_the_next_and_stays_until_its_run_ends() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let ledger = Ledger::open(folder.path()).await.expect("a new ledger opens");
        for (run, by) in [(1, "chi"), (2, "an")] {
            ledger.begin_run(run, Purpose::Night, run).await.expect("the ledger works");
            assert_eq!(asked(&ledger, run).await, None, "only an earlier run was asked to stop");
            ledger.ask_to_stop(run, by, 10 + run).await.expect("the ledger works");
        }
        assert_eq!(asked(&ledger, 2).await.as_deref(), Some("an"));
        ledger.finish_run(1, 13, None).await.expect("the ledger works");
        ledger.forget_stops().await.expect("the ledger works");
        assert_eq!(asked(&ledger, 1).await.as_deref(), Some("an"), "run 2 has not ended");
        ledger.close().await;
    }
}
