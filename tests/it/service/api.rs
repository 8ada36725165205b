//! The API: figures in every format, paging, error answers, access, quarantine, and the same health as `status` and
//! metrics.

use std::collections::BTreeMap;

use jiff::civil::date;
use polars::prelude::{IpcReader, ParquetReader, SerReader as _};
use serde_json::Value;

use crate::office::serving::Serving;
use crate::office::{Office, Town, deep};

/// A service on the data folder of one complete night.
fn served() -> (Town, Office, Serving) {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    office.run();
    let serving = Serving::start(&office);
    (town, office, serving)
}

fn rows(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

#[test]
fn one_night_is_answered_in_every_format_and_only_to_callers_with_access() {
    let (_town, office, serving) = served();
    figures_are_those_of_report_in_every_format(&office, &serving);
    wrong_requests_get_errors_that_name_what_is_allowed(&office, &serving);
    a_rejected_row_is_answered_to_a_token_and_recorded(&office, &serving);
    callers_without_access_learn_nothing(&office, &serving);
}

fn figures_are_those_of_report_in_every_format(office: &Office, serving: &Serving) {
    let token = office.token("dashboard", "read");
    let report = office.report_on(&office.data());

    // All pages together are the report: no figure is missing or repeated.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = serving.get(&format!("/api/v1/figures?limit=3000{cursor}"), &token).json();
        assert_eq!(page["total"], report.len());
        assert_eq!(page["complete"], true);
        paged.extend(rows(&page["figures"]));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(report.len() > 6_000, "there are more than two pages: {}", report.len());
    assert!(paged == report, "the pages together are the report");

    let csv = serving.get("/api/v1/figures?format=csv", &token);
    let printed = office.act(&["report", "--format", "csv"]);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.body == printed.stdout, "the CSV is that of the command line");

    let narrow = "indicator=par-3.4.1,par-3.4.2&by=year&scope=province";
    let json = rows(&serving.get(&format!("/api/v1/figures?{narrow}"), &token).json()["figures"]);
    assert!(json.len() >= 4);
    let expected: Vec<&Value> = report
        .iter()
        .filter(|row| row["agency"].is_null() && row["tier"].is_null())
        .filter(|row| ["par-3.4.1", "par-3.4.2"].iter().any(|id| row["indicator"] == *id))
        .filter(|row| row["period"].as_str().expect("named").len() == 4)
        .collect();
    assert_eq!(json.iter().collect::<Vec<_>>(), expected);
    for (format, media) in
        [("parquet", "application/vnd.apache.parquet"), ("arrow", "application/vnd.apache.arrow.file")]
    {
        let table = serving.get(&format!("/api/v1/figures?{narrow}&format={format}"), &token);
        assert_eq!(table.header("content-type"), media);
        let bytes = std::io::Cursor::new(table.body);
        let frame =
            deep(
                || {
                    if format == "parquet" {
                        ParquetReader::new(bytes).finish()
                    } else {
                        IpcReader::new(bytes).finish()
                    }
                },
            )
            .expect("the table can be read");
        assert_eq!(frame.height(), json.len(), "{format}");
        let column = |name: &str| frame.column(name).expect("JSON has the same columns").i64().expect("counts").clone();
        let numerators: Vec<Option<i64>> = column("numerator").iter().collect();
        assert_eq!(numerators, json.iter().map(|row| row["numerator"].as_i64()).collect::<Vec<_>>(), "{format}");
    }
    let accepted = serving.ask(
        "GET",
        &format!("/api/v1/figures?{narrow}"),
        &[("authorization", &format!("Bearer {token}")), ("accept", "text/csv;q=0.9, application/json;q=0.1")],
        "",
    );
    assert_eq!(accepted.header("content-type"), "text/csv; charset=utf-8", "`Accept` selects the format");
}

#[test]
fn an_answer_is_of_one_night_and_its_etag_changes_with_the_next_night() {
    let (town, office, serving) = served();
    let token = office.token("dashboard", "read");
    let first = serving.get("/api/v1/figures?limit=5", &token);
    let tag = first.header("etag").to_owned();
    let bearer = format!("Bearer {token}");
    let with_tag = [("authorization", bearer.as_str()), ("if-none-match", tag.as_str())];
    let same = serving.ask("GET", "/api/v1/figures?limit=5", &with_tag, "");
    assert_eq!((same.status, same.body.len()), (304, 0));

    let next = first.json()["next"].as_str().expect("there are more").to_owned();
    let before = serving.get(&format!("/api/v1/figures?limit=5&cursor={next}"), &token).json();
    town.day.set(date(2026, 5, 21));
    office.export(&town, town.day.get());
    office.run();
    let changed = serving.ask("GET", "/api/v1/figures?limit=5", &with_tag, "");
    assert_eq!((changed.status, changed.json()["run"].as_i64()), (200, Some(2)));
    let after = serving.get(&format!("/api/v1/figures?limit=5&cursor={next}"), &token).json();
    assert_eq!(before, after, "the cursor continues in its night");
    let other = serving.get(&format!("/api/v1/figures?limit=5&by=year&cursor={next}"), &token);
    assert_eq!(other.status, 404, "a cursor is refused with other filters: {}", other.text());
    let past = serving.get("/api/v1/figures?limit=5&run=1", &token).json();
    assert_eq!(past["figures"], first.json()["figures"]);
    assert_eq!(serving.get("/api/v1/figures?run=7", &token).status, 404);
    let too_early = serving.get("/api/v1/figures?as_of=2020-01-01", &token);
    assert_eq!(too_early.status, 404);
    assert!(too_early.text().contains("no night on or before 2020-01-01; the first is of "), "{}", too_early.text());
    // A moment, with the `+` of its offset as a form sends it.
    let by_moment = serving.get("/api/v1/figures?limit=5&as_of=2099-12-31T23:59+07:00", &token).json();
    assert_eq!(by_moment["run"], 2, "{by_moment}");
}

fn wrong_requests_get_errors_that_name_what_is_allowed(office: &Office, serving: &Serving) {
    let token = office.token("asker", "read");
    for (query, expected) in [
        ("indicator=par-9.9.9", "there is no `par-9.9.9`; there are: "),
        ("indikator=par-3.4.1", "unknown field `indikator`, expected one of `indicator`"),
        ("agency=S%E1%BB%9F%20X", "there is no `Sở X`; give a code or a name"),
        (
            "agency=Ph%C6%B0%E1%BB%9Dng%20C%C3%A1i%20V%E1%BB%93n",
            "several are called `Phường Cái Vồn`: give one of the codes CU-",
        ),
        ("period=2026-13", "there is no `2026-13`; write `2026`"),
        ("period=2026-03-05", "there is no `2026-03-05`; write `2026`"),
        ("period=2026-Q5s", "there is no `2026-Q5s`; write `2026`"),
        ("period=9999", "there is no `9999`; write `2026`"),
        ("period=10000", "years from 1990 to 2099"),
        ("from=9999-12-31", "with a year from 1990 to 2099"),
        ("to=-009999-01-01", "with a year from 1990 to 2099"),
        ("as_of=1/10/2026", "`1/10/2026` is no day or moment; write `2026-10-01`"),
        ("by=week", "there is no `week`; there are: month, quarter"),
        ("tier=ward", "unknown variant `ward`, expected one of `province`, `district`, `commune`"),
        ("rules=mine", "there is no `mine`; there are: form-06a"),
        ("from=2026-02-30", "write a day as yyyy-MM-dd"),
        ("limit=0", "write a number from 1 to 10000"),
        ("limit=many", "invalid digit"),
        ("cursor=x", "give `next` of the previous answer"),
        ("format=pdf", "unknown variant `pdf`"),
        ("limit=1&limit=2", "duplicate field `limit`"),
    ] {
        let reply = serving.get(&format!("/api/v1/figures?{query}"), &token);
        let problem = reply.json();
        assert_eq!((reply.status, problem["status"].as_i64()), (400, Some(400)), "{query}");
        assert_eq!(reply.header("content-type"), "application/problem+json", "{query}");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains(expected), "{query}: {detail}");
    }
    // A day that can have no night.
    let reply = serving.get("/api/v1/figures?as_of=9999-12-31", &token);
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("is outside the years 1990 to 2099; write `2026-10-01`"), "{}", reply.text());
    let unknown = serving.post("/api/v1/runs", &office.token("starter", "operate"), r#"{"connectors":["portal"]}"#);
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("there is no `portal`; there are: bcci-export"), "{}", unknown.text());
    let large = format!(r#"{{"connectors":["{}"]}}"#, "x".repeat(100_000));
    let refused = serving.post("/api/v1/runs", &office.token("sender", "operate"), &large);
    assert_eq!((refused.status, refused.json()["status"].as_i64()), (413, Some(413)), "{}", refused.text());
    assert_eq!(serving.get("/api/v1/nothing", &token).json()["status"], 404);
    let wrong = serving.ask("DELETE", "/api/v1/figures", &[("authorization", &format!("Bearer {token}"))], "");
    assert_eq!((wrong.status, wrong.json()["status"].as_i64()), (405, Some(405)));
}

fn callers_without_access_learn_nothing(office: &Office, serving: &Serving) {
    let (reader, operator) = (office.token("reader", "read"), office.token("operator", "operate"));
    let revoked = office.token("left", "read");
    assert_eq!(office.act(&["token", "revoke", "left"]).status.code(), Some(0));
    let none = serving.ask("GET", "/api/v1/figures", &[], "");
    assert_eq!(none.status, 401);
    for path in ["/api/v1/figures", "/api/v1/connectors", "/api/v1/runs", "/api/v1/quarantine", "/api/v1/agencies"] {
        for token in [revoked.as_str(), "motcua_0000", "", &reader[..reader.len() - 1]] {
            let refused = serving.get(path, token);
            assert_eq!(
                (refused.status, &refused.body),
                (401, &none.body),
                "{path}: the same answer for every invalid token"
            );
            assert!(refused.header("www-authenticate").starts_with("Bearer"));
        }
    }
    for path in ["/api/v1/runs", "/api/v1/quarantine/retry", "/api/v1/connectors/portal-igate/pause"] {
        assert_eq!(serving.post(path, &reader, "{}").status, 403, "{path}");
        assert_eq!(serving.post(path, "motcua_0000", "{}").status, 401, "{path}");
    }
    // A paused connector states who paused it, and the next night does not read it.
    let paused = serving.post("/api/v1/connectors/feedback/pause", &operator, "").json();
    assert_eq!((&paused["state"], &paused["reason"]), (&Value::from("disabled"), &Value::from("paused by `operator`")));
    assert_eq!(office.status("feedback")["reason"], "paused by `operator`");
    office.run();
    assert!(office.status("feedback")["last_success"].is_string());
    let pulls = serving.get("/api/v1/connectors/feedback", &reader).json();
    assert_eq!(rows(&pulls["pulls"]).len(), 1, "the second night did not read it");
    let resumed = serving.post("/api/v1/connectors/feedback/resume", &operator, "").json();
    assert_eq!(resumed["state"], "healthy");
    // Security headers of every answer.
    for path in ["/api/v1/figures", "/metrics", "/health/live", "/nothing"] {
        let reply = serving.ask("GET", path, &[], "");
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
    }
}

fn a_rejected_row_is_answered_to_a_token_and_recorded(office: &Office, serving: &Serving) {
    let token = office.token("clerk", "read");
    let page = serving.get("/api/v1/quarantine?limit=2", &token).json();
    assert!(page["total"].as_u64().expect("a number") > 2, "the town has rejected rows: {page}");
    let first = &rows(&page["rows"])[0];
    assert!(first.get("kept").is_none(), "a list contains positions and reasons only");
    let id = first["id"].as_i64().expect("a number");
    assert_eq!(serving.ask("GET", &format!("/api/v1/quarantine/{id}"), &[], "").status, 401);
    let detail = serving.get(&format!("/api/v1/quarantine/{id}"), &token).json();
    assert!(detail["kept"].as_object().is_some_and(|kept| !kept.is_empty()), "{detail}");
    let trail = office.act(&["token", "reads", "--format", "json"]);
    let trail: Vec<BTreeMap<String, String>> = serde_json::from_slice(&trail.stdout).expect("a trail is JSON");
    let reads: Vec<(&str, &str, String)> =
        trail.iter().map(|read| (&*read["reader"], &*read["way"], read["what"].clone())).collect();
    assert_eq!(reads, [("clerk", "api", format!("quarantine row {id}"))]);
}

#[test]
fn status_api_and_metrics_report_the_same_health() {
    let (town, office, mut serving) = served();
    let token = office.token("operator", "operate");
    town.portal.set_fault(motcua::simulator::Fault::from_name("unavailable"));
    assert_eq!(serving.post("/api/v1/runs", &token, "{}").status, 202);
    let (_, complete) = serving.wait_for_night(&token, 1);
    assert!(!complete, "a source failed, so the figures are provisional");
    let answered = rows(&serving.get("/api/v1/connectors", &token).json());
    let output = office.act(&["status", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let printed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a status is JSON");
    assert_eq!(answered, printed);
    let portal = answered.iter().find(|row| row["connector"] == "portal-igate").expect("it has a row");
    assert_eq!(portal["state"], "failing");
    assert_eq!(portal["reason_code"], "unavailable");
    assert!(portal["reason"].as_str().expect("a reason").contains("503"), "{portal}");
    assert!(portal["hint"].is_string());
    let metrics = serving.ask("GET", "/metrics", &[], "").text().to_owned();
    for line in [
        r#"motcua_connector_state{connector="portal-igate",state="failing"} 1.0"#,
        r#"motcua_connector_state{connector="portal-igate",state="healthy"} 0.0"#,
        r#"motcua_connector_state{connector="bcci-export",state="healthy"} 1.0"#,
        r#"motcua_pulls_total{connector="portal-igate",outcome="failed"} 1"#,
        r#"motcua_runs_total{purpose="night",figures="provisional"} 1"#,
        "motcua_night_complete 0.0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let documented = include_str!("../../../docs/SERVICE.md");
    for name in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        let total = format!("`{name}_total`");
        assert!(documented.contains(&format!("`{name}`")) || documented.contains(&total), "SERVICE.md lacks `{name}`");
    }
    let figures = serving.get("/api/v1/figures?limit=1", &token).json();
    assert_eq!(figures["complete"], false);
    assert_eq!(figures["not_whole"], serde_json::json!(["portal-igate"]));
    assert_eq!(figures["figures"][0]["complete"], false);
}
