//! Workbooks of other formats through the reader of all workbooks.

use std::io::Write as _;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::sources::decode::xls_test_file;

const LIMIT: u64 = 1 << 20;

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a name");
        archive.write_all(text.as_bytes()).expect("memory takes all");
    }
    archive.finish().expect("memory takes all").into_inner()
}

/// An OpenDocument workbook whose first sheet has these rows.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\" xmlns:style=\"s\" xmlns:calcext=\"c\">\
         <office:automatic-styles><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style>\
         </office:automatic-styles><office:body><office:spreadsheet>\
         <table:tracked-changes><table:table-row><table:table-cell><text:p>deleted</text:p></table:table-cell></table:table-row>\
         </table:tracked-changes>\
         <table:table table:name=\"a &amp; b\" table:style-name=\"ta1\"><table:table-header-rows>{rows}</table:table-header-rows></table:table>\
         <table:table table:name=\"h\" table:style-name=\"ta2\"/></office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[("mimetype", SPREADSHEET), ("content.xml", &content)])
}

/// Rows of the first sheet, and names and states of all.
fn cells(stored: Vec<u8>) -> (Vec<Vec<String>>, Vec<(String, bool)>) {
    use calamine::Reader as _;
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(Cursor::new(stored)).expect("a plain workbook");
    let names = workbook.sheets_metadata();
    let names =
        names.iter().map(|sheet| (sheet.name.clone(), sheet.visible == calamine::SheetVisible::Visible)).collect();
    let range = workbook.worksheet_range_at(0).expect("a sheet").expect("it is read");
    (range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect(), names)
}

#[test]
fn cells_of_opendocument_have_their_values_and_not_what_is_shown() {
    let rows = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>Mã <text:span>hồ</text:span><text:s text:c=\"2\"/>sơ</text:p>\
        <office:annotation><text:p>a note</text:p></office:annotation></table:table-cell>\
        <table:table-cell office:value-type=\"float\" office:value=\"1234.5\"><text:p>1.234,50</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2025-10-03\"><text:p>03/10/25</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"><text:p>ĐÚNG</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"2\" office:value-type=\"string\">\
        <text:p>x</text:p><text:p>&lt;y&#62;</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"><text:p>#REF!</text:p></table:table-cell>\
        <table:table-cell table:formula=\"of:=1\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let (rows, names) = cells(stored(ods(rows), LIMIT).expect("it is a workbook"));
    assert_eq!(names, [("a & b".to_owned(), true), ("h".to_owned(), false)]);
    assert_eq!(rows[0], ["Mã hồ  sơ", "1234.5", "2025-10-03", "true"]);
    assert_eq!(rows[1][..2], ["x\n<y>", "x\n<y>"]);
    assert_eq!((rows.len(), &rows[2]), (3, &rows[1]));
}

#[test]
fn what_repeats_itself_counts_as_if_it_stood_there() {
    let kind = |rows: &str| stored(ods(rows), LIMIT).map_err(|error| error.kind).err();
    let row = |rows: &str, columns: &str, text: &str| {
        format!(
            "<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell table:number-columns-repeated=\"{columns}\" \
             office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell></table:table-row>"
        )
    };
    assert_eq!(kind(&row("9", "9", "x")), None);
    assert_eq!(kind(&row("1000000", "16000", "x")), Some(ErrorKind::ExpandsTooFar));
    assert_eq!(kind(&row("4294967295", "1", "x")), Some(ErrorKind::FileDamaged));
    assert_eq!(kind(&row("1", "4294967295", "x")), Some(ErrorKind::FileDamaged));
    for (rows, columns) in [("0", "1"), ("-1", "1"), ("1", "x"), ("99999999999", "1")] {
        assert_eq!(kind(&row(rows, columns, "x")), Some(ErrorKind::FileDamaged), "{rows} {columns}");
    }
    let deep = "<text:span>".repeat(200);
    assert_eq!(kind(&deep), Some(ErrorKind::FileDamaged));
    assert_eq!(
        kind("<table:table-row><table:table-cell>&bomb;</table:table-cell></table:table-row>"),
        Some(ErrorKind::FileDamaged)
    );
}

#[test]
fn spaces_that_an_element_stands_for_are_counted() {
    let row = |text: &str| {
        format!(
            "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>a{text}b</text:p></table:table-cell>\
             </table:table-row>"
        )
    };
    let (rows, _) = cells(stored(ods(&row("<text:s text:c=\"2000\"/>")), LIMIT).expect("it is a workbook"));
    assert_eq!(rows[0][0], format!("a{}b", " ".repeat(2000)));
    let kind = |rows: &str| stored(ods(rows), LIMIT).map_err(|error| error.kind).err();
    assert_eq!(kind(&row(&"<text:s text:c=\"1000\"/>".repeat(1100))), Some(ErrorKind::ExpandsTooFar));
    assert_eq!(kind(&row("<text:s text:c=\"4294967295\"/>")), Some(ErrorKind::ExpandsTooFar));
    // Also where no cell is written: what a merged cell covers is not shown.
    let covered = row("<text:s text:c=\"600000\"/>").replace("table:table-cell", "table:covered-table-cell");
    assert_eq!(kind(&covered), None);
    assert_eq!(kind(&covered.repeat(2)), Some(ErrorKind::ExpandsTooFar));
}

#[test]
fn a_row_with_cells_below_the_last_row_of_a_sheet_is_refused() {
    let row = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>";
    let empty = |rows: u32| {
        format!("<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell/></table:table-row>")
    };
    let read = |rows: &str| stored(ods(rows), LIMIT);
    let error = read(&[row, &empty(1_048_576), row].concat()).expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::FileDamaged);
    assert!(error.message.contains("row 1048578"), "{error}");
    assert!(read(&[row, &empty(1_048_575), row].concat()).is_err());
    // The last row of a sheet, and empty rows below it.
    assert!(read(&[row, &empty(1_048_574), row, &empty(9)].concat()).is_ok());
}

#[test]
fn what_is_no_workbook_or_has_a_password_is_named() {
    let kind = |bytes: Vec<u8>| stored(bytes, LIMIT).map_err(|error| error.kind).err();
    let encrypted = archive(&[
        ("mimetype", SPREADSHEET),
        ("META-INF/manifest.xml", "<manifest:encryption-data/>"),
        ("content.xml", "x"),
    ]);
    assert_eq!(kind(encrypted), Some(ErrorKind::FileEncrypted));
    assert_eq!(kind(archive(&[("mimetype", SPREADSHEET)])), Some(ErrorKind::FileDamaged));
    assert_eq!(kind(archive(&[("mimetype", SPREADSHEET), ("content.xml", "<a")])), Some(ErrorKind::FileDamaged));
    assert_eq!(
        kind(archive(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "x")])),
        Some(ErrorKind::NotAWorkbook)
    );
    let big = archive(&[("mimetype", SPREADSHEET), ("content.xml", &" ".repeat(2 << 20))]);
    assert_eq!(kind(big), Some(ErrorKind::ExpandsTooFar));
    let protected = xls_test_file::compound_file("EncryptedPackage", &[0; 5000]);
    assert_eq!(kind(protected), Some(ErrorKind::FileEncrypted));
    assert_eq!(kind(xls_test_file::workbook_of(&[], &[("a", 0, xls_test_file::sheet(&[]))])), None);
}
