//! Deletions that were refused because they are many, and an operator's word that they are true.

use std::path::Path;

use crate::config::Configuration;
use crate::model::pull::{Findings, LeftBecause, Purpose};
use crate::run::error::RunError;
use crate::run::ledger::{AcceptedDeletions, Ledger};
use crate::run::lock::Lock;

/// Pulls that are searched for a connector's last night.
const EARLIER_PULLS: i64 = 400;

/// Deletions that the last night of a connector refused, since they are too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedDeletions {
    pub connector: String,
    pub run: i64,
    pub rows: u64,
    /// Code of the pull's reason.
    pub reason: String,
}

/// Deletions that the last nights of the configured connectors refused.
pub async fn refused_deletions(config: &Configuration, ledger: &Ledger) -> Result<Vec<RefusedDeletions>, RunError> {
    let mut refused = Vec::new();
    for connector in &config.connectors {
        refused.extend(refused_by(&connector.name, ledger).await?);
    }
    Ok(refused)
}

async fn refused_by(connector: &str, ledger: &Ledger) -> Result<Option<RefusedDeletions>, RunError> {
    let pulls = ledger.pulls_of(connector, EARLIER_PULLS).await?;
    let Some(last) = pulls.into_iter().find(|pull| pull.purpose == Purpose::Night) else { return Ok(None) };
    let reason = last.reason.unwrap_or_default();
    let refused = |rows| RefusedDeletions { connector: connector.to_owned(), run: last.run, rows, reason };
    Ok(refused_rows(&last.findings).map(refused))
}

/// Rows that a pull left undeleted since they are many; `None` if it left none for this reason.
fn refused_rows(findings: &Findings) -> Option<u64> {
    let is_many = |because| matches!(because, LeftBecause::TooMany | LeftBecause::OtherList | LeftBecause::OpenEnd);
    let left = findings.left.as_ref().filter(|left| is_many(left.because)).map(|left| left.rows);
    left.or(Some(findings.missed_by_sweep + findings.without_details)).filter(|rows| *rows > 0)
}

/// Accepts the deletions that the last night of a connector refused: the next pull makes them, if they are not more.
///
/// # Errors
/// `NothingRefused` if the last night refused none.
pub async fn accept_deletions(
    (config, data): (&Configuration, &Path),
    connector: &str,
    accepted_by: String,
    now: i64,
) -> Result<AcceptedDeletions, RunError> {
    if config.connector(connector).is_none() {
        return Err(RunError::no_connector(config, connector));
    }
    // No run may decide about the deletions meanwhile.
    let _lock = Lock::take(data, "deletions accept", now)?;
    let ledger = Ledger::open(data).await?;
    let refused = refused_by(connector, &ledger).await?;
    let refused = refused.ok_or_else(|| RunError::NothingRefused { connector: connector.to_owned() })?;
    let RefusedDeletions { connector, run: refused_by, rows, .. } = refused;
    let accepted =
        AcceptedDeletions { id: 0, connector, refused_by, rows, accepted_by, accepted_at: now, used_by: None };
    ledger.accept_deletions(&accepted).await?;
    tracing::info!(connector = accepted.connector, run = refused_by, rows, "deletions accepted");
    ledger.close().await;
    Ok(accepted)
}
