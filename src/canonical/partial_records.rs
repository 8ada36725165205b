//! Merges rows that state a part of a record into the stored version of their key.
//!
//! A row fills the columns that it states and leaves the others as they are. The rows of a key are taken in the order of their
//! change times, those of one time in the order of the pull. A row that is older than the stored version fills empty columns
//! only: it replaces no value, whichever row that one is from (docs/decisions/0020). Pure: no effects.

use std::collections::HashSet;
use std::fmt;

use crate::canonical::keys_seen::RecordClass;
use crate::canonical::map::digest_of;
use crate::model::record::{Issue, Record, Value};
use crate::model::table::{CHANGE_TIME, RecordKind};

/// Run, page and row that a row was read at first.
pub type RowPlace = (i64, i64, i64);

/// A row of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialRow {
    /// A column that it does not state is null.
    pub record: Record,
    pub place: RowPlace,
}

/// The newest stored version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    pub values: Vec<Value>,
    pub place: RowPlace,
    /// Its change time lies in the future, so that it cannot show which row is older.
    pub is_ahead: bool,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    /// The merged record is a new version.
    Version(Record),
    Class(RecordClass),
    /// The merged record would have dates in an impossible order, and the contract rejects such rows: the column.
    Rejected(&'static str),
}

/// Names of the checks that a merged record fails, each with its column.
type FailedChecks<'f> = &'f dyn Fn(&[Value]) -> Vec<(&'static str, &'static str)>;

/// Merges the rows of keys of one table.
pub struct Fold<'f> {
    pub kind: RecordKind,
    pub failed: FailedChecks<'f>,
    /// Whether a row is rejected if the merged record fails a check that it did not fail before.
    pub is_strict: bool,
    /// Whether such a check is reported.
    pub is_reported: bool,
}

impl fmt::Debug for Fold<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, is_strict, is_reported, .. } = self;
        let mut shown = out.debug_struct("Fold");
        shown
            .field("kind", kind)
            .field("is_strict", is_strict)
            .field("is_reported", is_reported)
            .finish_non_exhaustive()
    }
}

/// Change time, page and row: the order in which the rows of a pull are taken.
type Order = (i64, u32, u32);

/// The merged record while the rows of a pull are taken.
struct Merged {
    values: Vec<Value>,
    /// By column: the row of this pull that filled it although it is older than the stored version.
    filled_by: Vec<Option<Order>>,
}

impl Fold<'_> {
    /// Takes all rows of one key that a pull has. Returns them in the order in which they were taken.
    ///
    /// If the merged record is the stored one again, the rows up to there add no version: a source that is read again
    /// from its beginning changes nothing.
    #[must_use]
    pub fn fold(&self, stored: Option<&StoredRow>, mut rows: Vec<PartialRow>) -> Vec<(PartialRow, Folded)> {
        let time = self.kind.column_index(CHANGE_TIME).expect("every table has the column");
        let stored_time = stored.and_then(|stored| stored.values[time].as_instant());
        let counted_at = |row: &PartialRow| row.record.values[time].as_instant().max(stored_time).unwrap_or(i64::MIN);
        rows.sort_by_key(|row| (counted_at(row), row.record.page, row.record.row));

        let columns = self.kind.columns().len();
        let empty = || vec![Value::Null; columns];
        let values = stored.map_or_else(empty, |stored| stored.values.clone());
        let mut merged = Merged { values, filled_by: vec![None; columns] };
        let mut taken: Vec<(PartialRow, Folded)> = Vec::with_capacity(rows.len());
        // Number of rows after which the merged record is the stored one.
        let mut returned = 0;
        let mut digests = HashSet::new();
        for row in rows {
            let is_repeated = !digests.insert(row.record.digest);
            let is_older = stored.is_some_and(|stored| is_older(&row, stored, time));
            let folded = match self.take(&mut merged, &row, is_older, time) {
                Folded::Class(_) if is_repeated => Folded::Class(RecordClass::Duplicate),
                folded => folded,
            };
            taken.push((row, folded));
            if stored.is_some_and(|stored| stored.values == merged.values) {
                returned = taken.len();
            }
        }
        for (row, folded) in &mut taken[..returned] {
            if matches!(folded, Folded::Version(_)) {
                let stored = &stored.expect("the merged record was the stored one").values;
                *folded = Folded::Class(class_beside(&row.record.values, stored, time));
            }
        }
        taken
    }

    /// Takes one row into the merged record.
    fn take(&self, merged: &mut Merged, row: &PartialRow, is_older: bool, time: usize) -> Folded {
        let order = (row.record.values[time].as_instant().unwrap_or(i64::MIN), row.record.page, row.record.row);
        let before = merged.values.clone();
        let filled_before = merged.filled_by.clone();
        for (column, value) in row.record.values.iter().enumerate() {
            if *value == Value::Null || (is_older && column == time) {
                continue;
            }
            let was_filled = merged.filled_by[column];
            if !is_older {
                merged.filled_by[column] = None;
            } else if merged.values[column] == Value::Null || was_filled.is_some_and(|by| by < order) {
                merged.filled_by[column] = Some(order);
            } else {
                continue;
            }
            merged.values[column] = value.clone();
        }
        // The merged record is as new as its newest row.
        merged.values[time] = later(&before[time], &merged.values[time]);
        if merged.values == before {
            return Folded::Class(class_beside(&row.record.values, &before, time));
        }
        let failed_before = (self.failed)(&before);
        let mut failed = (self.failed)(&merged.values);
        failed.retain(|check| !failed_before.contains(check));
        if let Some((_, column)) = failed.first().filter(|_| self.is_strict) {
            merged.values = before;
            merged.filled_by = filled_before;
            return Folded::Rejected(column);
        }
        let known = &row.record.issues;
        let failed = failed.into_iter().filter(|_| self.is_reported).map(|(name, _)| Issue::Impossible(name));
        let issues = known.iter().cloned().chain(failed.filter(|issue| !known.contains(issue))).collect();
        let values = merged.values.clone();
        let Record { page, row, .. } = row.record;
        Folded::Version(Record { digest: digest_of(&values), values, page, row, issues })
    }
}

/// Whether a row is older than the stored version: by its change time if both have one, otherwise by where it was read.
fn is_older(row: &PartialRow, stored: &StoredRow, time: usize) -> bool {
    match (row.record.values[time].as_instant(), stored.values[time].as_instant()) {
        (Some(_), _) if stored.is_ahead => false,
        (Some(at), Some(stored_at)) => (at, row.place) < (stored_at, stored.place),
        (Some(_), None) => false,
        (None, _) => row.place < stored.place,
    }
}

/// Class of a row that adds no version beside a record: unchanged if the record has all that it states.
fn class_beside(stated: &[Value], record: &[Value], time: usize) -> RecordClass {
    let differs = |(column, (stated, known)): (usize, (&Value, &Value))| {
        column != time && *stated != Value::Null && stated != known
    };
    let has_other = stated.iter().zip(record).enumerate().any(differs);
    if has_other { RecordClass::Superseded } else { RecordClass::Unchanged }
}

fn later(left: &Value, right: &Value) -> Value {
    left.as_instant().max(right.as_instant()).map_or(Value::Null, Value::Instant)
}

#[cfg(test)]
#[path = "partial_records_tests.rs"]
mod tests;
