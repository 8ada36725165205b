//! A data folder that an older motcua wrote is opened by this one: nothing is accepted again, past nights give the same
//! answers, and no definition counts as changed.
//!
//! `tests/fixtures/data-folder-2026-11` is an office with its configuration, its sources and the data folder of two nights
//! (README.md in it says how it was made). It is never written again: whatever this version changes about stored formats must
//! still read it.
#![expect(clippy::disallowed_methods, reason = "tests read the fixture and what the binary wrote")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use motcua::model::rules::DueMoves;
use serde_json::Value;

use crate::desk::{self, List};
use crate::office::{Office, files};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data-folder-2026-11")
}

/// What the older version printed.
fn expected(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(fixture().join("expected").join(name)).expect("the fixture has the file");
    serde_json::from_str(&text).expect("the older version printed JSON")
}

/// A copy of the fixture, and its dossiers as they were served to the second night.
fn office() -> Office {
    let list = List::default();
    list.set(expected("list.json"));
    let mut office = Office::copy_of(&fixture());
    office.variables = BTreeMap::from([("DESK_URL", list.serve())]);
    for (variable, folder) in [
        ("BCCI_EXPORTS", "exports"),
        ("MEASURES_FOLDER", "so-lieu"),
        ("PAKN_EXPORTS", "pakn"),
        ("NOTES_FOLDER", "ghi-chu"),
    ] {
        office.variables.insert(variable, office.path().join(folder).display().to_string());
    }
    office
}

/// Content of the data folder's files, without databases: opening one may add what its version lacks.
fn stored_files(office: &Office) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_database = |file: &PathBuf| file.to_string_lossy().contains(".sqlite");
    let others = files(&office.data()).into_iter().filter(|file| !is_database(file));
    others.map(|file| (file.clone(), std::fs::read(office.data().join(&file)).unwrap_or_default())).collect()
}

/// Answers about the past, which no later night changes.
fn assert_past_answers(office: &Office) {
    for (arguments, name) in [
        (&["report", "--as-of", "2026-10-01"][..], "report-1.json"),
        (&["report", "--as-of", "2026-10-02"], "report-2.json"),
        (&["changes"], "changes.json"),
    ] {
        let (found, expected) = (desk::rows(office, arguments), expected(name));
        assert_eq!(found.len(), expected.len(), "{arguments:?}");
        for (found, expected) in found.iter().zip(&expected) {
            // Columns may be new since; those that the older version printed are the same.
            for (name, value) in expected.as_object().expect("a row is an object") {
                assert_eq!(&found[name], value, "{arguments:?}: {name} of {expected}");
            }
        }
    }
}

/// Definition, numerator and denominator by indicator, rule set, tier, agency and period.
fn figures(rows: &[Value]) -> BTreeMap<[String; 5], [Value; 3]> {
    let key = |row: &Value| ["indicator", "rules", "tier", "agency", "period"].map(|name| row[name].to_string());
    let counts = |row: &Value| ["definition", "numerator", "denominator"].map(|name| row[name].clone());
    rows.iter().map(|row| (key(row), counts(row))).collect()
}

#[test]
fn an_older_data_folder_is_read_before_any_run() {
    let office = office();
    let before = stored_files(&office);
    assert_past_answers(&office);
    let mut runs = desk::rows(&office, &["runs", "list"]);
    // In older versions nobody could stop a run.
    for row in &mut runs {
        assert_eq!(row.as_object_mut().expect("a row").remove("stopped_by"), Some(Value::Null));
    }
    assert_eq!(runs, expected("runs.json"));
    let mut rejected = desk::rows(&office, &["quarantine", "list"]);
    // Older versions did not name the file, and counted no repetitions.
    for row in &mut rejected {
        assert_eq!((&row["times"], &row["first_run"]), (&1.into(), &row["run"]), "{row}");
        for newer in ["file", "times", "first_run"] {
            row.as_object_mut().expect("a row").remove(newer);
        }
    }
    assert_eq!(rejected, expected("quarantine.json"));
    let tokens = desk::expect(&office, &["token", "list"], 0);
    assert!(tokens.contains("clerk"), "{tokens}");
    assert_eq!(stored_files(&office), before, "questions write no file");
}

#[test]
fn a_night_on_an_older_data_folder_accepts_and_changes_nothing() {
    let office = office();
    let versions = |office: &Office| {
        let versions = crate::office::rows(&office.data(), "dossier_versions");
        assert_eq!(versions.len(), 16, "thirteen of the first night, three of the second");
        versions
    };
    let before = versions(&office);
    let assert_nothing_is_read_again = || {
        office.run();
        for row in desk::rows(&office, &["status"]) {
            let connector = row["connector"].as_str().expect("a connector has a name").to_owned();
            assert_eq!(row["accepted"], 0, "{connector}: {row}");
            // Files are known by their digest: none is read again. The list is read whole.
            let unchanged = if connector == "desk" { 14 } else { 0 };
            assert_eq!(row["unchanged"], unchanged, "{connector}: {row}");
        }
    };
    assert_nothing_is_read_again();
    assert_eq!(versions(&office), before);
    let of_night_2 = figures(&expected("report-2.json"));
    let today = figures(&desk::rows(&office, &["report"]));
    assert!(of_night_2.len() > 400, "there is something to compare");
    for (key, figure) in &of_night_2 {
        let found = today.get(key).unwrap_or_else(|| panic!("{key:?} is gone"));
        assert_eq!(found[1..], figure[1..], "{key:?}");
        // Rule sets that read the date before an apology read moved due dates otherwise since: their series show a break.
        let is_read_otherwise = key[1].contains("seed-2639");
        assert_eq!(found[0] != figure[0], is_read_otherwise, "{key:?}");
    }
    assert_past_answers(&office);
    // The ledger of the older version held a digest of the whole file; from now on it holds one of what is read.
    for connector in ["bcci-export", "measures-csv"] {
        office.edit(&format!("connectors/{connector}/connector.toml"), |text| {
            let renamed = text.replacen("title = \"", "title = \"Mới: ", 1);
            assert_ne!(renamed, text, "a connector has a title");
            renamed
        });
    }
    assert_nothing_is_read_again();
}

#[test]
fn a_rule_set_without_due_moves_means_what_it_meant_in_its_night_and_todays_reading_today() {
    let office = office();
    let mut config = motcua::config::load(&office.settings()).expect("the older configuration is sound");
    let moves =
        |config: &motcua::config::Configuration| ["seed-2639", "form-06a"].map(|rules| config.rules[rules].due_moves);
    assert_eq!(moves(&config), [DueMoves::Explained, DueMoves::Portal], "today's reading");
    let kept = config.of_night(&config.definition_texts).expect("the kept texts are sound");
    assert_eq!(moves(&kept), moves(&config), "a night of today keeps what it meant");
    let file = office.path().join("config/rules/seed-2639.toml");
    let text = std::fs::read_to_string(file).expect("the fixture has the file");
    config.definition_texts.insert("rules/seed-2639.toml".to_owned(), text);
    let older = config.of_night(&config.definition_texts).expect("the kept texts are sound");
    assert_eq!(moves(&older), [DueMoves::Portal, DueMoves::Portal], "a night of then");
}
