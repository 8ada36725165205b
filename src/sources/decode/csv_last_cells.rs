//! Lengths of the cells in the last column of a CSV file, to recognise a last line that is cut in its date.

/// So many rows show which length a date has.
const MIN_ROWS: u32 = 3;

/// Lengths of the cells in the last column, if it has dates. A date that is cut may still be a date: `20/03/2026 1`.
#[derive(Debug, Clone, Default)]
pub(super) struct LastCells {
    /// Length of the first date, in bytes.
    length: usize,
    /// Rows with a date.
    rows: u32,
    /// Whether dates have several lengths.
    varies: bool,
    has_empty: bool,
}

impl LastCells {
    /// Notes the cell of a whole row.
    pub(super) fn note(&mut self, cell: &[u8]) {
        if cell.is_empty() {
            self.has_empty = true;
            return;
        }
        if self.rows == 0 {
            self.length = cell.len();
        }
        self.varies |= cell.len() != self.length;
        self.rows = self.rows.saturating_add(1);
    }

    /// Whether a cell is shorter than all others.
    pub(super) fn is_cut(&self, cell: &[u8]) -> bool {
        let is_new = !cell.is_empty() || !self.has_empty;
        self.rows >= MIN_ROWS && !self.varies && cell.len() < self.length && is_new
    }
}
