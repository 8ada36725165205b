//! Canonical records: typed values in the order of the table's columns, with the page and row they came from.

use crate::model::page::Reason;

/// One value of a canonical record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Text(Box<str>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    Flag(bool),
    Integer(i64),
}

impl Value {
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_instant(&self) -> Option<i64> {
        match self {
            Self::Instant(micros) => Some(*micros),
            _ => None,
        }
    }
}

/// A record that the mapping accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// In the order of [`RecordKind::columns`](crate::model::table::RecordKind::columns).
    pub values: Vec<Value>,
    /// First 16 bytes of the SHA-256 of the values.
    pub digest: u128,
    pub page: u32,
    pub row: u32,
    /// Deviations that the connector's contract accepts and reports.
    pub issues: Vec<Issue>,
    /// Of a row that states a part of its record: hash of the key and of the texts of its row. `None` for a row that states
    /// the whole record.
    pub row_hash: Option<u64>,
}

/// A deviation that the connector's contract accepts and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issue {
    /// The text of this canonical column does not fit its type and counts as absent.
    IllTyped { field: String, reason: Reason },
    /// Dates or counts contradict each other; the name of the check, such as `completed_before_received`.
    Impossible(&'static str),
}

/// A record that the mapping rejected. Its kept fields stay in landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub page: u32,
    pub row: u32,
    /// Canonical column that failed; `None` if the row as a whole is unreadable.
    pub field: Option<String>,
    pub reason: Reason,
    /// Key of the record, if its fields could be read. A later pull that accepts the key closes the rejection, unless the row
    /// states a part of its record.
    pub key: Option<String>,
    /// As [`Record::row_hash`]: the same row, read again, has the same hash. Another row of the key is another part.
    pub row_hash: Option<u64>,
}
