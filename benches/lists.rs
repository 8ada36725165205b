//! Lists of postal items for timing, as the post's spreadsheet saves them: CSV, and XLSX with its texts shared.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use motcua::model::connector::{Access, ConnectorFile, OneOrMany, SourceField};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Rows of one table.
const FILE_ROWS: usize = 200_000;
/// Records of one file of XML or of lines.
const FILE_RECORDS: usize = 50_000;
const TITLE: &str = "BẢNG KÊ BƯU GỬI HỒ SƠ, KẾT QUẢ GIẢI QUYẾT TTHC";
const COLUMNS: [&str; 10] = [
    "STT",
    "Mã vận đơn",
    "Mã hồ sơ",
    "Mã TTHC",
    "Đơn vị",
    "Loại dịch vụ",
    "Ngày chấp nhận",
    "Ngày phát",
    "Trạng thái",
    "Phí thu hộ",
];
const FEE: usize = 30_000;
/// Items of a month.
const MONTH_ITEMS: usize = 33_000;

/// Writes lists of `count` items in a process of its own, whose memory is not ours.
pub(crate) fn write_apart(kind: &str, folder: &Path, count: usize) {
    let program = std::env::current_exe().unwrap();
    let status = Command::new(program).args(["write", kind]).arg(folder).arg(count.to_string()).status().unwrap();
    assert!(status.success(), "the lists were not written");
}

/// Writes lists of `count` items into `folder`.
pub(crate) fn write(kind: &str, folder: &Path, count: usize) {
    let step = if matches!(kind, "csv" | "xlsx") { FILE_ROWS } else { FILE_RECORDS };
    for (file, first) in (0..count).step_by(step).enumerate() {
        let numbers = first..count.min(first + step);
        let path = folder.join(format!("bcci-{file:03}.{kind}"));
        let mut out = File::create(&path).unwrap();
        match kind {
            "csv" => csv(&mut out, numbers),
            "xlsx" => xlsx(&mut out, numbers),
            "xml" => xml(&mut out, numbers),
            _ => lines(&mut out, numbers),
        }
        // Not being written any more.
        out.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    }
}

/// Changes the shipped connector of lists so that it reads `kind`.
pub(crate) fn declare(kind: &str, file: &mut ConnectorFile) {
    let decode = match kind {
        "xml" => "type = 'xml'\nrecords = 'BangKe.BuuGui'",
        "ndjson" => "type = 'json'\nlayout = 'lines'",
        _ => return,
    };
    file.decode = toml::from_str(decode).unwrap();
    file.complete.trailer = None;
    let Access::Files { glob, .. } = &mut file.access else { panic!("the connector reads files") };
    *glob = format!("*.{kind}");
    for map in file.map.values_mut().filter(|_| kind == "xml") {
        map.from = OneOrMany::One(SourceField::Name(element(&map.from.names()[0])));
    }
}

/// The name of an element for a heading.
fn element(heading: &str) -> String {
    heading.replace(' ', "_")
}

fn xml(out: &mut File, numbers: std::ops::Range<usize>) {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BangKe>\n".to_owned();
    for number in numbers {
        text.push_str("<BuuGui>");
        for (heading, cell) in COLUMNS.iter().zip(cells(number)) {
            let name = element(heading);
            let _ = write!(text, "<{name}>{cell}</{name}>");
        }
        text.push_str("</BuuGui>\n");
    }
    text.push_str("</BangKe>\n");
    out.write_all(text.as_bytes()).unwrap();
}

fn lines(out: &mut File, numbers: std::ops::Range<usize>) {
    let mut text = String::new();
    for number in numbers {
        let record: serde_json::Map<_, _> =
            COLUMNS.iter().zip(cells(number)).map(|(heading, cell)| ((*heading).to_owned(), cell.into())).collect();
        let _ = writeln!(text, "{}", serde_json::Value::Object(record));
    }
    out.write_all(text.as_bytes()).unwrap();
}

/// The cells of an item; the first and the last are numbers.
fn cells(number: usize) -> [String; 10] {
    let serial = format!("{:08}", number % 100_000_000);
    let sum: usize =
        serial.bytes().zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    let (day, hour, minute) = (1 + number % 28, 7 + number % 10, number % 60);
    // Lists come month by month.
    let months = number / MONTH_ITEMS;
    let (year, month) = (2020 + months / 12 % 6, 1 + months % 12);
    [
        (number % FILE_ROWS + 1).to_string(),
        format!("EP{serial}{check}VN"),
        format!("H61.{:02}-{:02}{month:02}{day:02}-{:04}", 10 + number % 90, year % 100, number / 2520 % 10_000),
        format!("1.{:06}", 100_000 + number % 400),
        format!("H61.{:02}", 10 + number % 90),
        ["Tiếp nhận hồ sơ", "Trả kết quả"][number % 2].to_owned(),
        format!("{day:02}/{month:02}/{year} {hour:02}:{minute:02}"),
        format!("28/{month:02}/{year} 17:{minute:02}"),
        "Phát thành công".to_owned(),
        FEE.to_string(),
    ]
}

fn csv(out: &mut File, numbers: std::ops::Range<usize>) {
    let mut text = format!("\u{feff}{TITLE}\r\n{}\r\n", COLUMNS.join(";"));
    let count = numbers.len();
    for number in numbers {
        text += &cells(number).join(";");
        text += "\r\n";
        if text.len() > 1 << 20 {
            out.write_all(text.as_bytes()).unwrap();
            text.clear();
        }
    }
    write!(text, "Tổng cộng;;;;;;;;;{}\r\n", count * FEE).unwrap();
    out.write_all(text.as_bytes()).unwrap();
}

/// A workbook as spreadsheets write them: deflated parts, each different text once in a part of its own.
fn xlsx(out: &mut File, numbers: std::ops::Range<usize>) {
    let count = numbers.len();
    let mut texts: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut shared = String::new();
    let mut sheet = format!("{XML}<worksheet xmlns=\"{MAIN}\"><sheetData>");
    let rows = [vec![TITLE.to_owned()], COLUMNS.map(str::to_owned).to_vec()];
    let footer = [vec!["Tổng cộng".to_owned()], vec![String::new(); 8], vec![(count * FEE).to_string()]].concat();
    let rows = rows.into_iter().chain(numbers.map(|number| cells(number).to_vec())).chain([footer]);
    for (at, row) in (1..).zip(rows) {
        write!(sheet, "<row r=\"{at}\">").unwrap();
        for (column, cell) in (b'A'..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let place = char::from(column);
            if cell.parse::<u64>().is_ok() {
                write!(sheet, "<c r=\"{place}{at}\"><v>{cell}</v></c>").unwrap();
                continue;
            }
            let next = texts.len();
            let index = *texts.entry(cell).or_insert_with_key(|text| {
                write!(shared, "<si><t>{text}</t></si>").unwrap();
                next
            });
            write!(sheet, "<c r=\"{place}{at}\" t=\"s\"><v>{index}</v></c>").unwrap();
        }
        sheet += "</row>";
    }
    sheet += "</sheetData></worksheet>";
    let relation = |kind: &str, target: &str, id: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = |inner: String| {
        format!(
            "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inner}</Relationships>"
        )
    };
    let part = |name: &str, kind: &str| format!("<Override PartName=\"{name}\" ContentType=\"{SHEETS}.{kind}+xml\"/>");
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default \
                 Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>{}{}{}</Types>",
                part("/xl/workbook.xml", "sheet.main"),
                part("/xl/worksheets/sheet1.xml", "worksheet"),
                part("/xl/sharedStrings.xml", "sharedStrings"),
            ),
        ),
        ("_rels/.rels", relations(relation("officeDocument", "xl/workbook.xml", "rId1"))),
        (
            "xl/workbook.xml",
            format!(
                "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"BCCI\" sheetId=\"1\" \
                 r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relations(
                relation("worksheet", "worksheets/sheet1.xml", "rId1")
                    + &relation("sharedStrings", "sharedStrings.xml", "rId2"),
            ),
        ),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", format!("{XML}<sst xmlns=\"{MAIN}\" uniqueCount=\"{}\">{shared}</sst>", texts.len())),
    ];
    let mut archive = ZipWriter::new(out);
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SHEETS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
