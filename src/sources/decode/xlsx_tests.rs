//! Workbooks as offices keep them, and damaged or hostile ones.

use super::test_workbook::{sheet_xml, workbook, workbook_of};
use super::*;
use crate::fields::Readers;
use crate::model::connector::ConnectorFile;
use crate::sources::decode::Decoder;

fn connector(decode: &str) -> ConnectorFile {
    let text = format!(
        r#"
        [connector]
        version = 1
        title = "Post"
        kind = "postal_items"
        system = "BCCI"
        contact = "post"
        [access]
        type = "files"
        folder = "in"
        glob = "*.xlsx"
        [decode]
        type = "xlsx"
        header = "Mã vận đơn"
        footers = ["Tổng cộng"]
        {decode}
        [map.item_code]
        from = "Mã vận đơn"
        type = "item_code"
        required = true
        [map.agency]
        from = "Đơn vị"
        type = "agency"
        default = "x"
        [map.fee]
        from = "Phí"
        type = "integer"
        default = "0"
        "#
    );
    toml::from_str(&text).expect("the connector is valid")
}

fn page_of(decode: &str, bytes: &[u8]) -> Result<Page, SourceError> {
    let file = connector(decode);
    let readers = Readers::compile(&file).expect("the map is valid");
    let decoder = Decoder::compile(&file, &readers).expect("the connector compiles");
    decoder.page(bytes, 1, String::new()).map(|(page, _)| page)
}

/// One text per row: row, agency, fee, item code; or row and reason.
fn rows_of(decode: &str, bytes: &[u8]) -> Result<Vec<String>, SourceError> {
    let page = page_of(decode, bytes)?;
    let row = |index| match page.row(index) {
        (row, Some(reason)) => format!("{row} {}", reason.code()),
        (row, None) => {
            let cells: Vec<&str> = (0..3).map(|field| page.cell(index, field).unwrap_or("-")).collect();
            format!("{row} {}", cells.join(" "))
        }
    };
    Ok((0..page.len()).map(row).collect())
}

fn kind_of(decode: &str, bytes: &[u8]) -> ErrorKind {
    rows_of(decode, bytes).expect_err("the workbook cannot be read").kind
}

#[test]
fn titles_sheets_footers_and_cells_are_read() {
    let first: &[Vec<&str>] = &[
        vec!["BƯU ĐIỆN TỈNH"],
        vec![],
        vec!["STT", "MÃ VẬN ĐƠN", "Đơn vị", "Phí"],
        vec!["=1", "A", "Sở", "=30000"],
        vec![],
        vec!["=2", "=1000000000000", "@44119.4375", "=30.125"],
        vec!["=3", "?1", "", "!#REF!"],
        vec!["!#REF!", "B", "Sở", ""],
        vec!["=4", "C", "Sở", "", "beside"],
        vec!["Tổng  cộng", "", "", "=60000"],
        vec!["=5", "after the footer"],
    ];
    let second: &[Vec<&str>] = &[vec!["Phí", "Mã vận đơn"], vec!["=0", "D"]];
    let notes: &[Vec<&str>] = &[vec!["Ghi chú"], vec!["x"]];
    let expected = [
        "4 Sở 30000 A",
        "6 2020-10-15 10:30:00 30.1250 1000000000000",
        "7 - ?:0 cell_error true",
        "8 Sở - B",
        "9 wrong_column_count",
        "2 - 0 D",
    ];
    let bytes = workbook(&[("Tháng 10", first), ("Ghi chú", notes), ("Tháng 11", second)]);
    assert_eq!(rows_of("", &bytes).expect("the workbook is whole"), expected);
    assert_eq!(rows_of("sheets = \"tháng*\"", &bytes).expect("the workbook is whole"), expected);
    assert_eq!(rows_of("sheets = \"*11\"", &bytes).expect("the workbook is whole"), expected[5..]);
    assert_eq!(kind_of("sheets = \"ghi*\"", &bytes), ErrorKind::HeaderNotFound);
    assert_eq!(kind_of("sheets = \"none\"", &bytes), ErrorKind::HeaderNotFound);
    let lacking: &[Vec<&str>] = &[vec!["Mã vận đơn khác", "Phí"]];
    assert_eq!(kind_of("", &workbook(&[("a", lacking)])), ErrorKind::HeaderNotFound);
}

#[test]
fn rows_of_a_merged_cell_are_rejected_unless_the_connector_says_what_they_have() {
    let rows: &[Vec<&str>] =
        &[vec!["Mã vận đơn", "Đơn vị"], vec!["A", "Sở A"], vec!["B"], vec!["C"], vec!["D", "Sở B"], vec!["E"]];
    let merge = "</sheetData><mergeCells count=\"1\"><mergeCell ref=\"B2:B3\"/></mergeCells>";
    let bytes = workbook_of(&[("a", sheet_xml(rows).replace("</sheetData>", merge))], "", &[]);
    let expected = ["2 Sở A - A", "3 merged_cell", "4 - - C", "5 Sở B - D", "6 - - E"];
    assert_eq!(rows_of("", &bytes).expect("the workbook is whole"), expected);
    let empty = ["2 Sở A - A", "3 - - B", "4 - - C", "5 Sở B - D", "6 - - E"];
    assert_eq!(rows_of("merged = \"empty\"", &bytes).expect("the workbook is whole"), empty);
    // A merged cell beside the kept columns, or one that is empty, costs no row.
    let beside = merge.replace("B2:B3", "D2:D3");
    let bytes_beside = workbook_of(&[("a", sheet_xml(rows).replace("</sheetData>", &beside))], "", &[]);
    assert_eq!(rows_of("", &bytes_beside).expect("the workbook is whole"), empty);
    let nothing = merge.replace("B2:B3", "B3:B4");
    let bytes_nothing = workbook_of(&[("a", sheet_xml(rows).replace("</sheetData>", &nothing))], "", &[]);
    assert_eq!(rows_of("", &bytes_nothing).expect("the workbook is whole"), empty);
    let repeated = ["2 Sở A - A", "3 Sở A - B", "4 - - C", "5 Sở B - D", "6 - - E"];
    assert_eq!(rows_of("merged = \"repeat\"", &bytes).expect("the workbook is whole"), repeated);
}

#[test]
fn mapped_columns_that_a_merged_cell_spans_are_not_known() {
    let rows: &[Vec<&str>] = &[
        vec!["Ghi chú", "Mã vận đơn", "Đơn vị", "Phí"],
        vec!["", "A", "Sở A"],
        vec!["", "B", "Sở B", "=1"],
        vec!["gộp", "", "", "=2"],
    ];
    let merged = |cell: &str| {
        let merge = format!("</sheetData><mergeCells count=\"1\"><mergeCell ref=\"{cell}\"/></mergeCells>");
        workbook_of(&[("a", sheet_xml(rows).replace("</sheetData>", &merge))], "", &[])
    };
    let read = |more: &str, cell: &str| rows_of(more, &merged(cell)).expect("the workbook is whole");
    // The agency and the fee of A are one cell.
    let last = "4 - 2 -";
    assert_eq!(read("", "C2:D2"), ["2 merged_cell", "3 Sở B 1 B", last]);
    assert_eq!(read("merged = \"empty\"", "C2:D2"), ["2 Sở A - A", "3 Sở B 1 B", last]);
    // A cell of a column that is not mapped spans mapped ones.
    assert_eq!(read("", "A4:C4"), ["2 Sở A - A", "3 Sở B 1 B", "4 merged_cell"]);
    // One that spans no mapped column besides its own.
    assert_eq!(read("", "D3:F3"), ["2 Sở A - A", "3 Sở B 1 B", last]);
}

#[test]
fn a_formula_that_was_not_calculated_is_an_error_of_its_field() {
    let rows: &[Vec<&str>] =
        &[vec!["Mã vận đơn", "Đơn vị", "Phí", "Ghi chú"], vec!["A"], vec!["B"], vec!["C"], vec!["D"]];
    let more = |row: u32, cells: &str| (format!("<row r=\"{row}\">"), format!("<row r=\"{row}\">{cells}"));
    let mut xml = sheet_xml(rows);
    for (from, to) in [
        // No stored value; an empty one as `openpyxl` writes it; a shared formula.
        more(2, "<c r=\"C2\"><f>B2*2</f></c>"),
        more(3, "<c r=\"C3\"><f>B3*2</f><v></v></c>"),
        more(4, "<c r=\"C4\"><f t=\"shared\" si=\"0\"/></c>"),
        // The stored value is the empty text, and a formula in a column that is not kept.
        more(
            5,
            "<c r=\"C5\" t=\"str\"><f>IF(A5=&quot;&quot;,&quot;&quot;,&quot;&quot;)</f><v></v></c><c r=\"D5\"><f>1+1</f></c>",
        ),
    ] {
        // Before the row's other cells: their order does not matter.
        xml = xml.replace(&from, &to);
    }
    let bytes = workbook_of(&[("a", xml)], "", &[]);
    let expected = ["2 - ?:0 cell_error A", "3 - ?:0 cell_error B", "4 - ?:0 cell_error C", "5 - - D"];
    assert_eq!(rows_of("", &bytes).expect("the workbook is whole"), expected);
}

#[test]
fn serial_numbers_that_mean_no_date_are_numbers() {
    let rows: &[Vec<&str>] =
        &[vec!["Mã vận đơn", "Đơn vị"], vec!["A", "@0"], vec!["B", "@1"], vec!["C", "@0.437512345678"]];
    let bytes = workbook(&[("a", rows)]);
    assert_eq!(rows_of("", &bytes).expect("the workbook is whole"), ["2 0 - A", "3 1 - B", "4 0.437512 - C"]);
}

#[test]
fn dates_are_counted_from_the_epoch_of_the_workbook() {
    let rows: &[Vec<&str>] = &[vec!["Mã vận đơn", "Đơn vị"], vec!["A", "@42657.4375"]];
    let bytes = workbook_of(&[("a", sheet_xml(rows))], "<workbookPr date1904=\"1\"/>", &[]);
    assert_eq!(rows_of("", &bytes).expect("the workbook is whole"), ["2 2020-10-15 10:30:00 - A"]);
    let file = connector("");
    let text = toml::to_string(&file).expect("a connector is TOML").replace(
        "[map.fee]",
        "[map.accepted_at]\nfrom = \"Ngày\"\ntype = \"instant\"\nformats = [\"dd/MM/yyyy\"]\n[map.fee]",
    );
    let readers = Readers::compile(&toml::from_str(&text).expect("valid")).expect("the map is valid");
    let accepted = readers.readers.iter().find(|reader| reader.column == "accepted_at").expect("it is mapped");
    assert_eq!(
        accepted.read("2020-10-15 10:30:00"),
        accepted.read("15/10/2020").map(|day| match day {
            crate::model::record::Value::Instant(day) => crate::model::record::Value::Instant(day + 37_800_000_000),
            other => other,
        })
    );
}

/// Days that a workbook counts from 1904 are four years earlier than the same numbers elsewhere.
#[test]
fn serial_numbers_in_a_workbook_that_counts_from_1904_are_refused() {
    let rows: &[Vec<&str>] = &[vec!["Mã vận đơn", "Ngày"], vec!["A", "=42657"]];
    let text = toml::to_string(&connector("")).expect("a connector is TOML").replace(
        "[map.fee]",
        "[map.accepted_at]\nfrom = \"Ngày\"\ntype = \"instant\"\nformats = [\"spreadsheet_serial\"]\n[map.fee]",
    );
    let file: ConnectorFile = toml::from_str(&text).expect("valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let decoder = Decoder::compile(&file, &readers).expect("the connector compiles");
    for (properties, is_read) in [
        ("", true),
        ("<workbookPr date1904=\"0\"/>", true),
        ("<workbookPr date1904=\"false\"/>", true),
        ("<workbookPr date1904=\"1\"/>", false),
        ("<workbookPr date1904=\"true\"/>", false),
        ("<workbookPr date1904 = '1'/>", false),
    ] {
        let bytes = workbook_of(&[("a", sheet_xml(rows))], properties, &[]);
        let read = decoder.page(&bytes, 1, String::new()).map(|(page, _)| page.len());
        let refused = read.as_ref().is_err_and(|error| error.message.contains("counts days from 1904"));
        assert_eq!((read.is_ok(), refused), (is_read, !is_read), "{properties}: {read:?}");
    }
}

#[test]
fn each_sheet_has_its_own_trailer() {
    let trailer = "[complete]\ntrailer = { column = \"Phí\", holds = \"sum\" }";
    let sheet_of = |sum: &'static str| {
        vec![vec!["Mã vận đơn", "Phí"], vec!["A", "=30000"], vec!["B", "30.000"], vec!["Tổng cộng", sum]]
    };
    let rows =
        |sums: [&'static str; 2]| rows_of(trailer, &workbook(&[("a", &sheet_of(sums[0])), ("b", &sheet_of(sums[1]))]));
    assert_eq!(rows(["=60000", "60.000"]).map(|rows| rows.len()), Ok(4));
    let error = rows(["=60000", "=90000"]).expect_err("the second sheet lacks a row");
    assert_eq!((error.kind, error.message.contains("sheet `b`")), (ErrorKind::TrailerDisagrees, true), "{error}");
    let cut = workbook(&[("a", &sheet_of("=60000")[..3])]);
    assert_eq!(kind_of(trailer, &cut), ErrorKind::TrailerMissing);
    // A signature below the footer row is ignored, also in the summed column; a second section is an error.
    let below = |row: Vec<&'static str>| [sheet_of("=60000"), vec![row]].concat();
    let signed = workbook(&[("a", &below(vec!["Người lập", ""]))]);
    assert_eq!(rows_of(trailer, &signed).map(|rows| rows.len()), Ok(2));
    let sections = workbook(&[("a", &below(vec!["C", "=90000"]))]);
    assert_eq!(kind_of(trailer, &sections), ErrorKind::RowsBelowFooter);
}

#[test]
fn an_unreadable_workbook_gives_the_matching_error() {
    let rows: &[Vec<&str>] = &[vec!["Mã vận đơn"], vec!["A"]];
    let whole = workbook(&[("a", rows)]);
    let encrypted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encrypted = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 2000], &encrypted].concat();
    for (bytes, kind) in [
        (encrypted.as_slice(), ErrorKind::FileEncrypted),
        (&encrypted[..1000], ErrorKind::FileDamaged),
        (b"<html>", ErrorKind::NotAWorkbook),
        (b"", ErrorKind::NotAWorkbook),
        (&whole[..whole.len() - 30], ErrorKind::BodyCutShort),
        (&whole[..100], ErrorKind::BodyCutShort),
        (&workbook_of(&[("a", sheet_xml(rows).replace("A2", "A9999999"))], "", &[]), ErrorKind::FileDamaged),
        (&workbook_of(&[("a", "<worksheet><sheetData><row>".to_owned())], "", &[]), ErrorKind::FileDamaged),
    ] {
        assert_eq!(kind_of("", bytes), kind, "{} bytes", bytes.len());
    }
}

#[test]
fn any_cut_is_an_error_and_any_changed_byte_is_survived() {
    let rows: &[Vec<&str>] = &[vec!["Mã vận đơn"], vec!["A"]];
    let whole = workbook(&[("a", rows)]);
    for at in 0..whole.len() {
        assert!(rows_of("", &whole[..at]).is_err(), "cut at {at}");
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _ = rows_of("", &changed);
    }
}

#[test]
fn false_counts_and_zip_bombs_are_refused() {
    let rows: &[Vec<&str>] = &[vec!["Mã vận đơn"], vec!["A"]];
    let strings = |count: &str| format!("<sst count=\"9\" uniqueCount=\"{count}\"><si><t>x</t></si></sst>");
    let with = |count: &str| {
        workbook_of(&[("a", sheet_xml(rows))], "", &[("xl/sharedStrings.xml", strings(count).as_bytes())])
    };
    assert!(rows_of("", &with("1")).is_ok());
    for count in ["4000000000", "99999999999999999999999"] {
        assert_eq!(kind_of("", &with(count)), ErrorKind::FileDamaged, "{count}");
    }
    let wide = sheet_xml(rows).replace("<sheetData>", "<dimension ref=\"A1:ZZZ99999999\"/><sheetData>");
    assert_eq!(kind_of("", &workbook_of(&[("a", wide)], "", &[])), ErrorKind::FileDamaged);

    // 32 MiB of blanks in a part of some kilobytes; then the same part, declared to have one byte.
    let limit = "[limits]\nmax_expanded_bytes = 8388608";
    let mut bomb = workbook_of(&[("a", sheet_xml(rows))], "", &[("xl/sharedStrings.xml", &vec![b' '; 32 << 20])]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(kind_of(limit, &bomb), ErrorKind::ExpandsTooFar);
    let size = u32::to_le_bytes(32 << 20);
    while let Some(at) = bomb.windows(4).position(|window| window == size) {
        bomb[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
    }
    let kind = kind_of(limit, &bomb);
    assert!([ErrorKind::ExpandsTooFar, ErrorKind::FileDamaged].contains(&kind), "{kind:?}");
}

#[test]
fn a_second_header_row_is_skipped_or_refused() {
    let file = |second: Vec<&str>| {
        let rows: &[Vec<&str>] =
            &[vec!["Mã vận đơn", "Đơn vị", "Phí"], vec!["A", "Sở", "=1"], second, vec!["B", "Sở", "=2"]];
        rows_of("", &workbook(&[("T1", rows)]))
    };
    assert_eq!(file(vec!["MÃ VẬN ĐƠN", "Đơn vị", "Phí"]), Ok(vec!["2 Sở 1 A".to_owned(), "4 Sở 2 B".to_owned()]));
    let error = file(vec!["Mã vận đơn", "Phí", "Đơn vị"]).expect_err("another table");
    assert_eq!((error.kind, error.message.contains("row 3")), (ErrorKind::HeadingsMoved, true), "{error}");
}

#[test]
fn a_row_below_the_header_that_numbers_its_columns_is_skipped() {
    let file = |second: Vec<&str>, third: Vec<&str>| {
        let rows: &[Vec<&str>] = &[vec!["Mã vận đơn", "Đơn vị", "Phí"], second, third];
        rows_of("", &workbook(&[("T1", rows)])).expect("the workbook is whole")
    };
    for numbers in [vec!["(1)", "(2)", "(3)"], vec!["=1", "=2", "=3"], vec!["A", "=1", "=2"]] {
        assert_eq!(file(numbers.clone(), vec!["B", "Sở", "=2"]), ["3 Sở 2 B"], "{numbers:?}");
        assert_eq!(file(vec!["B", "Sở", "=2"], numbers.clone()).len(), 2, "{numbers:?} further below");
    }
    assert_eq!(file(vec!["=1", "=3", "=2"], vec!["B", "Sở", "=2"]).len(), 2);
}

#[test]
fn sheets_that_are_skipped_are_counted_and_a_table_without_its_header_row_is_refused() {
    let first: &[Vec<&str>] = &[vec!["Mã vận đơn", "Đơn vị", "Phí"], vec!["A", "Sở", "=1"]];
    let notes: &[Vec<&str>] = &[vec!["Ghi chú", "Phí"], vec!["x", "=2"]];
    let remarks = |bytes: &[u8]| page_of("", bytes).expect("the workbook is whole").remarks;
    let nothing: &[Vec<&str>] = &[];
    assert_eq!(
        remarks(&workbook(&[("a", first), ("b", notes), ("c", nothing)])),
        TableRemarks { other_sheets: 1, ..TableRemarks::default() }
    );
    let hidden = |rows: &[Vec<&str>]| {
        let sheets = [("a", sheet_xml(first)), ("b\" state=\"hidden", sheet_xml(rows))];
        remarks(&workbook_of(&sheets, "", &[]))
    };
    assert_eq!(hidden(first), TableRemarks { hidden_tables: 1, ..TableRemarks::default() });
    assert_eq!(hidden(notes), TableRemarks::default());
    let misspelt: &[Vec<&str>] = &[vec!["Danh sách"], vec!["Mã đơn", "Đơn vị", "Phí"], vec!["B", "Sở", "=2"]];
    let error = rows_of("", &workbook(&[("a", first), ("b", misspelt)])).expect_err("the second table");
    assert_eq!((error.kind, error.message.contains("row 2")), (ErrorKind::HeaderNotFound, true), "{error}");
    assert!(error.message.contains("sheet `b`"), "{error}");
}

#[test]
fn a_row_that_begins_like_a_footer_row_is_a_record_if_it_has_what_a_record_has() {
    let header = vec!["STT", "Đơn vị", "Mã vận đơn", "Phí"];
    let rows = |last: Vec<&'static str>| {
        let table: &[Vec<&str>] = &[header.clone(), vec!["=1", "Sở", "A", "=1"], last];
        rows_of("", &workbook(&[("T1", table)])).expect("the workbook is whole")
    };
    let item = "EP123456785VN";
    assert_eq!(rows(vec!["", "Tổng cộng tác xã", item, "=2"]), ["2 Sở 1 A", "3 Tổng cộng tác xã 2 EP123456785VN"]);
    assert_eq!(rows(vec!["Tổng cộng", "", "", "=1"]), ["2 Sở 1 A"]);
    assert_eq!(rows(vec!["", "Tổng cộng", "", "=1"]), ["2 Sở 1 A"]);
    assert_eq!(rows(vec!["", "", "Tổng cộng", "=1"]), ["2 Sở 1 A"]);
}

#[test]
fn headings_may_stand_in_two_rows() {
    let upper = || vec!["STT", "Mã vận đơn", "", "Đơn vị"];
    let lower = || vec!["", "", "Phí", ""];
    let rows: &[Vec<&str>] = &[
        vec!["BƯU ĐIỆN TỈNH"],
        upper(),
        lower(),
        vec!["(1)", "(2)", "(3)", "(4)"],
        vec!["=1", "A", "=30000", "Sở"],
        upper(),
        lower(),
        vec!["=2", "B", "=40000", "Sở"],
        vec!["", "Tổng cộng", "=70000"],
    ];
    let bytes = workbook(&[("Tháng 1", rows)]);
    assert_eq!(rows_of("header_rows = 2", &bytes), Ok(vec!["5 Sở 30000 A".to_owned(), "8 Sở 40000 B".to_owned()]));
    let page = page_of("header_rows = 2", &bytes).expect("it is read");
    assert_eq!(page.remarks.heading_rows, 3);
    assert_eq!(kind_of("header_rows = 2", &workbook(&[("Tháng 1", &rows[..2])])), ErrorKind::HeaderNotFound);
}
