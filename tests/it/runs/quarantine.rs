//! Rejected rows: list, show, retry, replay.
#![expect(clippy::disallowed_methods, reason = "tests take away and change the files of an office")]

use crate::desk::{self, List, expect, file, image, record, rows};
use crate::office::{Office, commits};

const A1: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P";
const A2: &str = "A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,X";

/// Corrects the mapping, so that status `X` can be read.
fn correct_mapping(office: &Office) {
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("D = \"completed\"", "D = \"completed\"\nX = \"stopped\"")
    });
}

/// Key and status of the image.
fn statuses(office: &Office) -> Vec<(String, String)> {
    image(office).into_iter().map(|(key, status, _)| (key, status)).collect()
}

fn pair(key: &str, status: &str) -> (String, String) {
    (key.to_owned(), status.to_owned())
}

#[test]
fn a_rejected_row_is_listed_shown_and_accepted_once_the_mapping_is_corrected() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2]);
    office.run();
    let listed = rows(&office, &["quarantine", "list"]);
    assert_eq!(listed.len(), 1);
    let row = &listed[0];
    assert_eq!((row["run"].as_i64(), row["page"].as_i64(), row["row"].as_i64()), (Some(1), Some(1), Some(3)), "{row}");
    assert_eq!((row["field"].as_str(), row["reason"].as_str()), (Some("status"), Some("unknown_code")));
    assert_eq!(row["file"], "1.csv");
    let shown = expect(&office, &["quarantine", "show", &row["id"].to_string()], 0);
    for expected in ["1.csv", "status", "unknown_code", "id = A2", "received = 2025-10-01"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    // The word itself may be personal data: only its shape is shown.
    assert!(shown.contains("status = ?A:1"), "{shown}");

    // A later list has the same dossier: what the retry reads again is older.
    file(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,D"]);
    office.run();
    correct_mapping(&office);
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(statuses(&office), [pair("A1", "completed"), pair("A2", "stopped")]);
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
    assert_eq!(rows(&office, &["quarantine", "list", "--all"])[0]["closed_by"], 3);
    let nothing = expect(&office, &["quarantine", "retry"], 2);
    assert!(nothing.contains("nothing is in quarantine"), "{nothing}");

    // The result is the same as with a correct mapping from the start.
    let right = desk::of_files("");
    correct_mapping(&right);
    file(&right, "1.csv", &[A1, A2]);
    right.run();
    file(&right, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,D"]);
    right.run();
    assert_eq!(statuses(&right), statuses(&office));
    assert_eq!(office.figures(), right.figures());
}

#[test]
fn a_row_that_landing_holds_whole_is_accepted_without_its_source() {
    // `due` before `received`: every value can be read, only their order is not allowed.
    let office = desk::of_files("\n[contract]\nimpossible = \"reject_row\"\n");
    file(&office, "1.csv", &[A1, "A3,H61.14-251001-0003,H61.14,2025-10-01,2025-09-01,P"]);
    office.run();
    assert_eq!(rows(&office, &["quarantine", "list"])[0]["reason"], "impossible_order");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("impossible = \"reject_row\"", "impossible = \"report\"")
    });
    std::fs::remove_file(office.exports().join("1.csv")).expect("the list is there");
    let messages = expect(&office, &["quarantine", "retry", "desk"], 0);
    assert!(messages.contains("due before received: 1"), "{messages}");
    assert_eq!(statuses(&office), [pair("A1", "processing"), pair("A3", "processing")]);
}

#[test]
fn a_row_whose_landed_page_is_damaged_is_read_again_from_its_source() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2]);
    office.run();
    let page = office.data().join("landing/desk/00000001/000001.ndjson.zst");
    assert!(page.exists());
    std::fs::write(page, "damaged").expect("the folder is ours");
    correct_mapping(&office);
    let messages = expect(&office, &["quarantine", "retry"], 0);
    assert!(messages.contains("read again from the source"), "{messages}");
    assert_eq!(statuses(&office), [pair("A1", "processing"), pair("A2", "stopped")]);
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
}

#[test]
fn a_row_whose_file_is_gone_stays_open() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2]);
    file(&office, "2.csv", &["A5,H61.14-251001-0005,H61.14,2025-10-01,2025-10-09,P"]);
    office.run();
    std::fs::remove_file(office.exports().join("1.csv")).expect("the list is there");
    correct_mapping(&office);
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(rows(&office, &["quarantine", "list"]).len(), 1, "nothing read it again");
}

#[test]
fn a_row_that_is_corrected_at_its_source_closes_its_rejection() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2]);
    office.run();
    file(&office, "2.csv", &["A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,D"]);
    office.run();
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
}

#[test]
fn a_replayed_night_gives_the_same_tables() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2, "A4,H61.14-251001-0004,H61.14,2025-10-02,2025-10-09,D"]);
    office.run();
    let (tables, figures) = (image(&office), office.figures());
    let lake = |office: &Office| crate::office::rows(&office.data(), "dossier_versions");
    let versions = lake(&office);
    let before = commits(&office.data());
    expect(&office, &["replay", "1"], 0);
    assert_eq!((image(&office), lake(&office)), (tables.clone(), versions.clone()));
    assert_eq!(commits(&office.data())["dossier_versions"], before["dossier_versions"], "nothing is written twice");

    // The tables are lost: they are restored from landing, under the same run.
    std::fs::remove_dir_all(office.data().join("lake")).expect("the lake is there");
    std::fs::remove_dir_all(office.exports()).expect("the lists are there");
    std::fs::create_dir(office.exports()).expect("the scratch folder is writable");
    expect(&office, &["replay", "1"], 0);
    assert_eq!((image(&office), lake(&office), office.figures()), (tables, versions, figures));

    // With another mapping, only what it reads differently changes.
    office.edit("connectors/desk/connector.toml", |text| text.replace("D = \"completed\"", "D = \"returned\""));
    expect(&office, &["replay", "1"], 0);
    assert_eq!(statuses(&office), [pair("A1", "processing"), pair("A4", "returned")]);
    let nothing = expect(&office, &["replay", "77"], 2);
    assert!(nothing.contains("run 77 has no landed pages"), "{nothing}");
}

#[test]
fn a_replay_replaces_nothing_that_was_stored_later_with_the_same_change_time() {
    let list = List::default();
    // A source that states the day of a change only.
    let changed = |status: &str| {
        let mut row = record(1);
        row["changed"] = "2025-10-08".into();
        row["status"] = status.into();
        row
    };
    let time = "[map.source_updated_at]\nfrom = \"changed\"\ntype = \"instant\"\nformats = [\"yyyy-MM-dd\"]\n";
    let office = desk::of_list(&list.serve(), time);
    list.set(vec![changed("P")]);
    office.run();
    list.set(vec![changed("D")]);
    office.run();
    assert_eq!(statuses(&office), [pair("K1", "completed")]);
    expect(&office, &["replay", "1"], 0);
    assert_eq!(statuses(&office), [pair("K1", "completed")]);
}

#[test]
fn a_degraded_connector_is_healthy_once_its_rows_are_accepted() {
    let office = desk::of_files("");
    let bad = |number: usize| format!("B{number},H61.14-251001-{number:04},H61.14,2025-10-01,2025-10-09,X");
    let bad: Vec<String> = (10..13).map(bad).collect();
    file(&office, "1.csv", &[A1, &bad[0], &bad[1], &bad[2]]);
    expect(&office, &["run"], 4);
    let status = office.status("desk");
    assert_eq!((status["state"].as_str(), status["open"].as_u64()), (Some("degraded"), Some(3)), "{status}");
    correct_mapping(&office);
    expect(&office, &["quarantine", "retry"], 0);
    let status = office.status("desk");
    assert_eq!((status["state"].as_str(), status["open"].as_u64()), (Some("healthy"), Some(0)), "{status}");
}

#[test]
fn a_row_without_a_key_is_rejected_once_however_often_its_file_is_read() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, ",H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P"]);
    office.run();
    for word in ["one", "two"] {
        // Another version of the connector reads every file again.
        office.edit("connectors/desk/connector.toml", |text| text.replace("bàn thử\"", &format!("bàn thử {word}\"")));
        office.run();
        assert_eq!(rows(&office, &["quarantine", "list"]).len(), 1);
    }
}

#[test]
fn a_rejection_closes_once_its_file_has_other_content() {
    const NO_KEY: &str = ",H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P";
    const A6: &str = "A6,H61.14-251001-0006,H61.14,2025-10-01,2025-10-09,P";
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2, NO_KEY, A6]);
    file(&office, "2.csv", &["A5,H61.14-251001-0005,H61.14,2025-10-01,2025-10-09,P", NO_KEY]);
    expect(&office, &["run"], 4);
    assert_eq!(rows(&office, &["quarantine", "list"]).len(), 3);
    // The keys are filled in or corrected: no row has the key of the rejected row.
    file(
        &office,
        "1.csv",
        &[A1, "A2x,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P", "A3,H61.14,H61.14,2025-10-01,,P", A6],
    );
    office.run();
    let open = rows(&office, &["quarantine", "list"]);
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["file"], "2.csv", "the other list still has it");
    assert_eq!(rows(&office, &["quarantine", "list", "--all"]).iter().filter(|row| row["closed_by"] == 2).count(), 2);

    // Rows are only added: what a former content had is not withdrawn by a later one.
    let office = desk::of_files("");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    file(&office, "1.csv", &[A1, NO_KEY]);
    office.run();
    file(&office, "1.csv", &[A1, A6]);
    office.run();
    assert_eq!(rows(&office, &["quarantine", "list"]).len(), 1);
}

#[test]
fn a_row_that_is_read_again_is_as_old_as_its_first_reading() {
    const A1_DONE: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,D";
    // Two lists of one night: the first is read again for its second row, and its version of A1 is older than that of
    // the second list.
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1, A2]);
    file(&office, "2.csv", &[A1_DONE]);
    office.run();
    correct_mapping(&office);
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(statuses(&office), [pair("A1", "completed"), pair("A2", "stopped")]);
    // A rejected row of the first list is closed at once: the second list has the dossier.
    let office = desk::of_files("\n[contract]\nimpossible = \"reject_row\"\n");
    file(&office, "1.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-09-01,P"]);
    file(&office, "2.csv", &[A1_DONE]);
    office.run();
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
    assert_eq!(rows(&office, &["quarantine", "list", "--all"])[0]["closed_by"], 1);
    assert_eq!(statuses(&office), [pair("A1", "completed")]);
}

#[test]
fn a_dossier_that_several_passes_return_is_rejected_once() {
    let list = List::default();
    let mut records: Vec<_> = (0..5).map(record).collect();
    records[3]["status"] = "X".into();
    list.set(records);
    let pass = "\n[[window.passes]]\nname = \"again\"\nsince_param = \"from\"\nuntil_param = \"to\"\nformat = \"yyyy-MM-dd\"\n\
                start = \"cursor\"\nfirst_date = \"2025-01-01\"\noverlap_days = 100000\nslice_days = 100000\n";
    let office = desk::of_list(&list.serve(), pass);
    office.run();
    assert_eq!((image(&office).len(), rows(&office, &["quarantine", "list", "--all"]).len()), (4, 2));
    assert_eq!(rows(&office, &["quarantine", "list"]).len(), 1);
    correct_mapping(&office);
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(image(&office).len(), 5);
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
}

#[test]
fn a_replay_of_an_older_run_closes_no_later_rejection() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1]);
    office.run();
    file(&office, "2.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,X"]);
    expect(&office, &["run"], 4);
    expect(&office, &["replay", "1"], 4);
    assert_eq!(rows(&office, &["quarantine", "list"])[0]["run"], 2, "the last list was not replayed");
}
