//! Texts in a column of agencies that no registry has: which are published, and under which numbers.
#![expect(clippy::disallowed_methods, reason = "tests read what was published and remove files of the data folder")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desk;
use crate::office::{Office, files};

const PERSON: &str = "Cao Bá Canari (CB)";
const ADDRESS: &str = "Số 12 đường Canari";
const TELEPHONE: &str = "Ấp 3 xã Canari 0912/345/679";
/// A body that the shipped registry does not have.
const BODY: &str = "UBND xã An Thử";

fn row(key: u32, agency: &str) -> String {
    format!("{key},H61.02-260302-{key:04},{agency},2026-03-02,2026-03-10,D")
}

/// Names of the agencies that have figures, as the newest night published them.
fn published(office: &Office) -> BTreeSet<String> {
    let text = std::fs::read_to_string(office.data().join("published/latest/figures.json")).expect("a night");
    let rows: Vec<Value> = serde_json::from_str(&text).expect("figures are JSON");
    let withheld = rows.iter().filter(|row| row["agency"] != row["agency_name"]);
    assert!(withheld.filter_map(|row| row["agency"].as_str()).all(|code| !code.starts_with("đơn vị")));
    rows.iter().filter_map(|row| row["agency_name"].as_str().map(str::to_owned)).collect()
}

/// Text by number, as staff see them.
fn unknown(office: &Office) -> BTreeMap<u64, Value> {
    let rows = desk::rows(office, &["agencies", "unknown", "--all"]);
    rows.into_iter().map(|row| (row["number"].as_u64().expect("a number"), row["text"].clone())).collect()
}

fn withheld(numbers: &[u64], names: &[&str]) -> BTreeSet<String> {
    let numbered = numbers.iter().map(|number| format!("đơn vị chưa có trong danh mục #{number}"));
    numbered.chain(names.iter().map(|name| (*name).to_owned())).collect()
}

fn assert_nowhere_published(office: &Office) {
    for file in files(&office.data().join("published")) {
        let bytes = std::fs::read(office.data().join("published").join(&file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("Canari") && !text.contains("0912/345"), "{}", file.display());
    }
}

/// Whatever the first word of the place is: a list of family names is never complete.
#[test]
fn a_place_of_three_words_is_published_only_if_the_registry_has_it() {
    let office = desk::of_files("");
    let persons = ["Hồ Xuân", "Đoàn Minh", "Cao Bá", "Kha Bích"].map(|name| format!("UBND xã {name} Canari"));
    let others = ["Công an xã Hà Canari Tú", "Phường Chu Canari Anh"].map(str::to_owned);
    let (known, place) = ("UBND xã Tân Thành Bình", "UBND xã Tân Canh");
    let texts: Vec<String> = persons.into_iter().chain(others).chain([known.to_owned(), place.to_owned()]).collect();
    let rows: Vec<String> = (1..).zip(&texts).map(|(key, text)| row(key, text)).collect();
    desk::file(&office, "a.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let said = desk::expect(&office, &["run"], 0);
    assert!(!said.contains("Canari"), "{said}");
    assert_nowhere_published(&office);
    let names = published(&office);
    assert!(names.contains(place) && names.iter().any(|name| name.contains("Tân Thành Bình")), "{names:?}");
    assert_eq!(names.iter().filter(|name| name.contains('#')).count(), 6, "{names:?}");
}

#[test]
fn unknown_agencies_are_published_by_number_until_they_are_approved() {
    let office = desk::of_files("");
    let rows = [row(1, "Sở Nội vụ"), row(2, PERSON), row(3, ADDRESS), row(4, TELEPHONE), row(5, BODY)];
    desk::file(&office, "a.csv", &rows.each_ref().map(String::as_str));
    let said = desk::expect(&office, &["run"], 0);
    assert!(!said.contains("Canari"), "{said}");
    assert_eq!(published(&office), withheld(&[1, 2, 3], &["Sở Nội vụ", BODY]));
    assert_nowhere_published(&office);
    let report = desk::rows(&office, &["report", "par-3.4.4", "--period", "2026"]);
    assert!(!report.is_empty() && !format!("{report:?}").contains("Canari"));

    let texts = unknown(&office);
    assert_eq!(texts.values().filter_map(Value::as_str).collect::<Vec<_>>(), [PERSON, ADDRESS, TELEPHONE]);
    let reads = desk::rows(&office, &["token", "reads"]);
    assert!(format!("{reads:?}").contains("agencies that no registry has"), "{reads:?}");

    // Without the ledger everything is read again; the numbers stay, and a new text gets the next one.
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(office.data().join(format!("ledger.sqlite{ending}")));
    }
    desk::file(&office, "b.csv", &[&row(6, "Bế Canari (x)")]);
    desk::expect(&office, &["run"], 0);
    assert_eq!(published(&office), withheld(&[1, 2, 3, 4], &["Sở Nội vụ", BODY]));
    assert_eq!(unknown(&office)[&4], "Bế Canari (x)");
    assert_eq!(unknown(&office)[&1], PERSON);

    desk::expect(&office, &["agencies", "approve", "9"], 2);
    let said = desk::expect(&office, &["agencies", "approve", "2"], 0);
    assert!(!said.contains("Canari"), "{said}");
    desk::expect(&office, &["run"], 0);
    assert_eq!(published(&office), withheld(&[1, 3, 4], &["Sở Nội vụ", BODY, ADDRESS]));

    // A changed file stops the night; without the file, numbers begin above those that were published.
    let numbers = office.data().join("agency-numbers.json");
    let text = std::fs::read_to_string(&numbers).expect("the file is there");
    assert!(!text.contains("Canari"), "no text in it: {text}");
    std::fs::write(&numbers, text.replacen("\"number\": 1", "\"number\": 5", 1)).expect("the folder is writable");
    let said = desk::expect(&office, &["run"], 1);
    assert!(said.contains("agency-numbers.json") && said.contains("hint: restore the file"), "{said}");
    std::fs::remove_file(&numbers).expect("the folder is writable");
    desk::expect(&office, &["run"], 0);
    assert_eq!(published(&office), withheld(&[5, 6, 7, 8], &["Sở Nội vụ", BODY]));
}
