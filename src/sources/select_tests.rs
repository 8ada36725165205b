//! Paths applied to example records.

use std::sync::Arc;

use super::*;

const SLICE_PAGE: &str = r#"[
 {"id":"5f86a1c2e4b0a1b2c3d4e5f6","code":"000.00.14.H61-201012-0001","nationCode":null,
  "procedure":{"id":"5f0000000000000000000001","code":"1.002835.000.00.00.H61",
   "translate":[{"languageId":46,"name":"Sample A"},{"languageId":228,"name":"Thủ tục mẫu A"}],
   "sector":{"id":"5f00000000000000000000aa","code":"GTVT","name":[{"languageId":228,"name":"Đường bộ"}]}},
  "agency":{"id":"b1","code":"000.00.14.H61","name":[{"languageId":228,"name":"Sở mẫu A"}],
   "parent":{"id":"b0"},"ancestors":[]},
  "acceptedDate":"2020-10-12T08:30:00.000+0700","returnedDate":null,
  "applyMethod":{"id":0,"name":"Trực tuyến"},"dossierStatus":{"id":4,"name":"Có kết quả"}},
 {"id":"5f86a1c2e4b0a1b2c3d4e5f7","code":"000.00.14.H61-201012-0002",
  "procedure":{"id":"5f0000000000000000000002","code":"2.002621","translate":{"languageId":228,"name":"Thủ tục mẫu B"}},
  "agency":{"id":"b1","code":"000.00.14.H61","name":"Sở mẫu A"},
  "acceptedDate":"2020-10-12T14:00:00.000+0700","dossierStatus":2}]"#;

fn cells(paths: &[&str], record: &str) -> Vec<Option<String>> {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let selection = Selection::compile(&paths).expect("the paths are valid");
    let mut page = Page::new(1, String::new(), String::new(), Arc::from(paths.clone()));
    selection.read(&mut page, 1, &mut serde_json::Deserializer::from_str(record)).expect("the record is JSON");
    (0..paths.len()).map(|field| page.cell(0, field).map(str::to_owned)).collect()
}

fn one(path: &str, record: &str) -> Option<String> {
    cells(&[path], record).remove(0)
}

#[test]
fn both_record_shapes_of_the_portal_are_read() {
    let records: Vec<&RawValue> = serde_json::from_str(SLICE_PAGE).expect("the example is JSON");
    for (path, first, second) in [
        ("id", Some("5f86a1c2e4b0a1b2c3d4e5f6"), Some("5f86a1c2e4b0a1b2c3d4e5f7")),
        ("nationCode", None, None),
        ("procedure.code", Some("1.002835.000.00.00.H61"), Some("2.002621")),
        ("procedure.translate[languageId=228].name", Some("Thủ tục mẫu A"), Some("Thủ tục mẫu B")),
        ("procedure.translate[languageId=1].name", None, None),
        ("procedure.translate[0].name", Some("Sample A"), None),
        ("procedure.translate.name", None, Some("Thủ tục mẫu B")),
        ("procedure.sector.name[languageId=228].name", Some("Đường bộ"), None),
        ("agency.name", Some(CELL_STRUCTURE), Some("Sở mẫu A")),
        ("agency.name[languageId=228].name", Some("Sở mẫu A"), None),
        ("agency.ancestors[0].id", None, None),
        ("dossierStatus", Some(CELL_STRUCTURE), Some("2")),
        ("dossierStatus.id", Some("4"), None),
        ("applyMethod.id", Some("0"), None),
    ] {
        let found: Vec<_> = records.iter().map(|record| one(path, record.get())).collect();
        assert_eq!(found, [first.map(str::to_owned), second.map(str::to_owned)], "{path}");
    }
    let both = ["dossierStatus", "dossierStatus.id", "agency.name", "agency.name[languageId=228].name"];
    let found = cells(&both, records[0].get());
    assert_eq!(found, [None, Some("4".to_owned()), None, Some("Sở mẫu A".to_owned())]);
    let found = cells(&both, records[1].get());
    assert_eq!(found, [Some("2".to_owned()), None, Some("Sở mẫu A".to_owned()), None]);
}

#[test]
fn the_elements_of_a_list_are_counted() {
    for (record, expected) in [
        (r#"{"a":[]}"#, Some("0")),
        (r#"{"a":[{"b":1},{"b":2},null]}"#, Some("3")),
        (r#"{"a":{"b":1}}"#, Some("1")),
        (r#"{"a":""}"#, Some("0")),
        (r#"{"a":"x"}"#, Some("1")),
        (r#"{"a":"[1, 2]"}"#, Some("2")),
        (r#"{"a":null}"#, None),
        (r#"{"b":[1]}"#, None),
        (r#"{"a":7}"#, Some(CELL_STRUCTURE)),
    ] {
        assert_eq!(one("a.#count", record).as_deref(), expected, "{record}");
    }
    // Beside other paths of the list.
    let found = cells(&["a.#count", "a[1].b", "a[b=5].c"], r#"{"a":[{"b":4},{"b":5,"c":"x"}]}"#);
    assert_eq!(found, [Some("2".to_owned()), Some("5".to_owned()), Some("x".to_owned())]);
    // A key of a record's own.
    assert_eq!(one("#count", r##"{"#count":"9"}"##).as_deref(), Some("9"));
}

#[test]
fn values_are_kept_as_their_json_text() {
    for (record, expected) in [
        (r#"{"a":"x"}"#, Some("x")),
        (r#"{"a":""}"#, Some("")),
        (r#"{"a":9007199254740993}"#, Some("9007199254740993")),
        (r#"{"a":123456789012345678901234567890}"#, Some("123456789012345678901234567890")),
        (r#"{"a":-1.50}"#, Some("-1.50")),
        (r#"{"a":true}"#, Some("true")),
        (r#"{"a":false}"#, Some("false")),
        (r#"{"a":null}"#, None),
        (r#"{"a":{"b":1}}"#, Some(CELL_STRUCTURE)),
        (r#"{"a":[1]}"#, Some(CELL_STRUCTURE)),
        (r#"{"b":1}"#, None),
        (r#"{"a":"\u0053\u1edf\n\"A\""}"#, Some("Sở\n\"A\"")),
        (r#"{"\u0061":"escaped key"}"#, Some("escaped key")),
        // A duplicate key is ambiguous: no value is kept.
        (r#"{"a":"first","a":"second"}"#, None),
        (r#"{"a":null,"a":"second"}"#, None),
        (r#"{ "a" : "spaced" }"#, Some("spaced")),
    ] {
        assert_eq!(one("a", record).as_deref(), expected, "{record}");
    }
}

#[test]
fn lists_and_unusual_keys_are_read() {
    for (path, record, expected) in [
        ("_id.$oid", r#"{"_id":{"$oid":"5f88"}}"#, Some("5f88")),
        ("a[1]", r#"{"a":["x","y"]}"#, Some("y")),
        ("a[1]", r#"{"a":["x"]}"#, None),
        ("a[0][1].b", r#"{"a":[[{"b":1},{"b":2}]]}"#, Some("2")),
        ("a[k=x.y].b", r#"{"a":[{"k":"x.y","b":"dot"}]}"#, Some("dot")),
        ("a[k=1].b", r#"{"a":[{"k":"1","b":null},{"k":1,"b":"next"}]}"#, Some("next")),
        ("a[k=1].b[k=2].c", r#"{"a":[{"b":[{"k":2,"c":"deep"}],"k":1}]}"#, Some("deep")),
        ("a[k=1].b", r#"{"a":["x",null,3]}"#, None),
    ] {
        assert_eq!(one(path, record).as_deref(), expected, "{path}");
    }
}

#[test]
fn a_list_or_an_object_at_the_end_of_a_path_is_no_absent_value() {
    let structure = Some(CELL_STRUCTURE.to_owned());
    for record in [r#"{"a":{"x":1}}"#, r#"{"a":["x"]}"#, r#"{"a":[[]]}"#] {
        assert_eq!(one("a", record), structure, "{record}");
    }
    for record in [r#"{"a":{ }}"#, r#"{"a":[]}"#, r#"{"a":null}"#, "{}"] {
        assert_eq!(one("a", record), None, "{record}");
    }
    // Longer paths lead into it.
    assert_eq!(cells(&["a", "a.b"], r#"{"a":{"b":1}}"#), [None, Some("1".to_owned())]);
    assert_eq!(cells(&["a", "a.b"], r#"{"a":[{"b":1}]}"#), [structure, None]);
    assert_eq!(cells(&["a", "a[k=1].b"], r#"{"a":[{"k":2,"b":1}]}"#), [None, None]);
    assert_eq!(cells(&["a", "a[0]"], r#"{"a":["x"]}"#), [None, Some("x".to_owned())]);
}

#[test]
fn a_record_that_is_not_an_object_is_malformed() {
    let fields: Arc<[String]> = Arc::from(["a".to_owned()]);
    let selection = Selection::compile(&fields).expect("the path is valid");
    for record in ["1", "null", "\"text\"", "[{\"a\":1}]", "true", "1.5"] {
        let mut page = Page::new(1, String::new(), String::new(), Arc::clone(&fields));
        selection.read(&mut page, 7, &mut serde_json::Deserializer::from_str(record)).expect("it is JSON");
        assert_eq!((page.row(0), page.cell(0, 0)), ((7, Some(Reason::Malformed)), None), "{record}");
    }
}

#[test]
fn invalid_paths_are_named_in_the_error() {
    for path in ["", "a..b", "a.", "a[", "a[x]", "a[0]b", ".a", "a[=1]"] {
        let error = Selection::compile(&[path.to_owned()]).expect_err(path);
        assert!(error.contains(&format!("`{path}`")), "{error}");
    }
}
