//! Builds workbooks for tests part by part, also invalid ones that no program writes.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Rows of cells. A cell is a text, or by its first character: `=` a number, `@` the serial number of a date, `!` an
/// error, `?` a boolean. An empty text is no cell.
pub(crate) type SheetRows<'a> = [Vec<&'a str>];

pub(crate) fn sheet_xml(rows: &SheetRows<'_>) -> String {
    let mut xml = String::from("<worksheet><sheetData>");
    for (row, cells) in (1..).zip(rows) {
        write!(xml, "<row r=\"{row}\">").expect("a string takes all");
        for (column, cell) in (b'A'..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            let at = format!("{}{row}", char::from(column));
            let (kind, value) = match cell.split_at_checked(1) {
                Some(("=", number)) => ("", format!("<v>{number}</v>")),
                Some(("@", number)) => (" s=\"1\"", format!("<v>{number}</v>")),
                Some(("!", error)) => (" t=\"e\"", format!("<v>{error}</v>")),
                Some(("?", flag)) => (" t=\"b\"", format!("<v>{flag}</v>")),
                _ => (" t=\"inlineStr\"", format!("<is><t>{cell}</t></is>")),
            };
            write!(xml, "<c r=\"{at}\"{kind}>{value}</c>").expect("a string takes all");
        }
        xml.push_str("</row>");
    }
    xml + "</sheetData></worksheet>"
}

pub(crate) fn workbook(sheets: &[(&str, &SheetRows<'_>)]) -> Vec<u8> {
    let written: Vec<(&str, String)> = sheets.iter().map(|(name, rows)| (*name, sheet_xml(rows))).collect();
    workbook_of(&written, "", &[])
}

/// A workbook of these sheets (name and XML), with `properties` (XML) of the workbook and further parts.
pub(crate) fn workbook_of(sheets: &[(&str, String)], properties: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut list, mut relations) = (String::new(), String::new());
    for (number, (name, _)) in (1..).zip(sheets) {
        write!(list, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>").expect("a string takes all");
        write!(
            relations,
            "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        )
        .expect("a string takes all");
    }
    let workbook = format!("<workbook xmlns:r=\"{OFFICE}\">{properties}<sheets>{list}</sheets></workbook>");
    let root = format!(
        "<Relationships><Relationship Id=\"r\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let styles = "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>";
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, bytes: &[u8]| {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        out.start_file(name, options).expect("the name is new");
        out.write_all(bytes).expect("memory takes all");
    };
    put("_rels/.rels", root.as_bytes());
    put("xl/workbook.xml", workbook.as_bytes());
    put("xl/_rels/workbook.xml.rels", format!("<Relationships>{relations}</Relationships>").as_bytes());
    put("xl/styles.xml", styles.as_bytes());
    for (number, (_, xml)) in (1..).zip(sheets) {
        put(&format!("xl/worksheets/sheet{number}.xml"), xml.as_bytes());
    }
    for (name, bytes) in more {
        put(name, bytes);
    }
    out.finish().expect("memory takes all").into_inner()
}
