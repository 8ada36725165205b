//! Titles, lead agencies and annual targets of the rows of Decision 2639/QĐ-UBND, against a table written by hand from
//! its annexes 1 and 2.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use motcua::config::Configuration;
use motcua::model::indicator::IndicatorDefinition;

use crate::office::program;

/// Row of the annex, its title word for word (without a full stop at its end), and its lead agency; an agency that was
/// merged or ended since stands with its successor or its last day.
const ROWS: &[(&str, &str, &str)] = &[
    ("1.3.1", "Tỷ lệ cơ quan chuyên môn cấp tỉnh và đơn vị hành chính cấp huyện được kiểm tra trong năm", "Sở Nội vụ"),
    ("2.2", "Xử lý VBQPPL sau rà soát, hệ thống hóa", "Sở Tư pháp"),
    ("2.3", "Xử lý văn bản phát hiện sai phạm qua kiểm tra", "Sở Tư pháp"),
    ("3.1.1", "Thực hiện quy định về ban hành TTHC theo thẩm quyền", "Văn phòng UBND tỉnh"),
    ("3.1.2", "Xử lý các vấn đề phát hiện qua rà soát TTHC", "Văn phòng UBND tỉnh"),
    (
        "3.2.1",
        "Công bố TTHC và danh mục TTHC thuộc thẩm quyền giải quyết của các cấp chính quyền trên địa bàn tỉnh",
        "Các sở, ban, ngành",
    ),
    ("3.2.2", "Nhập, đăng tải công khai TTHC vào Cơ sở dữ liệu quốc gia sau khi công bố", "Văn phòng UBND tỉnh"),
    ("3.2.3", "Công bố quy trình nội bộ giải quyết TTHC", "Các sở, ban, ngành"),
    (
        "3.2.4",
        "Tỷ lệ CQCM cấp tỉnh và ĐVHC cấp huyện, cấp xã công khai TTHC đầy đủ, đúng quy định tại nơi tiếp nhận, giải quyết TTHC",
        "Các sở, ban, ngành, UBND cấp huyện và UBND cấp xã",
    ),
    (
        "3.2.5",
        "Công khai TTHC trên Cổng thông tin điện tử (TTĐT) của tỉnh và Trang TTĐT của các cơ quan, đơn vị",
        "Văn phòng UBND tỉnh; Các sở, ban, ngành, UBND cấp huyện",
    ),
    (
        "3.2.6",
        "Công khai tiến độ, kết quả giải quyết hồ sơ TTHC trên Cổng TTĐT hoặc Cổng dịch vụ công của tỉnh",
        "Văn phòng UBND tỉnh; Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    (
        "3.3.1",
        "Tỷ lệ TTHC thực hiện việc tiếp nhận, trả kết quả tại Bộ phận Một cửa",
        "Các sở, ban, ngành, UBND cấp huyện và UBND cấp xã",
    ),
    (
        "3.3.2",
        "Đưa TTHC ngành dọc thực hiện việc tiếp nhận hồ sơ tại Bộ phận Một cửa các cấp theo danh mục được phê duyệt",
        "Văn phòng UBND tỉnh",
    ),
    (
        "3.3.3",
        "Số TTHC hoặc nhóm TTHC được giải quyết theo hình thức liên thông cùng cấp",
        "Các sở, ban, ngành; UBND cấp huyện",
    ),
    (
        "3.3.4",
        "Số TTHC hoặc nhóm TTHC được giải quyết theo hình thức liên thông giữa các cấp chính quyền",
        "Các sở, ban, ngành; UBND cấp huyện",
    ),
    ("3.4", "Kết quả giải quyết hồ sơ TTHC", ""),
    (
        "3.4.1",
        "Tỷ lệ hồ sơ TTHC do cơ quan chuyên môn cấp tỉnh tiếp nhận trong năm được giải quyết đúng hạn",
        "Các sở, ban, ngành",
    ),
    (
        "3.4.2",
        "Tỷ lệ hồ sơ TTHC do UBND cấp huyện tiếp nhận trong năm được giải quyết đúng hạn",
        "UBND cấp huyện (đến ngày 30/6/2025)",
    ),
    ("3.4.3", "Tỷ lệ hồ sơ TTHC do UBND cấp xã tiếp nhận trong năm được giải quyết đúng hạn", "UBND cấp xã"),
    (
        "3.4.4",
        "Thực hiện việc xin lỗi người dân, tổ chức khi để xảy ra trễ hạn trong giải quyết hồ sơ TTHC",
        "Các sở, ban, ngành; UBND cấp huyện, UBND cấp xã",
    ),
    ("3.4.5", "Đánh giá chất lượng giải quyết TTHC của địa phương", "Văn phòng UBND tỉnh"),
    (
        "3.5.1",
        "Xử lý PAKN của cá nhân, tổ chức đối với TTHC thuộc thẩm quyền giải quyết của tỉnh",
        "Văn phòng UBND tỉnh",
    ),
    (
        "3.5.2",
        "Công khai kết quả trả lời PAKN của cá nhân, tổ chức đối với quy định TTHC thuộc thẩm quyền của tỉnh",
        "Văn phòng UBND tỉnh",
    ),
    (
        "7.1.1",
        "Triển khai Kiến trúc Chính quyền điện tử của tỉnh",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    ("7.1.2", "Tỷ lệ văn bản trao đổi giữa các cơ quan hành chính nhà nước dưới dạng điện tử", "Văn phòng UBND tỉnh"),
    (
        "7.1.3",
        "Thực hiện kết nối, liên thông các phần mềm quản lý văn bản (từ cấp tỉnh đến cấp xã)",
        "Văn phòng UBND tỉnh",
    ),
    ("7.1.4", "Quản lý, vận hành Hệ thống thông tin một cửa điện tử của tỉnh", "Văn phòng UBND tỉnh"),
    ("7.1.5", "Xây dựng, quản lý, vận hành Cổng dịch vụ công", "Văn phòng UBND tỉnh"),
    ("7.1.6", "Xây dựng Hệ thống thông tin báo cáo cấp tỉnh", "Văn phòng UBND tỉnh"),
    (
        "7.2.1",
        "Tỷ lệ TTHC cung cấp trực tuyến mức độ 3, 4 có phát sinh hồ sơ trong năm",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    (
        "7.2.2",
        "Tỷ lệ hồ sơ TTHC được xử lý trực tuyến mức độ 3, 4",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    (
        "7.3.1",
        "Tỷ lệ TTHC đã triển khai có phát sinh hồ sơ tiếp nhận/trả kết quả giải quyết qua dịch vụ BCCI",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    (
        "7.3.2",
        "Tỷ lệ hồ sơ TTHC được tiếp nhận qua dịch vụ BCCI",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    (
        "7.3.3",
        "Tỷ lệ kết quả giải quyết TTHC được trả qua dịch vụ BCCI",
        "Sở Thông tin và Truyền thông (nay là Sở Khoa học và Công nghệ)",
    ),
    ("7.4.1", "Tỷ lệ CQCM cấp tỉnh, ĐVHC cấp huyện công bố ISO 9001 theo quy định", "Sở Khoa học và Công nghệ"),
    (
        "7.4.2",
        "Tỷ lệ CQCM cấp tỉnh, ĐVHC cấp huyện thực hiện việc xây dựng, áp dụng, duy trì, cải tiến TCVN ISO 9001:2008 hoặc TCVN ISO 9001:2015 phù hợp theo quy định",
        "Sở Khoa học và Công nghệ",
    ),
];

/// Rows of annex 2 (SIPAS).
const SIPAS: [&str; 5] = [
    "Chỉ số hài lòng về tiếp cận dịch vụ",
    "Chỉ số hài lòng về tổ chức giải quyết TTHC",
    "Chỉ số hài lòng về công chức giải quyết TTHC",
    "Chỉ số hài lòng về kết quả giải quyết TTHC",
    "Chỉ số hài lòng về việc tiếp nhận, xử lý phản ánh, kiến nghị liên quan đến TTHC",
];

/// Rows whose title or requirement sets the target for the year ("trong năm", "hàng năm"), here or in part II.
const ANNUAL: [&str; 11] =
    ["1.3.1", "3.1.1", "3.4.1", "3.4.2", "3.4.3", "3.5.1", "7.1.2", "7.2.1", "7.2.2", "7.3.2", "7.3.3"];

/// Rows that name no period of their target and are read as annual; their notes say why.
const READ_AS_ANNUAL: [&str; 2] = ["7.1.4", "7.3.1"];

fn configuration() -> Configuration {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The row of an indicator, and whether it is the row itself; else it is a companion or one reading of the row.
fn row_of(id: &str) -> Option<(&'static (&'static str, &'static str, &'static str), bool)> {
    let number = id.strip_prefix("par-")?;
    let exact = ROWS.iter().find(|(row, ..)| *row == number);
    let companion = || ROWS.iter().find(|(row, ..)| number.strip_prefix(row).is_some_and(|rest| rest.starts_with('-')));
    exact.map(|row| (row, true)).or_else(|| companion().map(|row| (row, false)))
}

#[test]
fn titles_are_those_of_the_annex() {
    let config = configuration();
    let mut found = BTreeSet::new();
    for IndicatorDefinition { id, title, lead_agency, .. } in config.indicators.iter().map(|one| &one.definition) {
        if let Some(number) = id.strip_prefix("sipas-") {
            let place: usize = number.parse().expect("a row of annex 2");
            assert_eq!(title.vi, SIPAS[place - 1], "{id}");
        }
        // Part II of the decision has no titles.
        if !id.starts_with("par-") || id.starts_with("par-ii.") {
            continue;
        }
        let ((row, annex, lead), is_row) = row_of(id).unwrap_or_else(|| panic!("`{id}` is no row of the annex"));
        found.insert(*row);
        if is_row {
            assert_eq!(title.vi, *annex, "{id}");
        } else {
            let reading = title.vi.strip_prefix(annex).and_then(|rest| rest.strip_prefix(": "));
            let reading = reading.unwrap_or_else(|| panic!("`{id}` begins with the annex's words: {}", title.vi));
            assert!(!reading.is_empty(), "{id}");
        }
        if !lead.is_empty() {
            assert_eq!(lead_agency.as_deref(), Some(*lead), "{id}");
        }
    }
    let missing: Vec<&str> = ROWS.iter().map(|(row, ..)| *row).filter(|row| !found.contains(row)).collect();
    assert!(missing.is_empty(), "rows without an indicator: {missing:?}");
}

#[test]
fn targets_that_the_decision_sets_for_the_year_are_annual() {
    let config = configuration();
    for definition in config.indicators.iter().map(|one| &one.definition) {
        let Some(target) = definition.target else { continue };
        let row = row_of(&definition.id).map_or("", |((row, ..), _)| row);
        let expected = ANNUAL.contains(&row) || READ_AS_ANNUAL.contains(&row);
        assert_eq!(!target.judged.is_all(), expected, "{}", definition.id);
    }
    for row in READ_AS_ANNUAL {
        let id = format!("par-{row}");
        let read = config.indicators.iter().find(|one| one.definition.id == id).expect("the row is defined");
        let note = read.definition.note_vi.as_deref().unwrap_or_default();
        assert!(note.contains("chỉ tiêu năm"), "{id}: {note}");
    }
}

/// The list that the annex asks for (3.3.3, 3.3.4): what it marks as counted are the procedures, or groups of them, that
/// the registry files have for the year.
#[test]
fn the_list_of_interlinked_procedures_has_what_the_registry_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = |file: &str| {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(root.join(file)).expect("it is there");
        let rows: Vec<BTreeMap<String, String>> =
            reader.deserialize().collect::<Result<_, _>>().expect("it has a row of names");
        rows
    };
    let vertical = |file: &str| {
        let rows = rows(file).into_iter().filter(|row| row["vertical"] == "true");
        rows.map(|row| row["code"].clone()).collect::<BTreeSet<String>>()
    };
    let (agencies, procedures) = (vertical("config/agencies.csv"), vertical("config/procedures.csv"));
    for (indicator, interlinked) in [("par-3.3.3", "same_level"), ("par-3.3.4", "between_levels")] {
        let counts = |row: &&BTreeMap<String, String>| {
            row["interlinked"] == interlinked
                && !procedures.contains(&row["procedure"])
                && !agencies.contains(&row["offered_by"])
                && (row["valid_from"].is_empty() || row["valid_from"].as_str() <= "2025-12-31")
                && (row["valid_to"].is_empty() || row["valid_to"].as_str() >= "2025-01-01")
        };
        let name = |row: &BTreeMap<String, String>| {
            let group = row["group_code"].clone();
            if group.is_empty() { row["procedure"].clone() } else { group }
        };
        let offers = rows("config/procedure_offers.csv");
        let expected: BTreeSet<String> = offers.iter().filter(counts).map(name).collect();
        assert!(expected.len() >= 2, "{indicator}: {expected:?}");

        let config = root.join("config/motcua.toml");
        let mut command = program();
        command.arg("--config").arg(config).args([
            "indicators",
            "offers",
            indicator,
            "--period",
            "2025",
            "--format",
            "csv",
        ]);
        let output = command.output().expect("the binary starts");
        let mut listed = csv::Reader::from_reader(&output.stdout[..]);
        let listed: Vec<BTreeMap<String, String>> =
            listed.deserialize().collect::<Result<_, _>>().expect("a list is CSV");
        let counted: BTreeSet<String> = listed.iter().filter(|row| row["counted"] == "true").map(name).collect();
        assert_eq!(counted, expected, "{indicator}");
        // A cooperating agency stands beside the lead.
        assert!(listed.iter().any(|row| row["role"] == "cooperating"), "{indicator}");
    }
}
