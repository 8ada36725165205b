//! Workbooks of BIFF8 that are written here record by record, also invalid ones.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xls};
use proptest::prelude::*;

use super::*;
use crate::sources::decode::xls_test_file::{boundsheet, compound_file, record, sheet, workbook_of};

const LIMIT: u64 = 1 << 20;

/// Cells of the sheets of a plain workbook: name, and rows of texts as calamine reads them.
fn cells(plain: Vec<u8>) -> Vec<(String, Vec<Vec<String>>)> {
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(Cursor::new(plain)).expect("a plain workbook");
    let sheets = workbook.worksheets();
    sheets
        .into_iter()
        .map(|(name, range)| (name, range.rows().map(|row| row.iter().map(shown).collect()).collect()))
        .collect()
}

fn shown(cell: &Data) -> String {
    match cell {
        Data::DateTime(at) if at.is_datetime() => format!("date {}", at.as_f64()),
        Data::DateTime(at) => format!("duration {}", at.as_f64()),
        other => other.to_string(),
    }
}

/// A cell record: row, column, format, and what follows.
fn cell(kind: u16, row: u16, column: u16, format: u16, rest: &[u8]) -> Vec<u8> {
    record(kind, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &format.to_le_bytes(), rest].concat())
}

/// A workbook with one cell of each kind. Format 0 is general, 1 a date that programs know, 2 one that is written out, 3 a
/// duration.
fn one_of_each() -> Vec<u8> {
    let text =
        |text: &str| [&u16::try_from(text.len()).expect("short").to_le_bytes()[..], &[0], text.as_bytes()].concat();
    let formula = |result: [u8; 8]| [&result[..], &[0; 6], &[0, 0]].concat();
    let records = [
        cell(0xfd, 0, 0, 0, &[0, 0, 0, 0]),
        cell(0x204, 0, 1, 0, &text("b & <c>")),
        cell(0x203, 0, 2, 0, &2.5_f64.to_le_bytes()),
        cell(0x203, 0, 3, 1, &44_119.437_5_f64.to_le_bytes()),
        // 12345 and 123.45 as whole numbers, and 44119 as the upper half of a double.
        cell(0x27e, 1, 0, 0, &((12_345_u32 << 2) | 2).to_le_bytes()),
        cell(0x27e, 1, 1, 0, &((12_345_u32 << 2) | 3).to_le_bytes()),
        cell(0x27e, 1, 2, 2, &u32::try_from(44_119_f64.to_bits() >> 32).expect("its upper half").to_le_bytes()),
        cell(0x27e, 1, 3, 3, &((1_u32 << 2) | 2).to_le_bytes()),
        record(0xbd, &[2, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1, 0]),
        cell(0x205, 2, 2, 0, &[1, 0]),
        cell(0x205, 2, 3, 0, &[0x17, 1]),
        cell(0xfd, 3, 0, 0, &[1, 0, 0, 0]),
        cell(0x06, 3, 1, 0, &formula([0, 0, 0, 0, 0, 0, 0xff, 0xff])),
        record(0x4bc, &[1, 2]),
        record(0x207, &text("sum")),
        cell(0x06, 3, 2, 0, &formula(7.0_f64.to_le_bytes())),
        cell(0x06, 3, 3, 0, &formula([1, 0, 1, 0, 0, 0, 0xff, 0xff])),
    ];
    // The second text has a letter of two bytes, and goes on in the next record with letters of one byte.
    let first = [&[2, 0, 0, 0, 2, 0, 0, 0][..], &text("head"), &[6, 0, 1, 0xe3, 0, 0x1b, 0x01]].concat();
    let texts = [record(0xfc, &first), record(CONTINUE_KIND, &[&[0][..], b"tail"].concat())].concat();
    let format = [&[170, 0][..], &text("[$-42A]dd\\/mm\\/yyyy \"ngay\"")].concat();
    let formats = |number: u16| [&[0, 0][..], &number.to_le_bytes(), &[0; 16]].concat();
    let globals = [
        record(0x41e, &format),
        record(0xe0, &formats(0)),
        record(0xe0, &formats(22)),
        record(0xe0, &formats(170)),
        record(0xe0, &formats(46)),
        texts,
    ]
    .concat();
    workbook_of(
        &globals,
        &[("Danh s", 0, sheet(&records.concat())), ("hidden", 1, sheet(&cell(0x203, 0, 0, 0, &1_f64.to_le_bytes())))],
    )
}

const CONTINUE_KIND: u16 = 0x3c;

#[test]
fn every_kind_of_cell_is_read_as_calamine_reads_it() {
    let file = one_of_each();
    let mut reference: Xls<_> = Xls::new(Cursor::new(file.clone())).expect("calamine reads it");
    let expected: Vec<Vec<String>> = reference
        .worksheet_range("Danh s")
        .expect("the sheet")
        .rows()
        .map(|row| row.iter().map(shown).collect())
        .collect();
    let found = cells(plain(file, LIMIT).expect("it is a workbook"));
    assert_eq!(found[0].0, "Danh s");
    assert_eq!(found[0].1[0], ["head", "b & <c>", "2.5", "date 44119.4375"]);
    assert_eq!(found[0].1[1], ["12345", "123.45", "date 44119", "duration 1"]);
    assert_eq!(found[0].1[2][..3], ["1", "2", "true"]);
    assert_eq!(found[0].1[3], ["\u{e3}\u{11b}tail", "sum", "7", "true"]);
    assert_eq!(found[0].1, expected);
    assert_eq!(found[1].0, "hidden");
}

#[test]
fn a_file_that_lies_is_named_and_takes_no_memory() {
    let kind = |file: &[u8]| plain(file.to_vec(), LIMIT).map_err(|error| error.kind);
    let one = |records: &[u8]| workbook_of(&[], &[("a", 0, sheet(records))]);
    for (file, expected) in [
        // An impossible size is refused before memory is reserved for it.
        (one(&record(0x200, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0])), None),
        (one(&cell(0xfd, 0, 0, 0, &[9, 0, 0, 0])), Some(ErrorKind::FileDamaged)),
        (one(&cell(0x203, 0, 0, 0, &[1, 2])), Some(ErrorKind::FileDamaged)),
        (one(&[cell(0x205, 1, 0, 0, &[1, 0]), cell(0x205, 0, 0, 0, &[1, 0])].concat()), Some(ErrorKind::FileDamaged)),
        (workbook_of(&record(0xfc, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), &[]), Some(ErrorKind::FileDamaged)),
        (workbook_of(&record(0x2f, &[1, 0]), &[]), Some(ErrorKind::FileEncrypted)),
        (compound_file("WordDocument", &[0; 5000]), Some(ErrorKind::NotAWorkbook)),
        (
            compound_file("Book", &[record(0x809, &[0, 5, 5, 0]), record(0x0a, &[])].concat()),
            Some(ErrorKind::NotAWorkbook),
        ),
    ] {
        assert_eq!(kind(&file).err(), expected);
    }
    // Empty texts: three bytes each in the file.
    let texts = [&[0_u8; 4][..], &60_000_u32.to_le_bytes(), &[0_u8].repeat(180_000)].concat();
    assert_eq!(kind(&workbook_of(&record(0xfc, &texts), &[])).err(), Some(ErrorKind::ExpandsTooFar));
    // A long text that many cells share.
    let text = [&[1, 0, 0, 0, 1, 0, 0, 0, 0, 0x20, 0][..], &[b'x'; 0x2000]].concat();
    let many: Vec<u8> = (0..1000).flat_map(|row| cell(0xfd, row, 0, 0, &[0; 4])).collect();
    assert_eq!(
        kind(&workbook_of(&record(0xfc, &text), &[("a", 0, sheet(&many))])).err(),
        Some(ErrorKind::ExpandsTooFar)
    );
}

#[test]
fn a_file_that_is_cut_is_refused_or_lacks_nothing() {
    let file = one_of_each();
    let whole = plain(file.clone(), LIMIT).expect("it is a workbook");
    let mut refused = 0;
    for length in (8..file.len()).step_by(97) {
        match plain(file[..length].to_vec(), LIMIT) {
            Err(_) => refused += 1,
            // Only unused numbers at the end of the table are missing.
            Ok(found) => assert!(found == whole, "{length}"),
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn sheets_that_overlap_are_refused() {
    const SHEETS: usize = 100;
    let (begin, end) = (record(0x809, &[0, 6, 5, 0]), record(0x0a, &[]));
    let first = begin.len() + SHEETS * boundsheet("a", 0, 0).len() + end.len();
    // All sheets begin at one place, or each begins inside the one before it. One sheet has as many parts as there are sheets.
    for (step, expected) in [(0, "begin at one place"), (begin.len(), "overlap")] {
        let list: Vec<u8> = (0..SHEETS).flat_map(|sheet| boundsheet("a", 0, first + sheet * step)).collect();
        let stream = [begin.clone(), list, end.clone(), begin.repeat(SHEETS), end.repeat(SHEETS)].concat();
        let error = plain(compound_file("Workbook", &stream), LIMIT).expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::FileDamaged);
        assert!(error.message.contains(expected), "{error}");
    }
}

proptest! {
    #[test]
    fn any_change_of_a_byte_is_read_without_panic(at in 0_usize..10_000, byte in any::<u8>()) {
        let mut file = one_of_each();
        let at = at % file.len();
        file[at] = byte;
        let _ = plain(file, LIMIT);
    }

    #[test]
    fn any_stream_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = plain(compound_file("Workbook", &[&record(0x809, &[0, 6, 5, 0]), &boundsheet("a", 0, 8)[..], &bytes].concat()), LIMIT);
    }
}

#[test]
fn the_kinds_of_boundsheet_have_a_place() {
    assert_eq!(boundsheet("a", 0, 8)[4..8], 8_u32.to_le_bytes());
}
