//! Merged cells of a sheet.

use calamine::Dimensions;

use crate::model::connector::Merged;
use crate::model::page::{Page, Reason};

/// Merged cells of kept columns that span several rows.
#[derive(Debug, Default)]
pub(super) struct MergedCells {
    /// Row and column of the first cell, and the last row, all from 0; sorted.
    spans: Vec<((u32, u32), u32)>,
    /// Those that span the current row and have a value.
    held: Vec<HeldCell>,
}

#[derive(Debug)]
struct HeldCell {
    field: usize,
    /// First and last row, from 0.
    first: u32,
    last: u32,
    text: String,
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
            self.held.retain(|held| held.field != field);
            self.held.push(HeldCell { field, first: row, last: self.spans[at].1, text: text.to_owned() });
        }
    }

    /// Completes a row of the sheet that merged cells of rows above it span: writes their values into it
    /// (`merged = "repeat"`), or returns why it is unreadable, for what it has there is not known.
    pub(super) fn complete(&mut self, row: u32, meaning: Merged, page: &mut Page) -> Option<Reason> {
        self.held.retain(|held| held.last >= row);
        let from_above = self.held.iter().filter(|held| held.first < row);
        match meaning {
            Merged::Empty => None,
            Merged::Leave => from_above.map(|_| Reason::MergedCell).next(),
            Merged::Repeat => {
                from_above.for_each(|held| page.set(held.field, &held.text));
                None
            }
        }
    }
}
