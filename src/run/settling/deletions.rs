//! Deleted versions of records that their source no longer has, and the limit above which deletions are refused.

use crate::canonical::digest_of;
use crate::model::connector::Connector;
use crate::model::record::{Record, Value};
use crate::run::error::RunError;
use crate::run::settling::Settler;

/// Deletions are refused above 50 % of the table's rows, or above this number of rows if they also exceed the share of
/// [`MAX_SHARE_DIVISOR`].
const MANY_ROWS: usize = 50;
/// Divides the table's rows: more than a tenth is too large a share for many rows.
const MAX_SHARE_DIVISOR: usize = 10;

impl Settler<'_> {
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
