//! The downloads of the pages: XLSX, and CSV with a semicolon or a comma.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use super::get;
use crate::office::serving::Serving;

/// Rows of the report that a download without a scope contains: the province, in 2026.
fn of_province(rows: &[Value]) -> Vec<&Value> {
    let wanted = |row: &&Value| row["agency"].is_null() && row["tier"].is_null() && row["period"] == "2026";
    rows.iter().filter(wanted).collect()
}

pub(super) fn are_the_figures_of_the_report(service: &Serving, cookie: &str, rows: &[Value]) {
    workbook(service, cookie, rows);
    csv(service, cookie, rows);
    let all = get(service, "/figures.csv?period=2026&scope=all&indicator=par-3.4.3", cookie);
    let wanted = rows.iter().filter(|row| row["indicator"] == "par-3.4.3" && row["period"] == "2026").count();
    assert_eq!(all.text().matches("\r\n").count(), wanted + 1, "one line per figure of every agency, and the headings");
}

fn workbook(service: &Serving, cookie: &str, rows: &[Value]) {
    let reply = get(service, "/figures.xlsx?period=2026", cookie);
    assert_eq!(reply.header("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert!(reply.header("content-disposition").starts_with("attachment; filename=\"so-lieu-mot-cua_2026_dem-"));
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(reply.body)).expect("a workbook");
    let sheet = book.worksheet_range("Số liệu").expect("its sheet");
    let cell = |row: u32, column: u32| sheet.get_value((row, column)).cloned().unwrap_or(Data::Empty);
    let text = |row, column| cell(row, column).to_string();
    assert_eq!((text(0, 0).as_str(), text(1, 1).as_str()), ("SỐ LIỆU MỘT CỬA", "Vĩnh Long"));
    assert!(text(3, 1).starts_with("Năm 2026 (từ 01/01/2026 đến 31/12/2026)"), "{}", text(3, 1));
    assert_eq!((text(6, 0).as_str(), text(6, 1).as_str()), ("Tình trạng", "Đủ số liệu"));
    assert_eq!((text(7, 0).as_str(), text(7, 12).as_str()), ("Mã chỉ số", "Giá trị"));
    let expected = of_province(rows);
    for (at, row) in (8..).zip(&expected) {
        assert_eq!(Some(text(at, 0).as_str()), row["indicator"].as_str());
        assert!(matches!(cell(at, 8), Data::DateTime(_)), "dates are date cells");
        match (row["kind"].as_str(), row["ratio"].as_f64()) {
            (Some("ratio"), Some(ratio)) => assert_eq!(cell(at, 12), Data::Float(ratio), "{row}"),
            (Some("ratio"), None) => {
                let is_unknown = ["unknown", "undecided"].iter().any(|name| row[name].as_u64() > Some(0));
                assert_eq!(text(at, 12), if is_unknown { "không có dữ liệu" } else { "không phát sinh" });
            }
            _ => {}
        }
    }
    assert_eq!(sheet.end().map(|(row, _)| row as usize), Some(7 + expected.len()));
}

fn csv(service: &Serving, cookie: &str, rows: &[Value]) {
    for (separator, sign, point) in [("semicolon", ';', ','), ("comma", ',', '.')] {
        let reply = get(service, &format!("/figures.csv?period=2026&separator={separator}"), cookie);
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(&reply.body[..3], b"\xef\xbb\xbf", "a byte order mark");
        let text = std::str::from_utf8(&reply.body[3..]).expect("UTF-8");
        let mut lines = text.split("\r\n");
        let headings = lines.next().expect("headings");
        assert!(headings.starts_with(&format!("Mã chỉ số{sign}Chỉ số{sign}Văn bản")), "{headings}");
        assert!(!text.replace("\r\n", "").contains('\n'), "lines end with CRLF");
        for (line, row) in lines.zip(of_province(rows)) {
            let id = row["indicator"].as_str().expect("named");
            assert!(line.starts_with(&format!("{id}{sign}")), "{line}");
            assert!(line.contains("01/01/2026") && line.contains("31/12/2026"), "{line}");
            if let (Some("ratio"), Some(ratio)) = (row["kind"].as_str(), row["ratio"].as_f64()) {
                let hundredths = format!("{:.0}", ratio * 10_000.0).parse::<u32>().expect("a share");
                let share = format!("{}{point}{:02}", hundredths / 100, hundredths % 100);
                let quoted = if point == sign { format!("\"{share}\"") } else { share };
                assert!(line.contains(&format!("{sign}{quoted}{sign}%{sign}")), "{line}: {quoted}");
            }
        }
    }
}
