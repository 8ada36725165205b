//! Records that give several rows.

use std::sync::Arc;

use super::*;

fn explode(path: &str, may_be_empty: bool, keys: &[&str]) -> Explode {
    Explode { path: path.to_owned(), keys: keys.iter().map(|key| (*key).to_owned()).collect(), may_be_empty }
}

/// The rows that a record gives: row number, reason, cells.
fn rows(
    fields: &[&str],
    (path, may_be_empty): (&str, bool),
    is_xml: bool,
    record: &str,
) -> Vec<(u32, Option<Reason>, Vec<String>)> {
    exploded_rows(fields, &explode(path, may_be_empty, &[]), is_xml, record)
}

fn exploded_rows(
    fields: &[&str],
    explode: &Explode,
    is_xml: bool,
    record: &str,
) -> Vec<(u32, Option<Reason>, Vec<String>)> {
    let cells: Vec<(usize, &str)> = fields.iter().copied().enumerate().collect();
    let part = RecordPart { is_xml, ..RecordPart::default() };
    let reader = RecordReader::compile(&cells, Some(explode), &part).expect("the paths are valid");
    let names: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let mut page = Page::new(1, String::new(), String::new(), Arc::from(names));
    reader.read(&mut page, 9, (&mut serde_json::Deserializer::from_str(record), None), 100).expect("few rows");
    assert_eq!(page.records(), 1, "one record, whatever its rows");
    let row = |index: usize| {
        let (number, reason) = page.row(index);
        let cell = |field: usize| page.cell(index, field).unwrap_or("-").to_owned();
        (number, reason, (0..fields.len()).map(cell).collect())
    };
    (0..page.len()).map(row).collect()
}

fn read(number: u32, cells: &[&str]) -> (u32, Option<Reason>, Vec<String>) {
    (number, None, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

fn refused(number: u32, reason: Reason, cells: usize) -> (u32, Option<Reason>, Vec<String>) {
    (number, Some(reason), vec!["-".to_owned(); cells])
}

#[test]
fn each_element_of_a_list_is_a_row_with_the_values_of_its_record() {
    let record = r#"{"p": "2026-Q1", "values": [{"id": "a", "n": 1}, 7, {"id": "b", "n": 2}, null, {"x": 1}]}"#;
    assert_eq!(
        rows(&["p", "values[].id", "values[].n"], ("values[]", false), false, record),
        [
            read(1, &["2026-Q1", "a", "1"]),
            refused(2, Reason::Malformed, 3),
            read(3, &["2026-Q1", "b", "2"]),
            refused(4, Reason::Malformed, 3),
            refused(5, Reason::Malformed, 3),
        ]
    );
}

#[test]
fn members_of_a_map_and_lists_in_lists_are_rows() {
    let record = r#"{"p": 1, "agencies": [{"code": "H1", "values": {"x": 5, "y": "6,5", "z": null}}, {"code": "H2"}]}"#;
    let fields = ["p", "agencies[].code", "agencies[].values[].#key", "agencies[].values[]"];
    assert_eq!(
        rows(&fields, ("agencies[].values[]", false), false, record),
        [
            read(1, &["1", "H1", "x", "5"]),
            read(2, &["1", "H1", "y", "6,5"]),
            read(3, &["1", "H1", "z", "-"]),
            refused(4, Reason::NoList, 4),
        ]
    );
    // The record itself is the map, beside fields that are read by name.
    let record = r#"{"p": 1, "x": 5, "y": {"a": 6}}"#;
    assert_eq!(
        rows(&["p", "[].#key", "[]"], ("[]", false), false, record),
        [read(1, &["1", "x", "5"]), read(2, &["1", "y", CELL_STRUCTURE])]
    );
}

#[test]
fn a_list_that_is_missing_or_empty_is_named() {
    let fields = ["p", "values[].id"];
    for (record, may_be_empty, is_rejected) in [
        (r#"{"p": 1}"#, true, true),
        (r#"{"p": 1, "values": null}"#, true, true),
        (r#"{"p": 1, "values": 5}"#, true, true),
        (r#"{"p": 1, "values": "none"}"#, true, true),
        (r#"{"p": 1, "values": []}"#, false, true),
        (r#"{"p": 1, "values": []}"#, true, false),
        (r#"{"p": 1, "values": ""}"#, true, false),
    ] {
        let expected = if is_rejected { vec![refused(1, Reason::NoList, 2)] } else { Vec::new() };
        assert_eq!(rows(&fields, ("values[]", may_be_empty), false, record), expected, "{record}");
    }
    let twice = r#"{"p": 1, "values": [], "values": [{"id": 1}]}"#;
    assert_eq!(rows(&fields, ("values[]", true), false, twice), [refused(1, Reason::Malformed, 2)]);
    assert_eq!(rows(&fields, ("values[]", true), false, "7"), [refused(1, Reason::Malformed, 2)]);
}

#[test]
fn a_text_with_json_is_taken_apart_and_one_element_of_xml_is_a_list() {
    let text = r#"{"p": 1, "data": "{\"values\": [{\"id\": \"a\"}]}"}"#;
    assert_eq!(rows(&["p", "data.values[].id"], ("data.values[]", false), false, text), [read(1, &["1", "a"])]);
    for (record, expected) in [
        (r##"{"p": "1", "v": {"@id": "a", "#text": "5"}}"##, vec![read(1, &["1", "a", "5"])]),
        (
            r##"{"p": "1", "v": ["5", {"@id": "b", "#text": "6"}]}"##,
            vec![read(1, &["1", "-", "5"]), read(2, &["1", "b", "6"])],
        ),
        (r#"{"p": "1"}"#, Vec::new()),
    ] {
        assert_eq!(rows(&["p", "v[].@id", "v[].#text"], ("v[]", true), true, record), expected, "{record}");
    }
    let map = r#"{"@p": "1", "values": {"@unit": "%", "x": "5", "y": ["1", "2"]}}"#;
    assert_eq!(
        rows(&["@p", "values[].#key", "values[]"], ("values[]", false), true, map),
        [read(1, &["1", "x", "5"]), read(2, &["1", "y", CELL_STRUCTURE])]
    );
}

#[test]
fn a_page_does_not_take_more_rows_than_it_may() {
    let reader =
        RecordReader::compile(&[(0, "[]")], Some(&explode("[]", false, &[])), &RecordPart::default()).expect("valid");
    let mut page = Page::new(1, String::new(), String::new(), Arc::from(vec!["[]".to_owned()]));
    let record = format!("[{}0]", "1,".repeat(50));
    let read = reader.read(&mut page, 1, (&mut serde_json::Deserializer::from_str(&record), None), 50);
    assert!(read.is_err() && page.len() == 51, "{}", page.len());
}

#[test]
fn keys_that_are_named_are_rows_of_every_record() {
    let fields = ["name", "total", "[].#key", "[]"];
    let of_keys = explode("[]", false, &["onTime", "online"]);
    let found = |record: &str| exploded_rows(&fields, &of_keys, false, record);
    assert_eq!(
        found(r#"{"name": "a", "total": 9, "online": 4, "onTime": 7, "days": 2.5, "more": {"x": 1}}"#),
        [read(1, &["a", "9", "onTime", "7"]), read(2, &["a", "9", "online", "4"])]
    );
    // A null is a row without a value; a key that is absent is no row that can be read.
    assert_eq!(
        found(r#"{"name": "a", "total": 9, "onTime": null, "online": 4}"#),
        [read(1, &["a", "9", "onTime", "-"]), read(2, &["a", "9", "online", "4"])]
    );
    let lacking = r#"{"name": "a", "total": 9, "online": 4}"#;
    assert_eq!(found(lacking), [refused(1, Reason::NoList, 4), read(2, &["a", "9", "online", "4"])]);
    let may_lack = explode("[]", true, &["onTime", "online"]);
    assert_eq!(exploded_rows(&fields, &may_lack, false, lacking), [read(1, &["a", "9", "online", "4"])]);
    assert_eq!(found(r#"{"name": "a", "total": 9}"#), [refused(1, Reason::NoList, 4)]);
    assert_eq!(found(r#"{"name": "a", "online": 1, "online": 2}"#), [refused(1, Reason::Malformed, 4)]);
    // In a map below the record, and in XML.
    let below = explode("counts[]", false, &["n", "m"]);
    let fields = ["name", "counts[].#key", "counts[]"];
    for (record, is_xml) in [
        (r#"{"name": "a", "counts": {"n": 1, "m": 2, "k": 3}}"#, false),
        (r#"{"name": "a", "counts": {"n": "1", "m": "2", "@k": "3"}}"#, true),
    ] {
        let expected = [read(1, &["a", "n", "1"]), read(2, &["a", "m", "2"])];
        assert_eq!(exploded_rows(&fields, &below, is_xml, record), expected);
    }
}
