//! When a night is complete, and what follows if it is not: drift, missing fields, cut page chains, sweeps, rejection
//! budgets.
#![expect(clippy::disallowed_methods, reason = "tests look at the links of the published nights")]

use std::path::Path;

use jiff::civil::date;
use motcua::model::pull::Outcome;
use serde_json::{Value, json};

use crate::desk::{self, List, expect, file, image, record, rows};
use crate::office::Office;

fn night(office: &Office, link: &str) -> Option<Value> {
    let text = std::fs::read(office.data().join("published").join(link).join("night.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

#[test]
fn a_pull_that_was_cut_is_resumed_at_the_page_it_had_reached() {
    let list = List::default();
    list.set((0..9).map(record).collect());
    let office = desk::of_list(&list.serve(), "");
    list.break_from(Some(3));
    expect(&office, &["run"], 3);
    assert_eq!(list.requested(), [0, 1, 2, 3]);
    assert!(image(&office).is_empty(), "nothing of it counts");
    list.break_from(None);
    expect(&office, &["run"], 0);
    // It is resumed at page 3, and its pages are read once more: records may have moved between pages since the cut. Then
    // the new night reads its own pages.
    assert_eq!(list.requested(), [3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    assert_eq!(image(&office).len(), 9);
    // It counts from a run of its own on: the night that it failed in was published without it.
    let failed = expect(&office, &["runs", "show", "1"], 0);
    assert!(failed.contains("failed") && !failed.contains("received   9"), "{failed}");
    let pulls = expect(&office, &["runs", "show", "2"], 0);
    assert!(pulls.contains("complete") && pulls.contains("received   9 = accepted 9"), "{pulls}");
    assert_eq!(office.count("desk", "unchanged"), 9);
}

#[test]
fn latest_complete_stays_at_the_last_complete_night() {
    let list = List::default();
    list.set((0..4).map(record).collect());
    let office = desk::of_list(&list.serve(), "");
    expect(&office, &["run"], 0);
    // The page limit is reached: what was read counts, the night is incomplete.
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("requests_per_second = 1000.0", "requests_per_second = 1000.0\nmax_pages = 1")
    });
    let messages = expect(&office, &["run"], 4);
    assert!(messages.contains("incomplete") && messages.contains("not complete"), "{messages}");
    let link = |name: &str| std::fs::read_link(office.data().join("published").join(name)).expect("it was published");
    assert_eq!(
        (link("latest").as_path(), link("latest-complete").as_path()),
        (Path::new("nights/00000002"), Path::new("nights/00000001"))
    );
    assert_eq!(night(&office, "latest").expect("published")["night"]["complete"], false);
    let status = office.status("desk");
    assert_eq!((status["state"].as_str(), status["reason"].is_string()), (Some("incomplete"), true), "{status}");
}

#[test]
fn a_new_field_is_reported_and_a_missing_one_makes_the_night_incomplete() {
    let list = List::default();
    list.set((0..24).map(record).collect());
    let office = desk::of_list(&list.serve(), "");
    expect(&office, &["run"], 0);
    assert_eq!(office.status("desk")["state"], "healthy");
    // A new field, whose name is reported; and one whose name is a person's, which is not.
    let mut changed: Vec<Value> = (0..24).map(record).collect();
    changed[5]["mucDoMoi"] = json!(1);
    changed[6]["Nguyễn Văn Mẫu"] = json!(1);
    list.set(changed);
    let messages = expect(&office, &["run"], 0);
    assert!(messages.contains("new field: mucDoMoi, first on page 3, row 2"), "{messages}");
    assert!(!messages.contains("Nguyễn"), "{messages}");
    let status = office.status("desk");
    assert_eq!(status["state"], "drifted");
    assert!(status["reason"].as_str().is_some_and(|reason| reason.contains("mucDoMoi")), "{status}");

    let mut gone: Vec<Value> = (0..24).map(record).collect();
    for record in &mut gone {
        record.as_object_mut().expect("an object").remove("received");
    }
    list.set(gone);
    let messages = expect(&office, &["run"], 4);
    assert!(messages.contains("no record has the mapped field `received`"), "{messages}");
}

#[test]
fn a_field_that_was_renamed_is_missed_in_the_smallest_pull_and_every_night() {
    let list = List::default();
    list.set((0..3).map(record).collect());
    let office = desk::of_list(&list.serve(), "");
    expect(&office, &["run"], 0);
    let mut renamed: Vec<Value> = (0..3).map(record).collect();
    for record in &mut renamed {
        let record = record.as_object_mut().expect("an object");
        let received = record.remove("received").expect("every record has it");
        record.insert("receivedDate".to_owned(), received);
    }
    list.set(renamed);
    for _ in 0..2 {
        let messages = expect(&office, &["run"], 4);
        assert!(messages.contains("no record has the mapped field `received`"), "{messages}");
    }
    list.set((0..3).map(record).collect());
    expect(&office, &["run"], 0);
}

#[test]
fn ill_typed_values_are_reported_or_stop_the_pull_as_the_contract_says() {
    // `report`: the value is absent, the row is accepted.
    let office = desk::of_files("\n[contract]\nill_typed = \"report\"\n");
    file(&office, "1.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,31/31/31,P"]);
    let messages = expect(&office, &["run"], 0);
    assert!(messages.contains("ill typed field: due_at"), "{messages}");
    assert_eq!(image(&office).len(), 1);
    // `stop`: nothing of the pull counts.
    let office = desk::of_files("\n[contract]\nill_typed = \"stop\"\n");
    file(
        &office,
        "1.csv",
        &["A1,H61.14-251001-0001,H61.14,2025-10-01,31/31/31,P", "A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P"],
    );
    let messages = expect(&office, &["run"], 3);
    assert!(messages.contains("stops at `contract.ill_typed`: due_at (page 1, row 2)"), "{messages}");
    assert!(image(&office).is_empty());
}

#[test]
fn more_rejections_than_the_budget_degrade_a_night() {
    let office = desk::of_files("\n[contract]\nreject_share = 0.5\nreject_rows = 2\n");
    let row = |number: usize, status: &str| {
        format!("A{number},H61.14-251001-{number:04},H61.14,2025-10-01,2025-10-09,{status}")
    };
    let all: Vec<String> = (0..9).map(|number| row(number, if number < 3 { "X" } else { "P" })).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    file(&office, "1.csv", &all);
    let messages = expect(&office, &["run"], 4);
    assert!(messages.contains("degraded: 3 of 9 rows were rejected"), "{messages}");
    assert_eq!(office.status("desk")["state"], "degraded");
    assert_eq!(night(&office, "latest").expect("published")["night"]["complete"], false);
    // The mapping is corrected and the rows are accepted: the figures are complete again.
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("D = \"completed\"", "D = \"completed\"\nX = \"stopped\"")
    });
    expect(&office, &["quarantine", "retry"], 0);
    assert_eq!(night(&office, "latest").expect("published")["night"]["complete"], true);
    assert_eq!(image(&office).len(), 9);
}

#[test]
fn a_sweep_marks_records_that_the_source_no_longer_lists_as_deleted() {
    let list = List::default();
    list.set((0..6).map(record).collect());
    let sweep = "\n[sweep]\nevery_days = 0\npass = \"received\"\ncolumn = \"received_at\"\n";
    let office = desk::of_list(&list.serve(), sweep);
    expect(&office, &["run"], 0);
    let before = office.figures();
    list.set((0..6).filter(|number| *number != 2).map(record).collect());
    let messages = expect(&office, &["run"], 0);
    assert!(messages.contains("does not list them: 1"), "{messages}");
    let deleted: Vec<String> = image(&office).into_iter().filter(|row| row.2).map(|row| row.0).collect();
    assert_eq!(deleted, ["K2"]);
    assert!(office.figures() != before, "the deleted dossier no longer counts");
    assert!(rows(&office, &["changes"]).iter().any(|change| change["change"] == "deleted"));
    // An empty list deletes nothing.
    list.set(Vec::new());
    let messages = expect(&office, &["run"], 4);
    assert!(messages.contains("too many to be deletions"), "{messages}");
    assert_eq!(image(&office).iter().filter(|row| row.2).count(), 1);
    // The dossier is listed again.
    list.set((0..6).map(record).collect());
    expect(&office, &["run"], 0);
    assert!(image(&office).iter().all(|row| !row.2));
    assert_eq!(office.figures(), before);
}

#[test]
fn a_sweep_that_was_refused_stays_refused_until_it_is_accepted() {
    let list = List::default();
    list.set((0..4).map(record).collect());
    let sweep = "\n[sweep]\nevery_days = 1\npass = \"received\"\ncolumn = \"received_at\"\n";
    let office = desk::of_list(&list.serve(), sweep);
    let night = |day: i8| {
        let pull = desk::night_at(&office, date(2025, 10, day)).pulls.remove(0);
        (pull.outcome, pull.reason.unwrap_or_default())
    };
    let held = || image(&office).into_iter().filter(|(_, _, deleted)| !deleted).count();
    assert_eq!(night(10), (Some(Outcome::Complete), String::new()));
    // The portal shows other dossiers, as many: the table grows by them, so that the missing ones are only half of it.
    list.set((10..14).map(record).collect());
    let refused = (Some(Outcome::Incomplete), "sweep_unbelievable".to_owned());
    assert_eq!(night(11), refused);
    assert_eq!(night(12), refused);
    list.break_from(Some(0));
    assert_eq!(night(13).0, Some(Outcome::Failed));
    list.break_from(None);
    assert_eq!(night(14), refused, "the night that failed decided about nothing");
    assert_eq!(held(), 8);
    expect(&office, &["deletions", "accept", "desk"], 0);
    assert_eq!(night(15), (Some(Outcome::Complete), String::new()));
    assert_eq!(held(), 4);
}

#[test]
fn rows_of_a_renamed_connector_are_reported_and_count_behind_those_of_the_new_name() {
    // A code with the sequence number 0 connects no dossiers.
    let list = List::default();
    list.set((1..5).map(record).collect());
    let url = list.serve();
    let office = desk::of_list(&url, "");
    expect(&office, &["run"], 0);
    // The new name comes after the old one in the alphabet. The source goes on: dossiers end.
    let connectors = office.path().join("connectors");
    std::fs::rename(connectors.join("desk"), connectors.join("office-desk")).expect("the folder is ours");
    let mut ended: Vec<Value> = (1..5).map(record).collect();
    for record in &mut ended {
        record["status"] = json!("D");
    }
    list.set(ended);
    let messages = expect(&office, &["run"], 0);
    assert!(
        messages.contains("desk: no connector has this name any more, and 4 rows that it read still count"),
        "{messages}"
    );
    let other = desk::of_list(&url, "");
    expect(&other, &["run"], 0);
    assert_eq!(office.figures(), other.figures());
}

#[test]
fn later_corrections_of_a_dossier_are_recorded_as_changes() {
    let office = desk::of_files("");
    file(
        &office,
        "1.csv",
        &[
            "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,D",
            "A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P",
        ],
    );
    office.run();
    assert!(rows(&office, &["changes"]).is_empty());
    file(
        &office,
        "2.csv",
        &[
            "A1,H61.14-251001-0001,H61.15,2025-10-01,2025-10-19,P",
            "A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,D",
        ],
    );
    office.run();
    let mut found: Vec<(String, String)> = rows(&office, &["changes", "--run", "2"])
        .iter()
        .map(|row| {
            (
                row["dossier_code"].as_str().unwrap_or_default().to_owned(),
                row["change"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    found.sort();
    let of_first = |change: &str| ("H61.14-251001-0001".to_owned(), change.to_owned());
    assert_eq!(found, [of_first("agency_changed"), of_first("due_moved_after_due"), of_first("reopened")]);
}

#[test]
fn a_backfill_reads_the_past_and_leaves_the_cursor() {
    let list = List::default();
    list.set((0..5).map(record).collect());
    let office = desk::of_list(&list.serve(), "");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("slice_days = 100000", "slice_days = 31").replace("overlap_days = 100000", "overlap_days = 1")
    });
    expect(&office, &["run"], 0);
    list.requested();
    let messages = expect(&office, &["backfill", "desk", "--from", "2025-03-01", "--to", "2025-04-30"], 0);
    assert!(messages.contains("unchanged 5"), "{messages}");
    // Two slices of three pages each.
    assert_eq!(list.requested(), [0, 1, 2, 0, 1, 2]);
    assert!(expect(&office, &["runs", "show", "2"], 0).contains("cursor     unchanged"));
    // The second slice fails; the next call continues with it.
    list.break_from(Some(1));
    expect(&office, &["backfill", "desk", "--from", "2025-03-01", "--to", "2025-03-31"], 3);
    list.break_from(None);
    list.requested();
    expect(&office, &["backfill", "desk", "--from", "2025-03-01", "--to", "2025-03-31"], 0);
    // The night reads from its own cursor: one slice.
    list.requested();
    expect(&office, &["run"], 0);
    assert_eq!(list.requested(), [0, 1, 2]);
    for (arguments, expected) in [
        (["backfill", "desk", "--from", "2025-04-01", "--to", "2025-03-01"], "is not a range of days"),
        (["backfill", "nobody", "--from", "2025-03-01", "--to", "2025-03-31"], "there is no connector"),
    ] {
        let messages = expect(&office, &arguments, 2);
        assert!(messages.contains(expected), "{messages}");
    }
}
