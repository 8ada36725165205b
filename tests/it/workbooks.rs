//! Workbooks of every format with the same cells, for cases that are written as text.

#[path = "../../src/sources/decode/xls_test_file.rs"]
mod xls_test_file;
#[path = "../../src/sources/decode/xlsb_test_file.rs"]
mod xlsb_test_file;

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A cell of a case: a text, `=` before a number, `@` before the number of a day since 1899-12-30.
enum Cell<'a> {
    Text(&'a str),
    Number(f64),
    Day(f64),
}

/// Cells of a sheet, as lines with a semicolon between the cells: row, column, cell.
fn cells(body: &str) -> Vec<(u16, u16, Cell<'_>)> {
    let mut found = Vec::new();
    for (row, line) in (0..).zip(body.lines()) {
        for (column, text) in (0..).zip(line.split(';')).filter(|(_, text)| !text.is_empty()) {
            let number = |text: &str| text.parse().expect("a number");
            let cell = match (text.strip_prefix('='), text.strip_prefix('@')) {
                (Some(rest), _) => Cell::Number(number(rest)),
                (_, Some(rest)) => Cell::Day(number(rest)),
                _ => Cell::Text(text),
            };
            found.push((row, column, cell));
        }
    }
    found
}

/// A workbook with the cells of a text on a sheet, in a format: `xls`, `xlsb` or `ods`.
pub(crate) fn workbook(format: &str, body: &str) -> Vec<u8> {
    match format {
        "xls" => xls(body),
        "xlsb" => xlsb(body),
        "ods" => ods(body),
        other => panic!("`{other}` is no format of these workbooks"),
    }
}

fn xls(body: &str) -> Vec<u8> {
    use xls_test_file::{record, sheet, workbook_of};
    let mut records = Vec::new();
    for (row, column, cell) in cells(body) {
        let (kind, format, value) = match cell {
            Cell::Text(text) => {
                let letters: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let count = u16::try_from(letters.len() / 2).expect("a text is short");
                (0x204, 0, [&count.to_le_bytes()[..], &[1], &letters].concat())
            }
            Cell::Number(number) => (0x203, 0, number.to_le_bytes().to_vec()),
            Cell::Day(day) => (0x203, 1, day.to_le_bytes().to_vec()),
        };
        let place = [row, column, format].map(u16::to_le_bytes).concat();
        records.extend(record(kind, &[place, value].concat()));
    }
    let formats = [0_u16, 14].map(|number| record(0xe0, &[&[0, 0][..], &number.to_le_bytes(), &[0; 16]].concat()));
    workbook_of(&formats.concat(), &[("Danh", 0, sheet(&records))])
}

fn xlsb(body: &str) -> Vec<u8> {
    use xlsb_test_file::{cell, row, shared_texts, sheet, styles, wide, workbook_of};
    let (mut records, mut begun) = (Vec::new(), None);
    for (number, column, content) in cells(body) {
        if begun != Some(number) {
            records.extend(row(u32::from(number)));
            begun = Some(number);
        }
        let (kind, format, value) = match content {
            Cell::Text(text) => (6, 0, wide(text)),
            Cell::Number(number) => (5, 0, number.to_le_bytes().to_vec()),
            Cell::Day(day) => (5, 1, day.to_le_bytes().to_vec()),
        };
        records.extend(cell(kind, u32::from(column), format, &value));
    }
    workbook_of(&styles(&[], &[0, 14]), &shared_texts(&[]), &[("Danh", 0, sheet(&records, &[]))])
}

fn ods(body: &str) -> Vec<u8> {
    let mut rows = String::new();
    let cells = cells(body);
    for row in 0..u16::try_from(body.lines().count()).expect("few lines") {
        rows += "<table:table-row>";
        let mut next = 0;
        for (_, column, cell) in cells.iter().filter(|(of, ..)| *of == row) {
            for _ in next..*column {
                rows += "<table:table-cell/>";
            }
            next = column + 1;
            match cell {
                Cell::Text(text) => {
                    write!(
                        rows,
                        "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
                    )
                }
                Cell::Number(number) => {
                    write!(rows, "<table:table-cell office:value-type=\"float\" office:value=\"{number}\"/>")
                }
                #[expect(clippy::cast_possible_truncation, reason = "days of this century")]
                Cell::Day(day) => {
                    let day = jiff::civil::date(1899, 12, 30) + jiff::Span::new().days(*day as i64);
                    write!(rows, "<table:table-cell office:value-type=\"date\" office:date-value=\"{day}\"/>")
                }
            }
            .expect("a string takes all");
        }
        rows += "</table:table-row>";
    }
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet>\
         <table:table table:name=\"Danh\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &content)];
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).expect("the name is new");
        archive.write_all(text.as_bytes()).expect("memory takes all");
    }
    archive.finish().expect("memory takes all").into_inner()
}
