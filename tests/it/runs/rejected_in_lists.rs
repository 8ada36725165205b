//! Rejected rows in a folder of lists: whose rejection is closed by what, and which values their dossiers have.
#![expect(clippy::disallowed_methods, reason = "edge: a test says when a list was saved")]

use std::time::{Duration, SystemTime};

use crate::desk::{self, expect, rows};
use crate::office::{Office, copy};

/// Writes a list that was saved on a day of November 2025.
fn save(office: &Office, name: &str, day: u64, rows: &[&str]) {
    desk::file(office, name, rows);
    touch(office, name, day);
}

fn touch(office: &Office, name: &str, day: u64) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * (20_393 + day));
    let file = std::fs::File::options().append(true).open(office.exports().join(name)).expect("the list is there");
    file.set_modified(at).expect("the scratch folder is writable");
}

/// A row of dossier `A{number}`. Status `X` is rejected.
fn row(number: u32, status: &str) -> String {
    format!("A{number},H61.14-251001-{number:04},H61.14,2025-10-01,2025-10-09,{status}")
}

const NO_KEY: &str = ",H61.14-251001-0009,H61.14,2025-10-01,2025-10-09,P";

fn status(office: &Office, key: &str) -> String {
    let found = desk::image(office).into_iter().find(|(known, ..)| known == key);
    found.unwrap_or_else(|| panic!("`{key}` is not in the image")).1
}

fn open(office: &Office) -> usize {
    rows(office, &["quarantine", "list"]).len()
}

#[test]
fn an_older_list_neither_closes_a_rejection_of_a_newer_one_nor_changes_its_dossier() {
    let office = desk::of_files("");
    save(&office, "1.csv", 1, &[&row(1, "P"), &row(2, "P")]);
    save(&office, "2.csv", 2, &[&row(1, "D"), &row(3, "P")]);
    office.run();
    save(&office, "2.csv", 2, &[&row(1, "X"), &row(3, "P")]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 1));
    // Another row of the older list is edited.
    save(&office, "1.csv", 1, &[&row(1, "P"), &row(2, "D")]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 1));
    // The older list is saved again: now it is the newer one.
    touch(&office, "1.csv", 3);
    office.run();
    assert_eq!(status(&office, "A1"), "processing");
    // The mended row is that of the older list.
    save(&office, "2.csv", 2, &[&row(1, "D"), &row(3, "P")]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("processing".to_owned(), 0));
}

#[test]
fn a_row_without_a_key_is_open_once_while_its_list_is_edited() {
    let office = desk::of_files("");
    save(&office, "1.csv", 1, &[&row(1, "P"), &row(2, "P"), &row(3, "P")]);
    office.run();
    for (day, number) in (2..).zip([4, 5]) {
        // The row of a dossier has lost its key: its deletion is not proved, and the former content stays known.
        save(&office, "1.csv", day, &[NO_KEY, &row(2, "P"), &row(3, "P"), &row(number, "P")]);
        expect(&office, &["run"], 4);
        assert_eq!(open(&office), 1);
    }
    save(&office, "1.csv", 9, &[&row(1, "P"), &row(2, "P"), &row(3, "P")]);
    office.run();
    assert_eq!(open(&office), 0);
}

#[test]
fn a_kill_leaves_no_rejection_of_a_former_content_open() {
    let office = desk::of_files("");
    let bad = [row(1, "P"), row(2, "P"), row(3, "X"), NO_KEY.to_owned(), row(5, "P")];
    let mended = [row(1, "P"), row(2, "P"), row(3, "D"), row(4, "P"), row(5, "P")];
    let texts = |rows: &[String]| rows.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    save(&office, "1.csv", 1, &[&texts(&bad)]);
    office.run();
    assert_eq!(open(&office), 2);
    save(&office, "1.csv", 2, &[&texts(&mended)]);
    let steps = office.path().join("steps");
    let undisturbed = office.path().join("undisturbed");
    copy(&office.data(), &undisturbed);
    let whole = office.command_on(&undisturbed, &["run"]).env("MOTCUA_STEPS", &steps).output();
    assert!(whole.expect("the binary starts").status.success());
    let steps = std::fs::read_to_string(&steps).expect("steps were named");
    let settled = steps.lines().position(|step| step == "after write a settlement").expect("it is passed") + 1;
    let killed = office.command(&["run"]).env("MOTCUA_DIE_AT", settled.to_string()).output();
    assert!(!killed.expect("the binary starts").status.success());
    office.run();
    assert_eq!((status(&office, "A3"), open(&office)), ("completed".to_owned(), 0));

    // A replay of the former content rejects its rows again, but no list has them.
    expect(&office, &["replay", "1"], 0);
    assert_eq!((status(&office, "A3"), open(&office)), ("completed".to_owned(), 0));
}

#[test]
fn a_list_that_takes_over_the_content_of_another_hides_no_row_of_a_new_list() {
    let office = desk::of_files("");
    let base = [row(5, "P"), row(6, "P"), row(7, "P")].join("\n");
    save(&office, "b.csv", 1, &[&base, &row(3, "P")]);
    save(&office, "d.csv", 2, &[&base, &row(2, "P")]);
    office.run();
    // The row of A2 is in the new list only. The other content was read before under another name.
    save(&office, "a.csv", 3, &[&base, &row(2, "D")]);
    save(&office, "d.csv", 4, &[&base, &row(3, "P")]);
    office.run();
    assert_eq!(status(&office, "A2"), "completed");
}

#[test]
fn an_appended_list_holds_back_older_ones_with_what_it_had_rejected() {
    let office = desk::of_files("");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    save(&office, "b.csv", 1, &[&row(1, "P"), &row(5, "P")]);
    save(&office, "a.csv", 4, &[&row(1, "D"), &row(5, "P")]);
    office.run();
    save(&office, "a.csv", 5, &[&row(1, "X"), &row(5, "P")]);
    office.run();
    save(&office, "a.csv", 6, &[&row(5, "P"), &row(9, "P")]);
    office.run();
    save(&office, "b.csv", 2, &[&row(1, "P"), &row(5, "P"), &row(8, "P")]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 1));
}

#[test]
fn a_rejection_is_open_while_its_row_is_the_newest_of_its_key() {
    let office = desk::of_files("");
    save(&office, "1.csv", 1, &[&row(1, "X"), &row(2, "P"), &row(5, "P")]);
    office.run();
    assert_eq!(open(&office), 1);
    let others = [row(3, "P"), row(4, "P")].join("\n");
    save(&office, "2.csv", 2, &[&row(1, "P"), &others]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("processing".to_owned(), 0));
    // The newer list no longer has the row: what is stored stays, and only the rejected row is left.
    save(&office, "2.csv", 2, &[&others]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("processing".to_owned(), 1));
    save(&office, "2.csv", 2, &[&row(1, "D"), &others]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 0));
    // The list with the rejected row becomes the newer one, and the older one again; neither is read.
    touch(&office, "1.csv", 9);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 1));
    touch(&office, "1.csv", 1);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 0));
    // Both are read in one night.
    let office = desk::of_files("");
    save(&office, "1.csv", 1, &[&row(1, "X"), &row(2, "P"), &row(5, "P")]);
    save(&office, "2.csv", 2, &[&row(1, "P"), &others]);
    office.run();
    assert_eq!(
        (status(&office, "A1"), open(&office), rows(&office, &["quarantine", "list", "--all"]).len()),
        ("processing".to_owned(), 0, 1)
    );
}

#[test]
fn what_an_appended_list_had_before_is_as_old_as_it_was() {
    let office = desk::of_files("");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    let others = [row(5, "P"), row(6, "P")].join("\n");
    save(&office, "g.csv", 1, &[&row(1, "P"), &others]);
    office.run();
    save(&office, "a.csv", 2, &[&row(1, "X"), &others]);
    office.run();
    // The name is used again for the next list, which does not have A1.
    save(&office, "g.csv", 4, &[&row(7, "P"), &row(8, "P")]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("processing".to_owned(), 1));
    save(&office, "a.csv", 3, &[&row(1, "D"), &others]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("completed".to_owned(), 0));
}

#[test]
fn a_replay_of_a_night_that_changed_nothing_forgets_no_list() {
    let office = desk::of_files("");
    let others = [row(5, "P"), row(6, "P")].join("\n");
    save(&office, "1.csv", 5, &[&row(1, "P"), &others]);
    save(&office, "2.csv", 3, &[&others]);
    office.run();
    save(&office, "2.csv", 3, &[&row(2, "X"), &others]);
    office.run();
    save(&office, "1.csv", 5, &[&row(1, "X"), &others]);
    office.run();
    std::fs::remove_file(office.exports().join("1.csv")).expect("the list is there");
    office.run();
    assert_eq!(open(&office), 2);
    expect(&office, &["replay", "2"], 0);
    assert_eq!(open(&office), 2);
    save(&office, "2.csv", 3, &[&row(2, "X"), &row(3, "P"), &others]);
    office.run();
    assert_eq!(open(&office), 2);
}

#[test]
fn a_rejected_row_beside_a_good_one_of_its_key_is_open_while_its_list_is_the_newest() {
    let office = desk::of_files("");
    let others = [row(5, "P"), row(6, "P"), row(7, "P")].join("\n");
    save(&office, "1.csv", 1, &[&row(1, "P"), &row(1, "X"), &others]);
    office.run();
    assert_eq!(open(&office), 1);
    save(&office, "2.csv", 2, &[&row(1, "P"), &others]);
    office.run();
    assert_eq!(open(&office), 0);
    save(&office, "2.csv", 2, &[&others]);
    office.run();
    assert_eq!((status(&office, "A1"), open(&office)), ("processing".to_owned(), 1));
}
