//! The pages that check the data and the forms: their numbers are those of the command line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::get;
use crate::office::Office;
use crate::office::serving::Serving;

/// The lines of a CSV file with semicolons, without the headings. None of its cells has a semicolon.
fn lines(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    text.split("\r\n").skip(1).filter(|line| !line.is_empty()).map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    line.split(';').map(|cell| cell.trim_matches('"').to_owned()).collect()
}

fn json(office: &Office, arguments: &[&str]) -> Value {
    let printed = office.act(arguments);
    serde_json::from_slice(&printed.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

pub(super) fn are_those_of_the_command_line(office: &Office, service: &Serving, cookie: &str) {
    reconciliation(office, service, cookie);
    integrity(office, service, cookie);
    a_form(office, service, cookie);
}

fn reconciliation(office: &Office, service: &Serving, cookie: &str) {
    let expected = json(office, &["reconcile", "--period", "2026", "--format", "json"]);
    let table = lines(get(service, "/reconcile.csv?period=2026", cookie).text());
    let mut compared = 0;
    for (direction, title) in [("submission", "Nộp hồ sơ qua bưu chính"), ("return", "Trả kết quả qua bưu chính")]
    {
        let of = expected["directions"].as_array().expect("a list").iter().find(|one| one["direction"] == direction);
        let of = of.expect("both directions are printed");
        let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
        for row in of["by_agency"].as_array().expect("a list") {
            *rows.entry(row["agency"].as_str().expect("a code")).or_default() +=
                row["dossiers"].as_u64().expect("a count");
        }
        let found: BTreeMap<&str, u64> = table
            .iter()
            .filter(|line| line[0] == title)
            .map(|line| (line[1].as_str(), line[3..].iter().map(|cell| cell.parse::<u64>().expect("a count")).sum()))
            .collect();
        assert_eq!(found, rows, "{direction}");
        compared += found.len();
        // The list of a class has as many dossiers as its total.
        for (class, total) in of["totals"].as_object().expect("totals by class") {
            let file = get(service, &format!("/reconcile/{direction}/{class}/dossiers.csv?period=2026"), cookie);
            assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
            assert_eq!(lines(file.text()).len() as u64, total.as_u64().expect("a count"), "{direction} {class}");
        }
    }
    assert!(compared > 0, "the town has postal dossiers");
    let items = json(office, &["reconcile", "--period", "2026", "--items", "--format", "json"]);
    let found = lines(get(service, "/reconcile/items.csv?period=2026", cookie).text()).len();
    assert_eq!(found, items.as_array().expect("a list").len());
}

fn integrity(office: &Office, service: &Serving, cookie: &str) {
    let arguments = ["report", "par-3.4.3", "--period", "2026", "--integrity", "--format", "json"];
    let expected = json(office, &arguments);
    let expected = expected.as_array().expect("a list");
    let table = lines(get(service, "/integrity.csv?indicator=par-3.4.3&period=2026", cookie).text());
    assert_eq!(table.len(), expected.len());
    for (line, row) in table.iter().zip(expected) {
        assert_eq!(Some(line[0].as_str()), row["agency"].as_str());
        assert_eq!(line[2], row["due_moved_after_due"].to_string());
        assert_eq!([&line[8], &line[9]], [&row["numerator"].to_string(), &row["denominator"].to_string()]);
    }
    let kinds =
        ["due_moved_after_due", "due_moved_unexplained", "end_set_back", "resubmitted", "supplement_on_last_day"];
    for kind in kinds {
        let sum: u64 = expected.iter().map(|row| row[kind].as_u64().expect("a count")).sum();
        let path = format!("/integrity/{kind}/dossiers.csv?indicator=par-3.4.3&period=2026");
        assert_eq!(lines(get(service, &path, cookie).text()).len() as u64, sum, "{kind}");
    }
}

fn a_form(office: &Office, service: &Serving, cookie: &str) {
    for (scope, option) in
        [("", None), ("tier-commune", Some(["--tier", "commune"])), ("H61.02", Some(["--agency", "H61.02"]))]
    {
        let path = office.path().join("form.xlsx");
        let path = path.to_str().expect("UTF-8");
        let mut arguments = vec!["form", "II.06a", "--period", "2026-Q1", "-o", path];
        arguments.extend(option.into_iter().flatten());
        assert!(office.act(&arguments).status.success(), "{scope}");
        #[expect(clippy::disallowed_methods, reason = "the test looks into the file")]
        let expected = std::fs::read(path).expect("it was written");
        let found = get(service, &format!("/forms/II.06a/workbook.xlsx?period=2026-Q1&scope={scope}"), cookie);
        assert_eq!(found.header("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        assert!(found.header("content-disposition").contains("bieu-II.06a_2026-Q1"), "{scope}");
        assert!(found.body == expected, "{scope}: the workbook is that of the command line");
    }
}
