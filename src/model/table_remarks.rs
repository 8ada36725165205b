//! What was noticed while tables were read, and costs no row.

use serde::{Deserialize, Serialize};

/// What was noticed while the tables of a pull were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableRemarks {
    /// Rows that repeat the header row or number its columns, and were skipped.
    pub heading_rows: u64,
    /// Visible sheets of workbooks without a header row, with other content.
    pub other_sheets: u64,
    /// Hidden sheets of workbooks that have a table.
    pub hidden_tables: u64,
}

impl TableRemarks {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was noticed in other tables.
    pub fn add(&mut self, other: &Self) {
        self.heading_rows += other.heading_rows;
        self.other_sheets += other.other_sheets;
        self.hidden_tables += other.hidden_tables;
    }

    /// One line for each remark.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let remarks = [
            (self.heading_rows, "rows that repeat the header row or number its columns, and were skipped"),
            (self.other_sheets, "sheets without the header row, which were skipped"),
            (self.hidden_tables, "hidden sheets with rows, which were skipped: show them if they count"),
        ];
        remarks.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{words}: {count}")).collect()
    }
}
