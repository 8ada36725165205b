//! Moments as people type them: a day, or a day with a time.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::period::typed_day;

/// How a moment is written, for messages.
pub const MOMENT_FORMS: &str = "write `2026-10-01`, `2026-10-01T06:00` or `2026-10-01T06:00:30+07:00`";

const SECOND: i64 = 1_000_000;

/// The last microsecond (UTC) of what is typed: of a day, of a minute or of a second. Without an offset the time is that of
/// the office. A space may stand for the `T`, and for the `+` of an offset, which addresses turn into a space.
///
/// # Errors
/// What is wrong with it, for messages.
pub fn typed_moment(text: &str) -> Result<i64, String> {
    typed_span(text).map(|(start, length)| start + length - 1)
}

/// The same of the past: at most `now` (microseconds UTC), for today and the running minute.
///
/// # Errors
/// What is wrong with it, for messages: also that it begins after `now`.
pub fn past_moment(text: &str, now: i64) -> Result<i64, String> {
    let (start, length) = typed_span(text)?;
    if start > now {
        return Err(format!("`{}` is in the future", text.trim()));
    }
    Ok(now.min(start + length - 1))
}

/// The first microsecond (UTC) of what is typed, and how many there are.
fn typed_span(text: &str) -> Result<(i64, i64), String> {
    let text = text.trim();
    let (Some(day), Some(rest)) = (text.get(..10), text.get(10..)) else {
        return Err(format!("`{text}` is no day or moment"));
    };
    let date = typed_day(day)?;
    if rest.is_empty() {
        return Ok((from_local(date.into()), DAY_MICROS));
    }
    let wrong = || format!("`{text}` is no day or moment");
    let time = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wrong)?;
    let (time, offset) = match time.find(['+', '-', ' ', 'Z', 'z']) {
        Some(at) => (&time[..at], Some(offset(&time[at..]).ok_or_else(wrong)?)),
        None => (time, None),
    };
    let length = match time.len() {
        5 => 60 * SECOND,
        8 => SECOND,
        _ => return Err(wrong()),
    };
    let at: DateTime = format!("{day}T{time}").parse().map_err(|_| wrong())?;
    let from = match offset {
        Some(offset) => offset.to_timestamp(at).map_err(|_| wrong())?.as_microsecond(),
        None => from_local(at),
    };
    Ok((from, length))
}

/// `Z`, `+07:00`, `+0700` or `+07`.
fn offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at(1) {
        ("-", digits) => (-1, digits),
        (_, digits) => (1, digits),
    };
    let digits: String = digits.chars().filter(|sign| *sign != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "00"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_end_of_what_is_typed() {
        for (text, expected) in [
            ("2026-10-01", "2026-10-01T16:59:59.999999Z"),
            ("2026-10-01T06:00", "2026-09-30T23:00:59.999999Z"),
            ("2026-10-01 06:00", "2026-09-30T23:00:59.999999Z"),
            ("2026-10-01T06:00:00", "2026-09-30T23:00:00.999999Z"),
            ("2026-10-01T06:00+07:00", "2026-09-30T23:00:59.999999Z"),
            ("2026-10-01T06:00 07:00", "2026-09-30T23:00:59.999999Z"),
            ("2026-10-01T06:00:30Z", "2026-10-01T06:00:30.999999Z"),
            ("2026-10-01T06:00-0330", "2026-10-01T09:30:59.999999Z"),
            ("2026-10-01T06:00+08", "2026-09-30T22:00:59.999999Z"),
        ] {
            let expected: jiff::Timestamp = expected.parse().expect("a timestamp");
            assert_eq!(typed_moment(text), Ok(expected.as_microsecond()), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-10-1",
            "2026-13-01",
            "1889-01-01",
            "2026-10-01T",
            "2026-10-01T6:00",
            "2026-10-01T25:00",
            "2026-10-01T06:00+7",
            "2026-10-01T06:00+99:00",
            "2026-10-01x06:00",
            "ngày 1 tháng 10",
        ] {
            assert!(typed_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_of_the_past_is_not_after_now() {
        let of = |text: &str| typed_moment(text).expect("a moment");
        let now = of("2026-10-01T06:00:30");
        assert_eq!(past_moment("2026-09-30", now), Ok(of("2026-09-30")));
        assert_eq!(past_moment("2026-10-01T05:59", now), Ok(of("2026-10-01T05:59")));
        // Today, and the minute that is not over, are as of now.
        assert_eq!(past_moment("2026-10-01", now), Ok(now));
        assert_eq!(past_moment("2026-10-01T06:00", now), Ok(now));
        for text in ["2026-10-02", "2026-10-01T06:01", "2026-10-01T06:00:31", "2030-01-01"] {
            assert_eq!(past_moment(text, now), Err(format!("`{text}` is in the future")));
        }
        assert!(past_moment("2026", now).is_err());
    }
}
