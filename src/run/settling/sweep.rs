//! Sweeps: marks as deleted each record that is in the table but no longer in the source's list.

use std::collections::HashSet;

use crate::canonical::digest_of;
use crate::model::connector::Connector;
use crate::model::pull::{Certificate, Outcome};
use crate::model::record::{Record, Value};
use crate::run::error::RunError;
use crate::run::settling::Settler;
use crate::run::settling::classify::Classified;

/// Deletions are refused above 50 % of the table's rows, or above this number of rows if they also exceed the share of
/// [`MAX_SHARE_DIVISOR`].
const MANY_ROWS: usize = 50;
/// Divides the table's rows: more than a tenth is too large a share for many rows.
const MAX_SHARE_DIVISOR: usize = 10;

impl Settler<'_> {
    /// A deleted version of every record that the sweep covered and did not find, each with its part. Refused deletions
    /// are counted in the findings.
    pub(super) async fn swept(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        classified: &mut Classified,
    ) -> Result<Vec<(Record, String)>, RunError> {
        let (Some(range), Some(sweep)) = (&certificate.sweep, &connector.file.sweep) else { return Ok(Vec::new()) };
        // A row without a readable key may be any of the missing records.
        let has_unknown_keys = classified.rejections.iter().any(|rejection| rejection.key.is_none());
        if certificate.outcome != Outcome::Complete || has_unknown_keys {
            classified.findings.sweep = None;
            return Ok(Vec::new());
        }
        let kind = connector.file.connector.kind;
        let (since, until) = (range.since_micros, range.until_micros);
        let held = self.lake.keys_between(kind, &connector.name, &sweep.column, since, until).await?;
        let held_count = held.len();
        let rejected: HashSet<&str> =
            classified.rejections.iter().filter_map(|rejection| rejection.key.as_deref()).collect();
        let is_missing = |key: &String| !classified.keys.contains(key) && !rejected.contains(key.as_str());
        let missing: Vec<String> = held.into_iter().filter(is_missing).collect();
        if are_too_many(missing.len(), held_count) {
            classified.findings.missed_by_sweep = missing.len() as u64;
            return Ok(Vec::new());
        }
        let mut rows = self.lake.image_records(kind, &connector.name, &missing).await?;
        let deleted = kind.column_index("deleted").expect("every table has the column");
        for (record, _) in &mut rows {
            record.values[deleted] = Value::Flag(true);
            record.digest = digest_of(&record.values);
            (record.page, record.row) = (0, 0);
        }
        Ok(rows)
    }
}

/// Whether so many of the `held` records are missing that an error of the source is likelier than deletions.
fn are_too_many(missing: usize, held: usize) -> bool {
    missing * 2 > held || (missing > MANY_ROWS && missing * MAX_SHARE_DIVISOR > held)
}
