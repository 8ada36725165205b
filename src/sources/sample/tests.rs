//! Samples of every format.

use super::*;

fn look(text: impl Into<Vec<u8>>) -> Sample {
    Sample::of(text.into(), &|heading| ["mã hồ sơ", "ngày tiếp nhận", "id"].contains(&heading)).expect("a sample")
}

fn names(sample: &Sample) -> Vec<&str> {
    sample.fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn the_header_row_of_a_table_is_found_below_its_titles() {
    let sample = look(
        "UBND TỈNH;;;\nDanh sách hồ sơ, tháng 10;;;\nSTT;Mã hồ sơ;Ngày tiếp nhận;Ngày\n1;H-1;05/01/2026;x\n2;H-2;;\n;;;\nTổng cộng: 2;;;\n;;;Người lập\n",
    );
    assert_eq!(sample.format, SampleFormat::Csv { delimiter: ';', encoding: Encoding::Auto });
    assert_eq!(names(&sample), ["STT", "Mã hồ sơ", "Ngày tiếp nhận", "Ngày"]);
    assert_eq!(sample.footers, ["Tổng cộng"]);
    assert_eq!((sample.records, sample.fields[2].values.as_slice()), (2, &["05/01/2026".to_owned()][..]));
    // The bytes of TCVN3.
    let sample = look(b"STT,M\xb7 h\xe5 s\xac,Ng\xb5y ti\xd5p nh\xcbn\n1,H-1,05/01/2026\n".to_vec());
    assert_eq!(sample.format, SampleFormat::Csv { delimiter: ',', encoding: Encoding::Tcvn3 });
    let sample = look("a\tid\ta\n1\t2\t3\n");
    let places: Vec<Option<u32>> = sample.fields.iter().map(|field| field.nth).collect();
    assert_eq!(places, [Some(1), None, Some(2)]);
    // A row of a record is no header row.
    let record = "HS-001,Nguyễn Văn An,079301012345,Số 5 Lê Lợi,05/01/2026\nHS-002,Trần Thị Bình,079301012346,Số 6 Lê Lợi,05/01/2026\n";
    assert!(Sample::of(record.into(), &|_| false).is_err());
}

#[test]
fn names_with_letters_and_marks_apart_are_names() {
    // "Mã hồ sơ" as macOS writes it: `a` and U+0303, `o` and U+0302 U+0300, `o` and U+031B.
    let apart = "Ma\u{303} ho\u{302}\u{300} so\u{31b}";
    assert_eq!(names(&look(format!("STT;{apart}\n1;H-1\n2;H-2\n"))), ["STT", "Mã hồ sơ"]);
    // The reader compares keys of JSON and names of XML as they are.
    let sample = look(format!(r#"[{{"{apart}": "H-1", "id": 1}}, {{"{apart}": "H-2", "id": 2}}]"#));
    assert!(sample.fields.iter().any(|field| field.name.contains(apart)), "{:?}", names(&sample));
    let person = "Nguye\u{302}\u{303}n Va\u{306}n Ma\u{302}\u{303}u";
    assert_eq!(names(&look(format!("id;{person}\n1;x\n"))), ["id", ""]);
}

#[test]
fn the_longest_list_of_objects_has_the_records() {
    let json = |records: &str, layout| SampleFormat::Json { records: records.to_owned(), layout, columns: None };
    let sample =
        look(r#"{"meta": [{"k": 1}], "result": {"items": [{"id": "a", "by": {"name": "x", "a.b": 2}}, {"id": "b"}]}}"#);
    assert_eq!(sample.format, json("result.items", RecordLayout::List));
    assert_eq!(names(&sample), ["id", "by.name", "by.\"a.b\""]);
    let sample = look("{\"id\": \"a\"}\n{\"id\": \"b\", \"extra\": \"{\\\"ma\\\": 1}\"}\n");
    assert_eq!((sample.format.clone(), names(&sample)), (json("", RecordLayout::Lines), vec!["id", "extra.ma"]));
    let sample = look(r#"{"H-1": {"id": 1}, "H-2": {"id": 2}}"#);
    assert_eq!((sample.format.clone(), names(&sample)), (json("", RecordLayout::Map), vec!["#key", "id"]));
    let sample = look(r#"{"cols": [{"name": "id"}, {"name": "at"}], "data": [["a", 1], ["b", 2]]}"#);
    let columns = Some("cols[].name".to_owned());
    assert_eq!(sample.format, SampleFormat::Json { records: "data".to_owned(), layout: RecordLayout::Rows, columns });
    assert_eq!(names(&sample), ["id", "at"]);
    let sample = look(r#"[["id", "at"], ["a", 1]]"#);
    assert_eq!((sample.format.clone(), names(&sample)), (json("", RecordLayout::Rows), vec!["id", "at"]));
}

#[test]
fn the_repeated_element_of_xml_is_a_record() {
    let sample =
        look(r#"<Envelope><Body><List><R id="1"><Ma>H-1</Ma></R><R id="2"><Ma>H-2</Ma></R></List></Body></Envelope>"#);
    assert_eq!(sample.format, SampleFormat::Xml { records: "Envelope.Body.List.R".to_owned() });
    assert_eq!(names(&sample), ["@id", "Ma"]);
}

#[test]
fn elements_of_a_list_are_distinguished_by_what_they_name() {
    let sample = look(
        r#"<log><trace><string key="concept:name" value="c1"/><string key="group" value="g"/><date key="due" value="d"/></trace>
           <trace><string key="concept:name" value="c2"/><date key="due" value="d"/></trace></log>"#,
    );
    assert_eq!(
        names(&sample),
        [
            "date[@key=due].@key",
            "date[@key=due].@value",
            "string[@key=concept:name].@key",
            "string[@key=concept:name].@value",
            "string[@key=group].@key",
            "string[@key=group].@value",
        ]
    );
    let sample = look(r#"{"tong": {"soTrang": 3, "tongSo": "52"}, "ds": [{"id": 1, "n": 9}], "trang": 1}"#);
    let numbers: Vec<(&str, u64)> = sample.numbers.iter().map(|(path, number)| (path.as_str(), *number)).collect();
    assert_eq!(numbers, [("tong.soTrang", 3), ("tong.tongSo", 52), ("trang", 1)]);
    let sample = look(")]}',\n[{\"id\": \"a\"}, {\"id\": \"b\", \"Nguyễn Văn An 079301012345\": 1, \"x\\\"y\": 2}]");
    assert_eq!(names(&sample), ["id"]);
    // Persons stand in no path.
    let sample =
        look(r#"[{"id": 1, "by": [{"name": "Oanh", "x": 1}], "to": [{"code": "012345678901", "x": 1}]}, {"id": 2}]"#);
    assert_eq!(names(&sample), ["id", "by[0].name", "by[0].x", "to[0].code", "to[0].x"]);
}

#[test]
fn what_has_no_records_is_an_error() {
    for (text, kind) in [
        ("", ErrorKind::NoRecords),
        ("only one line", ErrorKind::NoRecords),
        ("{\"a\": 1}", ErrorKind::NoRecords),
        ("{\"a\": ", ErrorKind::NotJson),
        ("<a><b>1</b></a>", ErrorKind::NoRecords),
        ("<a><b>", ErrorKind::BodyCutShort),
        ("PK\u{3}\u{4}", ErrorKind::BodyCutShort),
    ] {
        assert_eq!(Sample::of(text.into(), &|_| false).map_err(|error| error.kind), Err(kind), "{text}");
    }
}
