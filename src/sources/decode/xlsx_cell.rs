//! The value of a workbook's cell as text.

use std::fmt::Write as _;

use calamine::{DataRef, ExcelDateTime};

/// Serial numbers of days that a sheet can show: 1900-01-01 or 1904-01-01 to 9999-12-31.
const DAYS: std::ops::Range<f64> = 1.0..2_958_466.0;

/// What a cell holds.
#[derive(Debug, PartialEq)]
pub(crate) enum CellText<'a> {
    Empty,
    Of(&'a str),
    /// `#REF!` and the like.
    Error,
}

/// The cell as text, in `buffer` where it is no text yet.
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
        // A duration or a time of no day is no date.
        DataRef::DateTime(at) => put_number(at.as_f64(), buffer),
        DataRef::DateTimeIso(text) => put_iso(text, buffer),
    }
    CellText::Of(buffer)
}

/// Plain digits, however large: a code that was taken for a number keeps those that the file has.
fn put_number(number: f64, buffer: &mut String) {
    let start = buffer.len();
    let _ = write!(buffer, "{number}");
    // `30.125` is no thirty thousand: a point before three digits would be read as one between groups.
    if buffer[start..].find('.').is_some_and(|point| buffer.len() - start - point == 4) {
        buffer.push('0');
    }
}

fn put_date(at: &ExcelDateTime, buffer: &mut String) {
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let _ = write!(buffer, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
}

/// `2025-10-03`, `2025-10-03T10:30:00.5` → `2025-10-03 10:30:00`.
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
    fn cells_read_as_a_csv_file_would_hold_them() {
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
            (DataRef::DateTimeIso("2020-10-15T10:30:00.25".to_owned()), "2020-10-15 10:30:00"),
            (DataRef::DateTimeIso("2020-10-15".to_owned()), "2020-10-15 00:00:00"),
        ] {
            assert_eq!(text_of(&value, &mut String::new()), CellText::Of(expected), "{value:?}");
        }
        assert_eq!(text_of(&DataRef::Error(CellErrorType::Ref), &mut String::new()), CellText::Error);
    }
}
