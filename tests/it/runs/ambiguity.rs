//! What a source leaves open is told: keys in two letter cases, two columns with one heading. Signs that look alike are
//! read alike.

use jiff::civil::{Date, date};
use motcua::model::pull::Outcome::{self, Complete, Failed, Incomplete};
use serde_json::Value;

use crate::desk::{self, List, record};
use crate::office::{Office, rows};

/// Outcome, reason, and number of accepted rows of a night.
fn night(office: &Office, day: Date) -> (Option<Outcome>, Option<String>, u64) {
    let pull = desk::night_at(office, day).pulls.remove(0);
    (pull.outcome, pull.reason, pull.counts.accepted)
}

fn told(outcome: Outcome, reason: &str, accepted: u64) -> (Option<Outcome>, Option<String>, u64) {
    (Some(outcome), Some(reason.to_owned()), accepted)
}

/// A row with an id, and the sequence number of its dossier code.
fn row(id: &str, number: u32) -> String {
    format!("{id},H61.14-251001-{number:04},H61.14,2025-10-01,2025-10-09,P")
}

#[test]
fn keys_in_another_letter_case_are_told_unless_type_or_contract_say_what_they_are() {
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &[&row("HS-1", 1), &row("HS-2", 2)]);
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 2));
    // Against a key of an earlier night, and against one of the same pull.
    desk::file(&office, "2.csv", &[&row("hs-1", 3)]);
    assert_eq!(night(&office, date(2025, 10, 2)), told(Incomplete, "key_in_other_case", 1));
    desk::file(&office, "3.csv", &[&row("Hs-3", 4), &row("hS-3", 5), &row("Hs-3", 4)]);
    let pull = desk::night_at(&office, date(2025, 10, 3)).pulls.remove(0);
    let message = pull.message.unwrap_or_default();
    assert!(message.contains("differ from other keys in letter case only"), "{message}");
    assert!(!message.to_lowercase().contains("hs-"), "a message quotes no key: {message}");

    // The contract may accept such keys.
    office.edit("connectors/desk/connector.toml", |text| text + "\n[contract]\nkey_in_other_case = \"accept\"\n");
    assert_eq!(night(&office, date(2025, 10, 4)).0, Some(Complete));
}

#[test]
fn a_key_whose_type_ignores_case_is_one_dossier() {
    let office = desk::of_files("");
    office
        .edit("connectors/desk/connector.toml", |text| text.replacen("type = \"code\"", "type = \"dossier_code\"", 1));
    // No-break and zero-width spaces, and full-width letters, are no other key either.
    desk::file(
        &office,
        "1.csv",
        &[&row("HS-1", 1), &row("hs-1", 1), &row("HS-1\u{a0}", 1), &row("\u{200b}ＨＳ－１", 1)],
    );
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 1));
    assert_eq!(rows(&office.data(), "dossiers").len(), 1);
}

#[test]
fn keys_of_a_former_declaration_are_deleted_with_the_list_that_had_them() {
    let edit = |office: &Office, from: &str, to: &str| {
        office.edit("connectors/desk/connector.toml", |text| text.replacen(from, to, 1));
    };
    let keys = |office: &Office| -> Vec<String> {
        desk::image(office).into_iter().filter(|(_, _, deleted)| !deleted).map(|(key, ..)| key).collect()
    };
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &[&row("hs-1", 1), &row("HS-2", 2), &row("HS-3", 3)]);
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 3));
    // The type writes keys in capitals: the row in small letters is no other dossier.
    edit(&office, "type = \"code\"", "type = \"dossier_code\"");
    assert_eq!(night(&office, date(2025, 10, 2)), (Some(Complete), None, 1));
    assert_eq!(keys(&office), ["HS-1", "HS-2", "HS-3"]);
    // Another column is the key: every row has another one, which an operator has to accept.
    edit(&office, "from = \"id\"", "from = \"code\"");
    let pull = desk::night_at(&office, date(2025, 10, 3)).pulls.remove(0);
    assert_eq!(pull.reason.as_deref(), Some("deletions_too_many"), "{pull:?}");
    desk::expect(&office, &["deletions", "accept", "desk"], 0);
    assert_eq!(night(&office, date(2025, 10, 4)), (Some(Complete), None, 0));
    assert_eq!(keys(&office), ["H61.14-251001-0001", "H61.14-251001-0002", "H61.14-251001-0003"]);
}

#[test]
fn dossiers_that_come_again_under_other_keys_are_told_until_a_sweep_has_deleted_the_former() {
    let list = List::default();
    let records = |key: &str| -> Vec<Value> {
        (0..3)
            .map(|number| {
                let mut record = record(number);
                record["id"] = format!("{key}{number}").into();
                record
            })
            .collect()
    };
    list.set(records("K"));
    let office = desk::of_list(&list.serve(), "");
    assert_eq!(night(&office, date(2025, 10, 10)), (Some(Complete), None, 3));
    // The portal was migrated.
    list.set(records("N"));
    assert_eq!(night(&office, date(2025, 10, 11)), told(Incomplete, "codes_shared", 3));
    assert_eq!(night(&office, date(2025, 10, 12)), told(Incomplete, "codes_shared", 0), "every night says so");
    let shared = desk::rows(&office, &["groups", "--shared", "--connector", "desk"]);
    assert_eq!(shared.len(), 6, "{shared:?}");
    assert_eq!((&shared[0]["source_key"], &shared[0]["dossier_code"]), (&"K0".into(), &"H61.14-251001-0000".into()));

    let sweep = "\n[sweep]\nevery_days = 1\npass = \"received\"\ncolumn = \"received_at\"\n";
    office.edit("connectors/desk/connector.toml", |text| text + sweep);
    assert_eq!(night(&office, date(2025, 10, 13)), (Some(Complete), None, 0));
    assert!(desk::rows(&office, &["groups", "--shared"]).is_empty());
}

#[test]
fn dossiers_may_share_a_code_if_the_contract_says_so() {
    let office = desk::of_files("\n[contract]\nshared_code = \"accept\"\n");
    desk::file(&office, "1.csv", &[&row("HS-1", 1), &row("HS-2", 1)]);
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 2));
    office.edit("connectors/desk/connector.toml", |text| text.replace("shared_code = \"accept\"", ""));
    assert_eq!(night(&office, date(2025, 10, 2)), told(Incomplete, "codes_shared", 0));
}

#[test]
fn two_columns_with_a_mapped_heading_are_refused_until_the_map_says_which() {
    let office = desk::of_files("");
    let text =
        "id,code,agency,received,due,DUE\u{200b},status\nA1,H61.14-251001-0001,H61.14,2025-10-01,,2025-10-09,P\n";
    office.write("exports/1.csv", text);
    let (outcome, reason, _) = night(&office, date(2025, 10, 1));
    assert_eq!((outcome, reason.as_deref()), (Some(Failed), Some("heading_repeated")));
    let said = desk::expect(&office, &["check"], 3);
    assert!(said.contains("the header row has 2 columns `due`: columns 5, 6"), "{said}");
    assert!(said.contains("nth = 2"), "{said}");

    let second = "from = { column = \"due\", nth = 2 }";
    office.edit("connectors/desk/connector.toml", |text| text.replacen("from = \"due\"", second, 1));
    assert_eq!(night(&office, date(2025, 10, 2)), (Some(Complete), None, 1));
}
