//! Readers of fields: which texts of each type are values, which mean that there is none, and which are refused.

use std::sync::Arc;

use super::*;
use crate::model::instant;

fn reader(field_type: FieldType) -> FieldReader {
    let codes = if field_type == FieldType::Word { "codes = { \"Trực tuyến\" = \"online\" }" } else { "" };
    let name = serde_json::to_string(&field_type).expect("a word");
    compiled(&format!("type = {name}\n{codes}"), &[]).expect("valid")
}

/// Compiles the keys of a `[map.x]` table.
fn compiled(keys: &str, null_values: &[&str]) -> Result<FieldReader, (&'static str, String)> {
    let map: FieldMap = toml::from_str(&format!("from = \"x\"\n{keys}")).expect("the table is valid");
    let null_values: Vec<String> = null_values.iter().map(|text| (*text).to_owned()).collect();
    FieldReader::compile("x", &map, &null_values)
}

fn instant(keys: &str) -> FieldReader {
    let formats =
        r#"formats = ["dd/MM/yyyy[ HH:mm[:ss]]", "yyyy-MM-dd[ HH:mm:ss]", "yyyy-MM-ddTHH:mm:ss[.S][Z]", "d/M/yyyy"]"#;
    compiled(&format!("type = \"instant\"\n{formats}\n{keys}"), &[]).expect("valid")
}

/// The cells of a reader without a time of day of its own.
fn cells<const N: usize>(from: [usize; N]) -> FieldCells {
    FieldCells { from: from.into(), time: None }
}

/// What a reader says of a text: an instant as RFC 3339, `none`, or the code of the reason.
fn said(reader: &FieldReader, text: &str) -> String {
    said_of(reader.read(text))
}

fn said_of(value: Result<Value, Reason>) -> String {
    match value {
        Ok(Value::Null) => "none".to_owned(),
        Ok(Value::Instant(at)) => instant::display(at),
        Ok(Value::Integer(number)) => number.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(reason) => reason.code().to_owned(),
    }
}

#[test]
fn a_panic_rejects_the_value_that_caused_it() {
    assert_eq!(without_panic(|| panic!("in a reader")), Err(Reason::OwnError));
    assert_eq!(without_panic(|| Ok(Value::Integer(1))), Ok(Value::Integer(1)));
}

#[test]
fn a_text_that_is_no_code_may_be_looked_up_as_a_name() {
    let plain = compiled("type = \"procedure_code\"", &[]).expect("valid");
    let mut named = compiled("type = \"procedure_code\"\nlookup = \"procedure_name\"", &[]).expect("valid");
    let procedure = crate::model::procedure::Procedure {
        code: "1.000123".to_owned(),
        name: "Cấp bản sao".to_owned(),
        sector: "LV".to_owned(),
        statutory_time: None,
        unit: crate::model::procedure::TimeUnit::WorkingDays,
        cut_off: jiff::civil::time(15, 0, 0, 0),
        immediate: false,
        certification: false,
        vertical: false,
        valid_from: None,
        valid_to: None,
    };
    named.set_names(&Arc::new(ProcedureNames::of(&[procedure])));
    for (text, without, with) in [
        ("1.000123.000.00.00.H61", "Text(\"1.000123\")", "Text(\"1.000123\")"),
        ("cấp  BẢN sao", "not_of_type", "Text(\"1.000123\")"),
        ("Cấp bản sao trích lục", "not_of_type", "unknown_procedure"),
    ] {
        assert_eq!((said(&plain, text).as_str(), said(&named, text).as_str()), (without, with), "{text}");
    }
    let refused = compiled("type = \"code\"\nlookup = \"procedure_name\"", &[]).err();
    assert_eq!(refused.map(|(key, _)| key), Some("lookup"));
    assert!(FieldReader::is_unresolved_name("Cấp bản sao trích lục", Reason::UnknownProcedure));
    for (text, reason) in [("Trần Thị Mẫu", Reason::UnknownProcedure), ("Cấp bản sao trích lục", Reason::WrongForm)]
    {
        assert!(!FieldReader::is_unresolved_name(text, reason), "{text}");
    }
}

#[test]
fn item_codes_periods_and_documents_are_checked() {
    // EP12345678_VN: 8·1+6·2+4·3+2·4+3·5+5·6+9·7+7·8 = 204, 204 mod 11 = 6, 11 − 6 = 5.
    assert_eq!(reader(FieldType::ItemCode).read("EP123456785VN"), Ok(Value::Text("EP123456785VN".into())));
    assert_eq!(reader(FieldType::ItemCode).read("EP123456784VN"), Err(Reason::CheckDigit));
    assert_eq!(reader(FieldType::ItemCode).read("123456785"), Err(Reason::WrongForm));
    assert_eq!(reader(FieldType::Period).read("2026-Q3s"), Ok(Value::Text("2026-Q3s".into())));
    for text in ["9999", "2100-Q1", "1989-12", "2026-01-01..9999-12-31"] {
        assert_eq!(reader(FieldType::Period).read(text), Err(Reason::OutOfRange), "{text}");
    }
    for text in ["2026-Q5", "2026-Q5s", "10000", "quý 1 năm 2026", "2026-13", "01/2026"] {
        assert_eq!(reader(FieldType::Period).read(text), Err(Reason::WrongForm), "{text}");
    }
    for text in ["123/BC-UBND", "2639/QĐ-UBND", "12/2026/BC-SXD", "7/A&B"] {
        assert_eq!(reader(FieldType::Document).read(text), Ok(Value::Text(text.into())), "{text}");
    }
    for text in ["BC-UBND", "theo ông Mẫu", "12/XL Nguyễn Văn Mẫu", "086123456789/BC", "12/086123456789", "12/", "/BC"]
    {
        assert_eq!(reader(FieldType::Document).read(text), Err(Reason::WrongForm), "{text}");
    }
}

#[test]
fn personal_data_is_refused_as_an_identifier() {
    for text in ["Nguyễn Văn An", "079123456789", "0912 345 678", "an@example.vn", "012345678"] {
        for field_type in [FieldType::Code, FieldType::DossierCode, FieldType::ProcedureCode, FieldType::Integer] {
            assert!(reader(field_type).read(text).is_err(), "{text} as {field_type:?}");
        }
    }
    for text in ["079123456789", "0912 345 678", "an@example.vn"] {
        assert!(reader(FieldType::Agency).read(text).is_err(), "{text}");
    }
}

#[test]
fn codes_and_names_are_normalised() {
    for (field_type, text, expected) in [
        (FieldType::DossierCode, "000.00.14.h61-201012-0001", "000.00.14.H61-201012-0001"),
        (FieldType::DossierCode, "G09.20-20260609-0092637", "G09.20-20260609-0092637"),
        (FieldType::ProcedureCode, "1.002835.000.00.00.H61", "1.002835"),
        (FieldType::ProcedureCode, "2.002621.H56", "2.002621"),
        (FieldType::Agency, "Sở  Nội vụ", "Sở Nội vụ"),
        (FieldType::Agency, "000.00.14.H61", "000.00.14.H61"),
        (FieldType::Word, " trực  TUYẾN ", "online"),
    ] {
        assert_eq!(reader(field_type).read(text), Ok(Value::Text(expected.into())), "{text}");
    }
    assert_eq!(reader(FieldType::Integer).read("30.000"), Ok(Value::Integer(30_000)));
    assert_eq!(reader(FieldType::Integer).read("3.00"), Err(Reason::WrongForm));
}

#[test]
fn dates_that_mean_none_are_none() {
    let reader = instant("");
    assert_eq!(said(&reader, "31/12/1989"), "out_of_range");
    assert_eq!(said(&reader, "01/01/1990"), "1990-01-01T00:00:00+07:00");
    for text in [
        "0001-01-01 00:00:00",
        "0001-01-01T07:06:40",
        "0001-01-01T00:00:00.000+0000",
        "1900-01-01 00:00:00",
        "01/01/1900 23:59:59",
        "1/1/1900",
        "00/01/1900",
        "0/1/1900",
        "1970-01-01",
        "1970-01-01T07:00:00+07:00",
        "1970-01-01T00:00:00Z",
        "0000-00-00 00:00:00",
        "00/00/0000",
        "9999-12-31",
        "31/12/9999 23:59:59",
        "9999-12-31T23:59:59.999-0700",
        "9999-12-31T16:59:59.9999999Z",
        // Midnight in Vietnam, written in UTC.
        "1899-12-31T17:00:00.000+0000",
        "9999-12-30T17:00:00Z",
        "0000-12-31T17:00:00Z",
        // The same, by the offsets that Vietnam had: 7:06:30 until 1906, 8:00 in 1970.
        "1899-12-31T16:53:30Z",
        "0000-12-31T16:53:20Z",
        "1969-12-31T16:00:00Z",
        // Serial numbers 0 and 1 of a spreadsheet, with a time of day.
        "0",
        "1",
        "0.4375",
        "1,5",
    ] {
        assert_eq!(said(&reader, text), "none", "{text}");
    }
    let one_format = compiled("type = \"instant\"\nformats = [\"yyyyMMdd\"]\nnull_values = [\"31/12/2099\"]", &[]);
    let one_format = one_format.expect("valid");
    for (text, expected) in [
        // In another form than the field's own.
        ("00010101", "none"),
        ("0001-01-01T00:00:00", "none"),
        ("0001-01-01 00:00:00.0000000 +00:00", "none"),
        ("1/1/1900 0:00", "none"),
        ("1/1/1900 00:00", "none"),
        ("12/31/9999", "none"),
        ("31.12.9999", "none"),
        ("1970-01-01T08:00:00+08:00", "none"),
        ("31/12/2099", "none"),
        ("2099-12-31", "not_an_instant"),
        ("2026-03-02", "not_an_instant"),
        ("0001-01-01 0912345678", "not_an_instant"),
        ("0001-01-01 09:12345678", "none"),
        ("0001-01-01 09:123456789", "not_an_instant"),
        ("+1/1/1900", "not_an_instant"),
    ] {
        assert_eq!(said(&one_format, text), expected, "{text}");
    }
    for (text, expected) in [
        // The days beside those that mean none are out of range, and no value.
        ("1900-01-02", "out_of_range"),
        ("02/01/1970", "out_of_range"),
        ("31/12/1969", "out_of_range"),
        ("1969-12-31T15:59:59Z", "out_of_range"),
        ("1970-01-01T17:00:00+07:00", "none"),
        ("1970-01-02T00:00:00+07:00", "out_of_range"),
        ("00/02/1900", "not_an_instant"),
        ("2", "not_an_instant"),
        ("0912345678", "not_an_instant"),
        ("1.0912345678", "not_an_instant"),
        ("31/02/2026", "not_an_instant"),
    ] {
        assert_eq!(said(&reader, text), expected, "{text}");
    }
}

#[test]
fn dates_outside_their_bounds_are_refused() {
    let (usual, narrow) = (instant(""), instant("least = \"2010-06-01\"\nmost = \"2030-12-31\""));
    for (text, of_usual, of_narrow) in [
        ("31/12/1899", "out_of_range", "out_of_range"),
        ("01/01/0002", "out_of_range", "out_of_range"),
        ("31/05/2010 23:59:59", "2010-05-31T23:59:59+07:00", "out_of_range"),
        ("01/06/2010", "2010-06-01T00:00:00+07:00", "2010-06-01T00:00:00+07:00"),
        ("31/12/2030 23:59:59", "2030-12-31T23:59:59+07:00", "2030-12-31T23:59:59+07:00"),
        ("01/01/2031", "2031-01-01T00:00:00+07:00", "out_of_range"),
        ("31/12/2200 23:59:59", "2200-12-31T23:59:59+07:00", "out_of_range"),
        ("01/01/2201", "out_of_range", "out_of_range"),
        ("20/10/2569", "out_of_range", "out_of_range"),
        // Carried beyond the calendar by its offset.
        ("9999-12-30T20:00:00.000-0700", "out_of_range", "out_of_range"),
    ] {
        assert_eq!([said(&usual, text), said(&narrow, text)], [of_usual, of_narrow], "{text}");
    }
    let fee = compiled("type = \"integer\"\nleast = 0\nmost = 5000000", &[]).expect("valid");
    for (text, expected) in
        [("0", "0"), ("5.000.000", "5000000"), ("5.000.001", "out_of_range"), ("-1", "out_of_range")]
    {
        assert_eq!(said(&fee, text), expected, "{text}");
    }
}

#[test]
fn declared_values_are_none_and_others_are_not() {
    let agency = compiled("type = \"agency\"\nnull_values = [\"Chưa có\", \"-\"]", &["NULL", "không"]).expect("valid");
    for text in ["Chưa có", " CHƯA  có", "-", "null", "Không", "chưa có"] {
        assert_eq!(agency.read(text), Ok(Value::Null), "{text}");
    }
    assert_eq!(agency.read("Sở Nội vụ"), Ok(Value::Text("Sở Nội vụ".into())));
    assert_eq!(agency.read("--"), Ok(Value::Text("--".into())));
    // A declared day is none at any time of day, in every format of the field.
    let due = instant("null_values = [\"31/12/2099\", \"chưa hẹn\"]\npattern = \"[0-9].*\"");
    for (text, expected) in [
        ("31/12/2099", "none"),
        ("2099-12-31 17:00:00", "none"),
        ("2099-12-31T23:59:59+07:00", "none"),
        ("2099-12-30T17:00:00Z", "none"),
        ("2099-12-30T16:00:00Z", "2099-12-30T23:00:00+07:00"),
        ("Chưa hẹn", "none"),
        ("0001-01-01", "none"),
        ("30/12/2099", "2099-12-30T00:00:00+07:00"),
        ("chưa biết", "wrong_form"),
    ] {
        assert_eq!(said(&due, text), expected, "{text}");
    }
    // A text of another type is not read as a date.
    let code = compiled("type = \"code\"", &[]).expect("valid");
    assert_eq!(code.read("1900-01-01"), Ok(Value::Text("1900-01-01".into())));
}

#[test]
fn numbers_are_whole_and_grouped_in_one_way() {
    const NO: &str = "wrong_form";
    let of = |grouping: &str| compiled(&format!("type = \"integer\"\n{grouping}"), &[]).expect("valid");
    let any = of("");
    let [dot, comma, space, none] = ["dot", "comma", "space", "none"].map(|word| of(&format!("grouping = \"{word}\"")));
    for (text, expected) in [
        ("1234567", ["1234567"; 5]),
        ("1.234.567", ["1234567", "1234567", NO, NO, NO]),
        ("1,234,567", ["1234567", NO, "1234567", NO, NO]),
        ("1 234 567", ["1234567", NO, NO, "1234567", NO]),
        ("1\u{a0}234\u{202f}567", ["1234567", NO, NO, "1234567", NO]),
        ("30.000", ["30000", "30000", NO, NO, NO]),
        ("1234.567", [NO; 5]),
        (".500", [NO; 5]),
        ("1.234,567", [NO; 5]),
        ("1.234.", [NO; 5]),
        ("1..234", [NO; 5]),
        ("1.23", [NO; 5]),
        ("12.3456", [NO; 5]),
        ("0.500", [NO; 5]),
        ("1e3", [NO; 5]),
        ("-5", ["-5"; 5]),
        ("- 5", [NO; 5]),
        ("--5", [NO; 5]),
        ("0", ["0"; 5]),
        ("007", [NO; 5]),
        ("123456789", [NO; 5]),
        ("٣", [NO; 5]),
    ] {
        let found = [&any, &dot, &comma, &space, &none].map(|reader| said(reader, text));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn mistakes_of_the_new_keys_are_named() {
    for (keys, key) in [
        ("type = \"code\"\nleast = 1", "least"),
        ("type = \"code\"\nmost = \"2030-01-01\"", "most"),
        ("type = \"integer\"\nmost = \"2030-01-01\"", "most"),
        ("type = \"integer\"\nleast = 2\nmost = 1", "most"),
        ("type = \"instant\"\nformats = [\"yyyy-MM-dd\"]\nleast = 2010", "least"),
        ("type = \"instant\"\nformats = [\"yyyy-MM-dd\"]\nleast = \"01/01/2010\"", "least"),
        ("type = \"instant\"\nformats = [\"yyyy-MM-dd\"]\nmost = \"9999-12-31\"", "most"),
        ("type = \"code\"\ngrouping = \"dot\"", "grouping"),
    ] {
        assert_eq!(compiled(keys, &[]).map(|_| ()).map_err(|(key, _)| key), Err(key), "{keys}");
    }
}

#[test]
fn a_cell_with_an_error_is_refused_by_every_type() {
    for field_type in [FieldType::Code, FieldType::Agency, FieldType::Title, FieldType::Word, FieldType::Integer] {
        assert_eq!(reader(field_type).read(CELL_ERROR), Err(Reason::CellError), "{field_type:?}");
    }
    assert_eq!(instant("").read(CELL_ERROR), Err(Reason::CellError));
}

#[test]
fn a_list_or_object_counts_only_if_no_other_cell_has_a_value() {
    let fields: Arc<[String]> = ["a".to_owned(), "b".to_owned()].into();
    let mut page = Page::new(1, String::new(), String::new(), fields);
    for (row, other) in [(1, "2026-03-10"), (2, ""), (3, "31/02/2026")] {
        page.begin_row(row);
        page.set(0, CELL_STRUCTURE);
        page.set(1, other);
    }
    let reader = instant("");
    let found =
        |index| reader.first(&page, index, &cells([0, 1])).map(|first| (first.text.into_owned(), first.value.err()));
    assert_eq!(found(0), Some(("2026-03-10".to_owned(), None)));
    assert_eq!(found(1), Some((CELL_STRUCTURE.to_owned(), Some(Reason::NotOfType))));
    assert_eq!(found(2), Some(("31/02/2026".to_owned(), Some(Reason::NotAnInstant))));
}

#[test]
fn the_first_cell_with_a_value_counts() {
    let fields: Arc<[String]> = ["a".to_owned(), "b".to_owned()].into();
    let mut page = Page::new(1, String::new(), String::new(), fields);
    for (row, cells) in [(1, ["0001-01-01", "2026-03-10"]), (2, ["", "1900-01-01"]), (3, ["31/02/2026", "2026-03-10"])]
    {
        page.begin_row(row);
        page.set(0, cells[0]);
        page.set(1, cells[1]);
    }
    let reader = instant("");
    let found =
        |index| reader.first(&page, index, &cells([0, 1])).map(|first| (first.text.into_owned(), first.value.is_ok()));
    assert_eq!(found(0), Some(("2026-03-10".to_owned(), true)));
    assert_eq!(found(1), None);
    assert_eq!(found(2), Some(("31/02/2026".to_owned(), false)));
}

#[path = "date_reading_tests.rs"]
mod date_reading_tests;
