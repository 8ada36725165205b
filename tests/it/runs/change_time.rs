//! A source with a change time: the version with the newest change time wins, in whatever order versions come.

use crate::desk::{self, List, expect, record};
use crate::office::{Office, commits, rows};

/// Added to the mapping of the test connector `desk`.
const CHANGE_TIME: &str = r#"
[map.source_updated_at]
from = "changed"
type = "instant"
formats = ["yyyy-MM-dd HH:mm"]
required = true

[identity]
ordered_by = "source_updated_at"
"#;

fn hand_in(office: &Office, file: &str, rows: &[&str]) {
    let text = format!("id,code,agency,received,status,changed\n{}\n", rows.join("\n"));
    office.write(&format!("exports/{file}"), &text);
    office.run();
}

/// `source_key`, `status` of the image.
fn image(office: &Office) -> Vec<(String, String)> {
    desk::image(office).into_iter().map(|(key, status, _)| (key, status)).collect()
}

fn counts(office: &Office) -> [u64; 6] {
    office.counts("desk", ["received", "accepted", "unchanged", "duplicate", "superseded", "quarantined"])
}

#[test]
fn an_older_version_after_a_newer_one_changes_nothing() {
    let office = desk::of_files(CHANGE_TIME);
    let newer = "A1,H61.14-251001-0001,H61.14,2025-10-01,D,2025-10-09 08:00";
    hand_in(&office, "1.csv", &[newer, "A2,H61.14-251001-0002,H61.14,2025-10-01,P,2025-10-01 08:00"]);
    assert_eq!(counts(&office), [2, 2, 0, 0, 0, 0]);
    let expected = [("A1".to_owned(), "completed".to_owned()), ("A2".to_owned(), "processing".to_owned())];
    assert_eq!(image(&office), expected);
    let before = (commits(&office.data()), rows(&office.data(), "dossiers"));

    // An older version, whose date would put it in another part.
    hand_in(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-09-01,P,2025-10-05 08:00"]);
    assert_eq!(counts(&office), [1, 0, 0, 0, 1, 0]);
    // The newest version again, twice, in a file with other bytes.
    hand_in(&office, "3.csv", &[newer, newer]);
    assert_eq!(counts(&office), [2, 0, 1, 1, 0, 0]);
    assert_eq!((commits(&office.data()), rows(&office.data(), "dossiers")), before);

    // In one file the newer version wins, wherever it is.
    let (old, new) = (
        "A2,H61.14-251001-0002,H61.14,2025-10-01,P,2025-10-02 08:00",
        "A2,H61.14-251001-0002,H61.14,2025-10-01,D,2025-10-03 08:00",
    );
    hand_in(&office, "4.csv", &[new, old]);
    assert_eq!(image(&office)[1], ("A2".to_owned(), "completed".to_owned()));
    let [received, accepted, ..] = counts(&office);
    assert_eq!((received, accepted > 0), (2, true));
}

#[test]
fn a_change_time_in_the_future_makes_no_later_version_older() {
    let list = List::default();
    let office = desk::of_list(&list.serve(), CHANGE_TIME.replace("required = true\n", "").as_str());
    let changed = |number, status: &str, changed: &str| {
        let mut record = record(number);
        record["status"] = status.into();
        record["changed"] = changed.into();
        record
    };
    list.set(vec![changed(0, "P", "2199-10-09 08:00"), changed(1, "P", "2025-10-01 08:00")]);
    let messages = expect(&office, &["run"], 0);
    assert!(messages.contains("changed in future: 1"), "{messages}");
    list.set(vec![changed(0, "D", "2025-10-09 08:00"), changed(1, "P", "2025-10-01 08:00")]);
    office.run();
    let expected = [("K0".to_owned(), "completed".to_owned()), ("K1".to_owned(), "processing".to_owned())];
    assert_eq!(image(&office), expected);
}

const OTHER: &str = "A8,H61.14-251001-0008,H61.14,2025-10-01,P,2025-10-01 08:00";
const ANOTHER: &str = "A9,H61.14-251001-0009,H61.14,2025-10-01,P,2025-10-01 08:00";

#[test]
fn a_row_that_is_rejected_in_its_newest_list_keeps_its_last_values() {
    let office = desk::of_files(CHANGE_TIME);
    let old = "A1,H61.14-251001-0001,H61.14,2025-10-01,P,2025-10-01 08:00";
    hand_in(&office, "1.csv", &[old]);
    hand_in(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,D,2025-10-09 08:00", OTHER, ANOTHER]);
    let expected = [("A1", "completed"), ("A8", "processing"), ("A9", "processing")]
        .map(|(key, status)| (key.to_owned(), status.to_owned()));
    assert_eq!(image(&office), expected);
    // The list says that the dossier changed, but not to what.
    hand_in(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,X,2025-10-10 08:00", OTHER, ANOTHER]);
    assert_eq!(image(&office), expected);
    // Another night changes nothing.
    hand_in(&office, "3.csv", &[OTHER]);
    assert_eq!(image(&office), expected);
    // Once the row is gone, the older list is the only one that has the dossier.
    hand_in(&office, "2.csv", &[OTHER, ANOTHER]);
    assert_eq!(image(&office)[0], ("A1".to_owned(), "processing".to_owned()));
}

#[test]
fn a_row_that_an_appended_list_no_longer_has_counts_by_its_change_time() {
    let office = desk::of_files(CHANGE_TIME);
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    let of_a1 = |status: &str, changed: &str| format!("A1,H61.14-251001-0001,H61.14,2025-10-01,{status},{changed}");
    hand_in(&office, "month.csv", &[&of_a1("P", "2025-10-05 08:00"), OTHER]);
    hand_in(&office, "month.csv", &[ANOTHER]);
    let status = || image(&office)[0].1.clone();
    assert_eq!((image(&office).len(), status()), (3, "processing".to_owned()));
    hand_in(&office, "older.csv", &[&of_a1("D", "2025-10-01 08:00")]);
    assert_eq!(status(), "processing", "the former content has the later change");
    hand_in(&office, "newer.csv", &[&of_a1("D", "2025-10-09 08:00")]);
    assert_eq!(status(), "completed");
}
