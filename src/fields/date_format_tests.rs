use super::*;
use crate::model::instant::{display, from_local, zone};

fn read(pattern: &str, text: &str) -> Option<String> {
    let format = DateFormat::compile(pattern).expect("the pattern is valid");
    format.read(text, &zone()).map(display)
}

#[test]
fn a_date_is_found_in_a_file_name() {
    for (pattern, text, expected) in [
        ("yyyy-MM-dd", "bcci-2026-10-31.csv", Some("2026-10-31")),
        ("yyyy-MM-dd", "bcci-2026-10-31-2026-11-01.csv", Some("2026-10-31")),
        ("MM.yyyy", "BCCI T10.2026 (2).xlsx", Some("2026-10-01")),
        ("M.yyyy", "tháng 9.2026.xlsx", Some("2026-09-01")),
        ("yyyyMMdd", "x120261031.csv", None),
        ("yyyyMMdd", "x20261031.csv", Some("2026-10-31")),
        ("yyyyMMdd", "x202610315.csv", None),
        ("yyyyMMdd", "202613 20261031", Some("2026-10-31")),
        ("yyyy-MM-dd", "báo cáo.csv", None),
        ("yyyy-MM-dd", "", None),
    ] {
        let format = DateFormat::compile_month(pattern).expect("the pattern is valid");
        let found = format.find(text, &zone()).map(|found| display(found)[..10].to_owned());
        assert_eq!(found.as_deref(), expected, "{pattern} in {text}");
    }
    assert!(DateFormat::compile_month("yyyy").is_err() && DateFormat::compile("MM.yyyy").is_err());
}

#[test]
fn formats_of_known_systems_are_read() {
    for (pattern, text, expected) in [
        ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000+0700", "2025-10-01T17:00:00+07:00"),
        ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000+0000", "2025-10-02T00:00:00+07:00"),
        ("yyyy-MM-dd HH:mm:ss[.S]Z", "2011-10-06 01:06:40.020000+02:00", "2011-10-06T06:06:40+07:00"),
        ("yyyy-MM-dd HH:mm:ss[.S]Z", "2011-12-06 01:06:40+01:00", "2011-12-06T07:06:40+07:00"),
        ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020", "2020-10-15T00:00:00+07:00"),
        ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020 10:30", "2020-10-15T10:30:00+07:00"),
        ("dd/MM/yyyy[ HH:mm[:ss]]", "15/10/2020 10:30:59", "2020-10-15T10:30:59+07:00"),
        ("d/M/yyyy", "5/1/2020", "2020-01-05T00:00:00+07:00"),
        ("yyyyMMddHHmmss", "20201012083000", "2020-10-12T08:30:00+07:00"),
    ] {
        assert_eq!(read(pattern, text).as_deref(), Some(expected), "{pattern} on {text}");
    }
}

#[test]
fn texts_that_do_not_match_are_refused() {
    for (pattern, text) in [
        ("dd/MM/yyyy", "31/02/2020"),
        ("dd/MM/yyyy", "15/10/2020 "),
        ("dd/MM/yyyy[ HH:mm]", "15/10/2020 25:00"),
        ("dd/MM/yyyy", "Nguyễn Văn A"),
        ("yyyy-MM-ddTHH:mm:ss.SZ", "2025-10-01T17:00:00.000"),
    ] {
        assert_eq!(read(pattern, text), None, "{pattern} on {text}");
    }
}

#[test]
fn an_instant_beyond_the_calendar_is_later_than_any_bound() {
    let format = DateFormat::compile("yyyy-MM-ddTHH:mm:ssZ").expect("the pattern is valid");
    // 30 December 9999, 20:00 at UTC−7 is 03:00 UTC of the 31st: the library's calendar has ended.
    let late = format.read("9999-12-30T20:00:00-0700", &zone()).expect("a date");
    assert!(late > from_local(jiff::civil::date(2201, 1, 1).at(0, 0, 0, 0)), "{late}");
    assert_eq!(format.read("9999-12-31T23:59:59-0700", &zone()), Some(i64::MAX));
}

#[test]
fn instants_are_written() {
    let at = from_local(jiff::civil::datetime(2026, 1, 5, 8, 3, 9, 45_000_000));
    for (pattern, expected) in [
        ("yyyy-MM-ddTHH:mm:ss.SZ", "2026-01-05T08:03:09.045+0700"),
        ("yyyy-MM-dd", "2026-01-05"),
        ("d/M/yyyy H:mm", "5/1/2026 8:03"),
        ("yyyyMMddHHmmss", "20260105080309"),
        ("dd/MM/yyyy[ HH:mm]", "05/01/2026 08:03"),
    ] {
        assert_eq!(DateFormat::compile(pattern).expect("the pattern is valid").write(at), expected);
    }
}

#[test]
fn malformed_formats_do_not_compile() {
    for pattern in [
        "dd/MM",
        "dd/MM/yyyy[ HH",
        "dd/MM/yyyy]",
        "qq/MM/yyyy",
        "dd/MM/yyyy hh:mm",
        "dd/MM/yyyy hh:mm[ a]",
        "dd/MM/yyyy[ hh:mm][ a]",
        "dd/MM/yyyy a",
        "dd/MM/yyyy 'lúc",
        "epoch_minutes",
        // A text without the year or month would be a date in the year 0.
        "[yyyy-]MM-dd",
        "dd[/MM]/yyyy",
        "[dd/MM/yyyy]",
        "[yyyy-MM-dd][dd/MM/yyyy]",
        // Stated twice, and ends that are not known.
        "dd/MM/yyyy yy",
        "yyyy-MM-dd d",
        "d/Myyyy",
        "d[MM]/MM/yyyy",
        "dd/M[1]/yyyy",
        "yyyy-MM-dd HH:mm:ss.SZ7",
        "yyyy-MM-dd[H]1",
    ] {
        assert!(DateFormat::compile(pattern).is_err(), "{pattern}");
    }
    for pattern in ["ddMMMyyyy", "yyyyMMdd", "yyyyMMddHHmmss", "[HH:mm ]d/M/yyyy", "dd/MM/yyyy[ H:mm[:ss]][ a]"] {
        assert_eq!(DateFormat::compile(pattern).err(), None, "{pattern}");
    }
    let nested = |depth: usize| format!("{}yyyy{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [9, 100_000] {
        let why = DateFormat::compile(&nested(depth)).expect_err("too deep");
        assert!(why.contains("more than 8 brackets"), "{why}");
    }
}

#[test]
fn no_part_of_a_text_that_is_empty_is_a_date() {
    let format = DateFormat::compile_month("[dd/]MM.yyyy").expect("the pattern is valid");
    assert_eq!(format.find("", &zone()), None);
    assert_eq!(format.find("1", &zone()), None);
    assert!(format.find("list 01.2026", &zone()).is_some());
}

#[test]
fn halves_of_the_day_words_and_short_years_are_read() {
    for (pattern, text, expected) in [
        ("dd/MM/yyyy hh:mm a", "05/01/2026 08:30 SA", Some("2026-01-05T08:30:00+07:00")),
        ("dd/MM/yyyy hh:mm a", "05/01/2026 08:30 CH", Some("2026-01-05T20:30:00+07:00")),
        ("M/d/yyyy h:mm:ss a", "1/5/2026 12:00:00 AM", Some("2026-01-05T00:00:00+07:00")),
        ("M/d/yyyy h:mm:ss a", "1/5/2026 12:30:00 PM", Some("2026-01-05T12:30:00+07:00")),
        ("M/d/yyyy h:mm:ss a", "1/5/2026 0:30:00 AM", Some("2026-01-05T00:30:00+07:00")),
        ("M/d/yyyy h:mm:ss a", "1/5/2026 0:30:00 PM", None),
        ("M/d/yyyy h:mm:ss a", "1/5/2026 13:30:00 PM", None),
        ("dd/MM/yyyy HH:mm a", "05/01/2026 14:30 PM", Some("2026-01-05T14:30:00+07:00")),
        ("dd/MM/yyyy HH:mm a", "05/01/2026 14:30 AM", None),
        ("dd/MM/yyyy[ hh:mm a]", "05/01/2026", Some("2026-01-05T00:00:00+07:00")),
        ("dd-MMM-yy", "05-Jan-26", Some("2026-01-05T00:00:00+07:00")),
        ("dd.MMM.yyyy", "05.Jan.2026", Some("2026-01-05T00:00:00+07:00")),
        ("dd.MMM.yyyy", "05.tháng 1.2026", Some("2026-01-05T00:00:00+07:00")),
        ("dd MMM yyyy", "05 Jan. 2026", Some("2026-01-05T00:00:00+07:00")),
        ("dd MMM yyyy", "05 Jan.. 2026", None),
        ("dd-MMM-yy", "05-JAN-69", Some("1969-01-05T00:00:00+07:00")),
        ("MMM d, yyyy h:mm:ss a", "Jan 5, 2026 3:04:05 PM", Some("2026-01-05T15:04:05+07:00")),
        ("d MMM, yyyy", "5 tháng 1, 2026", Some("2026-01-05T00:00:00+07:00")),
        ("'Ngày' d MMM 'năm' yyyy", "Ngày 5 tháng 01 năm 2026", Some("2026-01-05T00:00:00+07:00")),
        ("HH 'giờ' mm', ngày 'dd/MM/yyyy", "08 giờ 30, ngày 05/01/2026", Some("2026-01-05T08:30:00+07:00")),
        ("dd/MM/yy", "05/01/2026", None),
    ] {
        assert_eq!(read(pattern, text).as_deref(), expected, "{pattern} on {text}");
    }
}

#[test]
fn a_date_that_is_one_number_is_read() {
    // 5 January 2026, 08:00 in Vietnam is 01:00 UTC: 1,767,574,800 seconds after the epoch.
    for (pattern, text, expected) in [
        ("epoch_seconds", "1767574800", Some("2026-01-05T08:00:00+07:00")),
        ("epoch_milliseconds", "1767574800000", Some("2026-01-05T08:00:00+07:00")),
        ("epoch_milliseconds", "-1000", Some("1970-01-01T06:59:59+07:00")),
        ("aspnet_date", "/Date(1767574800000)/", Some("2026-01-05T08:00:00+07:00")),
        ("aspnet_date", "/Date(1767574800000+0700)/", Some("2026-01-05T08:00:00+07:00")),
        ("aspnet_date", "/Date(-1000-0500)/", Some("1970-01-01T06:59:59+07:00")),
        ("aspnet_date", "/Date(1767574800000+7)/", None),
        ("aspnet_date", "1767574800000", None),
        // Day 46,027 from 1899-12-30.
        ("spreadsheet_serial", "46027", Some("2026-01-05T00:00:00+07:00")),
        ("spreadsheet_serial", "46027.354166666664", Some("2026-01-05T08:30:00+07:00")),
        ("spreadsheet_serial", "46027,354166666664", Some("2026-01-05T08:30:00+07:00")),
        ("spreadsheet_serial", "1234", None),
        ("spreadsheet_serial", "46027e2", None),
        ("spreadsheet_serial", "-46027", None),
        // 0x695b0d10 is 1,767,574,800.
        ("object_id", "695b0d1000e4b0a1b2c3d4e5", Some("2026-01-05T08:00:00+07:00")),
        ("object_id", "695b0d1000e4b0a1b2c3d4e", None),
        ("object_id", "695b0d1000e4b0a1b2c3d4eg", None),
        ("object_id", "+95b0d1000e4b0a1b2c3d4e5", None),
        ("epoch_seconds", "", None),
        ("epoch_seconds", "1.", None),
        ("epoch_seconds", "99999999999999999999", None),
        ("epoch_milliseconds", "9223372036854775807", None),
    ] {
        assert_eq!(read(pattern, text).as_deref(), expected, "{pattern} on {text}");
    }
    let seconds = DateFormat::compile("epoch_seconds").expect("the pattern is valid");
    assert_eq!(seconds.read("1767574800.1234567", &zone()), Some(1_767_574_800_123_456));
    assert_eq!(seconds.read("-0.5", &zone()), Some(-500_000));
}

#[test]
fn what_is_written_is_read_again() {
    let at = from_local(jiff::civil::datetime(2026, 11, 5, 20, 3, 9, 0));
    for (pattern, expected) in [
        ("epoch_seconds", "1793883789"),
        ("epoch_milliseconds", "1793883789000"),
        ("aspnet_date", "/Date(1793883789000)/"),
        ("object_id", "6aec7e8d0000000000000000"),
        ("dd-MMM-yy hh:mm:ss a", "05-Nov-26 08:03:09 PM"),
        ("HH 'giờ' mm ss', năm' yyyy MM dd", "20 giờ 03 09, năm 2026 11 05"),
    ] {
        let format = DateFormat::compile(pattern).expect("the pattern is valid");
        assert_eq!(format.write(at), expected);
        assert_eq!(format.read(expected, &zone()), Some(at), "{pattern}");
    }
    let serial = DateFormat::compile("spreadsheet_serial").expect("the pattern is valid");
    for second in 0..86_400 {
        let at = at + second * 1_000_000;
        assert_eq!(serial.read(&serial.write(at), &zone()), Some(at));
    }
}
