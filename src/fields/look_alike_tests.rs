//! Readers of fields: signs that look alike, and several source fields of one column.

use std::sync::Arc;

use super::*;

fn reader(field_type: &str) -> FieldReader {
    let codes = if field_type == "word" { "codes = { 'Trực tuyến' = 'online' }" } else { "" };
    let map = toml::from_str(&format!("from = 'x'\ntype = '{field_type}'\n{codes}")).expect("a valid field");
    FieldReader::compile("submission_channel", &map, &[]).expect("valid")
}

#[test]
fn of_several_fields_the_first_word_counts_and_of_other_types_the_first_text() {
    let fields: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
    let read = |field_type, texts: [&str; 3]| {
        let mut page = Page::new(1, String::new(), String::new(), Arc::clone(&fields));
        page.begin_row(1);
        for (cell, text) in texts.into_iter().enumerate() {
            page.set(cell, text);
        }
        let first = reader(field_type).first(&page, 0, &FieldCells { from: vec![0, 1, 2], time: None })?;
        Some((first.text.into_owned(), first.value))
    };
    let online = || Ok(Value::Text("online".into()));
    for (texts, expected) in [
        (["12", "Trực tuyến", "x"], Some(("Trực tuyến".to_owned(), online()))),
        (["", "\u{200b}", "trực  tuyến"], Some(("trực  tuyến".to_owned(), online()))),
        (["12", "Chờ", ""], Some(("12".to_owned(), Err(Reason::UnknownCode)))),
        (["", "\u{a0}", ""], None),
    ] {
        assert_eq!(read("word", texts), expected, "{texts:?}");
    }
    let refused = Some(("hồ sơ".to_owned(), Err(Reason::NotOfType)));
    assert_eq!(read("dossier_code", ["hồ sơ", "HS-0001", ""]), refused);
}

#[test]
fn signs_that_look_alike_are_read_alike() {
    for (field_type, text, expected) in [
        ("code", "HS-0001\u{a0}", "HS-0001"),
        ("code", "\u{200b}HS\u{2011}00\u{ad}01", "HS-0001"),
        ("dossier_code", "ｈｓ－０００１", "HS-0001"),
        ("procedure_code", "\u{feff}1.002835", "1.002835"),
        ("item_code", "EP\u{a0}1234\u{202f}5678\u{a0}5VN", "EP123456785VN"),
        ("agency", "UBND\u{a0}phường Ðông\u{200b}", "UBND phường Đông"),
        ("word", "Trực\u{a0}tuyến\u{feff}", "online"),
        ("title", "Ðăng ký\u{a0}khai sinh", "Đăng ký khai sinh"),
        ("period", "２０２６-Q1", "2026-Q1"),
    ] {
        assert_eq!(reader(field_type).read(text), Ok(Value::Text(expected.into())), "{text:?}");
    }
    assert_eq!(reader("integer").read("30\u{a0}000"), Ok(Value::Integer(30_000)));
    // Invisible characters between the digits of a person's number do not hide it.
    for text in ["Sở Nội vụ 0912\u{200b}345\u{200b}678", "Sở Nội vụ ０９１２３４５６７８"] {
        assert!(reader("agency").read(text).is_err(), "{text:?}");
    }
}

#[test]
fn codes_that_read_alike_mean_one_word() {
    let compiled = |codes: &str| {
        let map = toml::from_str(&format!("from = 'x'\ntype = 'word'\ncodes = {{ {codes} }}")).expect("a valid field");
        FieldReader::compile("x", &map, &[]).map(|_| ()).map_err(|(key, _)| key)
    };
    assert_eq!(compiled("'Đông' = 'a', 'ÐÔNG' = 'a', 'Tây' = 'b'"), Ok(()));
    assert_eq!(compiled("'Đông' = 'a', 'ÐÔNG' = 'b'"), Err("codes"));
    assert_eq!(compiled("'Đông' = 'a', 'đông ' = 'b'"), Err("codes"));
}
