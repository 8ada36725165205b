//! Lists of dossiers through the API: the same as those of the command line, in every format, and recorded.

use std::io::Cursor;
use std::time::Duration;

use calamine::{Data, Reader as _, Xlsx};
use jiff::civil::date;
use serde_json::{Value, json};

use motcua::model::instant::{display, local};
use motcua::run::now;

use super::earlier_nights;
use crate::office::serving::Serving;
use crate::office::{Office, Town, said};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn printed(office: &Office, arguments: &[&str]) -> Vec<u8> {
    let output = office.act(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    output.stdout
}

/// Cells of the list of a workbook, below its headings.
fn listed(workbook: Vec<u8>) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(workbook)).expect("a workbook");
    let sheet = book.worksheet_range("Danh sách").expect("its sheet");
    let rows: Vec<Vec<Data>> = sheet.rows().map(<[Data]>::to_vec).collect();
    // Title, what it is of, an empty row, headings.
    let heading = rows.iter().position(|row| row.iter().all(|cell| *cell == Data::Empty)).expect("an empty row");
    rows[heading + 2..].to_vec()
}

#[test]
fn lists_of_the_api_are_those_of_the_command_line() {
    let town = Town::since(date(2026, 1, 5), 250, 31, date(2026, 10, 20));
    town.day.set(date(2026, 9, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    earlier_nights::define_for_the_first(&office);
    office.run();
    earlier_nights::define_for_the_second(&office);
    // A second night, with what a month has changed.
    town.day.set(date(2026, 10, 20));
    office.export(&town, town.day.get());
    office.run();
    let token = office.token("clerk", "read");
    let serving = Serving::start(&office);
    let night = serving.get("/api/v1/figures?limit=1", &token).json();
    // The second of the night: of today, lists are as of the moment of asking.
    let day = night["as_of"].as_str().expect("a moment")[..19].to_owned();
    std::thread::sleep(Duration::from_secs(1));
    let agency = busiest(&serving, &token);

    let named = ["due", "overdue", "apology", "acceptance", "supplement", "ready", "post"];
    let mut compared = 0;
    for name in named {
        let arguments = ["worklist", name, "--at", &day];
        let path = format!("/api/v1/worklists/{name}?as_of={day}&limit=10000");
        compared += same(&office, (&serving, &token), &arguments, &path, "dossiers");
        let of_agency = [&arguments[..], &["--agency", &agency]].concat();
        let path = format!("{path}&agency={agency}");
        // Its files once: those of the other lists are written alike.
        let compare = if name == "overdue" { same } else { same_json };
        compared += compare(&office, (&serving, &token), &of_agency, &path, "dossiers");
    }
    assert!(compared > 10, "only {compared} dossiers were compared");
    let counts = serving.get(&format!("/api/v1/worklists?as_of={day}"), &token).json();
    let expected: Value =
        serde_json::from_slice(&printed(&office, &["worklist", "--at", &day, "--format", "json"])).expect("JSON");
    assert_eq!(counts, expected);
    let silent = serving.get(&format!("/api/v1/worklists/silent?as_of={day}&limit=10000"), &token).json();
    let expected: Value =
        serde_json::from_slice(&printed(&office, &["worklist", "silent", "--at", &day, "--format", "json"]))
            .expect("JSON");
    assert_eq!(silent["agencies"], expected);

    let reconcile = ["reconcile", "--period", "2026"];
    let of_return = [&reconcile[..], &["--direction", "return", "--class", "matched"]].concat();
    let path = "/api/v1/reconcile?period=2026&limit=10000";
    same(&office, (&serving, &token), &reconcile, path, "directions");
    same(&office, (&serving, &token), &of_return, &format!("{path}&direction=return&class=matched"), "directions");
    let items = [&reconcile[..], &["--items"]].concat();
    same(&office, (&serving, &token), &items, "/api/v1/reconcile/items?period=2026&limit=10000", "items");
    let explain = ["explain", "par-3.4.3", "--period", "2026", "--side", "in_numerator"];
    let path = "/api/v1/explain?indicator=par-3.4.3&period=2026&side=in_numerator&limit=10000";
    same(&office, (&serving, &token), &explain, path, "dossiers");

    one_dossier(&office, &serving, &token);

    let integrity = serving.get("/api/v1/integrity?indicator=par-3.4.3&period=2026", &token).json();
    let arguments = ["report", "par-3.4.3", "--period", "2026", "--integrity", "--format", "json"];
    let expected: Value = serde_json::from_slice(&printed(&office, &arguments)).expect("JSON");
    assert_eq!(integrity["agencies"], expected);
    let arguments = ["report", "par-3.4.3", "--period", "2026", "--diff", "1", "2", "--format", "json"];
    let expected: Value = serde_json::from_slice(&printed(&office, &arguments)).expect("JSON");
    for query in ["before=1&after=2", "before=2&after=1", "before=1"] {
        let path = format!("/api/v1/differences?{query}&indicator=par-3.4.3&period=2026&limit=10000");
        assert_eq!(serving.get(&path, &token).json(), expected, "{query}");
    }
    differences_follow_each_other(&serving, &token, &expected);
    let of_all = serving.get("/api/v1/differences?before=1&period=2026", &token).json();
    assert!(of_all["dossiers"].is_null() && of_all["figures"].as_array().expect("figures").len() > 1, "{of_all}");

    earlier_nights::are_explained_by_their_own_definitions(&serving, &token);
    earlier_nights::without_an_indicator_have_no_dossiers_to_compare(&serving, &token);
    today_is_as_of_now(&serving, &token);
    a_cut_workbook_is_named_as_such(&serving, &token);
    pages_follow_each_other(&serving, &token);
    reads_are_recorded(&office);
    wrong_requests_are_named(&serving, &token);
    workbooks_of_the_command_line(&office, &day);
}

/// One dossier: its conditions, facts and versions, as on the command line.
fn one_dossier(office: &Office, serving: &Serving, token: &str) {
    let of_figure = "/api/v1/explain?indicator=par-3.4.3&period=2026";
    let listed = serving.get(&format!("{of_figure}&side=in_numerator"), token).json();
    let code = listed["dossiers"][0]["dossier_code"].as_str().expect("it has a code").to_owned();
    let arguments = ["explain", "par-3.4.3", "--period", "2026", "--dossier", &code];
    let expected: Value =
        serde_json::from_slice(&printed(office, &[&arguments[..], &["--format", "json"]].concat())).expect("JSON");
    let found = serving.get(&format!("{of_figure}&dossier={code}"), token).json();
    assert_eq!(found, expected);
    assert_eq!(found[0]["dossier"], listed["dossiers"][0]);
    assert!(!found[0]["versions"].as_array().expect("versions").is_empty(), "{found}");
    let csv = serving.get(&format!("{of_figure}&dossier={code}&format=csv"), token);
    let printed_csv = printed(office, &[&arguments[..], &["--format", "csv"]].concat());
    assert_eq!(csv.text(), String::from_utf8(printed_csv).expect("UTF-8"));
    // Of another agency's scope it is not found.
    let agency = listed["dossiers"][0]["agency"].as_str().expect("a code");
    let own = serving.get(&format!("{of_figure}&dossier={code}&agency={agency}"), token);
    assert_eq!(own.json(), expected);
    let other = if agency == "H61.02" { "H61.03" } else { "H61.02" };
    assert_eq!(serving.get(&format!("{of_figure}&dossier={code}&agency={other}"), token).status, 404);
    for (query, status, expected) in [
        ("dossier=none", 404, "has the code `none`; `par-3.4.3` files dossiers by `received_at`"),
        ("dossier=none&side=excluded", 400, "leave out `side`, `limit` and `offset`"),
    ] {
        let reply = serving.get(&format!("{of_figure}&{query}"), token);
        assert_eq!(reply.status, status, "{query}");
        assert!(reply.text().contains(expected), "{query}: {}", reply.text());
    }
    let reads = String::from_utf8(printed(office, &["token", "reads", "--format", "json"])).expect("UTF-8");
    assert!(reads.contains("\"what\":\"explain par-3.4.3 2026, one dossier province\""), "{reads}");
    assert!(!reads.contains(&code), "the access log has no codes");
}

/// Pages of figures that differ, each with how many there are.
fn differences_follow_each_other(serving: &Serving, token: &str, all: &Value) {
    let path = "/api/v1/differences?before=1&indicator=par-3.4.3&period=2026";
    let rows = |answer: &Value, name: &str| answer[name].as_array().expect("a list").clone();
    let most = rows(all, "figures").len().max(rows(all, "dossiers").len());
    assert!(most > 1, "{all}");
    let half = most.div_ceil(2);
    let (mut figures, mut dossiers) = (Vec::new(), Vec::new());
    for offset in [0, half] {
        let page = serving.get(&format!("{path}&limit={half}&offset={offset}"), token).json();
        for name in ["total_figures", "total_dossiers"] {
            assert_eq!(page[name], all[name]);
        }
        assert!(rows(&page, "figures").len() <= half && rows(&page, "dossiers").len() <= half, "{page}");
        figures.extend(rows(&page, "figures"));
        dossiers.extend(rows(&page, "dossiers"));
    }
    assert_eq!((&figures, &dossiers), (&rows(all, "figures"), &rows(all, "dossiers")));
    let totals = [figures.len(), dossiers.len()].map(|rows| Some(rows as u64));
    assert_eq!([all["total_figures"].as_u64(), all["total_dossiers"].as_u64()], totals);
    let csv = serving.get(&format!("{path}&limit=2&format=csv"), token);
    assert_eq!(csv.header("x-total-count"), figures.len().to_string());
    assert_eq!(csv.text().lines().count(), 1 + figures.len().min(2));
}

/// Of today the moment of asking counts, not the end of the day.
fn today_is_as_of_now(serving: &Serving, token: &str) {
    let today = local(now()).date();
    let before = display(now());
    let of_today = serving.get(&format!("/api/v1/worklists/due?as_of={today}"), token).json();
    let at = of_today["at"].as_str().expect("a moment").to_owned();
    // Unless midnight passed between the two.
    if local(now()).date() == today {
        assert!(before <= at && at <= display(now()), "{before} {at}");
    }
}

/// A list that a workbook has not whole is named as such above it.
fn a_cut_workbook_is_named_as_such(serving: &Serving, token: &str) {
    let path = "/api/v1/explain?indicator=par-3.4.3&period=2026&side=in_numerator&format=xlsx";
    let head = |limit: u64| {
        let reply = serving.get(&format!("{path}&limit={limit}"), token);
        let total: u64 = reply.header("x-total-count").parse().expect("a number");
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(reply.body)).expect("a workbook");
        let sheet = book.worksheet_range("Danh sách").expect("its sheet");
        let row = sheet.rows().find(|row| row[0] == Data::String("Số dòng".to_owned())).map(<[Data]>::to_vec);
        (row.map(|row| row[1].to_string()), total)
    };
    let (named, total) = head(2);
    assert!(total > 2 && total < 10_000, "{total}");
    assert_eq!(named, Some(format!("2 / {total}")));
    assert_eq!(head(10_000), (None, total));
}

/// Code of the agency with most dossiers that are not on time.
fn busiest(serving: &Serving, token: &str) -> String {
    let explained = serving.get("/api/v1/explain?indicator=par-3.4.3&period=2026&side=in_numerator", token).json();
    let dossiers = explained["dossiers"].as_array().expect("a list");
    let first = dossiers.first().unwrap_or_else(|| panic!("no dossier counts: {explained}"));
    first["agency"].as_str().expect("a code").to_owned()
}

/// Compares the JSON of a list with that of the command line; returns how many rows it has.
fn same_json(office: &Office, (serving, token): (&Serving, &str), arguments: &[&str], path: &str, rows: &str) -> usize {
    let found = serving.get(path, token).json();
    let json = printed(office, &[arguments, &["--format", "json"]].concat());
    let expected: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(found, expected, "{path}");
    found[rows].as_array().unwrap_or_else(|| panic!("{path}: {found}")).len()
}

/// Compares JSON, CSV and XLSX of a list with those of the command line; returns how many rows CSV has.
fn same(office: &Office, (serving, token): (&Serving, &str), arguments: &[&str], path: &str, rows: &str) -> usize {
    same_json(office, (serving, token), arguments, path, rows);
    let csv = serving.get(&format!("{path}&format=csv"), token);
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"), "{path}");
    let expected = printed(office, &[arguments, &["--format", "csv"]].concat());
    assert_eq!(csv.text(), String::from_utf8(expected).expect("UTF-8"), "{path}");
    let lines = csv.text().lines().count() - 1;
    assert_eq!(csv.header("x-total-count"), lines.to_string(), "{path}");
    let bearer = format!("Bearer {token}");
    let workbook = serving.ask("GET", path, &[("authorization", &bearer), ("accept", XLSX)], "");
    assert_eq!((workbook.status, workbook.header("content-type")), (200, XLSX), "{path}");
    let name = workbook.header("content-disposition").to_owned();
    assert!(name.starts_with("attachment; filename=\"") && name.ends_with(".xlsx\""), "{name}");
    assert_eq!(listed(workbook.body).len(), lines, "{path}");
    lines
}

fn pages_follow_each_other(serving: &Serving, token: &str) {
    let path = "/api/v1/explain?indicator=par-3.4.3&period=2026&side=in_numerator";
    let all = serving.get(&format!("{path}&limit=10000"), token).json();
    let all = all["dossiers"].as_array().expect("a list");
    assert!(all.len() > 4);
    // Three pages: the first, one between two others, and the last.
    let limit = all.len().div_ceil(3);
    let mut paged = Vec::new();
    for offset in (0..all.len()).step_by(limit) {
        let page = serving.get(&format!("{path}&limit={limit}&offset={offset}"), token).json();
        let dossiers = page["dossiers"].as_array().expect("a list");
        assert!(dossiers.len() <= limit, "{page}");
        paged.extend(dossiers.clone());
    }
    assert_eq!(paged, *all);
}

fn reads_are_recorded(office: &Office) {
    let reads = String::from_utf8(printed(office, &["token", "reads", "--format", "json"])).expect("UTF-8");
    for what in [
        "explain par-3.4.3 2026 province",
        "worklist overdue province",
        "reconcile 2026 province",
        "reconcile items 2026 province",
        "differences par-3.4.3 2026 province",
    ] {
        assert!(reads.contains(&format!("\"what\":\"{what}\"")), "{what} is not in {reads}");
    }
}

fn wrong_requests_are_named(serving: &Serving, token: &str) {
    for (path, status, expected) in [
        ("worklists/none", 404, "there is no worklist `none`; there are: due, overdue"),
        ("worklists/due?agency=X", 400, "`agency`: there is no `X`"),
        ("worklists/due?agency=H61.02&tier=commune", 404, "give `agency` or `tier`"),
        ("worklists/due?as_of=1/2/2026", 400, "`as_of`: `1/2/2026` is no day or moment"),
        ("worklists/due?as_of=2020-01-01", 404, "no night on or before 2020-01-01"),
        ("worklists/due?as_of=2099-01-01", 404, "`as_of`: `2099-01-01` is in the future"),
        ("worklists?as_of=2099-01-01", 404, "`as_of`: `2099-01-01` is in the future"),
        ("worklists/due?limit=0", 400, "`limit`: write a number from 1 to 10000"),
        ("reconcile?class=mine", 400, "`class`: there is no `mine`; there are: other_channel"),
        ("reconcile?direction=up", 400, "`direction`: there is no `up`; there are: submission, return"),
        ("reconcile?period=2026-13", 400, "`period`: there is no `2026-13`"),
        ("integrity?indicator=par-7.1.2&period=2026", 404, "`par-7.1.2` is no ratio that counts dossiers one by one"),
        ("integrity?indicator=none&period=2026", 404, "there is no indicator `none`"),
        ("integrity?indicator=par-7.2.2&period=2026", 404, "`par-7.2.2` is no ratio of dossiers on time"),
        ("integrity?period=2026", 400, "missing field `indicator`"),
        ("differences?before=7&period=2026", 404, "run 7 published no figures"),
        ("differences?before=1&period=2026&list=dossiers", 404, "`list=dossiers` needs the `indicator`"),
        ("explain?indicator=par-3.4.3&period=2026&format=pdf", 400, "unknown variant `pdf`"),
    ] {
        let reply = serving.get(&format!("/api/v1/{path}"), token);
        let problem = reply.json();
        assert_eq!((reply.status, problem["status"].clone()), (status, json!(status)), "{path}: {problem}");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains(expected), "{path}: {detail}");
    }
}

fn workbooks_of_the_command_line(office: &Office, day: &str) {
    let file = office.path().join("viec.xlsx");
    let file = file.to_str().expect("a plain path");
    let lists: [&[&str]; 6] = [
        &["worklist", "overdue", "--at", day],
        &["worklist", "silent", "--at", day],
        &["worklist", "--at", day],
        &["reconcile", "--period", "2026"],
        &["reconcile", "--period", "2026", "--items"],
        &["explain", "par-3.4.3", "--period", "2026", "--side", "excluded"],
    ];
    for arguments in lists {
        let written = printed(office, &[arguments, &["--format", "xlsx", "--output", file]].concat());
        assert!(written.is_empty(), "nothing is printed");
        let csv = printed(office, &[arguments, &["--format", "csv"]].concat());
        let mut lines = csv::Reader::from_reader(csv.as_slice());
        #[expect(clippy::disallowed_methods, reason = "the test reads what was written")]
        let rows = listed(std::fs::read(file).expect("it was written"));
        let expected: Vec<csv::StringRecord> = lines.records().map(|line| line.expect("a line")).collect();
        assert_eq!(rows.len(), expected.len(), "{arguments:?}");
        for (row, line) in rows.iter().zip(&expected) {
            if let (Data::String(text), Some(printed)) = (&row[0], line.get(0))
                && !matches!(printed, "submission" | "return")
            {
                assert_eq!(text, printed, "{arguments:?}");
            }
        }
    }
    for (arguments, text) in [
        (&["worklist", "due", "--format", "xlsx"][..], "--output"),
        (&["worklist", "due", "--output", file], "`--output` is for workbooks"),
        (&["worklist", "due", "--format", "xlsx", "--output", "/nowhere/x.xlsx"], "cannot write `/nowhere/x.xlsx`"),
    ] {
        let output = office.act(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(text), "{}", said(&output));
    }
}
