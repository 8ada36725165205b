//! Sums over the ledger, for those who watch it.

use sqlx::Error;

use crate::run::ledger::Ledger;

/// Sums over all that the ledger knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Connector, class, rows.
    pub records: Vec<(String, String, u64)>,
    /// Connector, outcome, pulls.
    pub pulls: Vec<(String, String, u64)>,
    /// Purpose, figures (complete · provisional · none), runs.
    pub runs: Vec<(String, String, u64)>,
    /// Connector, state, slots.
    pub slots: Vec<(String, String, u64)>,
    /// Connector, microseconds of its last pull that ended.
    pub pull_micros: Vec<(String, i64)>,
    /// Purpose, microseconds of its last run that ended.
    pub run_micros: Vec<(String, i64)>,
}

impl Ledger {
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
        Ok(rows.into_iter().map(|(of, what, count)| (of, what, count.cast_unsigned())).collect())
    }
}
