//! The zone of an office: the same list counted in two zones, zones that are refused, and a data folder of another zone.
#![expect(clippy::disallowed_methods, reason = "a test writes the settings and lists of an installation")]

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::office::{program, said};

/// Reception and end: an instant with an offset, and a date and time without one. `b` ends on its due day in Vietnam, and on the
/// day after it in Tokyo. `c` was received on 31 January in Vietnam, and on 1 February in Tokyo.
const LIST: &str = "id;received;due;completed
a;2026-01-05 08:00;2026-01-08;2026-01-08 16:00
b;2026-01-06T01:00:00Z;2026-01-09;2026-01-09T16:30:00Z
c;2026-01-31T15:30:00Z;2026-02-06;2026-02-03T02:00:00Z
";

const CONNECTOR: &str = r#"
[connector]
version = 1
title = "Zones"
kind = "dossiers"
system = "none"
contact = "none"
[access]
type = "files"
folder = "LISTS"
glob = "*.csv"
settle_secs = 0
[decode]
type = "csv"
header = "id"
[map.source_key]
from = "id"
type = "code"
required = true
[map.dossier_code]
from = "id"
type = "code"
[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd HH:mm", "yyyy-MM-ddTHH:mm:ssZ"]
[map.due_at]
from = "due"
type = "instant"
formats = ["yyyy-MM-dd"]
[map.completed_at]
from = "completed"
type = "instant"
formats = ["yyyy-MM-dd HH:mm", "yyyy-MM-ddTHH:mm:ssZ"]
"#;

/// An installation that counts the list, with the indicators of the example.
fn office(zone: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log");
    for part in ["indicators", "rules"] {
        std::fs::create_dir_all(folder.path().join(part)).expect("the scratch folder is writable");
        for file in std::fs::read_dir(example.join(part)).expect("the example has it") {
            let file = file.expect("it can be listed").path();
            let name = file.file_name().expect("a file has a name");
            std::fs::copy(&file, folder.path().join(part).join(name)).expect("the scratch folder is writable");
        }
    }
    let lists = folder.path().join("lists");
    for path in [&lists, &folder.path().join("connectors/zones")] {
        std::fs::create_dir_all(path).expect("the scratch folder is writable");
    }
    std::fs::write(lists.join("list.csv"), LIST).expect("the scratch folder is writable");
    let connector = CONNECTOR.replace("LISTS", &lists.display().to_string());
    std::fs::write(folder.path().join("connectors/zones/connector.toml"), connector)
        .expect("the scratch folder is writable");
    set_zone(folder.path(), zone);
    folder
}

fn set_zone(folder: &Path, zone: &str) {
    let settings = format!(
        "[province]\nname = \"Zones\"\n{zone}[folders]\ndata = \"data\"\nconnectors = \"connectors\"\nindicators = \"indicators\"\n\
         rules = \"rules\"\n"
    );
    std::fs::write(folder.join("motcua.toml"), settings).expect("the scratch folder is writable");
}

/// Runs a verb: its exit code, and what it wrote.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = program().arg("--config").arg(folder.join("motcua.toml")).args(arguments).output();
    let output = output.expect("the binary starts");
    (output.status.code(), said(&output))
}

/// Numerator and denominator of the province's months, and the moment to which the data reach.
fn months(folder: &Path) -> (Vec<(String, u64, u64)>, String) {
    let (code, said) = run(folder, &["run"]);
    assert_eq!(code, Some(0), "{said}");
    let output = program()
        .arg("--config")
        .arg(folder.join("motcua.toml"))
        .args(["report", "receipt-on-time", "--by", "month", "--format", "json"])
        .output()
        .expect("the binary starts");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("figures are JSON");
    let of_province = rows.iter().filter(|row| row["agency"].is_null() && row["tier"].is_null());
    let cell = |row: &Value| {
        let number = |name: &str| row[name].as_u64().expect("a count");
        (row["period"].as_str().expect("a period").to_owned(), number("numerator"), number("denominator"))
    };
    let until = rows[0]["data_until"].as_str().expect("a moment").to_owned();
    (of_province.map(cell).collect(), until)
}

#[test]
fn days_and_periods_are_those_of_the_zone() {
    let january = |numerator, denominator| ("2026-01".to_owned(), numerator, denominator);
    // In Vietnam all three are on time, and all of January.
    let vietnam = office("");
    let (found, until) = months(vietnam.path());
    assert_eq!(found, [january(3, 3)]);
    assert!(until.ends_with("+07:00"), "{until}");
    // In Tokyo `b` ended on the day after its due day, and `c` is of February.
    let tokyo = office("zone = \"Asia/Tokyo\"\n");
    let (found, until) = months(tokyo.path());
    assert_eq!(found, [january(1, 2), ("2026-02".to_owned(), 1, 1)]);
    assert!(until.ends_with("+09:00"), "{until}");
    let (code, shown) = run(tokyo.path(), &["sql", "receipt-on-time", "--dialect", "duckdb"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("+ 32400000000"), "the offset of Tokyo");
    // The same folder in another zone.
    set_zone(tokyo.path(), "");
    let (code, shown) = run(tokyo.path(), &["run"]);
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("counts in the zone `Asia/Tokyo`") && shown.contains("hint:"), "{shown}");
    set_zone(vietnam.path(), "zone = \"Asia/Tokyo\"\n");
    assert_eq!(run(vietnam.path(), &["run"]).0, Some(2));
}

#[test]
fn zones_whose_clocks_change_are_refused_by_name() {
    for (zone, part) in [
        ("Europe/Berlin", "the clocks of `Europe/Berlin` were changed on 1990-03-25"),
        ("Mars/Base", "`Mars/Base` is no IANA time zone"),
    ] {
        let folder = office(&format!("zone = \"{zone}\"\n"));
        let (code, shown) = run(folder.path(), &["check", "--offline"]);
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.contains("province.zone") && shown.contains(part), "{shown}");
    }
}
