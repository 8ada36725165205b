//! Merged cells of a sheet.

use calamine::Dimensions;

use crate::model::connector::Merged;
use crate::model::page::{Page, Reason};

/// Merged cells of a sheet. Rows and columns count from 0.
#[derive(Debug, Default)]
pub(super) struct MergedCells {
    /// Sorted by their first cell.
    spans: Vec<Dimensions>,
    /// Those that span the current row and have a value.
    held: Vec<HeldCell>,
}

#[derive(Debug)]
struct HeldCell {
    span: Dimensions,
    text: String,
}

impl MergedCells {
    pub(super) fn new(merged: &[Dimensions]) -> Self {
        let mut spans = merged.to_vec();
        spans.sort_unstable_by_key(|span| span.start);
        Self { spans, held: Vec::new() }
    }

    /// Keeps the value if its cell is the first one of a merged cell.
    pub(super) fn hold(&mut self, column: usize, row: u32, text: &str) {
        let Ok(column) = u32::try_from(column) else { return };
        if let Ok(at) = self.spans.binary_search_by_key(&(row, column), |span| span.start) {
            // Merged cells do not overlap; in a damaged workbook the last one of a column is held.
            self.held.retain(|held| held.span.start.1 != column);
            self.held.push(HeldCell { span: self.spans[at], text: text.to_owned() });
        }
    }

    /// Completes a row of the sheet where merged cells that begin above it, or on its left, span mapped columns: writes
    /// their values into it (`merged = "repeat"`), or returns why it is unreadable, for what it has there is not known.
    /// `fills`: the fields that each column fills.
    pub(super) fn complete(
        &mut self,
        row: u32,
        meaning: Merged,
        fills: &[Vec<usize>],
        page: &mut Page,
    ) -> Option<Reason> {
        self.held.retain(|held| held.span.end.0 >= row);
        for HeldCell { span, text } in &self.held {
            let (first, last) = (span.start.1 as usize, span.end.1 as usize);
            let spanned = fills.iter().enumerate().take(last.saturating_add(1)).skip(first);
            let beside = spanned.filter(|(column, _)| row > span.start.0 || *column > first);
            for &field in beside.flat_map(|(_, fields)| fields) {
                match meaning {
                    Merged::Empty => {}
                    Merged::Leave => return Some(Reason::MergedCell),
                    Merged::Repeat => page.set(field, text),
                }
            }
        }
        None
    }
}
