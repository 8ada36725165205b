//! Merges the rows of a key into its stored version, where rows may state a part of their record.
//!
//! A part fills the columns that it states and leaves the others as they are. The parts of a key are taken in the order of
//! their change times, those of one time in the order of the pull. A part that is older than the stored version fills empty
//! columns only: it replaces no value, whichever row that one is from (docs/decisions/0020). A whole row replaces the record;
//! the parts before it count no more, those after it are taken again (docs/decisions/0023). Pure: no effects.

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
pub struct KeyRow {
    /// A column that a part does not state is null.
    pub record: Record,
    pub place: RowPlace,
    /// Moment of a row that states the whole record, microseconds UTC; `None` for a part, whose moment is its change time.
    pub whole_at: Option<i64>,
}

/// The newest stored version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    pub values: Vec<Value>,
    pub place: RowPlace,
    /// Its change time lies in the future, so that it cannot show which row is older.
    pub is_ahead: bool,
}

/// Moments of the newest rows of a key that the pull did not read: what the stored version consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsBeside {
    /// Of whole rows.
    pub whole_at: Option<i64>,
    /// Of parts.
    pub part_at: Option<i64>,
}

/// What is known of a key besides the rows of the pull.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownKey {
    pub stored: Option<StoredRow>,
    /// `None` if only the stored version is known.
    pub beside: Option<RowsBeside>,
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
    /// Columns that parts may state.
    pub part_columns: &'f [usize],
    /// Columns that every whole row states and no part does: a record without them has had no whole row.
    pub whole_columns: &'f [usize],
}

impl fmt::Debug for Fold<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, is_strict, is_reported, part_columns, whole_columns, .. } = self;
        let mut shown = out.debug_struct("Fold");
        shown
            .field("kind", kind)
            .field("is_strict", is_strict)
            .field("is_reported", is_reported)
            .field("part_columns", part_columns)
            .field("whole_columns", whole_columns)
            .finish_non_exhaustive()
    }
}

/// Change time, page and row: the order in which the parts of a pull are taken.
type Order = (i64, u32, u32);

/// Change time, page and row: the order of the versions of one pull in a table.
type VersionOrder = (Option<i64>, u32, u32);

/// The merged record while the rows of a pull are taken.
struct Merged {
    values: Vec<Value>,
    /// By column: the row of this pull that filled it although it is older than the stored version.
    filled_by: Vec<Option<Order>>,
}

/// The rows of one key while they are taken.
struct Taking<'t> {
    fold: &'t Fold<'t>,
    stored: Option<&'t StoredRow>,
    /// Position of the change time.
    time: usize,
    merged: Merged,
    taken: Vec<(KeyRow, Folded)>,
    /// Number of rows after which the merged record is the stored one.
    returned: usize,
    digests: HashSet<u128>,
}

/// Which rows of a pull count for a key.
enum Basis {
    /// The stored version stays, and parts are merged into it; those before this moment count no more.
    Stored(Option<i64>),
    /// The newest whole row replaces the stored version. `keeps_parts`: but for what parts state that are not older than it.
    Whole { at: i64, keeps_parts: bool },
    /// The newest whole row is older than the stored version, which consists of parts only.
    PartsOnly,
}

impl Fold<'_> {
    /// Takes all rows of one key that a pull has. Returns them in the order in which they were taken.
    ///
    /// If the merged record is the stored one again, the rows up to there add no version: a source that is read again
    /// from its beginning changes nothing.
    #[must_use]
    pub fn fold(&self, known: &KnownKey, rows: Vec<KeyRow>) -> Vec<(KeyRow, Folded)> {
        let stored = known.stored.as_ref();
        let columns = self.kind.columns().len();
        let empty = || vec![Value::Null; columns];
        let values = stored.map_or_else(empty, |stored| stored.values.clone());
        let mut taking = Taking {
            fold: self,
            stored,
            time: self.kind.column_index(CHANGE_TIME).expect("every table has the column"),
            merged: Merged { values, filled_by: vec![None; columns] },
            taken: Vec::with_capacity(rows.len()),
            returned: 0,
            digests: HashSet::new(),
        };
        let (mut wholes, parts): (Vec<KeyRow>, Vec<KeyRow>) = rows.into_iter().partition(|row| row.whole_at.is_some());
        wholes.sort_by_key(|row| (row.whole_at, row.place));
        let basis = taking.basis(known, wholes.last().and_then(|row| row.whole_at));
        let (mut floor, mut compared) = (None, stored);
        match basis {
            Basis::Stored(at) => floor = at,
            Basis::Whole { at, keeps_parts } => {
                let newest = wholes.pop().expect("its moment is that of a row");
                taking.take_whole(newest, keeps_parts);
                (floor, compared) = (Some(at), stored.filter(|_| keeps_parts));
            }
            Basis::PartsOnly => taking.take_parts(wholes.pop().into_iter().collect(), stored),
        }
        let is_outdated = |row: &KeyRow| floor.is_some_and(|at| taking.moment(row).is_some_and(|moment| moment < at));
        let (outdated, parts) = parts.into_iter().partition(is_outdated);
        taking.take_parts(parts, compared);
        taking.pass_over(outdated);
        taking.pass_over(wholes);
        taking.finish()
    }
}

impl Taking<'_> {
    /// Change time that a row states.
    fn moment(&self, row: &KeyRow) -> Option<i64> {
        row.record.values[self.time].as_instant()
    }

    /// `newest`: moment of the newest whole row of the pull.
    fn basis(&self, known: &KnownKey, newest: Option<i64>) -> Basis {
        let whole_at = known.beside.and_then(|beside| beside.whole_at);
        let Some(at) = newest.filter(|at| whole_at.is_none_or(|known| known <= *at)) else {
            return Basis::Stored(whole_at);
        };
        if let Some(beside) = known.beside {
            return Basis::Whole { at, keeps_parts: beside.part_at.is_some_and(|part| part >= at) };
        }
        let stored = self.stored.filter(|stored| !stored.is_ahead);
        match stored.filter(|stored| stored.values[self.time].as_instant() > Some(at)) {
            None => Basis::Whole { at, keeps_parts: false },
            Some(stored) if self.fold.whole_columns.iter().any(|column| stored.values[*column] == Value::Null) => {
                Basis::PartsOnly
            }
            Some(_) => Basis::Stored(None),
        }
    }

    /// Takes a whole row: it replaces the record, but for what newer parts state if `keeps_parts`.
    fn take_whole(&mut self, row: KeyRow, keeps_parts: bool) {
        let before = std::mem::replace(&mut self.merged.values, row.record.values.clone());
        let values = &mut self.merged.values;
        // A table takes the version with the newest change time.
        values[self.time] = later(&before[self.time], &values[self.time]);
        for &column in self.fold.part_columns.iter().filter(|_| keeps_parts) {
            if before[column] != Value::Null {
                values[column] = before[column].clone();
            }
        }
        let columns = before.len();
        let folded = self.step(&row, Merged { values: before, filled_by: vec![None; columns] });
        self.push(row, folded);
    }

    /// Takes parts in the order of their moments. `compared`: the version that may be newer than some of them.
    fn take_parts(&mut self, mut rows: Vec<KeyRow>, compared: Option<&StoredRow>) {
        let compared_time = compared.and_then(|stored| stored.values[self.time].as_instant());
        let counted_at = |row: &KeyRow| self.moment(row).max(compared_time).unwrap_or(i64::MIN);
        rows.sort_by_key(|row| (counted_at(row), row.record.page, row.record.row));
        for row in rows {
            let is_older = compared.is_some_and(|stored| is_older(&row, stored, self.time));
            let folded = self.take_part(&row, is_older);
            self.push(row, folded);
        }
    }

    /// Takes one part into the merged record.
    fn take_part(&mut self, row: &KeyRow, is_older: bool) -> Folded {
        let time = self.time;
        let order = (self.moment(row).unwrap_or(i64::MIN), row.record.page, row.record.row);
        let merged = &mut self.merged;
        let before = Merged { values: merged.values.clone(), filled_by: merged.filled_by.clone() };
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
        merged.values[time] = later(&before.values[time], &merged.values[time]);
        self.step(row, before)
    }

    /// What became of a row that was taken; the record was `before` without it.
    fn step(&mut self, row: &KeyRow, before: Merged) -> Folded {
        if self.merged.values == before.values {
            return Folded::Class(class_beside(row, &before.values, self.time));
        }
        let failed_before = (self.fold.failed)(&before.values);
        let mut failed = (self.fold.failed)(&self.merged.values);
        failed.retain(|check| !failed_before.contains(check));
        if let Some((_, column)) = failed.first().filter(|_| self.fold.is_strict) {
            self.merged = before;
            return Folded::Rejected(column);
        }
        let known = &row.record.issues;
        let failed = failed.into_iter().filter(|_| self.fold.is_reported).map(|(name, _)| Issue::Impossible(name));
        let issues = known.iter().cloned().chain(failed.filter(|issue| !known.contains(issue))).collect();
        let values = self.merged.values.clone();
        let Record { page, row, row_hash, .. } = row.record;
        Folded::Version(Record { digest: digest_of(&values), values, page, row, issues, row_hash })
    }

    fn push(&mut self, row: KeyRow, folded: Folded) {
        let is_repeated = !self.digests.insert(row.record.digest);
        let folded = match folded {
            Folded::Class(_) if is_repeated => Folded::Class(RecordClass::Duplicate),
            folded => folded,
        };
        self.taken.push((row, folded));
        if self.stored.is_some_and(|stored| stored.values == self.merged.values) {
            self.returned = self.taken.len();
        }
    }

    /// Adds rows of which another row counts.
    fn pass_over(&mut self, rows: Vec<KeyRow>) {
        for row in rows {
            let class = class_beside(&row, &self.merged.values, self.time);
            self.push(row, Folded::Class(class));
        }
    }

    fn finish(mut self) -> Vec<(KeyRow, Folded)> {
        self.drop_hidden_versions();
        for (row, folded) in &mut self.taken[..self.returned] {
            if matches!(folded, Folded::Version(_)) {
                let stored = &self.stored.expect("the merged record was the stored one").values;
                *folded = Folded::Class(class_beside(row, stored, self.time));
            }
        }
        self.taken
    }

    /// Of versions of one change time, a table takes the one of the last page and row as the newest. A version that it would
    /// take in place of a later one is none.
    fn drop_hidden_versions(&mut self) {
        let time = self.time;
        let mut ascending: Vec<(usize, VersionOrder)> = Vec::new();
        for at in 0..self.taken.len() {
            let Folded::Version(record) = &self.taken[at].1 else { continue };
            let order = (record.values[time].as_instant(), record.page, record.row);
            while let Some((hidden, _)) = ascending.pop_if(|(_, known)| *known > order) {
                self.taken[hidden].1 = Folded::Class(RecordClass::Superseded);
            }
            ascending.push((at, order));
        }
    }
}

/// Whether a row is older than the stored version: by its change time if both have one, otherwise by where it was read.
fn is_older(row: &KeyRow, stored: &StoredRow, time: usize) -> bool {
    // A whole row without a change time has that of its file.
    match (row.record.values[time].as_instant().or(row.whole_at), stored.values[time].as_instant()) {
        (Some(_), _) if stored.is_ahead => false,
        (Some(at), Some(stored_at)) => (at, row.place) < (stored_at, stored.place),
        (Some(_), None) => false,
        (None, _) => row.place < stored.place,
    }
}

/// Class of a row that adds no version beside a record: unchanged if the record has all that it states. A whole row states
/// every column.
fn class_beside(row: &KeyRow, record: &[Value], time: usize) -> RecordClass {
    let is_part = row.whole_at.is_none();
    let differs = |(column, (stated, known)): (usize, (&Value, &Value))| {
        column != time && !(is_part && *stated == Value::Null) && stated != known
    };
    let has_other = row.record.values.iter().zip(record).enumerate().any(differs);
    if has_other { RecordClass::Superseded } else { RecordClass::Unchanged }
}

fn later(left: &Value, right: &Value) -> Value {
    left.as_instant().max(right.as_instant()).map_or(Value::Null, Value::Instant)
}

#[cfg(test)]
#[path = "partial_records_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "whole_rows_tests.rs"]
mod whole_rows_tests;
