//! Merged cells of a sheet.

use calamine::Dimensions;

use crate::model::page::Page;

/// Merged cells that span several rows: their value is repeated in each of them (`merged = "repeat"`).
#[derive(Debug, Default)]
pub(super) struct MergedCells {
    /// Row and column of the first cell, and the last row, all from 0; sorted.
    spans: Vec<((u32, u32), u32)>,
    /// Field, last row and value of the merged cells that span the current row.
    held: Vec<(usize, u32, String)>,
}

impl MergedCells {
    pub(super) fn new(merged: &[Dimensions]) -> Self {
        let tall = merged.iter().filter(|span| span.end.0 > span.start.0);
        let mut spans: Vec<_> = tall.map(|span| (span.start, span.end.0)).collect();
        spans.sort_unstable();
        Self { spans, held: Vec::new() }
    }

    /// Keeps the value if its cell is the first one of a merged cell.
    pub(super) fn hold(&mut self, field: usize, column: usize, row: u32, text: &str) {
        let Ok(column) = u32::try_from(column) else { return };
        if let Ok(at) = self.spans.binary_search_by_key(&(row, column), |(start, _)| *start) {
            self.held.retain(|(held, ..)| *held != field);
            self.held.push((field, self.spans[at].1, text.to_owned()));
        }
    }

    /// Writes the kept values into a row.
    pub(super) fn repeat(&mut self, row: u32, page: &mut Page) {
        self.held.retain(|(_, last, _)| *last >= row);
        for (field, _, text) in &self.held {
            page.set(*field, text);
        }
    }
}
