//! Nights of the real binary against a simulated town.
#![expect(clippy::disallowed_methods, reason = "tests read and write the files of an office")]

mod ambiguity;
mod backup;
mod catalogue;
mod change_time;
mod completeness;
mod configuration_mistakes;
mod damage;
mod details;
mod disk_errors;
mod every_crash_point;
mod failing_sources;
mod hostile_input;
mod kept_definitions;
mod kill_at_any_time;
mod logs;
mod partial_records;
mod partial_rows;
mod procedure_names;
mod quarantine;
mod rejected_in_lists;
mod several_sources;
mod signed_requests;
mod vacuum;
mod values;
mod workbooks;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::{Date, date};
use motcua::config;
use motcua::model::instant::from_local;
use motcua::run::{self, Ledger, RejectionGroup};
use motcua::simulator::{CATALOGUE_PASSWORD, CLIENT_SECRET, TOKEN_PATH};
use serde_json::Value;

use crate::office::{self, CONNECTORS, Office, Town, assert_same, commits, deep, true_figures};

/// Last day of the towns; it is after the reorganisation of the agencies on 2025-07-01.
const TODAY: Date = date(2025, 11, 28);

/// Field and reason for which a record of the simulated portal must be rejected; `None` if it is sound.
fn fault(record: &Value) -> Option<&'static str> {
    let no_day = |date: &Value| date.as_str().is_some_and(|text| text.contains("-02-31T25:61"));
    if record["code"].is_null() {
        Some("dossier_code missing")
    } else if record["procedure"]["code"].is_null() {
        Some("procedure_code missing")
    } else if record["procedure"]["code"].as_str().is_some_and(|code| code.contains('?')) {
        Some("procedure_code not_of_type")
    } else if no_day(&record["acceptedDate"]) {
        Some("received_at not_an_instant")
    } else if record["agency"].is_null() {
        Some("competent_agency missing")
    } else {
        None
    }
}

/// Whether the check digit of a postal item code is right (UPU S10: weights 8 6 4 2 3 5 9 7).
fn is_item_code(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|letter| letter.to_digit(10)).collect();
    let sum: u32 = digits.iter().zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(digit, weight)| digit * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    text.len() == 13 && digits.len() == 9 && digits[8] == check
}

/// Number of rows in the post's exports, and of the bad ones by field and reason.
fn postal_rows(folder: &Path) -> (u64, BTreeMap<&'static str, u64>) {
    let (mut received, mut bad) = (0, BTreeMap::new());
    for file in office::files(folder) {
        let text = std::fs::read_to_string(folder.join(file)).expect("an export is UTF-8");
        for line in text.lines().skip(3).filter(|line| !line.starts_with("Tổng cộng")) {
            let cells: Vec<&str> = line.split(';').collect();
            received += 1;
            if cells[2].is_empty() {
                *bad.entry("dossier_code missing").or_default() += 1;
            } else if !is_item_code(cells[1]) {
                *bad.entry("item_code check_digit").or_default() += 1;
            }
        }
    }
    (received, bad)
}

/// Rejections of a pull in the ledger, by field and reason.
fn rejections(data: &Path, run: i64, connector: &str) -> BTreeMap<String, u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let rejections = runtime.block_on(async {
        let ledger = Ledger::open(data).await.expect("the run left a ledger");
        let rejections = ledger.rejections(run, connector).await.expect("the ledger can be read");
        ledger.close().await;
        rejections
    });
    let named = |group: RejectionGroup| {
        let field = group.field.as_deref().unwrap_or("row");
        (format!("{field} {}", group.reason), u64::try_from(group.rows).expect("a count"))
    };
    rejections.into_iter().map(named).collect()
}

fn assert_balanced(office: &Office) {
    let statuses = office.statuses();
    for connector in CONNECTORS {
        let count = |name: &str| statuses[connector][name].as_u64().expect("counts are numbers");
        let classed =
            count("accepted") + count("unchanged") + count("duplicate") + count("superseded") + count("quarantined");
        assert_eq!(count("received"), classed, "{connector}");
    }
}

#[test]
fn a_first_night_gives_the_true_figures_and_counts_every_row() {
    let town = Town::new(300, 11, TODAY);
    let office = Office::of(&town);
    office.run();
    let truth = town.province.truth(TODAY);
    assert_same(&office.figures(), &true_figures(&truth), "first night");
    assert_balanced(&office);
    // Rule sets can be compared dossier by dossier only for indicators over dossiers without `having`.
    for indicator in ["par-7.2.1", "par-7.3.2-having", "par-3.5.1", "par-7.1.2"] {
        let output = office.act(&["report", indicator, "--compare-rules", "--period", "2026"]);
        assert_eq!(output.status.code(), Some(2), "{}", office::said(&output));
        assert!(office::said(&output).contains("does not count dossiers one by one"), "{}", office::said(&output));
    }

    // Each of the three passes reads its records once; the test requests them itself.
    let (mut received, mut bad) = (0, BTreeMap::<String, u64>::new());
    let mut distinct = BTreeMap::new();
    for filter in ["accepted", "applied", "result-returned"] {
        for record in town.records(filter) {
            received += 1;
            if let Some(fault) = fault(&record) {
                *bad.entry(fault.to_owned()).or_default() += 1;
                distinct.insert(record["id"].as_str().expect("an id").to_owned(), fault);
            }
        }
    }
    assert_eq!(distinct.len() as u64, truth.rejected_dossiers, "the test finds the same bad records as the simulator");
    let expected = [received, truth.dossiers_sent - truth.rejected_dossiers, bad.values().sum()];
    assert_eq!(office.counts("portal-igate", ["received", "accepted", "quarantined"]), expected);
    assert_eq!(rejections(&office.data(), 1, "portal-igate"), bad, "each with its field and reason");

    let (rows, bad) = postal_rows(&office.exports());
    let expected = [rows, truth.waybills_sent - truth.rejected_waybills, bad.values().sum()];
    assert_eq!(office.counts("bcci-export", ["received", "accepted", "quarantined"]), expected);
    let bad: BTreeMap<String, u64> = bad.into_iter().map(|(what, number)| (what.to_owned(), number)).collect();
    assert_eq!(rejections(&office.data(), 1, "bcci-export"), bad);
}

/// Dossiers that the portal lists twice, first in a former state.
fn older_copies(town: &Town) -> u64 {
    let mut newest: BTreeMap<String, Value> = BTreeMap::new();
    let replaced = town.records("accepted").into_iter().filter(|record| {
        let id = record["id"].as_str().expect("an id").to_owned();
        newest.insert(id, record.clone()).is_some_and(|before| before != *record)
    });
    replaced.count() as u64
}

#[test]
fn a_second_night_over_the_same_source_changes_nothing() {
    let town = Town::new(200, 12, TODAY);
    let office = Office::of(&town).lean();
    office.run();
    let (before, figures) = (commits(&office.data()), office.report_on(&office.data()));
    assert!(
        ["dossier_versions", "dossiers", "postal_item_versions", "postal_items", "figure_versions"]
            .iter()
            .all(|table| before[*table] > 1)
    );
    office.run();
    let statuses = office.statuses();
    let count = |connector: &str, name: &str| statuses[connector][name].as_u64().expect("counts are numbers");
    for connector in CONNECTORS {
        assert_eq!(count(connector, "accepted"), 0, "{connector}");
        let listed_before = if connector == "portal-igate" { older_copies(&town) } else { 0 };
        assert!(count(connector, "superseded") <= listed_before, "{connector}");
    }
    assert!(count("portal-igate", "unchanged") > 0, "it was read again");
    assert_balanced(&office);
    assert_eq!(commits(&office.data()), before);
    let without_night = |rows: Vec<Value>| -> Vec<Value> {
        let strip = |mut row: Value| {
            let fields = row.as_object_mut().expect("a row is an object");
            assert!(fields.remove("run").is_some() && fields.remove("as_of").is_some());
            row
        };
        rows.into_iter().map(strip).collect()
    };
    let again = office.report_on(&office.data());
    assert!(again.iter().all(|row| row["run"] == 2));
    assert_eq!(without_night(again), without_night(figures));
    let latest = std::fs::read_link(office.data().join("published/latest")).expect("`latest` is a link");
    assert_eq!(latest, Path::new("nights/00000002"));
    assert!(office.data().join("published/nights/00000001/figures.csv").exists(), "the night before stays");
}

/// Runs a night in this process as of 20:00 of a day; the binary would use the system clock.
pub(crate) fn night(town: &Town, office: &Office, day: Date) -> run::RunReport {
    town.day.set(day);
    office.export(town, day);
    let mut config = config::load(&office.settings()).expect("the shipped configuration is sound");
    for (name, value) in &office.variables {
        config.values.set_variable(*name, value.clone());
    }
    config.values.set_secret("IGATE_CLIENT_SECRET", CLIENT_SECRET);
    config.values.set_secret("DVCQG_PASSWORD", CATALOGUE_PASSWORD);
    let evening = from_local(day.at(20, 0, 0, 0));
    deep(|| {
        town.runtime.block_on(async {
            let held =
                run::DataFolder::open(&config, &office.data(), "test", evening).await.expect("the folder is free");
            let report = held.run_once(&[], evening, &|_| ()).await.expect("the night ends");
            held.ledger.close().await;
            report
        })
    })
}

/// Accepted day of every dossier, and whether it has ended, by id.
fn ends(town: &Town) -> BTreeMap<String, (String, bool)> {
    let record = |record: Value| {
        let text = |name: &str| record[name].as_str().map(str::to_owned);
        (text("id").expect("an id"), (text("acceptedDate").expect("accepted"), text("completedDate").is_some()))
    };
    // If a dossier is listed twice, the later copy is newer.
    town.records("accepted").into_iter().filter(|record| fault(record).is_none()).map(record).collect()
}

#[test]
fn dossiers_of_months_ago_that_ended_since_are_found() {
    let town = Town::new(400, 13, TODAY);
    let office = Office::new(&town.url()).lean();
    let mut found_late = 0;
    let mut before: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let nights = [date(2025, 3, 14), date(2025, 6, 20), date(2025, 9, 19), TODAY];
    for (number, day) in (1..).zip(nights) {
        let report = night(&town, &office, day);
        assert!(!report.any_failed() && report.published.night.complete, "{day}");
        assert_same(&office.figures(), &true_figures(&town.province.truth_after(&nights[..number])), &day.to_string());
        let months_ago = day.saturating_sub(jiff::Span::new().days(60)).to_string();
        let after = ends(&town);
        for (id, (accepted, ended)) in &after {
            let open_before = before.get(id).is_some_and(|(_, ended)| !ended);
            found_late += usize::from(open_before && *ended && *accepted < months_ago);
        }
        before = after;
    }
    assert!(found_late > 0, "the town has dossiers that end after months");
}

#[test]
fn a_second_process_is_refused_with_the_process_id_of_the_first() {
    let url = office::stub_server(|_| office::Answer::Silence);
    let office = Office::new(&url);
    let mut first = office.start_on(&office.data());
    let lock = office.data().join("lock");
    while !std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("since")) {
        assert!(first.try_wait().expect("it can be asked").is_none(), "the first process waits for its source");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = office.act(&["run"]);
    let holder = format!("process {}", first.id());
    first.kill().expect("the first process can be ended");
    first.wait().expect("the first process ends");
    assert_eq!(second.status.code(), Some(1), "{}", office::said(&second));
    assert!(office::said(&second).contains(&holder), "{}", office::said(&second));
    let (town, mut after) = (Town::new(20, 14, TODAY), office);
    after.variables.insert("IGATE_URL", town.url());
    after.variables.insert("DVCQG_URL", town.url());
    after.variables.insert("IGATE_TOKEN_URL", format!("{}{TOKEN_PATH}", town.url()));
    after.export(&town, TODAY);
    after.run();
}
