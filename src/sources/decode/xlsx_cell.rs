//! Converts the value of a workbook cell to text.

use std::fmt::Write as _;

use calamine::{DataRef, ExcelDateTime};

/// Serial numbers of days, up to 9999-12-31. 0 and 1, the first days of both date systems, mean that there is no date;
/// they are written as numbers, which no date format reads.
const DAYS: std::ops::Range<f64> = 2.0..2_958_466.0;

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CellText<'a> {
    Empty,
    Of(&'a str),
    /// `#REF!` and the like, or a formula without a stored value.
    Error,
}

/// The content of a cell that has a formula: without a stored value it is an error, because the program that wrote the
/// file did not calculate it.
pub(crate) fn text_of_formula<'a>(value: &'a DataRef<'_>, buffer: &'a mut String) -> CellText<'a> {
    match text_of(value, buffer) {
        CellText::Empty => CellText::Error,
        text => text,
    }
}

/// The content of a cell. A value that is not a text is written into `buffer`, which must be empty.
pub(crate) fn text_of<'a>(value: &'a DataRef<'_>, buffer: &'a mut String) -> CellText<'a> {
    match value {
        DataRef::Empty => return CellText::Empty,
        DataRef::Error(_) => return CellText::Error,
        DataRef::String(text) | DataRef::DurationIso(text) => return CellText::Of(text),
        DataRef::SharedString(text) => return CellText::Of(text),
        DataRef::Bool(flag) => buffer.push_str(if *flag { "true" } else { "false" }),
        DataRef::Int(number) => {
            let _ = write!(buffer, "{number}");
        }
        DataRef::Float(number) => put_number(*number, buffer),
        DataRef::DateTime(at) if at.is_datetime() && DAYS.contains(&at.as_f64()) => put_date(at, buffer),
        // A serial number that means no date; its time of day to the second.
        DataRef::DateTime(at) if at.is_datetime() => put_number((at.as_f64() * 1e6).round() / 1e6, buffer),
        // A duration.
        DataRef::DateTime(at) => put_number(at.as_f64(), buffer),
        DataRef::DateTimeIso(text) => put_iso(text, buffer),
    }
    CellText::Of(buffer)
}

/// Writes a number in plain digits, without an exponent: a code that was stored as a number keeps the digits that the
/// file has.
fn put_number(number: f64, buffer: &mut String) {
    let start = buffer.len();
    let _ = write!(buffer, "{number}");
    // `30.125` becomes `30.1250`: a point before exactly three digits would be read as a separator of thousands.
    if buffer[start..].find('.').is_some_and(|point| buffer.len() - start - point == 4) {
        buffer.push('0');
    }
}

fn put_date(at: &ExcelDateTime, buffer: &mut String) {
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let _ = write!(buffer, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
}

/// Writes an ISO date in the format of `CELL_FORMAT`: `2025-10-03T10:30:00.5` → `2025-10-03 10:30:00`.
fn put_iso(text: &str, buffer: &mut String) {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    let _ = write!(buffer, "{date} {time}");
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};

    use super::*;

    fn date(value: f64, is_1904: bool) -> DataRef<'static> {
        DataRef::DateTime(ExcelDateTime::new(value, ExcelDateTimeType::DateTime, is_1904))
    }

    #[test]
    fn cells_become_the_text_of_a_csv_file() {
        for (value, expected) in [
            (DataRef::Float(30_000.0), "30000"),
            (DataRef::Float(1e12), "1000000000000"),
            (DataRef::Float(1.002_835), "1.002835"),
            (DataRef::Float(30.125), "30.1250"),
            (DataRef::Int(7), "7"),
            (DataRef::Bool(true), "true"),
            (DataRef::SharedString("Mã"), "Mã"),
            // 15 October 2020 is day 44,119 from 1899-12-30, and day 42,657 from 1904-01-01.
            (date(44_119.437_5, false), "2020-10-15 10:30:00"),
            (date(44_119.0, false), "2020-10-15 00:00:00"),
            (date(42_657.437_5, true), "2020-10-15 10:30:00"),
            (date(0.5, false), "0.5"),
            (date(0.0, false), "0"),
            (date(1.0, false), "1"),
            (date(1.5, true), "1.5"),
            (date(2.0, false), "1900-01-02 00:00:00"),
            (date(2_958_465.0, false), "9999-12-31 00:00:00"),
            (DataRef::DateTimeIso("2020-10-15T10:30:00.25".to_owned()), "2020-10-15 10:30:00"),
            (DataRef::DateTimeIso("2020-10-15".to_owned()), "2020-10-15 00:00:00"),
        ] {
            assert_eq!(text_of(&value, &mut String::new()), CellText::Of(expected), "{value:?}");
        }
        assert_eq!(text_of(&DataRef::Error(CellErrorType::Ref), &mut String::new()), CellText::Error);
    }

    #[test]
    fn a_formula_without_a_stored_value_is_an_error() {
        for (value, expected) in [
            (DataRef::Empty, CellText::Error),
            (DataRef::Error(CellErrorType::Value), CellText::Error),
            // `=IF(A2="";"";B2+5)` has stored the empty text.
            (DataRef::String(String::new()), CellText::Of("")),
            (DataRef::Float(8.0), CellText::Of("8")),
        ] {
            assert_eq!(text_of_formula(&value, &mut String::new()), expected, "{value:?}");
        }
    }
}
