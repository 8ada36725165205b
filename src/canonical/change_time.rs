//! The change time of a record that comes without one, from a source that has one or had one.
//!
//! Versions of a key are ordered by change time, then by run, page and row; in the image an empty time is the oldest. A
//! record without a change time states what the source shows now, so it must not count as older than what is stored.
//! Therefore it takes over the change time of the newest stored version: it is no later change than that one, but read
//! later. If nothing else differs, it is that version.

use crate::canonical::map::digest_of;
use crate::model::record::{Record, Value};
use crate::model::table::{CHANGE_TIME, RecordKind};

/// The change time that a record states itself; `None` if it states none. In the latter case the record takes over
/// `stored`, the change time of the newest stored version of its key.
pub fn complete_change_time(kind: RecordKind, record: &mut Record, stored: Option<i64>) -> Option<i64> {
    let column = kind.column_index(CHANGE_TIME).expect("every table has the column");
    let stated = record.values[column].as_instant();
    if let (None, Some(stored)) = (stated, stored) {
        record.values[column] = Value::Instant(stored);
        record.digest = digest_of(&record.values);
    }
    stated
}

#[cfg(test)]
#[path = "change_time_tests.rs"]
mod tests;
