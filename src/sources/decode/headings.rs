//! Headings that stand in two rows: an upper heading over several columns, and one for each of them below it.
//!
//! | | | | |
//! |---|---|---|---|
//! | `Mã` | `Số hồ sơ` | | `Ghi chú` |
//! | | `Trực tuyến` | `Trực tiếp` | |
//!
//! The columns are `Mã`, `Số hồ sơ / Trực tuyến`, `Số hồ sơ / Trực tiếp` and `Ghi chú`.

/// The headings of the columns. An upper heading stands over the columns to its right that have a lower heading and no upper
/// one, as a merged cell does.
pub(crate) fn joined(upper: &[String], lower: &[String]) -> Vec<String> {
    let at = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let mut headings = Vec::new();
    let mut over = String::new();
    for column in 0..upper.len().max(lower.len()) {
        let (above, below) = (at(upper, column), at(lower, column));
        if !above.is_empty() {
            over.clone_from(&above);
        }
        if below.is_empty() {
            over.clear();
            headings.push(above);
        } else if over.is_empty() {
            headings.push(below);
        } else {
            headings.push(format!("{over} / {below}"));
        }
    }
    headings
}

/// A row without the empty cells at its end.
pub(super) fn without_end(row: &[String]) -> &[String] {
    let last = row.iter().rposition(|cell| !cell.is_empty());
    &row[..last.map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &[&str]) -> Vec<String> {
        row.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn an_upper_heading_stands_over_the_columns_below_it() {
        for (upper, lower, expected) in [
            (&["a", "b", "", "c"][..], &["", "x", "y", ""][..], &["a", "b / x", "b / y", "c"][..]),
            (&["a", "b", "c", ""], &["", "x", "x", "y"], &["a", "b / x", "c / x", "c / y"]),
            // A heading over both rows is none over the next column.
            (&["a", ""], &["", "x"], &["a", "x"]),
            (&["b", "", ""], &["x", "", "y"], &["b / x", "", "y"]),
            (&["a"], &["", "x"], &["a", "x"]),
            (&["a", "b"], &[], &["a", "b"]),
        ] {
            assert_eq!(joined(&cells(upper), &cells(lower)), expected, "{upper:?} {lower:?}");
        }
        assert_eq!(without_end(&cells(&["a", "", "b", ""])), ["a", "", "b"]);
        assert!(without_end(&cells(&["", ""])).is_empty());
    }
}
