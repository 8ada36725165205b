//! Numbers with decimals, as multiples of their last decimal: with two decimals, `92,35` is 9235.

use crate::fields::syntax;
use crate::model::connector::Grouping;
use crate::model::page::Reason;

/// Most decimals that a field may have.
pub(super) const MAX_DECIMALS: u32 = 6;

/// The value of a text with at most so many decimals. `grouping` says which mark stands between groups of three digits; the
/// other one, of dot and comma, stands before decimals. Without it, `1.234,5` and `92.35` say it themselves, and `1.234` does
/// not.
///
/// # Errors
/// [`Reason::AmbiguousNumber`]; [`Reason::WrongForm`], also for more decimals, unless they are zeros.
pub(super) fn scaled(text: &str, grouping: Option<Grouping>, decimals: u32) -> Result<i64, Reason> {
    let (mark, group) = match grouping {
        Some(Grouping::Dot) => (Some(','), Some(Grouping::Dot)),
        Some(Grouping::Comma) => (Some('.'), Some(Grouping::Comma)),
        Some(grouping) => (only_mark(text)?, Some(grouping)),
        None => mark_of(text)?,
    };
    let (whole, fraction) = mark.and_then(|mark| text.rsplit_once(mark)).unwrap_or((text, ""));
    if mark.is_some_and(|mark| text.contains(mark)) && fraction.is_empty() {
        return Err(Reason::WrongForm);
    }
    let whole_number = syntax::integer(whole, group)?;
    let kept = usize::try_from(decimals).unwrap_or(usize::MAX).min(fraction.len());
    let (kept, rest) = fraction.split_at_checked(kept).ok_or(Reason::WrongForm)?;
    let are_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits || rest.bytes().any(|byte| byte != b'0') {
        return Err(Reason::WrongForm);
    }
    let digits = format!("{kept:0<width$}", width = decimals as usize);
    let fraction: i64 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| Reason::WrongForm)? };
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let scaled = whole_number.checked_mul(10_i64.pow(decimals)).and_then(|whole| whole.checked_add(sign * fraction));
    scaled.ok_or(Reason::OutOfRange)
}

/// The mark of a number whose groups have none, or spaces.
fn only_mark(text: &str) -> Result<Option<char>, Reason> {
    let mut marks = text.chars().filter(|symbol| matches!(symbol, '.' | ','));
    match (marks.next(), marks.next()) {
        (Some(_), Some(_)) => Err(Reason::WrongForm),
        (mark, _) => Ok(mark),
    }
}

/// The mark before decimals, and the one between groups, as a text shows them.
fn mark_of(text: &str) -> Result<(Option<char>, Option<Grouping>), Reason> {
    let count = |mark: char| text.matches(mark).count();
    let group_of = |mark: char| if mark == '.' { Grouping::Dot } else { Grouping::Comma };
    match (count('.'), count(',')) {
        (0, 0) => Ok((None, None)),
        // Only one kind: once before decimals, or often between groups.
        (1, 0) | (0, 1) => {
            let mark = if count('.') == 1 { '.' } else { ',' };
            let (whole, after) = text.split_once(mark).unwrap_or((text, ""));
            let whole = whole.trim_start_matches('-');
            // `0,500` and `1234.567` have no groups.
            let are_digits = after.bytes().all(|byte| byte.is_ascii_digit());
            let may_be_group =
                are_digits && after.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            if may_be_group { Err(Reason::AmbiguousNumber) } else { Ok((Some(mark), Some(Grouping::Space))) }
        }
        (_, 0) => Ok((None, Some(Grouping::Dot))),
        (0, _) => Ok((None, Some(Grouping::Comma))),
        (dots, commas) => {
            let last = if text.rfind('.') > text.rfind(',') { '.' } else { ',' };
            let other = if last == '.' { ',' } else { '.' };
            let is_once = if last == '.' { dots == 1 } else { commas == 1 };
            if is_once { Ok((Some(last), Some(group_of(other)))) } else { Err(Reason::WrongForm) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_as_they_are() {
        for (text, decimals, expected) in [
            ("92,35", 2, Ok(9_235)),
            ("92.35", 2, Ok(9_235)),
            ("92", 2, Ok(9_200)),
            ("92,5", 2, Ok(9_250)),
            ("-0,5", 1, Ok(-5)),
            ("0.500", 2, Ok(50)),
            ("1234.567", 3, Ok(1_234_567)),
            ("1.234,5", 1, Ok(12_345)),
            ("1,234,567.25", 2, Ok(123_456_725)),
            ("1.234.567", 1, Ok(12_345_670)),
            ("1 234,5", 1, Ok(12_345)),
            // As a number of JSON or of a workbook is written.
            ("1.2340", 3, Ok(1_234)),
            ("1.234", 3, Err(Reason::AmbiguousNumber)),
            ("12,345", 2, Err(Reason::AmbiguousNumber)),
            ("92,355", 2, Err(Reason::AmbiguousNumber)),
            ("92,3551", 2, Err(Reason::WrongForm)),
            ("1.5e3", 2, Err(Reason::WrongForm)),
            ("92,", 2, Err(Reason::WrongForm)),
            (",5", 2, Err(Reason::WrongForm)),
            ("1.23.4", 2, Err(Reason::WrongForm)),
            ("1,5,6.2", 2, Err(Reason::WrongForm)),
            ("", 2, Err(Reason::WrongForm)),
            ("92,3é", 1, Err(Reason::WrongForm)),
        ] {
            assert_eq!(scaled(text, None, decimals), expected, "{text}");
        }
    }

    #[test]
    fn a_declared_mark_between_groups_leaves_the_other_before_decimals() {
        for (text, grouping, expected) in [
            ("1.234", Grouping::Dot, Ok(123_400)),
            ("1.234,56", Grouping::Dot, Ok(123_456)),
            ("92.35", Grouping::Dot, Err(Reason::WrongForm)),
            ("1,234", Grouping::Comma, Ok(123_400)),
            ("1.230", Grouping::Comma, Ok(123)),
            ("92,35", Grouping::Comma, Err(Reason::WrongForm)),
            ("1.230", Grouping::Ungrouped, Ok(123)),
            ("1 234,5", Grouping::Space, Ok(123_450)),
            ("1.234,5", Grouping::Ungrouped, Err(Reason::WrongForm)),
        ] {
            assert_eq!(scaled(text, Some(grouping), 2), expected, "{text} {grouping:?}");
        }
    }
}
