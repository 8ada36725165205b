//! Writes `.xlsb` files for tests: records, and the archive around their parts.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(crate) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let seven = |number: usize| u8::try_from(number & 0x7f).expect("seven bits");
    let mut bytes = Vec::new();
    if kind < 0x80 {
        bytes.push(seven(usize::from(kind)));
    } else {
        bytes.extend([seven(usize::from(kind)) | 0x80, seven(usize::from(kind >> 7))]);
    }
    let mut length = data.len();
    while length >= 0x80 {
        bytes.push(seven(length) | 0x80);
        length >>= 7;
    }
    bytes.push(seven(length));
    bytes.extend_from_slice(data);
    bytes
}

/// A text with the number of its letters before it.
pub(crate) fn wide(text: &str) -> Vec<u8> {
    let letters: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&u32::try_from(letters.len() / 2).expect("a text is short").to_le_bytes()[..], &letters].concat()
}

/// The beginning of a row.
pub(crate) fn row(number: u32) -> Vec<u8> {
    record(0, &[&number.to_le_bytes()[..], &[0; 13]].concat())
}

/// A cell record: column, format, value.
pub(crate) fn cell(kind: u16, column: u32, format: u8, value: &[u8]) -> Vec<u8> {
    record(kind, &[&column.to_le_bytes()[..], &[format, 0, 0, 0], value].concat())
}

/// A sheet with these records of rows, and `more` behind them.
pub(crate) fn sheet(rows: &[u8], more: &[u8]) -> Vec<u8> {
    let begin = [record(0x81, &[]), record(0x94, &[0; 16]), record(0x91, &[])].concat();
    [&begin[..], rows, &record(0x92, &[]), more, &record(0x82, &[])].concat()
}

/// The styles with these written formats (number, text) and the formats of cells by their numbers.
pub(crate) fn styles(written: &[(u16, &str)], of_cells: &[u16]) -> Vec<u8> {
    let count = |count: usize| u32::try_from(count).expect("few").to_le_bytes();
    let format = |(number, text): &(u16, &str)| record(44, &[&number.to_le_bytes()[..], &wide(text)].concat());
    let of_cell = |number: &u16| record(47, &[&[0xff, 0xff][..], &number.to_le_bytes(), &[0; 12]].concat());
    [
        record(0x116, &[]),
        record(0x267, &count(written.len())),
        written.iter().flat_map(format).collect(),
        record(0x268, &[]),
        // A format of a style is none of a cell.
        record(0x272, &count(1)),
        of_cell(&14),
        record(0x273, &[]),
        record(0x269, &count(of_cells.len())),
        of_cells.iter().flat_map(of_cell).collect(),
        record(0x26a, &[]),
        record(0x117, &[]),
    ]
    .concat()
}

/// The part of the shared texts.
pub(crate) fn shared_texts(texts: &[&str]) -> Vec<u8> {
    let count = u32::try_from(texts.len()).expect("few").to_le_bytes();
    let items = texts.iter().flat_map(|text| record(19, &[&[0][..], &wide(text)].concat()));
    [record(0x9f, &[count, count].concat()), items.collect(), record(0xa0, &[])].concat()
}

pub(crate) fn archive(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).expect("the name is new");
        archive.write_all(bytes).expect("memory takes all");
    }
    archive.finish().expect("memory takes all").into_inner()
}

/// A workbook of sheets: name, state (0 visible, 1 hidden), part.
pub(crate) fn workbook_of(styles: &[u8], texts: &[u8], sheets: &[(&str, u32, Vec<u8>)]) -> Vec<u8> {
    let mut relations = format!(
        "<Relationships><Relationship Id=\"rS\" Type=\"{OFFICE}/styles\" Target=\"styles.bin\"/><Relationship Id=\"rT\" \
         Type=\"{OFFICE}/sharedStrings\" Target=\"/xl/sharedStrings.bin\"/>"
    );
    let mut list = [record(0x83, &[]), record(0x99, &[0; 12]), record(0x8f, &[])].concat();
    let mut parts =
        vec![("xl/styles.bin".to_owned(), styles.to_vec()), ("xl/sharedStrings.bin".to_owned(), texts.to_vec())];
    for (number, (name, state, part)) in (1_u32..).zip(sheets) {
        write!(
            relations,
            "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{number}.bin\"/>"
        )
        .expect("a string takes all");
        let head = [state.to_le_bytes(), number.to_le_bytes()].concat();
        list.extend(record(0x9c, &[head, wide(&format!("rId{number}")), wide(name)].concat()));
        parts.push((format!("xl/worksheets/sheet{number}.bin"), part.clone()));
    }
    list.extend([record(0x90, &[]), record(0x9d, &[0; 26]), record(0x84, &[])].concat());
    parts.push(("xl/workbook.bin".to_owned(), list));
    parts.push(("xl/_rels/workbook.bin.rels".to_owned(), (relations + "</Relationships>").into_bytes()));
    archive(&parts)
}
