//! Values that are none, out of range, in the future or impossible: one office, two nights.
#![expect(clippy::disallowed_methods, reason = "tests replace the indicators of an office")]

use jiff::civil::date;
use serde_json::Value;

use crate::desk::{self, expect, night_at, rows};
use crate::office::Office;

const INDICATORS: &str = r#"
[[indicator]]
id = "on-time"
kind = "ratio"
title.vi = "Đúng hạn"
title.en = "On time"
legal = { document = "ví dụ", place = "thử", from = 2010-01-01 }
rules = "seed-2639"
population = "is_received"
period = "received_at"
numerator = "is_on_time"
denominator = "TRUE"

[[indicator]]
id = "stated"
kind = "ratio"
title.vi = "Số liệu tự báo cáo"
title.en = "Stated counts"
legal = { document = "ví dụ", place = "thử", from = 2010-01-01 }
rules = "seed-2639"
over = "measures"
population = "TRUE"
period = "stated"
numerator = "TRUE"
"#;

const COMPLETED: &str = r#"
[map.completed_at]
from = "done"
type = "instant"
formats = ["yyyy-MM-dd[ HH:mm:ss]", "dd/MM/yyyy"]
null_values = ["chưa xong"]

[contract]
reject_share = 1.0
"#;

const MEASURES: &str = r#"
[connector]
version = 1
title = "Số liệu thử"
kind = "measures"
system = "thử"
contact = "thử"

[access]
type = "files"
folder = "{env:MEASURES_FOLDER}"
glob = "*.csv"
settle_secs = 0

[decode]
type = "csv"
header = "indicator"
null_values = ["không có"]

[map.indicator]
from = "indicator"
type = "code"
required = true

[map.agency]
from = "agency"
type = "agency"
required = true

[map.period]
from = "period"
type = "period"
required = true

[map.numerator]
from = "n"
type = "integer"
required = true

[map.denominator]
from = "d"
type = "integer"

[identity]
key = ["indicator", "agency", "period"]

[contract]
reject_share = 1.0
"#;

/// Received on 2 March 2026; due, status, done; and what the row becomes.
const DOSSIERS: &str = "\
id,code,agency,received,due,status,done
A01,H61.14-260302-0001,H61.14,2026-03-02,2026-03-10,P,0001-01-01 00:00:00
A02,H61.14-260302-0002,H61.14,2026-03-02,2026-03-10,P,1900-01-01
A03,H61.14-260302-0003,H61.14,2026-03-02,2026-03-10,P,1970-01-01 07:00:00
A04,H61.14-260302-0004,H61.14,2026-03-02,2026-03-10,P,00/01/1900
A05,H61.14-260302-0005,H61.14,2026-03-02,2026-03-10,P,31/12/9999
A06,H61.14-260302-0006,H61.14,2026-03-02,2026-03-10,P,Chưa  xong
A07,H61.14-260302-0007,H61.14,2026-03-02,2026-03-10,D,2026-03-09
A08,H61.14-260302-0008,H61.14,2026-03-02,2026-03-10,D,2026-03-01
A09,H61.14-260302-0009,H61.14,2026-03-02,2569-03-10,D,2026-03-09
A10,H61.14-260302-0010,H61.14,2026-03-02,2036-03-03,D,2026-03-09
A11,H61.14-260302-0011,H61.14,2026-03-02,2026-03-10,D,2201-01-01
A12,H61.14-260302-0012,H61.14,2026-03-02,2036-03-02,D,2026-03-09
A13,H61.14-260401-0013,H61.14,2026-04-01,2026-04-10,P,
";

const STATED: &str = "\
indicator,agency,period,n,d
stated,Sở A,2026-Q1,3,1.234.567
stated,Sở B,2026-Q1,3,1234.567
stated,Sở C,2026-Q1,.500,600
stated,Sở D,9999,1,2
stated,Sở E,10000,1,2
stated,Sở F,2026-Q5s,1,2
stated,Sở G,2026-Q1,không có,2
stated,Sở H,2026-Q1,4,không có
";

fn office() -> Office {
    let office = desk::of_files(COMPLETED);
    for file in ["national", "procedures", "quality", "sources"] {
        let _ = std::fs::remove_file(office.path().join(format!("config/indicators/{file}.toml")));
    }
    office.write("config/indicators/own.toml", INDICATORS);
    office.write("connectors/stated/connector.toml", MEASURES);
    office.write("exports/1.csv", DOSSIERS);
    office.write("so-lieu/1.csv", STATED);
    office
}

/// Numerator and denominator of a figure of the province (`None`) or an agency.
fn figure(office: &Office, indicator: &str, agency: Option<&str>, period: &str) -> Option<(u64, u64)> {
    let found = rows(office, &["report", indicator, "--period", period]);
    let is_it = |row: &&Value| row["agency"].as_str() == agency && row["tier"].is_null();
    let row = found.iter().find(is_it)?;
    Some((row["numerator"].as_u64()?, row["denominator"].as_u64()?))
}

#[test]
fn a_night_with_values_that_are_none_out_of_range_or_in_the_future() {
    let office = office();
    let report = night_at(&office, date(2026, 3, 20));
    let told = &report.pulls.iter().find(|pull| pull.connector == "desk").expect("it was read").findings.impossible;
    assert_eq!(told.get("completed_before_received"), Some(&1), "{told:?}");
    let mut rejected: Vec<String> = rows(&office, &["quarantine", "list"])
        .iter()
        .map(|row| format!("{} {}", row["field"].as_str().unwrap_or("row"), row["reason"].as_str().unwrap_or("")))
        .collect();
    rejected.sort();
    assert_eq!(
        rejected,
        [
            // The year 2201; the year 2569; ten years and a day after the reception.
            "completed_at out_of_range",
            "denominator wrong_form",
            "due_at out_of_range",
            "due_at out_of_range",
            "numerator missing",
            "numerator wrong_form",
            "period out_of_range",
            "period wrong_form",
            "period wrong_form",
        ]
    );
    // Nine of March: six are open, A07 and A12 ended on time, A08 before its reception. A13 is not yet received.
    assert_eq!(figure(&office, "on-time", None, "2026"), Some((2, 9)));
    assert_eq!(figure(&office, "on-time", None, "2026-04"), None);
    assert_eq!(figure(&office, "stated", Some("Sở A"), "2026-Q1"), Some((3, 1_234_567)));
    assert_eq!(figure(&office, "stated", Some("Sở H"), "2026-Q1"), Some((4, 0)));
    for agency in ["Sở B", "Sở C", "Sở D", "Sở G"] {
        assert_eq!(figure(&office, "stated", Some(agency), "2026-Q1"), None, "{agency}");
    }
    years_outside_the_calendar_of_figures_are_refused(&office);

    // The day of A13 has come: nothing is read again, and it counts.
    night_at(&office, date(2026, 4, 2));
    assert_eq!(figure(&office, "on-time", None, "2026-04"), Some((0, 1)));
    assert_eq!(figure(&office, "on-time", None, "2026"), Some((2, 10)));
}

fn years_outside_the_calendar_of_figures_are_refused(office: &Office) {
    let form = office.path().join("form.xlsx").display().to_string();
    for period in ["9999", "10000", "9999-12", "1989", "2026-Q5s", "2026-01-01..9999-12-31"] {
        for arguments in [
            &["report", "--period", period][..],
            &["report", "--period", period, "--as-if", "today"],
            &["report", "--period", period, "--cumulative"],
            &["form", "II.06a", "--period", period, "-o", &form],
        ] {
            let said = expect(office, arguments, 2);
            assert!(said.contains(period) && said.contains("1990 to 2099"), "{arguments:?}: {said}");
        }
    }
    expect(office, &["report", "--as-of", "9999-12-31"], 2);
    expect(office, &["backfill", "desk", "--from", "0001-01-01", "--to", "2026-03-05"], 2);
}
