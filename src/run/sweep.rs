//! Sweeps: what the tables hold and a source does not list any more is marked as deleted.

use crate::canonical::digest_of;
use crate::model::connector::Connector;
use crate::model::instant::{self, DAY_MICROS, Format};
use crate::model::pull::{Certificate, Outcome, SliceRef};
use crate::model::record::{Record, Value};
use crate::run::settle::Settling;
use crate::run::{DataFolder, RunError};

/// A sweep that misses more than half of what it covers is not believed, nor one that misses many and more than a tenth.
const BELIEVED_SHARE: usize = 10;
const FEW_ROWS: usize = 50;

impl DataFolder<'_> {
    /// The stretch of time that tonight's sweep covers; none if the connector has none, or was swept not long ago.
    pub(super) async fn due_sweep(&self, connector: &Connector, now: i64) -> Result<Option<SliceRef>, RunError> {
        let Some(sweep) = &connector.file.sweep else { return Ok(None) };
        let Some(pass) = connector.file.window.passes.iter().find(|pass| pass.name == sweep.pass) else {
            return Ok(None);
        };
        let pulls = self.ledger.pulls_of(&connector.name, 400).await?;
        let whole = || pulls.iter().filter(|pull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded)));
        let last = whole().filter(|pull| pull.findings.sweep.is_some()).map(|pull| pull.started_at).max();
        let first = whole().map(|pull| pull.started_at).min();
        let due = last.or(first).is_some_and(|last| now - last >= i64::from(sweep.every_days) * DAY_MICROS);
        let since =
            Format::compile("yyyy-MM-dd").ok().and_then(|format| format.read(&pass.first_date, &instant::vietnam()));
        Ok(since.filter(|_| due).map(|since| SliceRef {
            pass: pass.name.clone(),
            since_micros: since,
            until_micros: now,
        }))
    }

    /// A deleted version of every record that the sweep covered and did not find, each with its part.
    pub(super) async fn swept(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        settling: &mut Settling,
    ) -> Result<Vec<(Record, String)>, RunError> {
        let (Some(covered), Some(sweep)) = (&certificate.sweep, &connector.file.sweep) else { return Ok(Vec::new()) };
        // A row that could not be read may be any of those that are missed.
        let unread = settling.rejections.iter().any(|rejection| rejection.key.is_none());
        if certificate.outcome != Outcome::Complete || unread {
            settling.findings.sweep = None;
            return Ok(Vec::new());
        }
        let kind = connector.file.connector.kind;
        let listed = self
            .lake
            .keys_between(kind, &connector.name, &sweep.column, covered.since_micros, covered.until_micros)
            .await?;
        let rejected: std::collections::HashSet<&str> =
            settling.rejections.iter().filter_map(|rejection| rejection.key.as_deref()).collect();
        let held = listed.len();
        let gone: Vec<String> =
            listed.into_iter().filter(|key| !settling.seen.contains(key) && !rejected.contains(key.as_str())).collect();
        if gone.len() * 2 > held || (gone.len() > FEW_ROWS && gone.len() * BELIEVED_SHARE > held) {
            settling.findings.missed_by_sweep = gone.len() as u64;
            return Ok(Vec::new());
        }
        let deleted = kind.column_index("deleted").expect("every table has the column");
        let mut rows = self.lake.image_records(kind, &connector.name, &gone).await?;
        for (record, _) in &mut rows {
            record.values[deleted] = Value::Flag(true);
            record.digest = digest_of(&record.values);
            (record.page, record.row) = (0, 0);
        }
        Ok(rows)
    }
}
