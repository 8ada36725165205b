//! No personal data and no secret is found in any file or output of a night.
#![expect(clippy::disallowed_methods, reason = "the tests read every file of the data folder")]

mod agencies;
mod catalogue;
mod outside;
mod rights;

use std::fmt::Write as _;
use std::path::Path;

use motcua::simulator::TOKEN_PATH;
use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader as _};
use unicode_normalization::UnicodeNormalization as _;

use crate::office::{Answer, Office, deep, files, said, stub_server};

const NAME: &str = "Nguyễn Thị Hoàng Oanh Canary";
const NUMBER: &str = "079301012345";
const TELEPHONE: &str = "0912345678";
const MAIL: &str = "oanh.canary@example.vn";
/// Names without a common family name, without Thị or Văn, in lower case and in capitals.
const OTHER_NAMES: [&str; 5] =
    ["Cao Bích Chimyen", "Kim Sơn Chimyen", "Sơn Trung Công Chimyen", "danh chimyen", "CHÂU THANH CHIMYEN"];
const SECRET: &str = "planted-secret-5f1e";
const TOKEN: &str = "planted-token-77ab";

/// Texts that must not be found, in lower case. Parts of values are included, because a cut or changed copy is still a
/// copy.
const PLANTED: [&str; 15] = [
    "nguyễn thị",
    "hoàng oanh",
    "canary",
    "079301012345",
    "79301012345",
    "301012345",
    "0912345678",
    "912345678",
    "912 345 678",
    "912.345.678",
    "oanh.canary",
    "chimyen",
    "example.vn",
    SECRET,
    TOKEN,
];

/// A record as iGate writes it. `change`: a field and the JSON value that replaces it.
fn record(number: usize, change: Option<(&str, &str)>) -> String {
    let value = |field: &str, usual: &str| match change {
        Some((changed, value)) if changed == field => value.to_owned(),
        _ => usual.to_owned(),
    };
    let person = format!(
        r#""applicant":{{"userId":"{NUMBER}","data":{{"fullname":"{NAME}","identityNumber":"{NUMBER}","phoneNumber":"{TELEPHONE}","email":"{MAIL}","address":"{NAME}, {TELEPHONE}"}}}}"#
    );
    format!(
        r#"{{"id":{id},"code":{code},"nationCode":{national},"procedure":{{"code":{procedure},"sector":{{"code":{sector}}},"translate":{{"name":"{NAME}"}}}},"agency":{agency},"appliedDate":{applied},"acceptedDate":{accepted},"appointmentDate":{due},"completedDate":{completed},"returnedDate":{returned},"applyMethod":{{"id":1,"name":{channel}}},"dossierReceivingKind":{{"name":{kind}}},"procedureLevel":{{"name":{level}}},"dossierStatus":{{"id":{status},"name":"{NAME}"}},{person}}}"#,
        id = value("id", &format!("\"{number:024x}\"")),
        code = value("code", &format!("\"H61.14-251103-{number:04}\"")),
        national = value("nationCode", "null"),
        procedure = value("procedure.code", "\"1.000894\""),
        sector = value("procedure.sector.code", "\"HO-TICH\""),
        agency = value("agency", r#"{"code":"H61.14","name":"Sở Tư pháp"}"#),
        applied = value("appliedDate", "\"2025-11-03T08:00:00.000+0700\""),
        accepted = value("acceptedDate", "\"2025-11-03T08:30:00.000+0700\""),
        due = value("appointmentDate", "\"2025-11-05T17:00:00.000+0700\""),
        completed = value("completedDate", "null"),
        returned = value("returnedDate", "null"),
        channel = value("applyMethod.name", "\"Trực tiếp\""),
        kind = value("dossierReceivingKind.name", "\"Nhận trực tiếp\""),
        level = value("procedureLevel.name", "\"Một phần\""),
        status = value("dossierStatus.id", "2"),
    )
}

/// A page with one valid record, and one record for each personal value in each kept field.
fn slice() -> (String, u64) {
    let mut records = vec![record(1, None)];
    let fields = [
        "id",
        "code",
        "nationCode",
        "procedure.code",
        "procedure.sector.code",
        "appliedDate",
        "acceptedDate",
        "appointmentDate",
        "completedDate",
        "returnedDate",
        "applyMethod.name",
        "dossierReceivingKind.name",
        "procedureLevel.name",
        "dossierStatus.id",
    ];
    let spaced = "0912 345 678";
    let (capitals, marks_apart) = (NAME.to_uppercase(), NAME.nfd().collect::<String>());
    let addressed = format!("Bà {NAME}");
    let others = OTHER_NAMES;
    let data = [NAME, &capitals, &marks_apart, &addressed, NUMBER, TELEPHONE, MAIL, spaced];
    for datum in data.into_iter().chain(others) {
        for field in fields {
            records.push(record(records.len() + 1, Some((field, &format!("\"{datum}\"")))));
        }
        for agency in [
            format!(r#"{{"name":"{datum}"}}"#),
            format!(r#"{{"code":"{datum}","name":"Sở Tư pháp"}}"#),
            format!(r#"{{"code":"","name":[{{"languageId":228,"name":"{datum}"}}]}}"#),
        ] {
            records.push(record(records.len() + 1, Some(("agency", &agency))));
        }
    }
    // Numbers instead of texts.
    records.push(record(records.len() + 1, Some(("code", NUMBER.trim_start_matches('0')))));
    records.push(record(records.len() + 1, Some(("dossierStatus.id", TELEPHONE.trim_start_matches('0')))));
    let count = records.len() as u64;
    (format!(r#"{{"content":[{}],"last":true}}"#, records.join(",")), count)
}

/// A list of the post with missing or extra columns, and with personal data in place of codes.
fn shifted_list() -> String {
    let header = "STT;Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ";
    let good = [
        "1",
        "EP123456785VN",
        "H61.14-251103-0001",
        "1.000894",
        "Sở Tư pháp",
        "Trả kết quả",
        "10/11/2025 08:00",
        "",
        "Chấp nhận",
        "30.000",
    ];
    let mut text = format!("BẢNG KÊ\n{header}\n{}\n", good.join(";"));
    let mut add = |cells: &[&str]| writeln!(text, "{}", cells.join(";")).expect("a string takes everything");
    // Personal data in place of codes and words, one column at a time and all at once.
    for datum in [NAME, NUMBER, TELEPHONE, MAIL] {
        for column in 1..good.len() {
            let mut row = good;
            row[column] = datum;
            add(&row);
        }
    }
    let mut row = good;
    (row[4], row[9], row[2], row[8]) = (NAME, TELEPHONE, NUMBER, MAIL);
    add(&row);
    // Rows with extra personal columns, shifted left or right; then with the right number of columns.
    add(&[
        "2",
        "EP123456785VN",
        "H61.14-251103-0001",
        "1.000894",
        "Sở Tư pháp",
        NAME,
        TELEPHONE,
        "Trả kết quả",
        "10/11/2025 08:00",
        "",
        "Chấp nhận",
        "30.000",
    ]);
    add(&["3", "EP123456785VN", NUMBER, "1.000894", NAME, "Trả kết quả", "10/11/2025 08:00", MAIL, "Chấp nhận"]);
    add(&[
        "4",
        NAME,
        "EP123456785VN",
        NUMBER,
        "1.000894",
        "Sở Tư pháp",
        "Trả kết quả",
        "10/11/2025 08:00",
        TELEPHONE,
        MAIL,
    ]);
    add(&[
        "EP123456785VN",
        "H61.14-251103-0001",
        "1.000894",
        NAME,
        "Trả kết quả",
        "10/11/2025 08:00",
        TELEPHONE,
        "Chấp nhận",
        "30.000",
        MAIL,
    ]);
    // Only the free text fails.
    add(&[
        "5",
        "EP123456785VN",
        "H61.14-251103-0001",
        "1.000894",
        NAME,
        "Trả kết quả",
        "10/11/2025 08:00",
        "",
        "Chấp nhận",
        "",
    ]);
    // The trailer is present; its sum is larger than that of the readable fees.
    text.push_str("Tổng cộng;;;;;;;;;99.999.999.999.999\n");
    text
}

/// The lists of feedback, measures and notes: a valid row, then for each personal value a row for each column and one
/// row with the value in all columns.
fn lists() -> [(&'static str, String); 3] {
    let list = |header: &str, counted: usize, good: &[&str]| {
        let mut rows = vec![good.to_vec()];
        for datum in [NAME, NUMBER, TELEPHONE, MAIL].into_iter().chain(OTHER_NAMES) {
            for column in 0..good.len() {
                let mut row = good.to_vec();
                row[column] = datum;
                rows.push(row);
            }
            rows.push(vec![datum; good.len()]);
        }
        let count = rows.len().to_string();
        let mut footer = vec![""; good.len()];
        footer[counted] = &count;
        let lines: Vec<String> = rows.iter().map(|row| format!("1;{}", row.join(";"))).collect();
        format!("STT;{header}\n{}\nTổng cộng;{}\n", lines.join("\n"), footer.join(";"))
    };
    let feedback = list(
        "Mã PAKN;Nguồn tiếp nhận;Người gửi;Đối tượng;Nội dung;Cơ quan xử lý;Ngày tiếp nhận;Ngày xử lý;Kết quả;Ngày trả lời;Ngày công khai",
        0,
        &[
            "PAKN-000001",
            "Trực tiếp",
            NAME,
            "Quy định hành chính",
            "Gọi bà Hoàng Oanh, 0912 345 678",
            "Sở Tư pháp",
            "03/11/2025 08:00",
            "04/11/2025",
            "Đã xử lý",
            "05/11/2025",
            "06/11/2025",
        ],
    );
    let measures = list(
        "Chỉ tiêu;Đơn vị;Kỳ;Tử số;Mẫu số;Số văn bản;Ngày nhập;Người nhập",
        2,
        &["par-7.1.2", "H61.14", "2025-Q4", "9", "10", "15/BC-STP", "05/11/2025", NAME],
    );
    let notes = list(
        "Mã hồ sơ;Nguyên nhân trễ;Số văn bản xin lỗi;Ngày xin lỗi;Hẹn trả lại;Người nộp",
        0,
        &["H61.14-251103-0001", "Hệ thống", "3/XL-STP", "06/11/2025", "10/11/2025", NAME],
    );
    [("pakn/pakn.csv", feedback), ("so-lieu/so-lieu.csv", measures), ("ghi-chu/ghi-chu.csv", notes)]
}

/// Searches a text for all planted values.
fn look(text: &str, place: &str, found: &mut Vec<String>) {
    let lower = text.nfc().collect::<String>().to_lowercase();
    for planted in PLANTED {
        if let Some(at) = lower.find(planted) {
            let mut start = at.saturating_sub(40);
            while !lower.is_char_boundary(start) {
                start -= 1;
            }
            found.push(format!("`{planted}` in {place}: …{}", lower[start..].chars().take(120).collect::<String>()));
        }
    }
}

fn look_in_frame(frame: &DataFrame, place: &str, found: &mut Vec<String>) {
    let names: Vec<String> = frame.get_column_names().into_iter().map(ToString::to_string).collect();
    for name in names {
        let column = frame.column(&name).expect("its own name").cast(&DataType::String).expect("everything is text");
        for text in column.str().expect("cast to text").iter().flatten() {
            look(text, &format!("{place} column `{name}`"), found);
        }
    }
}

/// Searches all files of a folder, compressed ones also decompressed. Returns the number of files.
fn look_in_files(folder: &Path, found: &mut Vec<String>) -> usize {
    let names = files(folder);
    for name in &names {
        let path = folder.join(name);
        let place = name.display().to_string();
        look(&place, "a file's name", found);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        look(&String::from_utf8_lossy(&bytes), &place, found);
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("zst") => {
                let text = zstd::decode_all(bytes.as_slice()).expect("a landed page is packed");
                look(&String::from_utf8(text).expect("a landed page is text"), &place, found);
            }
            Some("parquet") => {
                let file = std::fs::File::open(&path).expect("it was just read");
                let frame = deep(|| ParquetReader::new(file).finish()).expect("data files are Parquet");
                look_in_frame(&frame, &place, found);
            }
            _ => {}
        }
    }
    names.len()
}

#[test]
fn no_personal_data_and_no_secret_is_left_behind() {
    let (slice, count) = slice();
    let url = stub_server(move |request| {
        if let Some(answer) = catalogue::answer(request) {
            answer
        } else if request.contains(TOKEN_PATH) {
            Answer::token(TOKEN)
        } else if request.contains("accepted-from=2025-1") {
            Answer::json(&slice)
        } else {
            Answer::json(r#"{"content":[],"last":true}"#)
        }
    });
    let mut office = Office::new(&url);
    office.variables.insert("IGATE_CLIENT_SECRET", SECRET.to_owned());
    office.variables.insert("DVCQG_PASSWORD", SECRET.to_owned());
    office.variables.insert("MOTCUA_LOG", "trace".to_owned());
    office.write("exports/shifted.csv", &shifted_list());
    for (file, text) in lists() {
        office.write(file, &text);
    }
    let night = office.act(&["run"]);
    let mut output = said(&night);
    assert_eq!(night.status.code(), Some(4), "{}", &output[output.len().saturating_sub(2000)..]);
    // Checked before the next night, which does not read the lists again.
    for list in ["feedback", "measures-csv", "dossier-notes-csv", "procedure-catalogue"] {
        let [received, quarantined] = office.counts(list, ["received", "quarantined"]);
        assert!(received > quarantined && quarantined > received / 2, "{list}: {quarantined} of {received}");
    }
    for arguments in [
        &["run"][..],
        &["check"],
        &["status"],
        &["status", "--format", "json"],
        &["report"],
        &["report", "--format", "csv"],
        &["connectors", "show", "portal-igate"],
    ] {
        let _ = write!(output, "{}", said(&office.act(arguments)));
    }
    // Proves that the records were read.
    let [received, quarantined] = office.counts("portal-igate", ["received", "quarantined"]);
    assert!(received >= count && received.is_multiple_of(count), "{received} of {count} records");
    assert!(quarantined > count / 2);
    let counted = |row: &serde_json::Value| row["denominator"].as_u64() > Some(0);
    assert!(office.report_on(&office.data()).iter().any(counted), "the good records count");

    let mut found = Vec::new();
    look(&output, "the output", &mut found);
    let looked = look_in_files(&office.data(), &mut found);
    assert!(looked > 20, "a night leaves many files");
    found.sort();
    found.dedup();
    assert!(
        found.is_empty(),
        "{} finds:\n{}",
        found.len(),
        found.iter().take(30).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn the_search_finds_planted_values() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let packed = zstd::encode_all(format!("x {NAME}").as_bytes(), 1).expect("text can be packed");
    std::fs::write(folder.path().join("page.ndjson.zst"), packed).expect("the scratch folder is writable");
    std::fs::write(folder.path().join("plain"), [b"\x00\xff".as_slice(), MAIL.as_bytes()].concat()).expect("writable");
    let mut found = Vec::new();
    look_in_files(folder.path(), &mut found);
    for planted in ["hoàng oanh", "canary", "oanh.canary"] {
        assert!(found.iter().any(|find| find.contains(&format!("`{planted}`"))), "{planted}: {found:?}");
    }
}
