//! The example `docs/examples/receipt-log` through the real binary: check, run, report.
//!
//! It reads a constructed sample with the columns of the public log; its counts are worked by hand below. The log
//! itself is not part of this repository: docs/CONNECTORS.md has its counts.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the sample and runs the binary")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use serde_json::Value as Json;

use crate::office::program;

/// The log's columns; the connector does not keep `group` and `responsible`.
const SAMPLE: &str = "\
channel,concept:name,deadline,department,enddate,enddate_planned,group,responsible,startdate
Internet,case-1,2010-11-30 01:06:40+01:00,General,2010-11-29 10:00:00.500000+01:00,,Group 1,Resource01,2010-11-02 09:00:00.020000+01:00
Internet,case-2,2010-11-30 01:06:40+01:00,General,2010-11-30 01:06:40+01:00,,Group 1,Resource01,2010-11-02 09:00:00+01:00
Internet,case-3,2010-11-30 01:06:40+01:00,General,2010-11-30 01:06:40.000001+01:00,,Group 1,Resource01,2010-11-02 09:00:00+01:00
Desk,case-4,2010-11-30 12:00:00+02:00,General,2010-11-30 11:30:00+01:00,,,Resource02,2010-11-03 09:00:00+01:00
Post,case-5,2010-12-10 01:06:40+01:00,General,2010-12-09 08:00:00+01:00,,,Resource02,2010-11-10 09:00:00+01:00
Post,case-6,2010-12-10 01:06:40+01:00,General,,,,Resource02,2010-11-10 09:00:00+01:00
e-mail,case-7,2010-12-10 01:06:40+01:00,General,2010-12-10 08:00:00+01:00,,,Resource02,2010-11-10 09:00:00+01:00
Internet,case-8,2011-01-20 01:06:40+01:00,General,2011-01-19 08:00:00+01:00,,,Resource02,2010-12-31 17:59:59.999000+01:00
Internet,case-9,2011-01-20 01:06:40+01:00,General,2011-01-19 08:00:00+01:00,,,Resource02,2010-12-31 18:00:00+01:00
Internet,case-10,2011-02-20 01:06:40+01:00,General,2011-02-19 08:00:00+01:00,,,Resource02,2011-02-01 09:00:00+01:00
Internet,case-11,2011-02-20 01:06:40+01:00,General,2011-03-19 08:00:00+01:00,,,Resource02,2011-02-01 09:00:00+01:00
Internet,case-12,2011-02-20 01:06:40+01:00,General,,,,Resource02,2011-02-01 09:00:00+01:00
Intern,case-13,2011-02-20 01:06:40+01:00,General,2011-02-18 08:00:00+01:00,,,Resource02,2011-02-02 09:00:00+01:00
Desk,case-14,2011-08-20 01:06:40+02:00,General,2011-08-19 08:00:00+02:00,,,Resource02,2011-08-01 09:00:00+02:00
Post,case-15,2011-08-20 01:06:40+02:00,General,2011-08-20 01:00:00+01:00,,,Resource02,2011-08-01 09:00:00+02:00
Internet,case-16,2010-12-01 01:06:40+01:00,Customer contact,2010-11-19 08:00:00+01:00,,,Resource03,2010-11-04 09:00:00+01:00
Desk,case-17,2010-12-01 01:06:40+01:00,Customer contact,2010-12-19 08:00:00+01:00,,,Resource03,2010-11-04 09:00:00+01:00
Internet,case-18,2011-09-01 01:06:40+02:00,Customer contact,2011-08-30 08:00:00+02:00,,,Resource03,2011-08-04 09:00:00+02:00
e-mail,case-19,2011-09-01 01:06:40+02:00,Customer contact,2011-08-30 08:00:00+02:00,,,Resource03,2011-08-04 09:00:00+02:00
Internet,case-20,2011-09-01 01:06:40+02:00,Experts,,,,Resource04,2011-08-05 09:00:00+02:00
Internet,case-21,2011-09-01 01:06:40+02:00,Experts,2011-08-31 23:00:00+01:00,,,Resource04,2011-08-05 09:00:00+02:00
Fax,case-22,2011-09-01 01:06:40+02:00,Experts,,,,Resource04,2011-08-05 09:00:00+02:00
Internet,case-23,2011-09-01,Experts,,,,Resource04,2011-08-05 09:00:00+02:00
";

/// Agency (`None`: all agencies), year → received, on time, online, postal.
///
/// General 2010: cases 1–8. On time 1, 2 (equal to the microsecond), 5, 8; late 3 by a microsecond, 4 (the deadline is
/// 10:00 UTC, the end 10:30), 7; 6 is open. Case 8 was received on 2010-12-31 23:59:59.999 in Việt Nam, case 9 at
/// midnight: it is of 2011. General 2011: cases 9–15. On time 9, 10, 13, 14; late 11 and 15 (ends 00:00 UTC, due 23:06
/// UTC the day before); 12 is open. Customer contact: 16 on time, 17 late; 18 and 19 on time. Experts: 20 open, 21 on
/// time (22:00 UTC, due 23:06 UTC). Cases 22 and 23 are quarantined: no such channel, no such date.
const BY_HAND: [(Option<&str>, &str, [u64; 4]); 7] = [
    (None, "2010", [10, 5, 5, 2]),
    (None, "2011", [11, 7, 7, 1]),
    (Some("General"), "2010", [8, 4, 4, 2]),
    (Some("General"), "2011", [7, 4, 4, 1]),
    (Some("Customer contact"), "2010", [2, 1, 1, 0]),
    (Some("Customer contact"), "2011", [2, 2, 1, 0]),
    (Some("Experts"), "2011", [2, 1, 2, 0]),
];

fn motcua(folder: &Path, arguments: &[&str]) -> Output {
    motcua_with("motcua.toml", folder, arguments)
}

fn motcua_with(settings: &str, folder: &Path, arguments: &[&str]) -> Output {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log").join(settings);
    program()
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(folder.join("data"))
        .args(arguments)
        .env("RECEIPT_LOG", folder)
        .output()
        .expect("the binary runs")
}

/// Standard output and standard error of a command.
fn printed(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The sample is read, and its figures are those worked by hand.
fn assert_counts(settings: &str, folder: &Path) {
    let status = motcua_with(settings, folder, &["status", "--format", "json"]);
    let rows: Json = serde_json::from_slice(&status.stdout).unwrap_or_else(|_| panic!("{}", printed(&status)));
    let counts = ["received", "accepted", "quarantined"].map(|name| rows[0][name].as_u64());
    assert_eq!(counts, [Some(23), Some(21), Some(2)]);

    let report = motcua_with(settings, folder, &["report", "--by", "year", "--format", "json"]);
    let rows: Vec<Json> = serde_json::from_slice(&report.stdout).unwrap_or_else(|_| panic!("{}", printed(&report)));
    let mut found: BTreeMap<(String, Option<String>, String), [Option<u64>; 2]> = BTreeMap::new();
    for row in &rows {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let key = (text("indicator").expect("named"), text("agency"), text("period").expect("dated"));
        let counts = [row["numerator"].as_u64(), row["denominator"].as_u64()];
        assert_eq!(found.insert(key, counts), None, "the figure appears twice: {row}");
    }
    for (agency, year, [received, on_time, online, postal]) in BY_HAND {
        for (indicator, count) in [("receipt-on-time", on_time), ("receipt-online", online), ("receipt-postal", postal)]
        {
            let key = (indicator.to_owned(), agency.map(str::to_owned), year.to_owned());
            assert_eq!(found.remove(&key), Some([Some(count), Some(received)]), "{key:?}");
        }
    }
    assert!(found.is_empty(), "unexpected figures: {found:?}");
}

/// The sample as an event log in XML (XES): a `trace` for each row, with an element for each value.
fn sample_as_xes() -> String {
    let mut lines = SAMPLE.lines();
    let keys: Vec<&str> = lines.next().expect("the sample has a heading").split(',').collect();
    let dates = ["startdate", "deadline", "enddate"];
    let element = |(key, value): (&&str, &str)| match value {
        "" => String::new(),
        date if dates.contains(key) => format!("<date key=\"{key}\" value=\"{}\"/>", date.replacen(' ', "T", 1)),
        text => format!("<string key=\"{key}\" value=\"{text}\"/>"),
    };
    let traces = lines.map(|line| {
        let values: String = keys.iter().zip(line.split(',')).map(element).collect();
        format!("<trace>{values}<event><string key=\"concept:name\" value=\"T1\"/></event></trace>\n")
    });
    let traces: String = traces.collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log xmlns=\"http://www.xes-standard.org/\"><global scope=\"trace\"><string \
         key=\"channel\" value=\"UNKNOWN\"/></global>\n{traces}</log>\n"
    )
}

#[test]
fn the_event_log_in_xml_gives_the_same_counts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("receipt.xes"), sample_as_xes()).expect("the sample is written");
    for verb in ["check", "run"] {
        let output = motcua_with("motcua-xes.toml", folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    }
    assert_counts("motcua-xes.toml", folder.path());
}

#[test]
fn an_export_of_another_program_gives_the_counts_worked_by_hand() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("receipt_cases.csv"), SAMPLE).expect("the sample is written");

    let check = motcua(folder.path(), &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", printed(&check));
    assert!(!folder.path().join("data").exists(), "check writes nothing");
    let run = motcua(folder.path(), &["run"]);
    assert_eq!(run.status.code(), Some(0), "{}", printed(&run));

    assert_counts("motcua.toml", folder.path());

    // Other rule sets: under `strict` case 2 is late (end < due); under `day` cases 3, 4, 7 and 15 are on time too.
    for (rules, of_2010, of_2011) in [("seed-2639", 5, 7), ("strict", 4, 7), ("day", 8, 8)] {
        let arguments = ["report", "receipt-on-time", "--rules", rules, "--by", "year", "--format", "json"];
        let report = motcua(folder.path(), &arguments);
        let rows: Vec<Json> = serde_json::from_slice(&report.stdout).unwrap_or_else(|_| panic!("{}", printed(&report)));
        let province: Vec<_> = rows.iter().filter(|row| row["agency"].is_null()).collect();
        let counts: Vec<_> = province.iter().map(|row| (row["period"].as_str(), row["numerator"].as_u64())).collect();
        assert_eq!(counts, [(Some("2010"), Some(of_2010)), (Some("2011"), Some(of_2011))], "{rules}");
        assert!(rows.iter().all(|row| row["rules"] == rules));
    }
    let arguments =
        ["report", "receipt-on-time", "--compare-rules", "--period", "2010-01-01..2011-12-31", "--format", "json"];
    let report = motcua(folder.path(), &arguments);
    let rows: Vec<Json> = serde_json::from_slice(&report.stdout).unwrap_or_else(|_| panic!("{}", printed(&report)));
    let differences: Vec<_> =
        rows.iter().map(|row| (row["rules"].as_str(), row["word"].as_str(), row["moved"].as_u64())).collect();
    assert_eq!(
        differences,
        [
            (Some("seed-2639"), None, Some(0)),
            (Some("day"), None, Some(4)),
            (Some("day"), Some("compare = \"date\""), Some(4)),
            (Some("strict"), None, Some(1)),
            (Some("strict"), Some("compare = \"instant_strict\""), Some(1)),
        ]
    );
}

/// A file in which another element stands where the records should be is no empty list.
#[test]
fn an_event_log_without_cases_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("receipt.xes"), "<log><case/></log>").expect("the file is written");
    let run = motcua_with("motcua-xes.toml", folder.path(), &["run"]);
    assert_ne!(run.status.code(), Some(0), "{}", printed(&run));
    assert!(printed(&run).contains("no list of records at `decode.records`"), "{}", printed(&run));
}
