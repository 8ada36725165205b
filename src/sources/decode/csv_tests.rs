//! The post's export as spreadsheet programs save it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::fields::Readers;
use crate::model::connector::ConnectorFile;
use crate::model::folder::FileEnd;
use crate::model::page::Reason;

const EXPORT: &str = "\u{feff}BƯU ĐIỆN TỈNH;;;;;;;;;\r\n\
    Từ ngày 01/10/2020;;;;;;;;;\r\n\
    \r\n\
    STT;Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ\r\n\
    1;EP123456785VN;000.00.14.H61-201012-0001;1.002835;Sở mẫu A;Trả kết quả;15/10/2020 10:30;16/10/2020 09:02;Phát thành công;30.000\r\n\
    2;EP123456799VN;000.00.14.H61-201012-0003;2.002621;Sở mẫu A;Tiếp nhận hồ sơ;12/10/2020 08:00;;Phát thành công;0\r\n\
    \r\n\
    ;;;;;;;;;\r\n\
    3;EP123456808VN;000.00.14.H61-201012-0003;2.002621;Sở mẫu A;Trả kết quả;17/10/2020 08:00;;Đang vận chuyển;30.000\r\n\
    Tổng  cộng;;;;;;;;;60.000\r\n\
    4;after the footer\r\n";

fn layout(delimiter: &str) -> CsvLayout {
    layout_of(&connector(delimiter))
}

/// A connector in which every column except the item code has a default, so that a file may lack it.
fn connector(delimiter: &str) -> String {
    format!(
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
        glob = "*.csv"
        [decode]
        type = "csv"
        header = "MÃ VẬN ĐƠN"
        footers = ["Tổng cộng"]
        {delimiter}
        [map.item_code]
        from = ["Mã vận đơn", "Waybill"]
        type = "item_code"
        required = true
        [map.dossier_code]
        from = "mã hồ  sơ"
        type = "dossier_code"
        default = "NONE-0"
        [map.delivered_at]
        from = "Ngày phát"
        type = "instant"
        formats = ["dd/MM/yyyy HH:mm"]
        default = "01/01/2000 00:00"
        [map.fee]
        from = "Phí khác"
        type = "integer"
        default = "0"
        "#
    )
}

fn layout_of(text: &str) -> CsvLayout {
    let file: ConnectorFile = toml::from_str(text).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let crate::model::connector::Decode::Csv { delimiter, encoding, header, footers, .. } = &file.decode else {
        panic!("the connector decodes csv")
    };
    let table = TableLayout::compile(header, footers, &readers, file.complete.trailer.as_ref());
    CsvLayout::compile(*delimiter, *encoding, file.limits.max_expanded_bytes, table, &readers)
        .expect("the layout is valid")
}

/// One text per row: line, item code, dossier code, delivered, other fee; or line and reason.
fn rows(layout: &CsvLayout, text: &[u8]) -> Result<Vec<String>, SourceError> {
    let names = ["Mã vận đơn", "mã hồ  sơ", "Ngày phát", "Phí khác"];
    let fields: Arc<[String]> = layout.table.headings();
    let cell = |name: &str| fields.iter().position(|field| *field == fold(name)).expect("the field is kept");
    let mut page = Page::new(1, String::new(), String::new(), Arc::clone(&fields));
    let mut file = CsvFile::open(layout, text.to_vec())?;
    file.read(&mut page, usize::MAX)?;
    assert!(file.ended());
    let row = |index| match page.row(index) {
        (line, Some(reason)) => format!("{line} {}", reason.code()),
        (line, None) => {
            let cells = names.map(|name| page.cell(index, cell(name)).unwrap_or("-"));
            format!("{line} {}", cells.join(" "))
        }
    };
    Ok((0..page.len()).map(row).collect())
}

#[test]
fn a_row_below_the_header_that_numbers_its_columns_is_skipped() {
    let expected = rows(&layout(""), EXPORT.as_bytes()).expect("the export is whole").len();
    let below_header = |row: &str| {
        let text = EXPORT.replacen("\r\n1;", &format!("\r\n{row}\r\n1;"), 1);
        rows(&layout(""), text.as_bytes()).expect("the export is whole").len()
    };
    for row in ["(1);(2);(3);(4);(5);(6);(7);(8);(9);(10)", "A;B;1;2;3;4;5;6;7;8=6+7", ";;\r\n1;2;3;4;5;6;7;8;9;10"] {
        assert_eq!(below_header(row), expected, "{row}");
    }
    for row in ["1;2", "1;EP123456785VN;3;4;5;6;;;9;10", "(1);(2);(3)\r\n(1);(2);(3)"] {
        assert_eq!(below_header(row), expected + 1, "{row}");
    }
}

#[test]
fn signatures_are_allowed_below_the_footer_and_records_are_not() {
    let below = |row: &str| rows(&layout(""), format!("{EXPORT}{row}\r\n").as_bytes());
    for row in ["", ";Người lập biểu;;;;;Giám đốc", ";;;;;;;;;", "Ngày 31 tháng 10 năm 2020"] {
        assert_eq!(below(row).map(|rows| rows.len()), Ok(3), "{row}");
    }
    for row in ["5;EP123456811VN;000.00.14.H61-201012-0004;;;;;;;", "STT;Mã vận đơn;Mã hồ sơ;Mã TTHC"] {
        let error = below(row).expect_err("a second section is an error");
        assert_eq!((error.kind, error.message.contains("line 12")), (ErrorKind::RowsBelowFooter, true), "{error}");
    }
}

#[test]
fn an_export_with_titles_blank_lines_and_a_footer_is_read() {
    let expected = [
        "5 EP123456785VN 000.00.14.H61-201012-0001 16/10/2020 09:02 -",
        "6 EP123456799VN 000.00.14.H61-201012-0003 - -",
        "9 EP123456808VN 000.00.14.H61-201012-0003 - -",
    ];
    for text in [
        EXPORT.to_owned(),
        EXPORT.replace('\r', ""),
        EXPORT.replace('\u{feff}', ""),
        EXPORT.replace(';', ","),
        EXPORT.replace("Tổng  cộng", ";;TỔNG CỘNG:"),
    ] {
        assert_eq!(rows(&layout(""), text.as_bytes()), Ok(expected.map(str::to_owned).to_vec()));
    }
    assert_eq!(rows(&layout("delimiter = \";\""), EXPORT.as_bytes()).map(|rows| rows.len()), Ok(3));
}

#[test]
fn lines_are_counted_with_every_kind_of_line_end() {
    let lines = |text: &str| {
        let rows = rows(&layout(""), text.as_bytes()).expect("a list");
        rows.iter().map(|row| row.split(' ').next().expect("a line").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(lines(&EXPORT.replace("\r\n", "\r")), "5 6 9");
    // Line ends in a quoted cell count too, and CR LF is one.
    let header = "Mã vận đơn;Mã hồ sơ;Ngày phát";
    let row = |code: u32| format!("EP12345678{code}VN;000.00.14.H61-201012-000{code};16/10/2020 09:02");
    for (text, expected) in [
        (format!("{header}\r{}\r\r{}\r", row(1), row(2)), "2 4"),
        (format!("{header}\r\n{}\n\r{}\r\r\n{}", row(1), row(2), row(3)), "2 4 6"),
        (format!("a\r{header};Ghi chú\r{};\"x\ry\r\nz\"\r\n{};", row(1), row(2)), "3 6"),
    ] {
        assert_eq!(lines(&text), expected, "{text:?}");
    }
}

#[test]
fn a_row_that_does_not_match_the_header_keeps_only_its_line_and_reason() {
    let header = "STT;Mã vận đơn;Mã hồ sơ;Ngày phát;;\n";
    for (row, expected) in [
        (b"1;A;B;C".as_slice(), "2 A B C -"),
        (b"1;A;B;C;;;;", "2 A B C -"),
        (b"1;A;B;C;; ;", "2 A B C -"),
        (b"1;A;B;", "2 A B - -"),
        // A cell is missing at the end, or before others.
        (b"1;EP123456785VN;000.00.14.H61-201012-0001", "2 EP123456785VN 000.00.14.H61-201012-0001 - -"),
        (b"1;EP123456785VN", "2 EP123456785VN - - -"),
        (b"EP123456785VN;000.00.14.H61-201012-0001;16/10/2020 09:02", "2 wrong_column_count"),
        (b"1", "2 wrong_column_count"),
        (b"1;A;B", "2 wrong_column_count"),
        (b"1;A;Mr;B;C", "2 wrong_column_count"),
        (b"1;\"A;x\";B;C", "2 A;x B C -"),
        (b"1;\"A\"\"\";B;C", "2 A\" B C -"),
        (b"1;A;\xc4\x90\xd2;C", "2 malformed"),
        (b"1;A;B;\xd2", "2 malformed"),
        (b"\xff;A;B;C", "2 A B C -"),
        (b"1;A;\"B\"x;C", "2 stray_quote"),
        (b"\"1\";\"A\nB\";B;C", "2 A\nB B C -"),
    ] {
        let text = [header.as_bytes(), row, b"\n9;X;Y;Z\n"].concat();
        let found = rows(&layout(""), &text).expect("the file has a header");
        assert_eq!(found[0], expected, "{}", String::from_utf8_lossy(row));
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn an_unreadable_file_gives_an_error_with_the_place() {
    for (text, kind, detail) in [
        (b"a;b;c\n1;2;3\n".as_slice(), ErrorKind::HeaderNotFound, "`MÃ VẬN ĐƠN`"),
        (b"", ErrorKind::FileEmpty, "the file is empty"),
        (b"\xef\xbb\xbf\r\n\0\0\x1a\0", ErrorKind::FileEmpty, "the file is empty"),
        (b"\xff\xfeS\x00T\x00", ErrorKind::HeaderNotFound, "`MÃ VẬN ĐƠN`"),
        (b"STT;M\xe3 v\xe2n \xf0on\n", ErrorKind::NotUtf8, "byte 6"),
        ("STT;Mã vận đơn\n1;\"A\n2;B\n".as_bytes(), ErrorKind::UnclosedQuote, "line 2"),
    ] {
        let error = rows(&layout(""), text).expect_err("the file cannot be read");
        assert_eq!(error.kind, kind);
        assert!(error.message.contains(detail), "{error}");
    }
    let mut layout = layout("");
    layout.table.header = "stt".to_owned();
    let error = rows(&layout, "STT;Mã hồ sơ\n1;B\n".as_bytes()).expect_err("a required column is missing");
    assert_eq!(error.kind, ErrorKind::HeaderNotFound);
    assert!(error.message.contains("`Mã vận đơn` or `Waybill`"), "{error}");
    assert!(rows(&layout, "STT;waybill\n1;B\n".as_bytes()).is_ok());
    // Without a default, a missing column is an error: it would be empty in every row.
    let strict = layout_of(&connector("").replace("default = \"0\"", ""));
    let error = rows(&strict, "Mã vận đơn\nB\n".as_bytes()).expect_err("a mapped column is missing");
    assert!(error.message.contains("`Phí khác`"), "{error}");
}

#[test]
fn a_large_file_is_read_in_several_pages() {
    let layout = layout("");
    let mut text = String::from("Mã vận đơn\n");
    for number in 0..12 {
        writeln!(text, "A{number}").expect("a string takes all");
    }
    let mut file = CsvFile::open(&layout, text.into_bytes()).expect("the header is there");
    let mut sizes = Vec::new();
    while !file.ended() {
        let mut page = Page::new(1, String::new(), String::new(), layout.table.headings());
        file.read(&mut page, 5).expect("the file is whole");
        sizes.push((page.len(), page.row(0).0));
    }
    assert_eq!(sizes, [(5, 2), (5, 7), (2, 12)]);
}

#[test]
fn only_a_file_that_ends_inside_a_quoted_cell_is_cut() {
    let header = "STT;Mã vận đơn;Mã hồ sơ;Ngày phát\n";
    for (rows_of, open) in [
        ("1;A;B;C\"\n", false),
        ("1;A;\"B\nB\";", false),
        ("1;A;\"B\"\"\";C\r\n", false),
        ("1;A;B;\"C", true),
        ("1;A;B;\"C\n", true),
        ("1;A;B;\"C\n2;A;B;C\n", true),
    ] {
        let found = rows(&layout(""), format!("{header}{rows_of}").as_bytes()).map(|rows| rows.len());
        let found = found.map_err(|error| error.kind);
        assert_eq!(found, if open { Err(ErrorKind::UnclosedQuote) } else { Ok(1) }, "{rows_of}");
    }
}

#[test]
fn a_file_that_ends_within_a_row_is_cut() {
    let header = "STT;Mã vận đơn;Mã hồ sơ;Ngày phát\n";
    for (rows_of, expected) in [
        ("1;A;B;C\n2;A;B;16/10/2020 09:02", Ok(2)),
        ("1;A;B;C\n2;A;B;", Ok(2)),
        // Its last cell is cut, so that no date is left.
        ("1;A;B;C\n2;A;B;16/10/2020 09:", Err(ErrorKind::BodyCutShort)),
        ("1;A;B;C\n2;A;B;16/10/2020 09:\n", Ok(2)),
        ("1;A;B;C\n2;A;B", Err(ErrorKind::BodyCutShort)),
        ("1;A;B;C\n2;A", Err(ErrorKind::BodyCutShort)),
        // A remark is no record.
        ("1;A;B;C\nNgười lập", Ok(2)),
        ("1;A;B;C\n;;Người lập", Ok(2)),
        // With its line end the row is rejected, and the file is whole.
        ("1;A;B;C\n2;A\n", Ok(2)),
        ("1;A;B;C\n2;A\n3;A;B;", Ok(3)),
    ] {
        let found = rows(&layout(""), format!("{header}{rows_of}").as_bytes()).map(|rows| rows.len());
        assert_eq!(found.map_err(|error| error.kind), expected, "{rows_of}");
    }
}

#[test]
fn a_last_date_that_is_shorter_than_all_others_is_cut() {
    let layout = layout_of(&connector("").replace("\"dd/MM/yyyy HH:mm\"", "\"dd/MM/yyyy HH:mm\", \"dd/MM/yyyy\""));
    let (long, short) = ("16/10/2020 09:02", "16/10/2020");
    for (dates, is_cut) in [
        ([long, long, long, short], true),
        ([long, long, long, ""], true),
        ([long, long, long, long], false),
        // A row has none, a row has a short one, and too few rows show the length.
        ([long, "", long, ""], false),
        ([long, short, long, short], false),
        (["", long, long, short], false),
        ([short, short, short, long], false),
    ] {
        let file = |end: &str| {
            let rows: Vec<String> = (1..).zip(dates).map(|(row, date)| format!("{row};A{row};B;{date}")).collect();
            let text = format!("STT;Mã vận đơn;Mã hồ sơ;Ngày phát\n{}{end}", rows.join("\n"));
            self::rows(&layout, text.as_bytes()).map(|rows| rows.len()).map_err(|error| error.kind)
        };
        assert_eq!(file(""), if is_cut { Err(ErrorKind::BodyCutShort) } else { Ok(4) }, "{dates:?}");
        assert_eq!(file("\n"), Ok(4), "{dates:?}");
    }
}

#[test]
fn what_shows_that_a_file_is_whole_is_noted() {
    let layout = layout("");
    let row = "Mã vận đơn;Mã hồ sơ\nEP123456785VN;000.00.14.H61-201012-0001";
    for (text, expected) in [
        (row.to_owned(), FileEnd::Open),
        (format!("{row}\n"), FileEnd::LineEnd),
        (format!("{row}\r\n\r\n"), FileEnd::LineEnd),
        (format!("{row}\n\0\0"), FileEnd::LineEnd),
        (format!("{row}\nNgười lập"), FileEnd::Open),
        (format!("{row}\nTổng cộng;1"), FileEnd::Footer),
    ] {
        let mut file = CsvFile::open(&layout, text.clone().into_bytes()).expect("the header is there");
        let mut page = Page::new(1, String::new(), String::new(), layout.table.headings());
        file.read(&mut page, usize::MAX).expect("the file is whole");
        assert_eq!(file.end(), expected, "{text:?}");
    }
}

#[test]
fn rows_before_many_nuls_count_and_the_file_is_perhaps_cut() {
    let row = "Mã vận đơn;Mã hồ sơ\nEP123456785VN;000.00.14.H61-201012-0001";
    let (padding, lost) = ("\0".repeat(15), "\0".repeat(16));
    for (text, expected) in [
        (format!("{row}\n{padding}"), (1, None)),
        (format!("{row}\n{lost}"), (1, Some(ErrorKind::EndsInNuls))),
        (format!("{row}\r\n{lost}\x1a"), (1, Some(ErrorKind::EndsInNuls))),
        (format!("{row}\nTổng cộng;1\n{lost}"), (1, None)),
        (format!("{row}\0"), (0, Some(ErrorKind::BodyCutShort))),
    ] {
        let layout = layout("");
        let mut file = CsvFile::open(&layout, text.clone().into_bytes()).expect("the header is there");
        let (mut rows, mut error) = (0, None);
        while !file.ended() {
            let mut page = Page::new(1, String::new(), String::new(), layout.table.headings());
            match file.read(&mut page, 100) {
                Ok(()) => rows += page.len(),
                Err(found) => error = Some(found.kind),
            }
        }
        assert_eq!((rows, error), expected, "{text:?}");
    }
}

#[test]
fn a_row_of_fifty_megabytes_is_rejected() {
    let mut text = "Mã vận đơn;x\nA;\n".to_owned().into_bytes();
    text.resize(text.len() + (50 << 20), b'y');
    text.extend_from_slice(b"\nB;\n");
    let mut text_open = text.clone();
    let layout = layout("");
    let mut file = CsvFile::open(&layout, text).expect("the header is there");
    let mut page = Page::new(1, String::new(), String::new(), layout.table.headings());
    file.read(&mut page, usize::MAX).expect("the file is whole");
    let found: Vec<_> = (0..page.len()).map(|row| page.row(row)).collect();
    assert_eq!(found, [(2, None), (3, Some(Reason::RowTooLong)), (4, None)]);

    text_open[21] = b'"';
    let error = rows(&layout, &text_open).expect_err("the quote stays open");
    assert_eq!(error.kind, ErrorKind::UnclosedQuote);
    assert!(error.message.contains("line 3"), "{error}");
}

#[test]
fn a_file_cut_at_a_line_end_is_found_by_its_missing_footer_row() {
    let with = connector("").replace(
        "[map.item_code]",
        "[complete]\ntrailer = { column = \"Phí thu hộ\", holds = \"sum\" }\n[map.item_code]",
    );
    let layout = layout_of(&with);
    assert_eq!(rows(&layout, EXPORT.as_bytes()).map(|rows| rows.len()), Ok(3));
    let footer = EXPORT.find("Tổng").expect("there is a footer");
    for (text, kind) in [
        (EXPORT[..footer].to_owned(), ErrorKind::TrailerMissing),
        (EXPORT.replace("60.000", "90.000"), ErrorKind::TrailerDisagrees),
        (EXPORT.replace("Phí thu hộ", "Phí"), ErrorKind::HeaderNotFound),
    ] {
        assert_eq!(rows(&layout, text.as_bytes()).map_err(|error| error.kind), Err(kind));
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_below_a_header_give_rows_or_a_file_that_is_cut(bytes in proptest::collection::vec(
        proptest::sample::select(b"1A;,\"\r\n \xff".as_slice()), 0..200,
    )) {
        let text = ["STT;Mã vận đơn;x\n".as_bytes(), &bytes].concat();
        match rows(&layout(""), &text) {
            Ok(rows) => {
                let lines: Vec<u32> = rows
                    .iter()
                    .map(|row| row.split(' ').next().expect("a line").parse().expect("a number"))
                    .collect();
                proptest::prop_assert!(lines.is_sorted() && lines.iter().all(|line| *line >= 2));
            }
            Err(error) => {
                proptest::prop_assert!(matches!(error.kind, ErrorKind::UnclosedQuote | ErrorKind::BodyCutShort), "{error}");
            }
        }
    }
}
