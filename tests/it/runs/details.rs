//! Records that are more than a row of a list: a further request for each (`[detail]`), and several rows from one
//! (`decode.explode`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use polars::prelude::DataType;
use serde_json::{Value, json};

use crate::desk::{self, expect, record};
use crate::office::{Answer, Office, files, frames, stub_server};

/// A list of two records a page, whose due dates are details.
#[derive(Clone, Default)]
struct Portal(Arc<Mutex<PortalState>>);

#[derive(Default)]
struct PortalState {
    records: Vec<Value>,
    /// Key → due date; a record without one has no details.
    due: BTreeMap<String, String>,
    /// Missing details are answered with status 200 and this code.
    code_of_missing: Option<u32>,
    /// A gateway answers for missing details: with 404 and a page of its own.
    has_gateway: bool,
    /// Key whose details are never answered.
    silent: Option<String>,
    /// Keys whose details were requested.
    requested: Vec<String>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Portal {
    fn of(records: usize) -> Self {
        let portal = Self::default();
        portal.change(|state| {
            state.records = (0..records).map(record).collect();
            state.due = (0..records).map(|number| (format!("K{number}"), "2025-10-09".to_owned())).collect();
        });
        portal
    }

    fn change<T>(&self, change: impl FnOnce(&mut PortalState) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn requested(&self) -> Vec<String> {
        self.change(|state| std::mem::take(&mut state.requested))
    }

    fn serve(&self) -> String {
        let portal = self.clone();
        stub_server(move |request| {
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            if let Some(key) = path.strip_prefix("/d/") {
                return portal.details(key);
            }
            let page = path.split("page=").nth(1).and_then(|text| text.split('&').next()?.parse().ok());
            let page: usize = page.expect("the connector sends the page number");
            portal.change(|state| {
                let rows: Vec<&Value> = state.records.iter().skip(page * 2).take(2).collect();
                Answer::json(&json!({"rows": rows, "last": page * 2 + 2 >= state.records.len()}).to_string())
            })
        })
    }

    fn details(&self, key: &str) -> Answer {
        let (due, is_silent) = self.change(|state| {
            state.requested.push(key.to_owned());
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
            (state.due.get(key).cloned(), state.silent.as_deref() == Some(key))
        });
        if is_silent {
            return Answer::Silence;
        }
        // Long enough for requests that are sent together to meet.
        std::thread::sleep(Duration::from_millis(30));
        self.change(|state| state.in_flight -= 1);
        match due {
            Some(due) => {
                Answer::json(&json!({"data": {"due": due, "owner": "Trần Thị Canari"}, "code": 0}).to_string())
            }
            None => match self.change(|state| state.code_of_missing) {
                // What some portals answer: the keys are there, and nothing is in them.
                Some(code) => Answer::json(&json!({"data": {"due": null}, "code": code}).to_string()),
                None if self.change(|state| state.has_gateway) => {
                    Answer::of("404 Not Found", "text/html", "<html><body>404 Not Found</body></html>")
                }
                None => Answer::of("404 Not Found", "application/json", "{}"),
            },
        }
    }
}

/// An office whose connector reads the due date from the details.
fn office_of(portal: &Portal, more: &str) -> Office {
    let detail = "[detail]\nrequest = { path = \"/d/{record.id}\" }\nrecord = \"data\"\n";
    let office = desk::of_list(&portal.serve(), &format!("{detail}{more}"));
    office.edit("connectors/desk/connector.toml", |text| text.replace("from = \"due\"", "from = \"detail.due\""));
    office
}

/// `source_key` and day of `due_at` (days since 1970) of each row of the image.
fn due_days(office: &Office) -> BTreeMap<String, Option<i64>> {
    let mut found = BTreeMap::new();
    for frame in frames(&office.data(), "dossiers") {
        let keys = frame.column("source_key").and_then(|column| column.str()).expect("a text column");
        let due = frame.column("due_at").and_then(|column| column.cast(&DataType::Int64)).expect("an instant column");
        let due = due.i64().expect("cast");
        let keys = keys.iter().map(|key| key.unwrap_or_default().to_owned());
        // Midnight in Vietnam is 17:00 of the day before.
        let days = due.iter().map(|micros| micros.map(|micros| (micros + 7 * 3_600_000_000) / 86_400_000_000));
        found.extend(keys.zip(days));
    }
    found
}

/// 2025-10-09 and 2025-10-20, as days since 1970.
const NINTH: i64 = 20_370;
const TWENTIETH: i64 = 20_381;

#[test]
fn details_are_part_of_their_records_and_a_change_of_them_alone_is_seen() {
    let portal = Portal::of(3);
    portal.change(|state| state.due.remove("K2"));
    let office = office_of(&portal, "[contract]\nreject_share = 1.0\n");
    expect(&office, &["run"], 0);
    assert_eq!(portal.requested(), ["K0", "K1", "K2"]);
    let of = |days: &[(&str, i64)]| -> BTreeMap<String, Option<i64>> {
        days.iter().map(|(key, day)| ((*key).to_owned(), Some(*day))).collect()
    };
    assert_eq!(due_days(&office), of(&[("K0", NINTH), ("K1", NINTH)]));
    assert_eq!(office.count("desk", "quarantined"), 1);
    let rejected = expect(&office, &["quarantine", "list"], 0);
    assert!(rejected.contains("no_detail"), "{rejected}");
    // What is landed has the details, without what no column reads; it is read again without the source.
    let landing = office.data().join("landing");
    let pages = files(&landing).into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "zst"));
    for page in pages {
        let packed = std::fs::read(landing.join(&page)).expect("a landed page");
        let text = String::from_utf8(zstd::stream::decode_all(packed.as_slice()).expect("zstd")).expect("text");
        assert!(!text.contains("Canari"), "{text}");
    }
    let replayed = expect(&office, &["replay", "1"], 0);
    assert!(replayed.contains("received 3 = accepted 0 + unchanged 2"), "{replayed}");
    assert!(portal.requested().is_empty(), "a replay sends nothing");
    // The row of the list stays as it is.
    portal.change(|state| {
        state.due.insert("K0".to_owned(), "2025-10-20".to_owned());
        state.due.insert("K2".to_owned(), "2025-10-20".to_owned());
    });
    expect(&office, &["run"], 0);
    assert_eq!(due_days(&office), of(&[("K0", TWENTIETH), ("K1", NINTH), ("K2", TWENTIETH)]));
    assert_eq!(office.counts("desk", ["accepted", "unchanged"]), [2, 1]);
    // The record that had no details is known by its key: it is not rejected any more.
    let rejected = expect(&office, &["quarantine", "list"], 0);
    assert!(!rejected.contains("no_detail"), "{rejected}");
}

#[test]
fn missing_details_are_what_the_connector_declares() {
    for (declared, exit, expected) in [("accept", 0, Some(1)), ("stop", 3, None)] {
        let portal = Portal::of(1);
        portal.change(|state| state.due.clear());
        let office = office_of(&portal, "");
        office.edit("connectors/desk/connector.toml", |text| {
            text.replace("record = \"data\"\n", &format!("record = \"data\"\nmissing = \"{declared}\"\n"))
        });
        let said = expect(&office, &["run"], exit);
        match expected {
            Some(accepted) => {
                assert_eq!(office.count("desk", "accepted"), accepted);
                assert_eq!(due_days(&office), BTreeMap::from([("K0".to_owned(), None)]));
            }
            None => assert!(said.contains("GET /d/{record.id}") && said.contains("404"), "{said}"),
        }
    }
}

/// Keys of the rows that are marked as deleted.
fn deleted(office: &Office) -> Vec<String> {
    let mut found = Vec::new();
    for frame in frames(&office.data(), "dossiers") {
        let keys = frame.column("source_key").and_then(|column| column.str()).expect("a text column");
        let flags = frame.column("deleted").and_then(|column| column.bool()).expect("a flag");
        let is_deleted = keys.iter().zip(flags.iter()).filter(|(_, flag)| *flag == Some(true));
        found.extend(is_deleted.filter_map(|(key, _)| key.map(str::to_owned)));
    }
    found.sort();
    found
}

#[test]
fn a_code_of_not_found_inside_a_200_is_the_same_as_404() {
    let not_found = "not_found = { path = \"code\", values = [\"404\", \"-3\"] }\n";
    for (declared, exit, quarantined, gone) in
        [("reject_row", 0, 1, &[][..]), ("accept", 0, 0, &[]), ("delete", 0, 0, &["K1"]), ("stop", 3, 0, &[])]
    {
        for code in [None, Some(404)] {
            let portal = Portal::of(2);
            portal.change(|state| {
                state.due.remove("K1");
                state.code_of_missing = code;
            });
            let office = office_of(&portal, "[contract]\nreject_share = 1.0\n");
            office.edit("connectors/desk/connector.toml", |text| {
                let missing = format!("record = \"data\"\nmissing = \"{declared}\"\n{not_found}");
                text.replace("record = \"data\"\n", &missing)
            });
            let said = expect(&office, &["run"], exit);
            if exit != 0 {
                assert!(said.contains("GET /d/{record.id}"), "{said}");
                continue;
            }
            let found = (office.count("desk", "quarantined"), deleted(&office));
            assert_eq!(found, (quarantined, gone.iter().map(|key| (*key).to_owned()).collect()), "{declared} {code:?}");
            assert_eq!(due_days(&office).len(), 2 - usize::try_from(quarantined).expect("one"), "{declared} {code:?}");
            // The source has it again.
            portal.change(|state| state.due.insert("K1".to_owned(), "2025-10-20".to_owned()));
            expect(&office, &["run"], 0);
            assert_eq!(
                (due_days(&office)["K1"], deleted(&office)),
                (Some(TWENTIETH), Vec::new()),
                "{declared} {code:?}"
            );
            assert_eq!(office.count("desk", "quarantined"), 0);
        }
    }
    // A code that is not declared is no such record: what it has counts, and here that is nothing.
    let portal = Portal::of(1);
    portal.change(|state| {
        state.due.clear();
        state.code_of_missing = Some(7);
    });
    let office = office_of(&portal, "");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("record = \"data\"\n", &format!("record = \"data\"\nmissing = \"delete\"\n{not_found}"))
    });
    expect(&office, &["run"], 0);
    assert_eq!((due_days(&office), deleted(&office)), (BTreeMap::from([("K0".to_owned(), None)]), Vec::new()));
}

#[test]
fn records_are_not_deleted_for_a_broken_service_of_details() {
    let portal = Portal::of(6);
    let office = office_of(&portal, "[contract]\nreject_share = 1.0\n");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("record = \"data\"\n", "record = \"data\"\nmissing = \"delete\"\n")
    });
    let set = |keys: &[&str], due: Option<&str>| {
        portal.change(|state| {
            for key in keys {
                match due {
                    Some(due) => state.due.insert((*key).to_owned(), due.to_owned()),
                    None => state.due.remove(*key),
                };
            }
        });
    };
    expect(&office, &["run"], 0);
    assert_eq!(due_days(&office).len(), 6);

    // Status 404 with a body in another format: it comes from a gateway, and the record is not deleted.
    portal.change(|state| state.has_gateway = true);
    set(&["K1"], None);
    expect(&office, &["run"], 0);
    assert_eq!((office.count("desk", "quarantined"), deleted(&office)), (1, Vec::new()));
    portal.change(|state| state.has_gateway = false);
    set(&["K1"], Some("2025-10-09"));

    // Status 404 in the declared format for four of six records: too many to be deletions.
    let many = ["K1", "K2", "K3", "K4"];
    set(&many, None);
    expect(&office, &["run"], 4);
    assert_eq!(office.status("desk")["reason_code"], "details_unbelievable");
    assert_eq!((office.count("desk", "quarantined"), deleted(&office)), (4, Vec::new()));
    set(&many, Some("2025-10-09"));
    expect(&office, &["run"], 0);
    assert_eq!((office.count("desk", "quarantined"), deleted(&office)), (0, Vec::new()));

    // The operator accepts the deletions.
    set(&many, None);
    expect(&office, &["run"], 4);
    expect(&office, &["deletions", "accept", "desk"], 0);
    expect(&office, &["run"], 0);
    assert_eq!((office.count("desk", "quarantined"), deleted(&office)), (0, many.map(str::to_owned).to_vec()));
    expect(&office, &["run"], 0);
    assert_eq!(deleted(&office), many, "they stay deleted");
}

#[test]
fn requests_for_details_are_bounded_together() {
    let portal = Portal::of(5);
    let office = office_of(&portal, "");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("requests_per_second = 1000.0", "requests_per_second = 1000.0\nconcurrency = 2\nmax_details = 4")
    });
    let said = expect(&office, &["run"], 4);
    assert!(said.contains("the details of 4 records were read and more follow"), "{said}");
    assert_eq!(office.status("desk")["reason_code"], "detail_limit");
    assert_eq!(portal.change(|state| state.most_in_flight), 2);
    // What was read until then counts, and is marked as incomplete.
    assert_eq!(due_days(&office).len(), 4);
}

#[test]
fn a_pull_that_is_killed_between_details_goes_on_at_its_page() {
    let portal = Portal::of(4);
    portal.change(|state| state.silent = Some("K2".to_owned()));
    let office = office_of(&portal, "");
    let mut night = office.start_on(&office.data());
    let begun = Instant::now();
    while !portal.change(|state| state.requested.contains(&"K2".to_owned())) {
        assert!(begun.elapsed() < Duration::from_mins(1), "the night asks for the details");
        std::thread::sleep(Duration::from_millis(20));
    }
    night.kill().expect("it is ours");
    night.wait().expect("it is ours");
    assert_eq!(portal.requested(), ["K0", "K1", "K2"]);
    portal.change(|state| state.silent = None);
    expect(&office, &["run"], 0);
    // The details of the landed page are not asked for again; then the new night reads its own.
    assert_eq!(portal.requested(), ["K2", "K3", "K0", "K1", "K2", "K3"]);
    assert_eq!(due_days(&office).len(), 4);
}

const REPORTS: &str = r#"
[connector]
version = 1
title = "Báo cáo số liệu"
kind = "measures"
system = "hệ thống báo cáo"
contact = "người kiểm thử"

[access]
type = "http"
base_url = "{env:IGATE_URL}"

[request]
path = "/reports"

[pages]
type = "page_number"
param = "page"
first = 0
size = 2
end = { type = "total", path = "total" }

[complete]
read_twice = true

[retry]
attempts = 1

[decode]
type = "json"
records = "reports"
explode = { path = "values[]" }

[map]
period = { from = "period", type = "period", required = true }
agency = { from = "agency", type = "agency", required = true }
indicator = { from = "values[].#key", type = "code", required = true }
numerator = { from = "values[].n", type = "integer", required = true }
denominator = { from = "values[].d", type = "integer", required = true }

[identity]
key = ["indicator", "agency", "period"]

[contract]
reject_share = 1.0
"#;

#[test]
fn a_report_gives_a_row_for_each_of_its_values_and_totals_count_reports() {
    let total = Arc::new(Mutex::new(3));
    let declared = Arc::clone(&total);
    let url = stub_server(move |request| {
        let report = |agency: &str, values: Value| json!({"period": "2025-Q3", "agency": agency, "values": values});
        let reports = if request.contains("page=0") {
            vec![
                report("H61.14", json!({"m-1": {"n": 3, "d": 4}, "m-2": {"n": "x", "d": 9}, "m-3": {"n": 1, "d": 2}})),
                report("H61.15", json!(null)),
            ]
        } else if request.contains("page=1") {
            vec![report("H61.16", json!({"m-1": {"n": 5, "d": 5}}))]
        } else {
            Vec::new()
        };
        let total = *declared.lock().unwrap_or_else(PoisonError::into_inner);
        Answer::json(&json!({"total": total, "reports": reports}).to_string())
    });
    let office = Office::new(&url).only(&[], &["sources"]);
    office.write("connectors/reports/connector.toml", REPORTS);
    expect(&office, &["run"], 0);
    // Three values and a broken one of two reports, and a report without a list.
    assert_eq!(office.counts("reports", ["received", "accepted", "quarantined"]), [5, 3, 2]);
    let rejected = expect(&office, &["quarantine", "list"], 0);
    assert!(rejected.contains("no_list") && rejected.contains("numerator"), "{rejected}");
    expect(&office, &["run"], 0);
    assert_eq!(office.counts("reports", ["accepted", "unchanged", "quarantined"]), [0, 3, 2]);
    assert!(expect(&office, &["replay", "1"], 0).contains("received 5 = accepted 0 + unchanged 3"));
    // As many rows as the source declares are not as many reports.
    *total.lock().unwrap_or_else(PoisonError::into_inner) = 5;
    expect(&office, &["run"], 4);
    assert_eq!(office.status("reports")["reason_code"], "total_disagrees");
}
