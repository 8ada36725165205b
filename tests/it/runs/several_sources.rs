//! One dossier under several sources: the portal and a ministry's software. It counts once.
#![expect(clippy::disallowed_methods, reason = "tests remove files of a data folder")]

use jiff::civil::date;
use motcua::config;
use motcua::model::period::Period;
use motcua::run::{self, FigureRequest};
use serde_json::Value;

use crate::desk::{self, expect, file, night_at, rows, runtime};
use crate::office::{Office, deep, files};

const NATIONAL: &str = "\n[map.national_code]\nfrom = \"national\"\ntype = \"dossier_code\"\ndefault = \"\"\n";

/// An office with two connectors: `desk` reads `portal-*.csv`, `ministry` reads `ministry-*.csv`.
fn office() -> Office {
    let office = desk::of_files(NATIONAL);
    let own = std::fs::read_to_string(office.path().join("connectors/desk/connector.toml")).expect("it was written");
    for (name, glob) in [("desk", "portal-*.csv"), ("ministry", "ministry-*.csv")] {
        let narrow = own.replace("glob = \"*.csv\"", &format!("glob = \"{glob}\""));
        office.write(&format!("connectors/{name}/connector.toml"), &narrow);
    }
    office
}

/// Writes a list: id, code, status, national code of each row.
fn list(office: &Office, name: &str, rows: &[[&str; 4]]) {
    let row = |[id, code, status, national]: &[&str; 4]| {
        format!("{id},{code},H61.14,2025-10-01,2025-10-09,{status},{national}")
    };
    let head = "id,code,agency,received,due,status,national\n";
    let rows: Vec<String> = rows.iter().map(row).collect();
    office.write(&format!("exports/{name}"), &format!("{head}{}\n", rows.join("\n")));
}

const PORTAL: [[&str; 4]; 2] = [["p1", "H61.14-251001-0001", "P", ""], ["p2", "H61.14-251001-0002", "P", ""]];
/// A copy of the portal's first dossier, and one that the portal does not have.
const MINISTRY: [[&str; 4]; 2] =
    [["m1", "G09.20-20251001-0900001", "P", "H61.14-251001-0001"], ["m3", "G09.20-20251001-0900003", "P", ""]];

/// Dossiers received in October 2025 in the whole province, in published figures.
fn received(rows: &[Value]) -> Option<u64> {
    let is_wanted = |row: &&Value| {
        row["indicator"] == "par-3.4.1"
            && row["period"] == "2025-10"
            && row["agency"].is_null()
            && row["tier"].is_null()
    };
    rows.iter().find(is_wanted)?["denominator"].as_u64()
}

/// The same as of a night, computed from the versions with the definitions that the night kept.
fn received_on_demand(office: &Office, run: i64) -> Option<u64> {
    let mut today = config::load(&office.settings()).expect("the configuration is valid");
    today.settings.data = office.data();
    let period: Period = Period::parse("2025-10").expect("it is a period");
    deep(|| {
        runtime().block_on(async {
            let (record, _) = run::night_of_run(&office.data(), run).await.expect("it can be read").expect("it exists");
            let texts = motcua::publish::read_definitions(&office.data(), &record).expect("the night kept them");
            let config = today.of_night(&texts).expect("they are valid");
            let indicators = vec!["par-3.4.1".to_owned()];
            let request = FigureRequest { indicators, period: Some(period), ..FigureRequest::default() };
            let figures = run::figures_as_of(&config, &record.night, &request).await.expect("they are computed");
            let province = figures.iter().find(|figure| figure.agency.is_none() && figure.tier.is_none());
            province.and_then(|figure| figure.denominator)
        })
    })
}

/// Connector, dossier code, whether it counts.
fn groups(office: &Office) -> Vec<(String, String, bool)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = rows(office, &["groups"]);
    rows.iter().map(|row| (text(row, "connector"), text(row, "dossier_code"), row["counts"] == true)).collect()
}

fn member(connector: &str, code: &str, counts: bool) -> (String, String, bool) {
    (connector.to_owned(), code.to_owned(), counts)
}

#[test]
fn a_dossier_of_two_sources_counts_once_and_is_listed() {
    let office = office();
    list(&office, "portal-1.csv", &PORTAL);
    night_at(&office, date(2025, 10, 12));
    assert_eq!(received(&office.report_on(&office.data())), Some(2));
    assert!(!office.data().join("lake/dossier_groups").exists(), "one source needs no groups");

    list(&office, "ministry-1.csv", &MINISTRY);
    let report = night_at(&office, date(2025, 10, 13));
    assert_eq!(report.published.elsewhere.get("ministry"), Some(&1));
    assert_eq!(received(&office.report_on(&office.data())), Some(3));
    let copy = member("ministry", MINISTRY[0][1], false);
    assert_eq!(groups(&office), [member("desk", PORTAL[0][1], true), copy]);
    let remarks = office.status("ministry")["remarks"].to_string();
    assert!(remarks.contains("another source: 1"), "{remarks}");
    let reads = expect(&office, &["token", "reads"], 0);
    assert!(reads.contains("groups"), "{reads}");
    expect(&office, &["verify"], 0);

    // The ministry comes first: the portal's row no longer counts, and the past stays.
    office.edit("config/motcua.toml", |text| text.replace("source_order = []", "source_order = [\"ministry\"]"));
    night_at(&office, date(2025, 10, 14));
    assert_eq!(received(&office.report_on(&office.data())), Some(3));
    assert_eq!(groups(&office), [member("ministry", MINISTRY[0][1], true), member("desk", PORTAL[0][1], false)]);
    for (run, expected) in [(1, 2), (2, 3), (3, 3)] {
        assert_eq!(received_on_demand(&office, run), Some(expected), "as of run {run}");
    }

    // A file of the groups is lost: it is named, and made again.
    for file in files(&office.data()).iter().filter(|file| file.starts_with("lake/dossier_groups")) {
        if file.extension().is_some_and(|ending| ending == "parquet") {
            std::fs::remove_file(office.data().join(file)).expect("the folder is ours");
        }
    }
    let verified = expect(&office, &["verify"], 4);
    assert!(verified.contains("computes the groups again"), "{verified}");
    night_at(&office, date(2025, 10, 15));
    expect(&office, &["verify"], 0);
    assert_eq!(groups(&office).len(), 2);
}

#[test]
fn an_order_of_sources_that_names_no_connector_of_dossiers_is_refused() {
    let office = office();
    file(&office, "portal-1.csv", &[]);
    office.edit("config/motcua.toml", |text| {
        text.replace("source_order = []", "source_order = [\"desk\", \"portal\", \"desk\"]")
    });
    let said = expect(&office, &["check"], 2);
    assert!(said.contains("there is no connector `portal`") && said.contains("`desk` is named twice"), "{said}");
}
