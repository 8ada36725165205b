//! A source with a change time: the newer version stays, whatever comes later.
#![expect(clippy::disallowed_methods, reason = "tests take away what the office does not need")]

use crate::office::{Office, commits, frames, rows};

const CONNECTOR: &str = r#"
[connector]
version = 1
title = "Hồ sơ từ tệp"
kind = "dossiers"
system = "tệp CSV"
contact = "người kiểm thử"

[access]
type = "files"
folder = "{env:BCCI_EXPORTS}"
glob = "*.csv"

[decode]
type = "csv"
header = "id"

[map.source_key]
from = "id"
type = "code"
required = true

[map.dossier_code]
from = "code"
type = "dossier_code"

[map.competent_agency]
from = "agency"
type = "agency"

[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd"]

[map.status]
from = "status"
type = "word"

[map.status.codes]
P = "processing"
D = "completed"

[map.source_updated_at]
from = "changed"
type = "instant"
formats = ["yyyy-MM-dd HH:mm"]
required = true

[identity]
ordered_by = "source_updated_at"
"#;

/// An office with the one connector `desk`.
fn desk() -> Office {
    let office = Office::new("http://127.0.0.1:1");
    std::fs::remove_dir_all(office.path().join("connectors")).expect("the scratch folder is writable");
    office.write("connectors/desk/connector.toml", CONNECTOR);
    office
}

fn hand_in(office: &Office, file: &str, rows: &[&str]) {
    let text = format!("id,code,agency,received,status,changed\n{}\n", rows.join("\n"));
    office.write(&format!("exports/{file}"), &text);
    office.run();
}

/// `source_key`, `status` of the image.
fn image(office: &Office) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for frame in frames(&office.data(), "dossiers") {
        let text = |name: &str| -> Vec<String> {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.iter().map(|text| text.expect("stated").to_owned()).collect()
        };
        found.extend(text("source_key").into_iter().zip(text("status")));
    }
    found.sort();
    found
}

fn counts(office: &Office) -> [u64; 6] {
    ["received", "accepted", "unchanged", "duplicate", "superseded", "quarantined"]
        .map(|name| office.count("desk", name))
}

#[test]
fn an_older_version_after_a_newer_one_changes_nothing() {
    let office = desk();
    let newer = "A1,H61.14-251001-0001,H61.14,2025-10-01,D,2025-10-09 08:00";
    hand_in(&office, "1.csv", &[newer, "A2,H61.14-251001-0002,H61.14,2025-10-01,P,2025-10-01 08:00"]);
    assert_eq!(counts(&office), [2, 2, 0, 0, 0, 0]);
    let expected = [("A1".to_owned(), "completed".to_owned()), ("A2".to_owned(), "processing".to_owned())];
    assert_eq!(image(&office), expected);
    let before = (commits(&office.data()), rows(&office.data(), "dossiers"));

    // Older, and under a part of its own were it taken.
    hand_in(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-09-01,P,2025-10-05 08:00"]);
    assert_eq!(counts(&office), [1, 0, 0, 0, 1, 0]);
    // The newest again, twice, in a file of other bytes.
    hand_in(&office, "3.csv", &[newer, newer]);
    assert_eq!(counts(&office), [2, 0, 1, 1, 0, 0]);
    assert_eq!((commits(&office.data()), rows(&office.data(), "dossiers")), before);

    // In one file the newer wins wherever it stands.
    let (old, new) = (
        "A2,H61.14-251001-0002,H61.14,2025-10-01,P,2025-10-02 08:00",
        "A2,H61.14-251001-0002,H61.14,2025-10-01,D,2025-10-03 08:00",
    );
    hand_in(&office, "4.csv", &[new, old]);
    assert_eq!(image(&office)[1], ("A2".to_owned(), "completed".to_owned()));
    let [received, accepted, ..] = counts(&office);
    assert_eq!((received, accepted > 0), (2, true));
}
