//! Workbooks: what of them is not read is reported.

use rust_xlsxwriter::Workbook;

use crate::desk::{self, expect};
use crate::office::Office;

const HEADINGS: [&str; 6] = ["id", "code", "agency", "received", "due", "status"];

/// Sheets as name, whether they are hidden, and rows.
fn save(office: &Office, sheets: &[(&str, bool, Vec<[&str; 6]>)]) {
    let mut workbook = Workbook::new();
    for (name, is_hidden, rows) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(*name).expect("a sheet may have this name").set_hidden(*is_hidden);
        for (row, cells) in (0..).zip(rows) {
            sheet.write_row(row, 0, *cells).expect("the row fits");
        }
    }
    workbook.save(office.exports().join("list.xlsx")).expect("the scratch folder is writable");
}

#[test]
fn sheets_that_are_not_read_are_counted() {
    let office = desk::of_files("");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("*.csv", "*.xlsx").replace("type = \"csv\"", "type = \"xlsx\"")
    });
    let row = |id: &'static str| [id, "H61.14-251001-0001", "H61.14", "2025-10-01", "2025-10-09", "P"];
    save(
        &office,
        &[
            ("Tháng 10", false, vec![HEADINGS, row("A1")]),
            ("Cũ", true, vec![HEADINGS, row("A2")]),
            ("Tiếp theo", false, vec![row("A3"), row("A4")]),
        ],
    );
    office.run();
    assert_eq!(desk::image(&office).len(), 1);
    let shown = expect(&office, &["runs", "show", "1"], 0);
    for expected in [
        "hidden sheets with rows, which were skipped: show them if they count: 1",
        "sheets without the header row, which were skipped: 1",
    ] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}
