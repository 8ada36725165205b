//! Compares the rows of a table with what its footer row declares (`complete.trailer`).

use crate::model::connector::TrailerHolds;
use crate::model::text::plain;
use crate::sources::error::{ErrorKind, SourceError};

/// Counts rows and sums a column, to compare them with the footer row (`complete.trailer`).
#[derive(Debug, Clone)]
pub(crate) struct TrailerCheck {
    /// Column of the footer row that holds the declared number.
    pub(crate) column: usize,
    /// Column that is summed.
    pub(crate) summed: usize,
    holds: TrailerHolds,
    rows: u64,
    sum: u64,
    /// Rows whose number could not be read.
    unread: u64,
}

impl TrailerCheck {
    /// `column`: column of the footer row with the declared number; `summed`: the column that is summed.
    pub(crate) fn new(column: usize, summed: usize, holds: TrailerHolds) -> Self {
        Self { column, summed, holds, rows: 0, sum: 0, unread: 0 }
    }

    /// Counts a row. `cell` is its text in the summed column; `None` if the row could not be read.
    pub(crate) fn add(&mut self, cell: Option<&str>) {
        self.rows += 1;
        match cell.and_then(number) {
            Some(value) => self.sum = self.sum.saturating_add(value),
            None => self.unread += 1,
        }
    }

    /// Compares the declared number with the rows. `footer` is its text; `None` if there is no footer row. If the
    /// number of some row could not be read, the declared sum may exceed the sum of the rows, but not be below it.
    ///
    /// # Errors
    /// `trailer_missing`, `trailer_disagrees`.
    pub(crate) fn check(&self, footer: Option<&str>) -> Result<(), SourceError> {
        let Some(footer) = footer else {
            return Err(SourceError::new(ErrorKind::TrailerMissing, "there is no footer row"));
        };
        let (measure, found, is_partial) = match self.holds {
            TrailerHolds::Sum => ("the sum", self.sum, self.unread > 0),
            TrailerHolds::Count => ("the number", self.rows, false),
        };
        let declared = number(footer).filter(|_| !footer.trim().is_empty());
        match declared {
            Some(declared) if declared == found || (is_partial && declared > found) => Ok(()),
            Some(declared) => {
                // The message has no sum: of a single row it would be the value of its cell, and values are not logged.
                let difference = if declared < found { "less" } else { "more" };
                let message =
                    format!("the footer row declares {difference} than {measure} of the {} rows above it", self.rows);
                Err(SourceError::new(ErrorKind::TrailerDisagrees, message))
            }
            None => Err(SourceError::new(ErrorKind::TrailerDisagrees, "the footer row has no number in its column")),
        }
    }
}

/// Parses a whole number with or without separators between groups of three digits; an empty text is 0.
fn number(text: &str) -> Option<u64> {
    let text = plain(text);
    let text = text.trim();
    if text.is_empty() {
        return Some(0);
    }
    let groups: Vec<&str> = text.split(['.', ',', ' ']).collect();
    let grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    let has_digits_only = !groups[0].is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if grouped && has_digits_only && digits.len() <= 15 { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailer_after(holds: TrailerHolds, cells: &[Option<&str>]) -> TrailerCheck {
        let mut trailer = TrailerCheck::new(0, 0, holds);
        for cell in cells {
            trailer.add(*cell);
        }
        trailer
    }

    #[test]
    fn the_footer_row_is_compared_with_the_rows() {
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
            let found = trailer_after(holds, cells).check(footer).map_err(|error| error.kind);
            assert_eq!(found, expected, "{holds:?} {footer:?}");
        }
    }

    #[test]
    fn numbers_may_have_groups_of_three_digits() {
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
