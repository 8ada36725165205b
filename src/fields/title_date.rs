//! Date in the title of a list, such as `Từ ngày 01/10/2026 đến ngày 31/10/2026`.

use crate::fields::DateFormat;
use crate::model::instant;
use crate::model::text::fold;

/// Pattern of a date in a title: a date format, or texts around one in braces (`đến ngày {dd/MM/yyyy}`).
#[derive(Debug, Clone)]
pub struct TitleDate {
    /// Folded text that must stand before the date; may be empty.
    before: String,
    format: DateFormat,
    /// Folded text that must stand after it; may be empty.
    after: String,
}

impl TitleDate {
    /// # Errors
    /// What is wrong with the pattern: braces that do not match, or a format that is none.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let (before, format, after) = match pattern.split_once('{') {
            None => ("", pattern, ""),
            Some((before, rest)) => {
                let (format, after) = rest.split_once('}').ok_or_else(|| "a `{` without `}`".to_owned())?;
                (before, format, after)
            }
        };
        if [before, format, after].iter().any(|part| part.contains(['{', '}'])) {
            return Err("one date in braces at most, such as `đến ngày {dd/MM/yyyy}`".to_owned());
        }
        Ok(Self { before: fold(before), format: DateFormat::compile_month(format)?, after: fold(after) })
    }

    /// Instant of the last date of `text` that matches, microseconds UTC. Texts around it are compared without regard to
    /// letter case, spacing and the form of Unicode.
    #[must_use]
    pub fn last(&self, text: &str) -> Option<i64> {
        let zone = instant::zone();
        let is_before = |at: usize| text.get(..at).is_some_and(|part| fold(part).ends_with(&self.before));
        let is_after = |at: usize| text.get(at..).is_some_and(|part| fold(part).starts_with(&self.after));
        let found = self.format.matches(text, &zone).filter(|(bytes, _)| is_before(bytes.start) && is_after(bytes.end));
        found.last().map(|(_, instant)| instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::instant::display;

    #[test]
    fn the_last_date_that_matches_counts() {
        let title = "BẢNG KÊ  Từ ngày 01/10/2026 đến ngày 31/10/2026\nNgày in: 05/11/2026, Tháng 9.2026";
        for (pattern, expected) in [
            ("dd/MM/yyyy", Some("2026-11-05")),
            ("đến ngày {dd/MM/yyyy}", Some("2026-10-31")),
            ("ĐẾN  NGÀY{dd/MM/yyyy}", Some("2026-10-31")),
            ("từ ngày {dd/MM/yyyy} đến", Some("2026-10-01")),
            ("{dd/MM/yyyy}, tháng", Some("2026-11-05")),
            ("đến hết ngày {dd/MM/yyyy}", None),
            ("tháng {M.yyyy}", Some("2026-09-01")),
            ("yyyy-MM-dd", None),
        ] {
            let found = TitleDate::compile(pattern).expect("a pattern").last(title);
            assert_eq!(found.map(|found| display(found)[..10].to_owned()).as_deref(), expected, "{pattern}");
        }
        // The same letters in another form of Unicode.
        let decomposed = "đe\u{302}\u{301}n nga\u{300}y 31/10/2026";
        assert!(TitleDate::compile("đến ngày {dd/MM/yyyy}").expect("a pattern").last(decomposed).is_some());
        // No date of the calendar.
        assert_eq!(TitleDate::compile("dd/MM/yyyy").expect("a pattern").last("31/02/2026"), None);
    }

    #[test]
    fn patterns_without_a_date_are_refused() {
        for pattern in ["", "đến ngày", "đến ngày {dd/MM/yyyy", "{dd/MM} {yyyy}", "đến ngày dd/MM/yyyy}", "{}"]
        {
            assert!(TitleDate::compile(pattern).is_err(), "{pattern}");
        }
    }
}
