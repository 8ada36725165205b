//! What a source leaves open is told: keys in two letter cases, two columns with one heading. Signs that look alike are
//! read alike.

use jiff::civil::{Date, date};
use motcua::model::pull::Outcome::{self, Complete, Failed, Incomplete};

use crate::desk;
use crate::office::{Office, rows};

/// Outcome, reason, and number of accepted rows of a night.
fn night(office: &Office, day: Date) -> (Option<Outcome>, Option<String>, u64) {
    let pull = desk::night_at(office, day).pulls.remove(0);
    (pull.outcome, pull.reason, pull.counts.accepted)
}

fn told(outcome: Outcome, reason: &str, accepted: u64) -> (Option<Outcome>, Option<String>, u64) {
    (Some(outcome), Some(reason.to_owned()), accepted)
}

fn row(id: &str) -> String {
    format!("{id},H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P")
}

#[test]
fn keys_in_another_letter_case_are_told_unless_type_or_contract_say_what_they_are() {
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &[&row("HS-1"), &row("HS-2")]);
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 2));
    // Against a key of an earlier night, and against one of the same pull.
    desk::file(&office, "2.csv", &[&row("hs-1")]);
    assert_eq!(night(&office, date(2025, 10, 2)), told(Incomplete, "key_in_other_case", 1));
    desk::file(&office, "3.csv", &[&row("Hs-3"), &row("hS-3"), &row("Hs-3")]);
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
    desk::file(&office, "1.csv", &[&row("HS-1"), &row("hs-1"), &row("HS-1\u{a0}"), &row("\u{200b}ＨＳ－１")]);
    assert_eq!(night(&office, date(2025, 10, 1)), (Some(Complete), None, 1));
    assert_eq!(rows(&office.data(), "dossiers").len(), 1);
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
