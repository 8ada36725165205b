//! Deleted versions of records that their source no longer has, and the limit above which deletions are refused.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::canonical::digest_of;
use crate::lake::VersionWriter;
use crate::model::connector::Connector;
use crate::model::page::Reason;
use crate::model::record::{Record, Rejection, Value};
use crate::run::error::RunError;
use crate::run::ledger::{AcceptedDeletions, Pull, key_hash};
use crate::run::settling::Settler;
use crate::run::settling::classified::Classified;

/// Deletions are refused above 50 % of the table's rows, or above this number of rows if they also exceed the share of
/// [`MAX_SHARE_DIVISOR`].
const MANY_ROWS: usize = 50;
/// Divides the table's rows: more than a tenth is too large a share for many rows.
const MAX_SHARE_DIVISOR: usize = 10;

/// Of a pull with fewer records than this, up to half as many may be without details: a night may bring a few changed records,
/// and all of them may be deleted.
const FEW_RECORDS: usize = 4;

/// Which rows one pull may delete.
#[derive(Debug, Default)]
pub(super) struct DeletionLimit {
    /// What an operator accepted.
    accepted: Option<AcceptedDeletions>,
    /// Hashes of the keys that were accepted; `None` if only their number is known.
    accepted_keys: Option<HashSet<u64>>,
    is_used: bool,
    /// Hashes of the keys whose deletion an earlier pull refused, if nobody accepted it since.
    refused_before: HashSet<u64>,
    /// Hashes of the keys that were not deleted because nobody accepted it; `None` if the pull decided about no deletion.
    refused: Option<HashSet<u64>>,
}

impl DeletionLimit {
    /// Whether deletions are refused: those that nobody accepted are too many. `gone`: hashes of the keys. The guard
    /// counts those for which `is_held` holds, of `held` rows.
    pub(super) fn refuses(&mut self, gone: &HashSet<u64>, is_held: impl Fn(u64) -> bool, held: usize) -> bool {
        self.refused.get_or_insert_default();
        let are_too_many =
            |keys: &mut dyn Iterator<Item = u64>| are_too_many(keys.filter(|key| is_held(*key)).count(), held);
        if !are_too_many(&mut gone.iter().copied()) {
            return false;
        }
        let is_refused = match (&self.accepted, &self.accepted_keys) {
            (Some(_), Some(accepted)) => are_too_many(&mut gone.difference(accepted).copied()),
            (Some(accepted), None) => gone.len() as u64 > accepted.rows,
            (None, _) => true,
        };
        self.note(gone, is_refused);
        is_refused
    }

    /// Whether at least half of the rows whose deletion the last pull refused are among these, and nobody accepted it. What was
    /// too many stays so, although the table has grown since.
    pub(super) fn refuses_again(&mut self, gone: &HashSet<u64>) -> bool {
        let is_half = |rows: usize| rows > 0 && rows * 2 >= self.refused_before.len();
        let again = || gone.intersection(&self.refused_before);
        if !is_half(again().count()) {
            return false;
        }
        let is_open = |key: &&u64| !self.accepted_keys.as_ref().is_some_and(|accepted| accepted.contains(key));
        let is_refused = is_half(again().filter(is_open).count());
        self.note(gone, is_refused);
        is_refused
    }

    /// Whether an operator accepted that all of these rows are deleted.
    pub(super) fn accepts(&mut self, gone: &HashSet<u64>) -> bool {
        let is_accepted = match (&self.accepted, &self.accepted_keys) {
            (Some(_), Some(accepted)) => gone.is_subset(accepted),
            (Some(accepted), None) => gone.len() as u64 <= accepted.rows,
            (None, _) => false,
        };
        self.note(gone, !is_accepted);
        is_accepted
    }

    fn note(&mut self, gone: &HashSet<u64>, is_refused: bool) {
        self.is_used |= !is_refused;
        if is_refused {
            self.refused.get_or_insert_default().extend(gone);
        }
    }

    /// The acceptance that was needed.
    pub(super) fn used(&self) -> Option<&AcceptedDeletions> {
        self.accepted.as_ref().filter(|_| self.is_used)
    }

    /// Hashes of the keys that were refused, in order; `None` if the pull decided about no deletion.
    pub(super) fn into_refused(self) -> Option<Vec<u64>> {
        let mut refused: Vec<u64> = self.refused?.into_iter().collect();
        refused.sort_unstable();
        Some(refused)
    }
}

/// Writes the deletions of records of which the source has no details, or rejects these records if they are too many to be
/// deletions. Returns how many were written. `key`: position of the key's column.
pub(super) fn write_without_details(
    key: usize,
    classified: &mut Classified,
    limit: &mut DeletionLimit,
    writer: &mut VersionWriter,
) -> Result<u64, RunError> {
    let versions = std::mem::take(&mut classified.without_details);
    if versions.is_empty() {
        return Ok(0);
    }
    let key_of = |record: &Record| record.values[key].as_text().unwrap_or_default().to_owned();
    let gone: HashSet<u64> = versions.iter().map(|(record, _)| key_hash(&key_of(record))).collect();
    let asked = usize::try_from(classified.counts.received).unwrap_or(usize::MAX).max(FEW_RECORDS);
    let count = versions.len() as u64;
    if !limit.refuses_again(&gone) && !limit.refuses(&gone, |_| true, asked) {
        writer.write(&versions)?;
        return Ok(count);
    }
    let rejected = versions.into_iter().map(|(record, _)| Rejection {
        key: Some(key_of(&record)),
        page: record.page,
        row: record.row,
        field: None,
        reason: Reason::NoDetail,
        row_hash: record.row_hash,
    });
    classified.rejections.extend(rejected);
    classified.rejections.sort_by_key(|rejection| Reverse((rejection.page, rejection.row)));
    classified.counts.accepted -= count;
    classified.counts.quarantined += count;
    classified.findings.without_details = count;
    Ok(0)
}

impl Settler<'_> {
    /// Which rows a pull may delete.
    pub(super) async fn deletion_limit(&self, begun: &Pull) -> Result<DeletionLimit, RunError> {
        let accepted = self.ledger.usable_acceptance(&begun.connector, begun.run, begun.started_at).await?;
        let accepted_keys = match &accepted {
            Some(accepted) => self.ledger.refused_keys(&begun.connector, accepted.refused_by).await?,
            None => None,
        };
        let refused_before = self.ledger.refused_keys_before(&begun.connector, begun.run).await?;
        Ok(DeletionLimit { accepted, accepted_keys, refused_before, ..DeletionLimit::default() })
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

    fn limit(rows: Option<u64>, keys: Option<&[u64]>) -> DeletionLimit {
        let accepted = rows.map(|rows| AcceptedDeletions {
            id: 1,
            connector: "desk".to_owned(),
            refused_by: 7,
            rows,
            accepted_by: "an".to_owned(),
            accepted_at: 0,
            used_by: None,
        });
        let accepted_keys = keys.map(|keys| keys.iter().copied().collect());
        DeletionLimit { accepted, accepted_keys, ..DeletionLimit::default() }
    }

    #[test]
    fn deletions_are_made_if_their_rows_were_accepted() {
        for (what, rows, accepted, gone, held, refused, used) in [
            ("nothing is accepted", None, None, &[1, 2][..], 3, true, false),
            ("both are accepted", Some(2), Some(&[1, 2][..]), &[1, 2], 3, false, true),
            ("more are accepted", Some(9), Some(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), &[1, 2], 3, false, true),
            ("as many others are accepted", Some(2), Some(&[3, 4]), &[1, 2], 3, true, false),
            ("one of three is accepted, two are too many", Some(1), Some(&[1]), &[1, 2, 3], 3, true, false),
            ("two of three are accepted, one is not too many", Some(2), Some(&[1, 2]), &[1, 2, 3], 3, false, true),
            ("few need no acceptance", Some(2), Some(&[1, 2]), &[1], 3, false, false),
            ("only a number is known, and it is smaller", Some(1), None, &[1, 2], 3, true, false),
            ("only a number is known", Some(2), None, &[1, 2], 3, false, true),
        ] {
            let (mut limit, gone) = (limit(rows, accepted), gone.iter().copied().collect::<HashSet<u64>>());
            assert_eq!(limit.refuses(&gone, |_| true, held), refused, "{what}");
            assert_eq!(limit.used().is_some(), used, "{what}");
            assert_eq!(
                limit.into_refused().map(|keys| keys.len()),
                Some(if refused { gone.len() } else { 0 }),
                "{what}"
            );
        }
    }

    #[test]
    fn what_was_refused_is_refused_again_until_it_is_accepted() {
        let refused_before: HashSet<u64> = (1..=4).collect();
        for (what, gone, accepted, expected) in [
            ("the same rows", vec![1, 2, 3, 4], None, true),
            ("half of them, and others", vec![1, 2, 9], None, true),
            ("less than half of them", vec![1, 9], None, false),
            ("others", vec![8, 9], None, false),
            ("accepted", vec![1, 2, 3, 4], Some(&[1, 2, 3, 4][..]), false),
            ("accepted, and one more is gone", vec![1, 2, 3, 4, 5], Some(&[1, 2, 3, 4]), false),
            ("one is accepted", vec![1, 2, 3, 4], Some(&[1]), true),
        ] {
            let limit = limit(accepted.map(|keys| keys.len() as u64), accepted);
            let mut limit = DeletionLimit { refused_before: refused_before.clone(), ..limit };
            assert_eq!(limit.refuses_again(&gone.into_iter().collect()), expected, "{what}");
        }
    }

    #[test]
    fn the_guard_counts_only_rows_that_were_decided() {
        let gone: HashSet<u64> = (1..=3).collect();
        assert!(!limit(None, None).refuses(&gone, |key| key == 1, 2));
        assert!(limit(None, None).refuses(&gone, |key| key < 3, 3));
    }

    #[test]
    fn a_replaced_list_is_accepted_whole_or_not() {
        let gone: HashSet<u64> = (1..=3).collect();
        for (accepted, expected) in [(&[1, 2, 3, 4][..], true), (&[1, 2], false)] {
            let mut limit = limit(Some(9), Some(accepted));
            assert_eq!(limit.accepts(&gone), expected);
            assert_eq!(limit.into_refused(), (!expected).then(|| vec![1, 2, 3]));
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
