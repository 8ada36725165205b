//! What was noticed while tables were read, and costs no row.

use serde::{Deserialize, Serialize};

/// What was noticed while the tables of a pull were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableRemarks {
    /// Rows that repeat the header row, and were skipped.
    pub heading_rows: u64,
}

impl TableRemarks {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was noticed in other tables.
    pub fn add(&mut self, other: &Self) {
        self.heading_rows += other.heading_rows;
    }

    /// One line for each remark.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.heading_rows > 0 {
            lines.push(format!("rows that repeat the header row, and were skipped: {}", self.heading_rows));
        }
        lines
    }
}
