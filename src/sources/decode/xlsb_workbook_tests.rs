//! Workbooks of BIFF12 that are written here record by record, also invalid ones.

use calamine::{Data, Reader as _, Xlsb};
use proptest::prelude::*;

use super::*;
use crate::sources::decode::xlsb_test_file::{
    archive, cell, record, row, shared_texts, sheet, styles, wide, workbook_of,
};

const LIMIT: u64 = 1 << 20;

/// Cells of the sheets of a plain workbook: name, and rows of texts as calamine reads them.
fn cells(plain: Vec<u8>) -> Vec<(String, Vec<Vec<String>>)> {
    let mut workbook: calamine::Xlsx<_> = calamine::Xlsx::new(Cursor::new(plain)).expect("a plain workbook");
    let sheets = workbook.worksheets().into_iter();
    sheets.map(|(name, range)| (name, range.rows().map(|row| row.iter().map(shown).collect()).collect())).collect()
}

fn shown(cell: &Data) -> String {
    match cell {
        Data::DateTime(at) if at.is_datetime() => format!("date {}", at.as_f64()),
        Data::DateTime(at) => format!("duration {}", at.as_f64()),
        other => other.to_string(),
    }
}

fn one_sheet(rows: &[u8]) -> Vec<u8> {
    workbook_of(&styles(&[], &[0]), &shared_texts(&["a"]), &[("S", 0, sheet(rows, &[]))])
}

/// A workbook with one cell of each kind. Format 0 is general, 1 a date that programs know, 2 one that is written out, 3 a
/// duration.
fn one_of_each() -> Vec<u8> {
    let rk = |bits: u32| bits.to_le_bytes();
    let upper_half = u32::try_from(44_119_f64.to_bits() >> 32).expect("its upper half");
    let formula = |value: &[u8]| [value, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let rows = [
        row(0),
        cell(7, 0, 0, &0_u32.to_le_bytes()),
        cell(6, 1, 0, &wide("b & <c>")),
        cell(5, 2, 0, &2.5_f64.to_le_bytes()),
        cell(5, 3, 1, &44_119.437_5_f64.to_le_bytes()),
        row(1),
        cell(2, 0, 0, &rk((12_345 << 2) | 2)),
        cell(2, 1, 0, &rk((12_345 << 2) | 3)),
        cell(2, 2, 2, &rk(upper_half)),
        cell(2, 3, 3, &rk((1 << 2) | 2)),
        row(4),
        cell(4, 0, 0, &[1]),
        cell(8, 1, 0, &formula(&wide("tổng"))),
        cell(9, 2, 0, &formula(&7_f64.to_le_bytes())),
        cell(10, 3, 0, &formula(&[0])),
    ];
    let hidden = sheet(&[row(0), cell(5, 0, 0, &1_f64.to_le_bytes())].concat(), &[]);
    workbook_of(
        &styles(&[(170, "[$-42A]dd\\/mm\\/yyyy \"ngày\"")], &[0, 22, 170, 46]),
        &shared_texts(&["Mã hồ sơ", "b"]),
        &[("Danh sách & tháng 1", 0, sheet(&rows.concat(), &[])), ("hidden", 1, hidden)],
    )
}

#[test]
fn every_kind_of_cell_is_read_as_calamine_reads_it() {
    let file = one_of_each();
    let mut reference: Xlsb<_> = Xlsb::new(Cursor::new(file.clone())).expect("calamine reads it");
    let name = "Danh sách & tháng 1";
    let expected = reference.worksheet_range(name).expect("the sheet");
    let expected: Vec<Vec<String>> = expected.rows().map(|row| row.iter().map(shown).collect()).collect();
    let found = cells(plain(file, LIMIT).expect("it is a workbook"));
    assert_eq!(found[0].0, name);
    assert_eq!(found[0].1[0], ["Mã hồ sơ", "b & <c>", "2.5", "date 44119.4375"]);
    assert_eq!(found[0].1[1], ["12345", "123.45", "date 44119", "duration 1"]);
    assert_eq!(found[0].1[4], ["true", "tổng", "7", "false"]);
    assert_eq!(found[0].1, expected);
    assert_eq!(found[1].0, "hidden");
}

#[test]
fn cells_that_calamine_leaves_out_are_read() {
    let short = |kind: u16, value: &[u8]| record(kind, &[&[0, 0, 0, 0][..], value].concat());
    let rows = [
        row(0),
        cell(1, 0, 0, &[]),
        cell(62, 1, 0, &[&[1][..], &wide("rich"), &[0; 8]].concat()),
        // One to the right of the cell before.
        short(18, &0_u32.to_le_bytes()),
        short(12, &[]),
        short(16, &3_f64.to_le_bytes()),
        short(15, &[1]),
        short(17, &wide("t")),
        short(13, &((5_u32 << 2) | 2).to_le_bytes()),
        row(1),
        short(17, &wide("first")),
        cell(3, 1, 0, &[0x17]),
        cell(11, 2, 0, &[0x07]),
        short(14, &[0x2a]),
    ];
    let found = cells(plain(one_sheet(&rows.concat()), LIMIT).expect("it is a workbook"));
    assert_eq!(found[0].1[0], ["", "rich", "a", "", "3", "true", "t", "5"]);
    assert_eq!(found[0].1[1][..4], ["first", "#REF!", "#REF!", "#REF!"]);
}

#[test]
fn merged_cells_and_days_from_1904_are_kept() {
    let corner = |numbers: [u32; 4]| record(0xb0, &numbers.map(u32::to_le_bytes).concat());
    let more = [record(0xb1, &[1, 0, 0, 0]), corner([0, 2, 1, 1]), record(0xb2, &[])].concat();
    let rows = [row(0), cell(6, 1, 0, &wide("x"))].concat();
    let file = workbook_of(&styles(&[], &[0]), &shared_texts(&[]), &[("S", 0, sheet(&rows, &more))]);
    let mut workbook: calamine::Xlsx<_> =
        calamine::Xlsx::new(Cursor::new(plain(file, LIMIT).expect("it is a workbook"))).expect("a plain workbook");
    let merged = workbook.merge_cells_by_sheet_name("S").expect("they are read");
    assert_eq!(merged.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>(), [((0, 1), (2, 1))]);
    let beyond = sheet(&rows, &corner([0, 2_000_000, 1, 1]));
    let file = workbook_of(&styles(&[], &[0]), &shared_texts(&[]), &[("S", 0, beyond)]);
    assert_eq!(plain(file, LIMIT).map_err(|error| error.kind), Err(ErrorKind::FileDamaged));

    // The properties of the workbook as `one_sheet` writes them, with the flag.
    let relations =
        "<Relationships><Relationship Id=\"r\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
    let list =
        [record(0x99, &[1, 0, 0, 0]), record(0x9c, &[vec![0; 8], wide("r"), wide("S")].concat()), record(0x84, &[])];
    let parts = [
        ("xl/Workbook.bin".to_owned(), list.concat()),
        (RELATIONS.to_owned(), relations.as_bytes().to_vec()),
        ("xl/worksheets/sheet1.bin".to_owned(), sheet(&rows, &[])),
    ];
    let stored = plain(archive(&parts), LIMIT).expect("names of parts have no case");
    assert!(crate::sources::decode::xlsx_parts::check(&stored).expect("it can be read").counts_from_1904);
}

#[test]
fn a_file_that_lies_is_named_and_takes_no_memory() {
    let kind = |file: Vec<u8>| plain(file, LIMIT).map_err(|error| error.kind).err();
    let damaged = Some(ErrorKind::FileDamaged);
    for (rows, expected) in [
        ([row(0), cell(7, 0, 0, &9_u32.to_le_bytes())].concat(), damaged),
        ([row(0), cell(5, 0, 0, &[1, 2])].concat(), damaged),
        ([row(0), cell(6, 0, 0, &[0xff; 8])].concat(), damaged),
        (cell(4, 0, 0, &[1]), damaged),
        ([row(1), cell(4, 0, 0, &[1]), row(0), cell(4, 0, 0, &[1])].concat(), damaged),
        ([row(2_000_000), cell(4, 0, 0, &[1])].concat(), damaged),
        ([row(0), cell(4, 20_000, 0, &[1])].concat(), damaged),
        // A sheet declares any size.
        (record(0x94, &[0xff; 16]), None),
        // An unknown record may be long.
        (record(0x300, &vec![0; 100_000]), None),
    ] {
        assert_eq!(kind(one_sheet(&rows)), expected);
    }
    // A long text that many cells share, and zeros that compress well.
    let many: Vec<u8> = (0..1000).flat_map(|number| [row(number), cell(7, 0, 0, &[0; 4])].concat()).collect();
    let text = "x".repeat(0x2000);
    let file = workbook_of(&styles(&[], &[0]), &shared_texts(&[&text]), &[("S", 0, sheet(&many, &[]))]);
    assert_eq!(kind(file), Some(ErrorKind::ExpandsTooFar));
    assert_eq!(kind(one_sheet(&record(0x300, &vec![0; 2 << 20]))), Some(ErrorKind::ExpandsTooFar));
    let empty: Vec<&str> = vec![""; 60_000];
    let file = workbook_of(&styles(&[], &[0]), &shared_texts(&empty), &[("S", 0, sheet(&[], &[]))]);
    assert_eq!(kind(file), Some(ErrorKind::ExpandsTooFar));
    // The same part under many names of sheets.
    let relations = "<Relationships><Relationship Id=\"r\" Type=\"x/worksheet\" Target=\"s.bin\"/></Relationships>";
    let listed = record(0x9c, &[vec![0; 8], wide("r"), wide("S")].concat()).repeat(200);
    let of = |relations: &str| {
        archive(&[
            (WORKBOOK.to_owned(), [&listed[..], &record(0x84, &[])].concat()),
            (RELATIONS.to_owned(), relations.as_bytes().to_vec()),
            ("xl/s.bin".to_owned(), sheet(&record(0x300, &vec![0; 100_000]), &[])),
        ])
    };
    assert_eq!(kind(of(relations)), Some(ErrorKind::ExpandsTooFar));
    assert_eq!(kind(of("<Relationships/>")), damaged);
    assert_eq!(kind(of("<!DOCTYPE a><Relationships/>")), damaged);
    assert_eq!(kind(of(&relations.replace("s.bin", "other.bin"))), damaged);
}

#[test]
fn a_part_that_is_cut_is_refused() {
    let rows = [row(0), cell(6, 0, 0, &wide("x"))].concat();
    let (texts, whole) = (shared_texts(&["a"]), sheet(&rows, &[]));
    let file = |texts: &[u8], sheet: &[u8]| workbook_of(&styles(&[], &[0]), texts, &[("S", 0, sheet.to_vec())]);
    assert!(plain(file(&texts, &whole), LIMIT).is_ok());
    for length in 0..whole.len() {
        let error = plain(file(&texts, &whole[..length]), LIMIT).expect_err("it is cut");
        assert_eq!(error.kind, ErrorKind::FileDamaged, "{length}");
    }
    for length in 0..texts.len() {
        assert!(plain(file(&texts[..length], &whole), LIMIT).is_err(), "{length}");
    }
    let whole = file(&texts, &whole);
    for length in (1..whole.len()).step_by(53) {
        assert!(plain(whole[..length].to_vec(), LIMIT).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn any_change_of_a_byte_is_read_without_panic(at in 0_usize..10_000, byte in any::<u8>()) {
        let rows = [row(0), cell(6, 0, 0, &wide("x")), cell(2, 1, 0, &[1, 2, 3, 4]), cell(7, 2, 0, &[0; 4])].concat();
        let mut part = sheet(&rows, &record(0xb0, &[0; 16]));
        let at = at % part.len();
        part[at] = byte;
        let _ = plain(workbook_of(&styles(&[(9, "d")], &[9]), &shared_texts(&["a"]), &[("S", 0, part)]), LIMIT);
    }

    #[test]
    fn any_parts_are_read_without_panic(
        styles in proptest::collection::vec(any::<u8>(), 0..60),
        texts in proptest::collection::vec(any::<u8>(), 0..60),
        part in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = plain(workbook_of(&styles, &texts, &[("S", 0, part)]), LIMIT);
    }
}
