//! Drafts from exports of programs that nobody here has seen: all invented.

use super::*;

fn draft(kind: RecordKind, text: &str) -> Draft {
    let sample = Sample::of(text.into(), &|heading| is_heading(kind, heading)).expect("a sample");
    Draft::of("mau", kind, &sample, &Origin::File("mau.csv".to_owned()))
}

/// Column, field, formats and codes of each guess.
fn said(draft: &Draft) -> Vec<String> {
    let of = |guess: &Guess| {
        let codes: Vec<String> = guess.map.codes.iter().map(|(text, word)| format!("{text}={word}")).collect();
        let words = [guess.column, &guess.field.name, &guess.map.formats.join(" or "), &codes.join(" ")].join(" ");
        words.trim_end().to_owned()
    };
    draft.guesses.iter().map(of).collect()
}

#[test]
fn headings_of_the_field_become_columns() {
    let draft = draft(
        RecordKind::Dossiers,
        "UBND TỈNH MẪU;;;;;;\nSTT;Mã hồ sơ;Họ tên;Cơ quan giải quyết;Hình thức nộp;Ngày tiếp nhận;Ngày hẹn trả;Trạng thái\n\
         1;H61.14-260105-0001;Nguyễn Văn Mẫu;Sở Nội vụ;Trực tuyến;05/01/2026 08:30;12/01/2026;Đang xử lý\n\
         2;H61.14-260113-0002;Trần Thị Mẫu;Sở Y tế;Trực tiếp;13/01/2026 14:05;20/01/2026;Đã trả kết quả\n\
         3;H61.14-260114-0003;Lê Mẫu;Sở Y tế;Qua bưu chính;14/01/2026 10:00;;Chờ ký số\n",
    );
    assert_eq!(
        said(&draft),
        [
            "dossier_code Mã hồ sơ",
            "competent_agency Cơ quan giải quyết",
            "submission_channel Hình thức nộp  Qua bưu chính=postal Trực tiếp=counter Trực tuyến=online",
            "status Trạng thái  Đang xử lý=processing Đã trả kết quả=returned",
            "received_at Ngày tiếp nhận dd/MM/yyyy[ HH:mm[:ss]]",
            "due_at Ngày hẹn trả dd/MM/yyyy[ HH:mm[:ss]]",
        ]
    );
    assert_eq!(draft.unmapped, ["STT", "Họ tên"]);
    for line in [
        "type = \"csv\"\ndelimiter = \";\"\n",
        "header = \"Mã hồ sơ\"\n",
        "[map.dossier_code]\nfrom = \"Mã hồ sơ\"\ntype = \"dossier_code\"\nrequired = true\n",
        "[identity]\nkey = [\"dossier_code\"]\n",
        "\"Trực tuyến\" = \"online\"\n",
        "# 2 of 3 texts of the sample are read.\n[map.status]\n",
        "# \"Chờ ký số\" = \"\"   # not known: 1 records\n",
        "#   Họ tên\n",
    ] {
        assert!(draft.text.contains(line), "{line}\n{}", draft.text);
    }
    assert!(!draft.text.contains("Văn Mẫu") && !draft.text.contains("260105"), "no value of a record: {}", draft.text);
}

#[test]
fn headings_in_two_rows_are_noticed() {
    // With the more known headings in the upper row, and in the lower one.
    for (upper, lower, received) in [
        ("STT;Mã hồ sơ;Ngày;;Trạng thái", ";;Tiếp nhận;Hẹn trả;", "Ngày / Tiếp nhận"),
        ("STT;Mã hồ sơ;Thời gian;;Tình hình", ";;Ngày tiếp nhận;Ngày hẹn trả;Trạng thái", "Thời gian / Ngày tiếp nhận"),
    ] {
        let text = format!(
            "Danh sách;;;;\n{upper}\n{lower}\n1;H-1;05/01/2026;12/01/2026;Đang xử lý\n2;H-2;06/01/2026;13/01/2026;Đang xử lý\n"
        );
        let draft = draft(RecordKind::Dossiers, &text);
        assert!(draft.text.contains("\nheader_rows = 2\n"), "{}", draft.text);
        assert!(draft.text.contains("header = \"Mã hồ sơ\"\n"), "{}", draft.text);
        assert!(draft.text.contains(&format!("[map.received_at]\nfrom = \"{received}\"\n")), "{}", draft.text);
        let sample = Sample::of(text.into(), &|heading| is_heading(RecordKind::Dossiers, heading)).expect("a sample");
        assert_eq!(sample.records, 2);
    }
    // A record with a note under a column that has no heading.
    let draft = draft(RecordKind::Dossiers, "Mã hồ sơ;Trạng thái;\nH-1;Đang xử lý;gấp\nH-2;Đang xử lý;\n");
    assert!(!draft.text.contains("header_rows"), "{}", draft.text);
}

#[test]
fn keys_of_json_become_columns() {
    let draft = draft(
        RecordKind::Dossiers,
        r#"{"data": [
            {"_id": "a1", "maHoSo": "H-1", "coQuan": {"ten": "Sở Y tế", "donVi": "Sở Y tế"}, "ngayTiepNhan": 1767574800000, "NGAY_HEN_TRA": "2026-01-12T17:00:00+07:00", "mucDo": "Toàn trình"},
            {"_id": "a2", "maHoSo": "H-1", "coQuan": {"ten": "Sở Y tế", "donVi": "Sở Y tế"}, "ngayTiepNhan": 1767661200000, "NGAY_HEN_TRA": "2026-01-13T17:00:00+07:00", "mucDo": "Một phần"}]}"#,
    );
    assert_eq!(
        said(&draft),
        [
            "source_key _id",
            "dossier_code maHoSo",
            "competent_agency coQuan.donVi",
            "service_level mucDo  Một phần=partial Toàn trình=full",
            "received_at ngayTiepNhan epoch_milliseconds",
            "due_at NGAY_HEN_TRA yyyy-MM-ddTHH:mm:ss[.S][Z]",
        ]
    );
    assert!(
        draft.text.contains("[map.source_key]\nfrom = \"_id\"\ntype = \"code\"\nrequired = true\n"),
        "{}",
        draft.text
    );
}

#[test]
fn secrets_in_the_address_of_a_sample_are_not_written() {
    let sample = Sample::of(br#"[{"id": "a"}, {"id": "b"}]"#.to_vec(), &|_| false).expect("a sample");
    let query = [
        ("size", "100"),
        ("from", "2026-01-05"),
        ("access_token", "s3cret-a"),
        ("apiKey", "s3cret-b"),
        ("PWD", "s3cret-c"),
        ("mat_khau", "s3cret-d"),
        ("u", "079301012345"),
        ("x", "s3cret-of-more-than-thirty-characters"),
    ];
    let origin = Origin::Web {
        base_url: "https://portal.example".to_owned(),
        path: "/api/v2/s3cret5829110/list-of-the-dossiers-of-the-province".to_owned(),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    };
    let text = Draft::of("mau", RecordKind::Dossiers, &sample, &origin).text;
    assert!(!text.contains("s3cret") && !text.contains("0793"), "{text}");
    for line in [
        "path = \"/api/v2/{secret:PATH}/list-of-the-dossiers-of-the-province\"",
        "size = \"100\", from = \"2026-01-05\", access_token = \"{secret:ACCESSTOKEN}\"",
        "PWD = \"{secret:PWD}\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_list_of_the_post_is_drafted() {
    let draft = draft(
        RecordKind::PostalItems,
        "Số hiệu,Dịch vụ,Ngày gửi,Ngày phát,Trạng thái,Cước\nEP123456785VN,Trả kết quả,05-01-2026,07-01-2026,Phát thành công,30.000\n",
    );
    assert_eq!(
        said(&draft),
        [
            "item_code Số hiệu",
            "direction Dịch vụ  Trả kết quả=return",
            "accepted_at Ngày gửi dd-MM-yyyy[ HH:mm[:ss]]",
            "delivered_at Ngày phát dd-MM-yyyy[ HH:mm[:ss]]",
            "status Trạng thái  Phát thành công=delivered",
            "fee Cước",
        ]
    );
}

#[test]
fn what_cannot_be_guessed_is_a_comment() {
    let draft = draft(
        RecordKind::Dossiers,
        "Mã hồ sơ,Ngày tiếp nhận,Đơn vị\nH-1,1/2/2026,Nguyễn Văn Mẫu\nH-1,3/2/2026,Trần Thị Mẫu\n",
    );
    // Persons are no agencies, and a code that occurs twice is no key.
    assert_eq!(said(&draft), ["dossier_code Mã hồ sơ", "received_at Ngày tiếp nhận d/M/yyyy[ H:mm[:ss]]"]);
    assert!(draft.text.contains("[identity]\nkey = []\n"), "{}", draft.text);
    assert!(draft.text.contains("# Day and month could be exchanged"), "{}", draft.text);
    assert!(!draft.text.contains("Văn Mẫu"), "{}", draft.text);
}

#[test]
fn words_that_may_be_persons_are_shown_by_their_shape() {
    let rows: Vec<String> =
        (0..4).map(|row| format!("H-{row},Trực tuyến")).chain(["H-9,Nguyễn Văn Mẫu".to_owned()]).collect();
    let draft = draft(RecordKind::Dossiers, &format!("Mã hồ sơ,Hình thức nộp\n{}\n", rows.join("\n")));
    assert!(draft.text.contains("not known: 1 records") && !draft.text.contains("Mẫu"), "{}", draft.text);
}

#[test]
fn every_column_is_mapped_or_named() {
    let draft = draft(
        RecordKind::Dossiers,
        "Mã hồ sơ;Mã TTHC;Ngày tiếp nhận;Mã QR;Nguyễn Văn Mẫu;Siu MẪU;\n\
         H61.14-260105-0001;1.000894;05/01/2026;x1;a;b;c\n\
         H61.14-260113-0002;1.000894;13/01/2026;x2;a;b;c\n",
    );
    let mapped: Vec<&str> = draft.guesses.iter().map(|guess| guess.field.name.as_str()).collect();
    assert_eq!(mapped, ["Mã hồ sơ", "Mã TTHC", "Ngày tiếp nhận"]);
    let [fourth, fifth, sixth, seventh] = draft.unmapped.as_slice() else { panic!("{:?}", draft.unmapped) };
    assert_eq!(fourth, "Mã QR");
    for (withheld, position) in [(fifth, "column 5 ("), (sixth, "column 6 ("), (seventh, "column 7 (")] {
        assert!(withheld.starts_with(position), "{withheld}");
    }
    assert!(!draft.text.contains("Nguyễn") && !draft.text.contains("Siu"), "{}", draft.text);
}
