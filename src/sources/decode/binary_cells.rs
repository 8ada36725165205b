//! Numbers of the binary formats (`.xls` and `.xlsb`), and which of them are dates.

use crate::sources::decode::plain_workbook::PlainCell;

/// What the numbers of a cell format are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum NumberKind {
    #[default]
    Number,
    Date,
    Duration,
}

impl NumberKind {
    pub(super) fn cell(self, number: f64) -> PlainCell<'static> {
        match self {
            Self::Number => PlainCell::Number(number),
            Self::Date => PlainCell::Date(number),
            Self::Duration => PlainCell::Duration(number),
        }
    }
}

pub(super) fn short(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn long(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn double(data: &[u8], at: usize) -> Option<f64> {
    let number = f64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?);
    number.is_finite().then_some(number)
}

/// A number in four bytes (RK): the upper half of a double or a whole number of 30 bits, perhaps in hundredths.
pub(super) fn short_number(data: &[u8], at: usize) -> Option<f64> {
    let bits = long(data, at)?;
    let number = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from(i32::from_le_bytes(bits.to_le_bytes()) >> 2)
    };
    let number = if bits & 1 == 0 { number } else { number / 100.0 };
    number.is_finite().then_some(number)
}

/// What the numbers of a format are that every program knows (ECMA-376 18.8.30, with those of East Asia).
pub(super) fn kind_of_number(number: u16) -> NumberKind {
    match number {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => NumberKind::Date,
        46 => NumberKind::Duration,
        _ => NumberKind::Number,
    }
}

/// What the numbers of a written format are: a date if it has letters of dates outside of texts, colours and conditions.
pub(super) fn kind_of_format(format: &str) -> NumberKind {
    let mut letters = format.chars();
    let mut found = NumberKind::Number;
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                letters.by_ref().find(|letter| *letter == '"');
            }
            '\\' | '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inside: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                let inside = inside.to_ascii_lowercase();
                if !inside.is_empty()
                    && ["h", "m", "s"].iter().any(|unit| inside.trim_matches(|letter| unit.contains(letter)).is_empty())
                {
                    return NumberKind::Duration;
                }
            }
            ';' => return found,
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => found = NumberKind::Date,
            _ => {}
        }
        // `General` and `Standard` have letters of dates, and are no format of one.
        if found == NumberKind::Date && ["general", "standard"].contains(&format.to_ascii_lowercase().as_str()) {
            return NumberKind::Number;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_dates_are_recognised() {
        for (format, expected) in [
            ("General", NumberKind::Number),
            ("#,##0.00\\ \"days\"", NumberKind::Number),
            ("[Red]0;[Blue]-0", NumberKind::Number),
            ("dd/mm/yyyy", NumberKind::Date),
            ("[$-42A]d mmmm yyyy;@", NumberKind::Date),
            ("h:mm AM/PM", NumberKind::Date),
            ("[h]:mm:ss", NumberKind::Duration),
            ("0_d", NumberKind::Number),
            ("", NumberKind::Number),
        ] {
            assert!(kind_of_format(format) == expected, "{format}");
        }
    }
}
