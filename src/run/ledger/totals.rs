//! Sums over the ledger, for the metrics.

use sqlx::Error;

use crate::run::ledger::Ledger;

/// Sums over every pull, run and slot of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Connector, record class, number of rows.
    pub records: Vec<(String, String, u64)>,
    /// Connector, outcome, number of pulls.
    pub pulls: Vec<(String, String, u64)>,
    /// Purpose, state of the figures (complete · provisional · none), number of runs.
    pub runs: Vec<(String, String, u64)>,
    /// Connector, state, number of slots.
    pub slots: Vec<(String, String, u64)>,
    /// Connector, duration of its last finished pull in microseconds.
    pub pull_micros: Vec<(String, i64)>,
    /// Purpose, duration of its last finished run in microseconds.
    pub run_micros: Vec<(String, i64)>,
}

impl Ledger {
    /// Computes the sums.
    pub async fn totals(&self) -> Result<LedgerTotals, Error> {
        let mut records = Vec::new();
        let sums: Vec<(String, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT connector, SUM(accepted), SUM(unchanged), SUM(duplicate), SUM(superseded), SUM(quarantined) \
             FROM pulls GROUP BY connector ORDER BY connector",
        )
        .fetch_all(&self.pool)
        .await?;
        for (connector, accepted, unchanged, duplicate, superseded, quarantined) in sums {
            let classes = [
                ("accepted", accepted),
                ("unchanged", unchanged),
                ("duplicate", duplicate),
                ("superseded", superseded),
                ("quarantined", quarantined),
            ];
            records.extend(classes.map(|(class, rows)| (connector.clone(), class.to_owned(), rows.cast_unsigned())));
        }
        let pulls = "SELECT connector, outcome, COUNT(*) FROM pulls WHERE outcome IS NOT NULL AND state = 'done' GROUP BY 1, 2 ORDER BY 1, 2";
        let runs = "SELECT purpose, CASE complete WHEN 1 THEN 'complete' WHEN 0 THEN 'provisional' ELSE 'none' END, COUNT(*) \
                    FROM runs WHERE finished_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";
        let slots = "SELECT connector, state, COUNT(*) FROM slots GROUP BY 1, 2 ORDER BY 1, 2";
        let last_pulls = "SELECT connector, finished_at - started_at FROM pulls WHERE (connector, run) IN \
                          (SELECT connector, MAX(run) FROM pulls WHERE finished_at IS NOT NULL GROUP BY connector) ORDER BY 1";
        let last_runs = "SELECT purpose, finished_at - started_at FROM runs WHERE run IN \
                         (SELECT MAX(run) FROM runs WHERE finished_at IS NOT NULL GROUP BY purpose) ORDER BY 1";
        Ok(LedgerTotals {
            records,
            pulls: self.counts(pulls).await?,
            runs: self.counts(runs).await?,
            slots: self.counts(slots).await?,
            pull_micros: sqlx::query_as(last_pulls).fetch_all(&self.pool).await?,
            run_micros: sqlx::query_as(last_runs).fetch_all(&self.pool).await?,
        })
    }

    async fn counts(&self, query: &'static str) -> Result<Vec<(String, String, u64)>, Error> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(query).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(name, class, count)| (name, class, count.cast_unsigned())).collect())
    }
}
