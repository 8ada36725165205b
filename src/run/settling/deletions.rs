//! Deleted versions of records that their source no longer has, and the limit above which deletions are refused.

use crate::canonical::digest_of;
use crate::model::connector::Connector;
use crate::model::record::{Record, Value};
use crate::run::error::RunError;
use crate::run::ledger::{AcceptedDeletions, Pull};
use crate::run::settling::Settler;

/// Deletions are refused above 50 % of the table's rows, or above this number of rows if they also exceed the share of
/// [`MAX_SHARE_DIVISOR`].
const MANY_ROWS: usize = 50;
/// Divides the table's rows: more than a tenth is too large a share for many rows.
const MAX_SHARE_DIVISOR: usize = 10;

/// How many rows one pull may delete.
#[derive(Debug, Default)]
pub(super) struct DeletionLimit {
    /// What an operator accepted.
    accepted: Option<AcceptedDeletions>,
    is_used: bool,
}

impl DeletionLimit {
    /// Whether deletions are refused: `missing` of `held` rows are too many, and nobody accepted that `rows` are deleted.
    pub(super) fn refuses(&mut self, missing: usize, held: usize, rows: usize) -> bool {
        are_too_many(missing, held) && !self.accepts(rows)
    }

    /// Whether an operator accepted that so many rows are deleted.
    pub(super) fn accepts(&mut self, rows: usize) -> bool {
        let is_accepted = self.accepted.as_ref().is_some_and(|accepted| rows as u64 <= accepted.rows);
        self.is_used |= is_accepted;
        is_accepted
    }

    /// The acceptance that was needed.
    pub(super) fn used(&self) -> Option<&AcceptedDeletions> {
        self.accepted.as_ref().filter(|_| self.is_used)
    }
}

impl Settler<'_> {
    /// How many rows a pull may delete.
    pub(super) async fn deletion_limit(&self, begun: &Pull) -> Result<DeletionLimit, RunError> {
        let accepted = self.ledger.usable_acceptance(&begun.connector, begun.run, begun.started_at).await?;
        Ok(DeletionLimit { accepted, ..DeletionLimit::default() })
    }

    /// A deleted version of every given key, each with its part.
    pub(super) async fn deleted_versions(
        &self,
        connector: &Connector,
        keys: &[String],
    ) -> Result<Vec<(Record, String)>, RunError> {
        let kind = connector.file.connector.kind;
        let mut rows = self.lake.image_records(kind, &connector.name, keys).await?;
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
pub(super) fn are_too_many(missing: usize, held: usize) -> bool {
    missing * 2 > held || (missing > MANY_ROWS && missing * MAX_SHARE_DIVISOR > held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_deletions_are_made_up_to_their_number() {
        let limit = |rows: Option<u64>| {
            let accepted = rows.map(|rows| AcceptedDeletions {
                id: 1,
                connector: "desk".to_owned(),
                refused_by: 7,
                rows,
                accepted_by: "an".to_owned(),
                accepted_at: 0,
                used_by: None,
            });
            DeletionLimit { accepted, ..DeletionLimit::default() }
        };
        for (accepted, missing, held, refused, used) in [
            (None, 2, 3, true, false),
            (Some(1), 2, 3, true, false),
            (Some(2), 2, 3, false, true),
            (Some(9), 2, 3, false, true),
            // Few deletions need no acceptance, and leave it for others.
            (Some(9), 1, 3, false, false),
        ] {
            let mut limit = limit(accepted);
            assert_eq!(limit.refuses(missing, held, missing), refused, "{missing} of {held}, accepted {accepted:?}");
            assert_eq!(limit.used().is_some(), used, "{missing} of {held}, accepted {accepted:?}");
        }
    }

    #[test]
    fn deletions_are_refused_above_half_and_above_a_tenth_of_many() {
        for (missing, held, refused) in [
            (1, 2, false),
            (2, 3, true),
            (1, 1, true),
            (50, 100, false),
            (50, 499, false),
            (51, 510, false),
            (51, 509, true),
        ] {
            assert_eq!(are_too_many(missing, held), refused, "{missing} of {held}");
        }
    }
}
