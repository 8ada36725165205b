//! Records in parts (`identity.record = "partial"`), through the binary: events of dossiers that come in any order, again, late,
//! broken, and with a kill between.

use std::collections::BTreeMap;

use polars::prelude::DataType;
use serde_json::{Value, json};

use crate::desk::{self, List, expect, rows};
use crate::office::{self, Office, copy, frames};

const PARTS: &str = r#"
[map.completed_at]
from = "at"
type = "instant"
formats = ["yyyy-MM-dd HH:mm"]
when = { column = "status", is = ["completed"] }

[map.source_updated_at]
from = "at"
type = "instant"
formats = ["yyyy-MM-dd HH:mm"]
required = true

[identity]
record = "partial"

[contract]
unknown = "accept"
missing = "accept"
reject_share = 1.0
"#;

/// An event of a dossier, with what it states besides.
fn event(key: &str, hour: u8, mut stated: Value) -> Value {
    stated["id"] = json!(key);
    stated["at"] = json!(format!("2025-10-06 {hour:02}:00"));
    stated
}

/// Key → status, day of reception, due day, hour of completion and hour of the newest event, as of the image under a data folder.
fn dossiers(data: &std::path::Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for frame in frames(data, "dossiers") {
        let text = |name: &str, at: usize| -> String {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.get(at).unwrap_or("-").to_owned()
        };
        let instant = |name: &str, format: &str, at: usize| -> String {
            let column = frame.column(name).and_then(|column| column.cast(&DataType::Int64)).expect("an instant");
            let micros = column.i64().expect("cast").get(at);
            micros.map_or("-".to_owned(), |at| motcua::model::instant::local(at).strftime(format).to_string())
        };
        for at in 0..frame.height() {
            let shown = [
                text("status", at),
                instant("received_at", "%d", at),
                instant("due_at", "%d", at),
                instant("completed_at", "%H", at),
                instant("source_updated_at", "%H", at),
            ];
            found.insert(text("source_key", at), shown.join(" "));
        }
    }
    found
}

fn counts(office: &Office) -> [u64; 6] {
    office.counts("desk", ["received", "accepted", "unchanged", "duplicate", "superseded", "quarantined"])
}

fn of(found: &[(&str, &str)]) -> BTreeMap<String, String> {
    found.iter().map(|(key, shown)| ((*key).to_owned(), (*shown).to_owned())).collect()
}

/// A dossier whose whole row comes first, and one of which only an event is known.
fn first_night() -> Vec<Value> {
    vec![
        event(
            "K1",
            8,
            json!({"code": "H61.14-251001-0001", "agency": "H61.14", "received": "2025-10-01", "status": "P"}),
        ),
        event("K2", 9, json!({"status": "D"})),
        event("K1", 11, json!({"status": "D"})),
    ]
}

#[test]
fn events_fill_what_they_state_in_the_order_of_their_times() {
    let list = List::default();
    list.set(first_night());
    let office = desk::of_list(&list.serve(), PARTS);
    office.run();
    assert_eq!(counts(&office), [3, 3, 0, 0, 0, 0]);
    let first = of(&[("K1", "completed 01 - 11 11"), ("K2", "completed - - 09 09")]);
    assert_eq!(dossiers(&office.data()), first);

    // The same events again, one of them twice: nothing changes, and no version is added.
    let versions = |office: &Office| office::rows(&office.data(), "dossier_versions").len();
    assert_eq!(versions(&office), 3, "each event that changes its dossier is a version");
    list.set([first_night(), vec![event("K1", 11, json!({"status": "D"}))]].concat());
    office.run();
    assert_eq!(counts(&office), [4, 0, 2, 1, 1, 0]);
    assert_eq!((dossiers(&office.data()), versions(&office)), (first.clone(), 3));

    // A late event fills the due date and does not open the dossier again; a new one does.
    let late = event("K1", 10, json!({"status": "P", "due": "2025-10-09"}));
    list.set([first_night(), vec![late.clone(), event("K2", 12, json!({"status": "P"}))]].concat());
    office.run();
    assert_eq!(counts(&office)[1], 2);
    let third = of(&[("K1", "completed 01 09 11 11"), ("K2", "processing - - 09 12")]);
    assert_eq!(dossiers(&office.data()), third);

    // What was read is older than what is stored since: a replay changes nothing.
    let replayed = expect(&office, &["replay", "1"], 0);
    assert!(replayed.contains("received 3 = accepted 0"), "{replayed}");
    assert_eq!(dossiers(&office.data()), third);
}

#[test]
fn a_rejected_event_waits_for_its_retry_whatever_comes_after_it() {
    let list = List::default();
    list.set([first_night(), vec![event("K1", 12, json!({"due": "2025-10-32"}))]].concat());
    let office = desk::of_list(&list.serve(), PARTS);
    office.run();
    assert_eq!(counts(&office), [4, 3, 0, 0, 0, 1]);
    // A later event of the dossier is no correction of the one that was rejected. It is listed once, however many nights read it,
    // and another broken event of the dossier is listed beside it.
    for (more, listed) in [(None, 1), (None, 1), (Some(event("K1", 14, json!({"due": "2025-10-33"}))), 2), (None, 2)] {
        let later = [event("K1", 12, json!({"due": "2025-10-32"})), event("K1", 13, json!({"status": "P"}))];
        list.set([first_night(), later.to_vec(), Vec::from_iter(more)].concat());
        office.run();
        assert_eq!(rows(&office, &["quarantine", "list"]).len(), listed);
    }
    assert_eq!(dossiers(&office.data())["K1"], "processing 01 - 11 13");
    // The source corrects it.
    list.set(
        [first_night(), vec![event("K1", 12, json!({"due": "2025-10-10"})), event("K1", 13, json!({"status": "P"}))]]
            .concat(),
    );
    // The second broken event is not in the list any more: it is closed with the others that were asked for again.
    expect(&office, &["quarantine", "retry"], 0);
    assert!(rows(&office, &["quarantine", "list"]).is_empty());
    assert_eq!(dossiers(&office.data())["K1"], "processing 01 10 11 13");
}

#[test]
fn dates_that_contradict_each_other_only_together_are_reported_or_rejected() {
    let early = vec![
        event("K1", 8, json!({"received": "2025-10-07"})),
        event("K1", 11, json!({"status": "D"})),
        event("K1", 12, json!({"due": "2025-10-09"})),
    ];
    for (more, expected, shown) in [
        ("impossible = \"reject_row\"\n", [3, 2, 0, 0, 0, 1], "- 07 09 - 12"),
        ("", [3, 3, 0, 0, 0, 0], "completed 07 09 11 12"),
    ] {
        let list = List::default();
        list.set(early.clone());
        let office = desk::of_list(&list.serve(), &format!("{PARTS}{more}"));
        let output = office.act(&["run"]);
        assert_eq!(counts(&office), expected, "{more}");
        assert_eq!(dossiers(&office.data())["K1"], shown, "{more}");
        if more.is_empty() {
            let said = office::said(&output);
            assert!(said.contains("completed before received: 1"), "{said}");
        }
    }
}

#[test]
fn a_night_that_is_killed_and_repeated_gives_the_same_records() {
    let list = List::default();
    list.set(first_night());
    let office = desk::of_list(&list.serve(), PARTS);
    office.run();
    let late = event("K1", 10, json!({"status": "P", "due": "2025-10-09"}));
    list.set(
        [first_night(), vec![late, event("K2", 12, json!({"status": "P"})), event("K3", 7, json!({"status": "D"}))]]
            .concat(),
    );
    let scratch = |name: &str| {
        let data = office.path().join(name);
        copy(&office.data(), &data);
        data
    };
    let undisturbed = scratch("undisturbed");
    office.run_on(&undisturbed);
    let expected = office::rows(&undisturbed, "dossier_versions");
    let is_dead = |number: u32| {
        let data = scratch(&format!("killed-{number}"));
        let mut command = office.command_on(&data, &["run"]);
        let output = command.env("MOTCUA_DIE_AT", number.to_string()).output().expect("the program starts");
        office.run_on(&data);
        assert_eq!(dossiers(&data), dossiers(&undisturbed), "killed at {number}");
        assert_eq!(office::rows(&data, "dossier_versions"), expected, "killed at {number}");
        !output.status.success()
    };
    assert!([3, 7, 10, 13, 16, 20].into_iter().filter(|number| is_dead(*number)).count() > 3, "the kills were none");
}
