//! A canonical record: typed values in the order of its table's columns, and where it came from.

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

/// A record that was accepted by the mapping; `values` follow `Kind::columns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub values: Vec<Value>,
    /// First 16 bytes of the SHA-256 of the values.
    pub digest: u128,
    pub page: u32,
    pub row: u32,
    /// What is odd about it, though it was taken.
    pub issues: Vec<Issue>,
}

/// Something that the contract lets through and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issue {
    /// The text of this canonical field did not fit: it counts as absent.
    IllTyped { field: String, reason: Reason },
    /// Its dates stand in an order that cannot be; the name of the order.
    Impossible(&'static str),
}

/// A record that was not: where it stands, which field and why. Its kept fields stay in landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub page: u32,
    pub row: u32,
    /// The canonical field that failed; `None` where the whole row did.
    pub field: Option<String>,
    pub reason: Reason,
    /// Its key, where that could be read: a later pull that takes it closes the rejection.
    pub key: Option<String>,
}
