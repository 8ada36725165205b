//! Lines of the lists of FTP servers: `MLSD` (RFC 3659), and `LIST`, which no document describes. Pure.

use crate::sources::transport::remote_stamp::RemoteStamp;

/// What a line of a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A file, and its stamp if the line has it.
    File(Vec<u8>, Option<RemoteStamp>),
    /// A folder, or a line without an entry.
    Other,
    /// Not a line of such a list.
    Unknown,
}

/// A line of `MLSD`: facts, each with a `;`, a space, the name.
pub(super) fn of_mlsd(line: &[u8]) -> Line {
    let Some(space) = line.iter().position(|byte| *byte == b' ') else { return Line::Unknown };
    let (facts, name) = (String::from_utf8_lossy(&line[..space]).to_ascii_lowercase(), &line[space + 1..]);
    if name.is_empty() || !facts.ends_with(';') {
        return Line::Unknown;
    }
    let mut stamp = RemoteStamp::default();
    let (mut kind, mut has_size) = (String::new(), false);
    for fact in facts.split_terminator(';') {
        match fact.split_once('=') {
            Some(("type", value)) => value.clone_into(&mut kind),
            Some(("size", value)) => match value.parse() {
                Ok(bytes) => (stamp.bytes, has_size) = (bytes, true),
                Err(_) => return Line::Unknown,
            },
            Some(("modify", value)) => stamp.modified = of_digits(value),
            Some(_) => {}
            None => return Line::Unknown,
        }
    }
    match kind.as_str() {
        "file" => Line::File(name.to_vec(), has_size.then_some(stamp)),
        "dir" | "cdir" | "pdir" => Line::Other,
        "" => Line::Unknown,
        // Links, and what a server calls otherwise: the server says what is behind them.
        _ => Line::File(name.to_vec(), None),
    }
}

/// A line of `LIST`, in the form of Unix or of Windows. Sizes and times are not read: the times are in the server's zone, to
/// the minute, and without a year.
pub(super) fn of_list(line: &[u8]) -> Line {
    let text = String::from_utf8_lossy(line);
    let words = text.split_ascii_whitespace().count();
    if text.starts_with("total ") && words == 2 {
        return Line::Other;
    }
    match line.first() {
        // drwxr-xr-x 2 owner group 4096 Nov 30 17:55 name
        Some(b'-' | b'd' | b'l' | b'p' | b's' | b'b' | b'c') if words >= 9 => {
            let Some(mut name) = after_words(line, 8) else { return Line::Unknown };
            if line[0] == b'd' {
                return Line::Other;
            }
            if line[0] == b'l'
                && let Some(arrow) = name.windows(4).position(|four| four == b" -> ")
            {
                name = &name[..arrow];
            }
            Line::File(name.to_vec(), None)
        }
        // 11-30-26  05:55PM       <DIR>          name
        Some(b'0'..=b'9') if words >= 4 => match (text.split_ascii_whitespace().nth(2), after_words(line, 3)) {
            (Some("<DIR>"), Some(_)) => Line::Other,
            (Some(size), Some(name)) if size.bytes().all(|byte| byte.is_ascii_digit()) => {
                Line::File(name.to_vec(), None)
            }
            _ => Line::Unknown,
        },
        _ => Line::Unknown,
    }
}

/// What follows a number of words and one space, so that a name keeps the spaces that it has. Windows aligns the names with
/// several spaces.
fn after_words(line: &[u8], words: usize) -> Option<&[u8]> {
    let mut at = 0;
    for word in 0..words {
        at += line[at..].iter().position(|byte| *byte != b' ')?;
        at += line[at..].iter().position(|byte| *byte == b' ')?;
        let is_last = word + 1 == words;
        at += usize::from(is_last && words == 8);
    }
    let name = if words == 8 { line.get(at..)? } else { line[at..].trim_ascii_start() };
    (!name.is_empty()).then_some(name)
}

/// Seconds since 1970 of `yyyyMMddHHmmss`, UTC, perhaps with a fraction.
fn of_digits(text: &str) -> Option<i64> {
    let digits = text.split('.').next().filter(|digits| digits.len() == 14)?;
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let part = |from: usize| number(from, from + 2).and_then(|part| i8::try_from(part).ok());
    let time = jiff::civil::DateTime::new(number(0, 4)?, part(4)?, part(6)?, part(8)?, part(10)?, part(12)?, 0).ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Line {
        Line::File(name.as_bytes().to_vec(), None)
    }

    #[test]
    fn lines_of_mlsd_have_facts_and_a_name_that_may_hold_anything() {
        let stamp = RemoteStamp { bytes: 12, modified: Some(1_764_525_300), ..RemoteStamp::default() };
        for (line, expected) in [
            (
                "type=file;size=12;modify=20251130175500;perm=r; a; b.csv",
                Line::File(b"a; b.csv".to_vec(), Some(stamp.clone())),
            ),
            ("Type=FILE;Modify=20251130175500.123;Size=12; x", Line::File(b"x".to_vec(), Some(stamp))),
            ("type=dir;modify=20251130175500; sub.csv", Line::Other),
            ("type=cdir; .", Line::Other),
            ("type=OS.unix=slink:/x;size=3; link.csv", file("link.csv")),
            ("type=file;modify=20251130175500; no size", file("no size")),
            ("type=file;size=12x; a", Line::Unknown),
            ("type=file;size=12;", Line::Unknown),
            ("size=12; a", Line::Unknown),
            ("-rw-r--r-- 1 a b 3 Nov 30 17:55 a", Line::Unknown),
            ("", Line::Unknown),
        ] {
            assert_eq!(of_mlsd(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn lines_of_list_give_names_with_their_spaces() {
        for (line, expected) in [
            ("-rw-r--r--    1 1000     1000           12 Nov 30 17:55 a.csv", file("a.csv")),
            ("-rw-r--r-- 1 u g 12 Nov 30  2025  Danh sách  tháng 10.csv", file(" Danh sách  tháng 10.csv")),
            ("drwxr-xr-x 2 u g 4096 Nov 30 17:55 sub.csv", Line::Other),
            ("lrwxrwxrwx 1 u g 5 Nov 30 17:55 a.csv -> /b.csv", file("a.csv")),
            ("total 12", Line::Other),
            ("11-30-26  05:55PM                 1234 a b.csv", file("a b.csv")),
            ("11-30-26  05:55PM       <DIR>          sub", Line::Other),
            ("11-30-26  05:55PM       many          sub", Line::Unknown),
            ("-rw-r--r-- 1 u g 12 Nov 30 17:55", Line::Unknown),
            ("-rw-r--r-- 1 u g 12 Nov 30 17:55 ", Line::Unknown),
            ("a.csv", Line::Unknown),
        ] {
            assert_eq!(of_list(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn times_of_no_calendar_are_none() {
        for text in ["", "20251301000000", "2025113017550", "20250230000000", "2025-130175500", "２０２５"] {
            assert_eq!(of_digits(text), None, "{text}");
        }
        assert_eq!(of_digits("19700101000001"), Some(1));
    }
}
