//! What the metrics have of the ledger: the health of connectors and the totals, read again when the ledger has changed.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::run::{ConnectorHealth, LedgerStamp, LedgerTotals, assess_connectors};
use crate::service::Service;
use crate::service::problem::Problem;

/// Longest time for which a summary is used, microseconds: health depends on the clock too, by minutes and hours.
const KEPT_MICROS: i64 = 10 * 1_000_000;

/// What was read of the ledger at one moment.
#[derive(Debug)]
pub(super) struct LedgerSummary {
    pub(super) health: Vec<ConnectorHealth>,
    pub(super) totals: LedgerTotals,
}

/// The summary that was read last.
#[derive(Debug, Default)]
pub(super) struct LedgerSummaryCache {
    kept: Mutex<Option<KeptSummary>>,
}

#[derive(Debug)]
struct KeptSummary {
    stamp: LedgerStamp,
    /// Microseconds UTC.
    at: i64,
    summary: Arc<LedgerSummary>,
}

impl KeptSummary {
    /// Whether the summary is still what the ledger has. Not if the clock was set back.
    fn is_current(&self, stamp: LedgerStamp, now: i64) -> bool {
        self.stamp == stamp && (0..KEPT_MICROS).contains(&(now - self.at))
    }
}

impl LedgerSummaryCache {
    /// The summary of the ledger, as of `now` or at most ten seconds before. Those who ask at once wait for one read.
    pub(super) async fn summary(&self, service: &Service, now: i64) -> Result<Arc<LedgerSummary>, Problem> {
        let mut kept = self.kept.lock().await;
        let stamp = LedgerStamp::of(&service.data);
        if let Some(current) = kept.as_ref().filter(|kept| kept.is_current(stamp, now)) {
            return Ok(Arc::clone(&current.summary));
        }
        let health = assess_connectors(&service.config, Some(&service.ledger), now).await?;
        let summary = Arc::new(LedgerSummary { health, totals: service.ledger.totals().await? });
        *kept = Some(KeptSummary { stamp, at: now, summary: Arc::clone(&summary) });
        Ok(summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_again_after_a_change_and_after_ten_seconds() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let stamp = LedgerStamp::of(folder.path());
        let summary = Arc::new(LedgerSummary { health: Vec::new(), totals: LedgerTotals::default() });
        let kept = KeptSummary { stamp, at: 1_000, summary };
        assert!(kept.is_current(stamp, 1_000) && kept.is_current(stamp, 1_000 + 9_999_999));
        assert!(!kept.is_current(stamp, 1_000 + 10_000_000));
        assert!(!kept.is_current(stamp, 999), "the clock was set back");
        let wal = folder.path().join("ledger.sqlite-wal");
        crate::run::private_file(&wal).expect("the folder is writable");
        assert!(!kept.is_current(LedgerStamp::of(folder.path()), 1_000));
    }
}
