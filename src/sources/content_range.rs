//! Reads `Content-Range` (RFC 9110 §14.4): which part of a list a response holds. Pure.
//!
//! Sources count bytes (`bytes 0-99/1234`), or records (`items 0-24/100`, or `0-24/100` without a unit). The first
//! position is 0 or 1. `*` stands for an unknown total, or for a range without records.

/// A parsed `Content-Range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRange {
    pub is_bytes: bool,
    /// First and last position; `None` for `*`.
    pub positions: Option<(u64, u64)>,
    /// Length of the whole; `None` for `*`.
    pub total: Option<u64>,
}

impl ContentRange {
    /// `None` if the text is not a content range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().rsplit_once('/')?;
        let (unit, positions) = range.trim().rsplit_once([' ', '=']).unwrap_or(("", range.trim()));
        let total = match total.trim() {
            "*" => None,
            digits => Some(digits.parse().ok()?),
        };
        let positions = match positions {
            "*" => None,
            pair => {
                let (first, last) = pair.split_once('-')?;
                Some((first.parse().ok()?, last.parse().ok()?))
            }
        };
        if positions.is_none() && total.is_none() {
            return None;
        }
        Some(Self { is_bytes: unit.trim().eq_ignore_ascii_case("bytes"), positions, total })
    }

    /// Whether a range of bytes is the whole body.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!((self.positions, self.total), (Some((0, last)), Some(total)) if last.checked_add(1) == Some(total))
    }

    /// The declared number of records of the whole list, if the range counts the records of its page.
    #[must_use]
    pub fn records_in_all(&self, page_rows: u64) -> Option<u64> {
        let (first, last) = self.positions.filter(|_| !self.is_bytes)?;
        let is_of_records = last.checked_sub(first).and_then(|rows| rows.checked_add(1)) == Some(page_rows);
        self.total.filter(|_| is_of_records)
    }

    /// The declared total if a page chain that ends with this range has fewer records. `page_rows` and `chain_rows`:
    /// records of the last page, and of all pages of the chain.
    ///
    /// If the range does not count the page's records, it may count pages or something else: then only its end is
    /// compared with its total.
    #[must_use]
    pub fn missing_of(&self, page_rows: u64, chain_rows: u64) -> Option<u64> {
        let total = self.total?;
        let is_short = match self.positions {
            Some((first, last)) if last.checked_sub(first).and_then(|rows| rows.checked_add(1)) != Some(page_rows) => {
                last.saturating_add(1) < total
            }
            _ => chain_rows < total,
        };
        is_short.then_some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_parsed_with_and_without_a_unit() {
        for (text, expected) in [
            ("items 0-1/6", Some((false, Some((0, 1)), Some(6)))),
            ("0-24/3573458", Some((false, Some((0, 24)), Some(3_573_458)))),
            (" records = 1-25/* ", Some((false, Some((1, 25)), None))),
            ("records=1-25/*", Some((false, Some((1, 25)), None))),
            ("Bytes 0-99/100", Some((true, Some((0, 99)), Some(100)))),
            ("bytes */100", Some((true, None, Some(100)))),
            ("*/0", Some((false, None, Some(0)))),
            ("*/*", None),
            ("items 0-1", None),
            ("items a-1/6", None),
            ("items 0-1/six", None),
            ("items -1/6", None),
            ("", None),
        ] {
            let found = ContentRange::parse(text);
            assert_eq!(found.map(|range| (range.is_bytes, range.positions, range.total)), expected, "{text}");
        }
    }

    #[test]
    fn a_range_that_ends_before_its_total_names_the_total() {
        for (text, page_rows, chain_rows, expected) in [
            ("items 0-1/6", 2, 2, Some(6)),
            ("items 0-5/6", 6, 6, None),
            // Positions from 1 on: the last of the second page is the total, and the first page was read, too.
            ("items 4-6/6", 3, 6, None),
            ("items 1-5/6", 5, 5, Some(6)),
            // The last page alone is not the list.
            ("items 4-6/6", 3, 3, Some(6)),
            ("*/6", 0, 6, None),
            ("*/6", 0, 5, Some(6)),
            ("items 0-24/*", 25, 25, None),
            // Pages are counted, not records.
            ("pages 1-1/5", 20, 20, Some(5)),
            ("pages 4-4/5", 20, 100, None),
            ("items 5-1/6", 2, 2, Some(6)),
        ] {
            let range = ContentRange::parse(text).expect(text);
            assert_eq!(range.missing_of(page_rows, chain_rows), expected, "{text}: {page_rows} of {chain_rows}");
        }
    }

    #[test]
    fn only_a_range_from_the_first_to_the_last_byte_is_whole() {
        for (text, expected) in
            [("bytes 0-99/100", true), ("bytes 0-98/100", false), ("bytes 1-99/100", false), ("bytes 0-99/*", false)]
        {
            assert_eq!(ContentRange::parse(text).expect(text).is_whole(), expected, "{text}");
        }
    }
}
