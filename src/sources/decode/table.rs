//! What CSV files and sheets of workbooks have in common: a header row below titles, kept columns, a footer row, and what that
//! row says of the rows above it. Names are compared as [`fold`] writes them.

use crate::model::connector::{Trailer, TrailerHolds};
use crate::model::field::{Readers, fold};
use crate::sources::error::{ErrorKind, SourceError};

/// Rows above the header that are looked at.
pub(crate) const TITLE_ROWS: usize = 100;

/// How a connector's tables are laid out.
#[derive(Debug, Clone)]
pub struct TableLayout {
    pub(crate) header: String,
    footers: Vec<String>,
    /// Kept fields as they are compared, in cell order.
    pub(crate) fields: Vec<String>,
    /// For each column without a default its source fields: the header must have one of them.
    required: Vec<Vec<String>>,
    trailer: Option<Trailer>,
}

/// Which cells the columns of one table fill, and what its footer row must say.
#[derive(Debug, Clone)]
pub(crate) struct TableColumns {
    /// For each column the cells that it fills; of two columns with one name the first counts.
    pub(crate) fills: Vec<Vec<usize>>,
    pub(crate) tally: Option<TrailerCheck>,
}

impl TableLayout {
    #[must_use]
    pub fn compile(header: &str, footers: &[String], readers: &Readers, trailer: Option<&Trailer>) -> Self {
        // A column that has gone is no empty column: only a `default` says what its absence means.
        let required = readers.readers.iter().filter(|reader| !reader.optional).map(|reader| reader.from.clone());
        Self {
            header: fold(header),
            footers: footers.iter().map(|footer| fold(footer)).filter(|footer| !footer.is_empty()).collect(),
            fields: readers.fields.iter().map(|field| fold(field)).collect(),
            required: required.collect(),
            trailer: trailer.cloned(),
        }
    }

    /// The columns of a table with this header row, whose cells are folded.
    ///
    /// # Errors
    /// `header_not_found` if it lacks a column that is needed.
    pub(crate) fn columns(&self, header: &[String]) -> Result<TableColumns, SourceError> {
        for alternatives in &self.required {
            if !alternatives.iter().any(|field| header.contains(&fold(field))) {
                let names = alternatives.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(" or ");
                return Err(no_column(&names));
            }
        }
        let mut fills = vec![Vec::new(); header.len()];
        for (field, name) in self.fields.iter().enumerate() {
            if let Some(at) = header.iter().position(|cell| cell == name) {
                fills[at].push(field);
            }
        }
        let at = |name: &str| {
            let wanted = fold(name);
            header.iter().position(|cell| *cell == wanted).ok_or_else(|| no_column(&format!("`{name}`")))
        };
        let tally = match &self.trailer {
            None => None,
            Some(trailer) => {
                let column = at(&trailer.column)?;
                let of = trailer.of.as_deref().map_or(Ok(column), at)?;
                Some(TrailerCheck { column, of, holds: trailer.holds, rows: 0, sum: 0, unread: 0 })
            }
        };
        Ok(TableColumns { fills, tally })
    }

    /// Whether a row that begins with this text is a footer.
    pub(crate) fn is_footer(&self, first: &[u8]) -> bool {
        // Most rows begin with their number: those are not folded.
        let number = first.first().is_some_and(u8::is_ascii_digit);
        self.footers
            .iter()
            .filter(|footer| !number || footer.as_bytes()[0].is_ascii_digit())
            .any(|footer| std::str::from_utf8(first).is_ok_and(|text| fold(text).starts_with(footer.as_str())))
    }
}

impl TableColumns {
    /// Whether a row that fills so many of the kept columns is a record, not a signature or a remark.
    pub(crate) fn is_record(&self, filled: usize) -> bool {
        let kept = self.fills.iter().filter(|fields| !fields.is_empty()).count();
        filled > 0 && filled >= kept.div_ceil(2).max(2).min(kept)
    }
}

pub(crate) fn rows_below_footer(row: impl std::fmt::Display) -> SourceError {
    SourceError::new(ErrorKind::RowsBelowFooter, format!("{row} is a record and stands below the footer row"))
}

fn no_column(names: &str) -> SourceError {
    SourceError::new(ErrorKind::HeaderNotFound, format!("the header row has no column {names}"))
}

/// What was read, to be held against the footer row.
#[derive(Debug, Clone)]
pub(crate) struct TrailerCheck {
    /// Column of the footer row's number.
    pub(crate) column: usize,
    /// Column that is summed.
    pub(crate) of: usize,
    holds: TrailerHolds,
    rows: u64,
    sum: u64,
    /// Rows whose number could not be read.
    unread: u64,
}

impl TrailerCheck {
    /// Counts a row with the text of its column `of`; `None` if the row could not be read.
    pub(crate) fn add(&mut self, cell: Option<&str>) {
        self.rows += 1;
        match cell.and_then(number) {
            Some(value) => self.sum = self.sum.saturating_add(value),
            None => self.unread += 1,
        }
    }

    /// Holds the footer row's number against what was read. Where a row's own number could not be read, the sum may be larger than
    /// what was read and not smaller.
    ///
    /// # Errors
    /// `trailer_missing` without a footer row, `trailer_disagrees`.
    pub(crate) fn close(&self, footer: Option<&str>) -> Result<(), SourceError> {
        let Some(footer) = footer else {
            return Err(SourceError::new(ErrorKind::TrailerMissing, "there is no footer row"));
        };
        let (what, found, partly) = match self.holds {
            TrailerHolds::Sum => ("the sum", self.sum, self.unread > 0),
            TrailerHolds::Count => ("the number", self.rows, false),
        };
        let declared = number(footer).filter(|_| !footer.trim().is_empty());
        match declared {
            Some(declared) if declared == found || (partly && declared > found) => Ok(()),
            Some(declared) => {
                // No number of it: of one row, a sum is what stands in its cell, whatever that is.
                let far = if declared < found { "less" } else { "more" };
                let message = format!("the footer row says {far} than {what} of its {} rows", self.rows);
                Err(SourceError::new(ErrorKind::TrailerDisagrees, message))
            }
            None => Err(SourceError::new(ErrorKind::TrailerDisagrees, "the footer row has no number in its column")),
        }
    }
}

/// A whole number with or without separators between groups of three; an empty text is 0.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0);
    }
    let groups: Vec<&str> = text.split(['.', ',', ' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    let plain = !groups[0].is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if grouped && plain && digits.len() <= 15 { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(holds: TrailerHolds, cells: &[Option<&str>]) -> TrailerCheck {
        let mut tally = TrailerCheck { column: 0, of: 0, holds, rows: 0, sum: 0, unread: 0 };
        for cell in cells {
            tally.add(*cell);
        }
        tally
    }

    #[test]
    fn the_footer_row_is_held_against_the_rows() {
        let fees = [Some("30.000"), Some("1,250,000"), Some("30 000"), Some(""), Some("0")];
        let bad = [Some("30.000"), Some("3.00"), None];
        for (holds, cells, footer, expected) in [
            (TrailerHolds::Sum, fees.as_slice(), Some("1.310.000"), Ok(())),
            (TrailerHolds::Sum, &fees, Some("1310000"), Ok(())),
            (TrailerHolds::Sum, &fees, Some("1.340.000"), Err(ErrorKind::TrailerDisagrees)),
            (TrailerHolds::Sum, &fees, Some(""), Err(ErrorKind::TrailerDisagrees)),
            (TrailerHolds::Sum, &fees, Some("một triệu"), Err(ErrorKind::TrailerDisagrees)),
            (TrailerHolds::Sum, &fees, None, Err(ErrorKind::TrailerMissing)),
            (TrailerHolds::Count, &fees, Some("5"), Ok(())),
            (TrailerHolds::Count, &fees, Some("6"), Err(ErrorKind::TrailerDisagrees)),
            (TrailerHolds::Count, &bad, Some("3"), Ok(())),
            (TrailerHolds::Sum, &bad, Some("60.000"), Ok(())),
            (TrailerHolds::Sum, &bad, Some("20.000"), Err(ErrorKind::TrailerDisagrees)),
            (TrailerHolds::Sum, &[], Some("0"), Ok(())),
        ] {
            let found = tally(holds, cells).close(footer).map_err(|error| error.kind);
            assert_eq!(found, expected, "{holds:?} {footer:?}");
        }
    }

    #[test]
    fn numbers_have_groups_of_three() {
        for (text, expected) in [
            ("1.030.000", Some(1_030_000)),
            (" 30\u{a0}000 ", Some(30_000)),
            ("30.1250", None),
            ("1000.000", None),
            ("-5", None),
            (".000", None),
            ("1234567890123456", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
