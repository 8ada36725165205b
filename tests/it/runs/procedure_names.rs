//! A source that states names of procedures and no codes (`lookup = "procedure_name"`), through the binary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{self, List, expect, record, rows};
use crate::office::{Office, frames};

const KNOWN: &str = "Cấp giấy phép thử nghiệm mẫu";
const TWICE: &str = "Xác nhận thông tin mẫu";
const NEW: &str = "Đăng ký hoạt động mẫu mới";

fn named(number: usize, name: &str) -> Value {
    let mut row = record(number);
    row["procedure"] = json!(name);
    row
}

/// Five dossiers: by name, by code, and by names that two procedures have, none has, and a person has.
fn list() -> List {
    let list = List::default();
    list.set(vec![
        named(1, &format!("  {} ", KNOWN.to_uppercase())),
        named(2, "9.000001"),
        named(3, TWICE),
        named(4, NEW),
        named(5, "Trần Thị Canari"),
    ]);
    list
}

fn office_of(list: &List, keys: &str) -> Office {
    let map = format!(
        "[map.procedure_code]\nfrom = \"procedure\"\ntype = \"procedure_code\"\nlookup = \"procedure_name\"\n{keys}\n\
         [contract]\nreject_share = 1.0\n"
    );
    let office = desk::of_list(&list.serve(), &map);
    register(&office, &[("9.000001", KNOWN), ("9.000002", TWICE), ("9.000003", TWICE)]);
    office
}

fn register(office: &Office, procedures: &[(&str, &str)]) {
    office.edit("config/procedures.csv", |text| {
        let rows = procedures.iter().map(|(code, name)| format!("{code},{name},LV-MAU,5,working_days,,,,,,,\n"));
        text.trim_end().to_owned() + "\n" + &rows.collect::<String>()
    });
}

/// Key of each dossier → code of its procedure.
fn codes(office: &Office) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for frame in frames(&office.data(), "dossiers") {
        let text = |name: &str| frame.column(name).and_then(|column| column.str()).expect("a text column").clone();
        let texts = |name: &str| text(name).iter().map(|text| text.unwrap_or("-").to_owned()).collect::<Vec<_>>();
        found.extend(texts("source_key").into_iter().zip(texts("procedure_code")));
    }
    found
}

fn of(found: &[(&str, &str)]) -> BTreeMap<String, String> {
    found.iter().map(|(key, code)| ((*key).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn names_of_no_procedure_or_several_are_reported_and_never_guessed() {
    let list = list();
    let office = office_of(&list, "ill_typed = \"report\"");
    let checked = expect(&office, &["check", "desk"], 0);
    assert!(checked.contains("procedure_code: 2 read"), "the first page has two records: {checked}");
    let said = expect(&office, &["run"], 0);
    assert!(said.contains("procedure_code"), "three rows without a procedure are reported: {said}");
    let first = of(&[("K1", "9.000001"), ("K2", "9.000001"), ("K3", "-"), ("K4", "-"), ("K5", "-")]);
    assert_eq!((codes(&office), office.count("desk", "quarantined")), (first, 0));
    // The registry gets the name: the landed rows are read again, without the source.
    register(&office, &[("9.000004", NEW)]);
    list.break_from(Some(0));
    expect(&office, &["replay", "1"], 0);
    let second = of(&[("K1", "9.000001"), ("K2", "9.000001"), ("K3", "-"), ("K4", "9.000004"), ("K5", "-")]);
    assert_eq!(codes(&office), second);
}

#[test]
fn a_rejected_name_is_read_from_landing_once_the_registry_has_it() {
    let list = list();
    let office = office_of(&list, "");
    expect(&office, &["run"], 0);
    let listed = |office: &Office| {
        let rows = rows(office, &["quarantine", "list"]);
        let mut reasons: Vec<String> =
            rows.iter().map(|row| row["reason"].as_str().expect("a code").to_owned()).collect();
        reasons.sort();
        reasons
    };
    assert_eq!(listed(&office), ["ambiguous_procedure", "unknown_procedure", "unknown_procedure"]);
    // What a person is called is stored nowhere.
    let landed = crate::office::files(&office.data().join("landing"));
    let pages = landed.iter().filter(|file| file.extension().is_some_and(|ending| ending == "zst"));
    let texts: String = pages
        .map(|file| {
            let packed = std::fs::read(office.data().join("landing").join(file)).expect("a landed page");
            String::from_utf8(zstd::stream::decode_all(packed.as_slice()).expect("zstd")).expect("text")
        })
        .collect();
    assert!(texts.contains(NEW) && !texts.contains("Canari"), "{texts}");
    register(&office, &[("9.000004", NEW)]);
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(listed(&office), ["ambiguous_procedure", "unknown_procedure"]);
    assert_eq!(codes(&office), of(&[("K1", "9.000001"), ("K2", "9.000001"), ("K4", "9.000004")]));
}

#[test]
fn without_a_registry_the_connector_is_mistaken() {
    let list = list();
    let office = office_of(&list, "");
    office.edit("config/procedures.csv", |text| {
        let is_head = |line: &&str| line.starts_with("code,");
        text.lines().find(is_head).expect("it has a header row").to_owned() + "\n"
    });
    office.edit("config/procedure_offers.csv", |text| {
        let is_head = |line: &&str| !line.starts_with('#');
        text.lines().find(is_head).expect("it has a header row").to_owned() + "\n"
    });
    let said = expect(&office, &["check", "--offline"], 2);
    assert!(said.contains("names of procedures need the registry of procedures"), "{said}");
}
