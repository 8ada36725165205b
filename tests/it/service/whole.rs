//! Everything together: a scheduled night reaches the API, PostgreSQL and the pages with the figures of the sources.
//! Then the portal fails, and status, API, metrics, webhook, PostgreSQL and pages all report it with the reason.

use std::sync::{Arc, Mutex};

use jiff::civil::date;
use serde_json::Value;

use crate::office::browser::Browser;
use crate::office::serving::Serving;
use crate::office::{Answer, Figures, Office, Town, assert_same, figures, stub_server, true_figures};
use crate::postgres::server::Server;
use crate::services::can_run;

/// Year whose figures are compared on the pages.
const YEAR: &str = "2026";

fn browser(test: &str) -> Option<Browser> {
    let missing = (!Browser::is_there()).then_some("there is no chromedriver");
    can_run(test, missing).then(Browser::start)
}

#[test]
fn a_scheduled_night_reaches_every_reader_and_a_broken_portal_is_reported_everywhere() {
    let test = "a_scheduled_night_reaches_every_reader_and_a_broken_portal_is_reported_everywhere";
    let (Some(server), Some(browser)) = (Server::start(test), browser(test)) else { return };
    let town = Town::new(150, 21, date(2026, 5, 20));
    let mut office = Office::of(&town).lean();
    let received = Arc::new(Mutex::new(Vec::<Value>::new()));
    let sink = Arc::clone(&received);
    let url = stub_server(move |request| {
        let body = request.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        sink.lock().expect("no holder panics").push(serde_json::from_str(body).expect("a webhook is JSON"));
        Answer::json("{}")
    });
    office.variables.insert("POSTGRES_URL", server.url());
    office.edit("config/motcua.toml", |text| {
        let edited = text.replace("[alerts]\n", &format!("[alerts]\nwebhook_url = \"{url}/hook\"\n"));
        format!("{edited}\n[postgres]\nurl = \"{{secret:POSTGRES_URL}}\"\n")
    });
    let operator = office.token("operator", "operate");
    office.schedule_in(3);
    let mut serving = Serving::start(&office);
    let (night, complete) = serving.wait_for_night(&operator, 0);
    assert!(complete, "{}", serving.log().join("\n"));

    let truth = true_figures(&town.province.truth(town.day.get()));
    assert_same(&from_api(&serving, &operator), &truth, "the API");
    wait_for_postgres(&mut serving, &server, night);
    assert_same(&from_postgres(&server), &truth, "PostgreSQL");
    log_in(&browser, &serving, &operator);
    assert_page(&browser, &serving, &truth);
    browser.open(&format!("{}/agencies/H61.02?period={YEAR}", serving.url));
    let pages = browser.printed_pages();
    assert!((1..=2).contains(&pages), "an agency takes {pages} pages of paper");

    // The portal fails, and another night runs.
    town.portal.set_fault(motcua::simulator::Fault::from_name("unavailable"));
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (second, complete) = serving.wait_for_night(&operator, night);
    assert!(!complete);
    let api = serving.get("/api/v1/connectors/portal-igate", &operator).json()["standing"].clone();
    let reason = api["reason"].as_str().expect("a reason").to_owned();
    assert!(api["state"] == "failing" && reason.contains("503"), "{api}");
    let status = office.status("portal-igate");
    assert_eq!((&status["state"], &status["reason"]), (&api["state"], &api["reason"]));
    let metrics = serving.ask("GET", "/metrics", &[], "").text().to_owned();
    assert!(metrics.contains(r#"motcua_connector_state{connector="portal-igate",state="failing"} 1.0"#), "{metrics}");
    let webhook = serving.wait_for("the webhook is sent", |_| {
        let received = received.lock().expect("no holder panics");
        received.iter().find(|event| event["subject"] == "portal-igate" && event["to"] == "failing").cloned()
    });
    assert_eq!((&webhook["reason_code"], &webhook["hint"]), (&api["reason_code"], &api["hint"]));
    assert!(webhook["reason"].as_str().is_some_and(|reason| reason.contains("quá tải")), "{webhook}");
    let coded = r#"motcua_connector_reason{connector="portal-igate",reason="unavailable"} 1.0"#;
    assert!(metrics.contains(coded), "{metrics}");
    wait_for_postgres(&mut serving, &server, second);
    let mut reader = server.administrator();
    let in_database = reader.rows("SELECT state, reason_code FROM motcua.connectors WHERE connector = 'portal-igate'");
    assert_eq!((&in_database[0]["state"], &in_database[0]["reason_code"]), (&api["state"], &api["reason_code"]));
    let newest = reader.rows("SELECT run, complete FROM motcua.runs ORDER BY run DESC LIMIT 1");
    assert_eq!((newest[0]["run"].as_i64(), &newest[0]["complete"]), (Some(second), &Value::Bool(false)));
    browser.open(&format!("{}/connectors", serving.url));
    let page = browser.text();
    for words in ["portal-igate", "Lỗi", "Hệ thống nguồn báo lỗi phía nguồn", "chưa đủ"] {
        assert!(page.contains(words), "`{words}` is not on the page:\n{page}");
    }
    browser.open(&format!("{}/connectors/portal-igate?lang=en", serving.url));
    assert!(browser.text().contains("Failing"), "{}", browser.text());
    // The portal works again, and so does everything else.
    town.portal.set_fault(None);
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (third, complete) = serving.wait_for_night(&operator, second);
    assert!(complete);
    wait_for_postgres(&mut serving, &server, third);
    assert_same(&from_postgres(&server), &truth, "PostgreSQL, after the portal works again");
    assert_eq!(office.act(&["status"]).status.code(), Some(0));
    assert_eq!(serving.stop(), Some(0));
}

fn from_api(serving: &Serving, token: &str) -> Figures {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = serving.get(&format!("/api/v1/figures?limit=10000{cursor}"), token).json();
        rows.extend(page["figures"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return figures(&rows),
        }
    }
}

/// Publication is a background task that follows the night, so it must be waited for.
fn wait_for_postgres(serving: &mut Serving, server: &Server, run: i64) {
    let mut reader = server.administrator();
    serving.wait_for("PostgreSQL holds the night", |_| {
        let newest = reader.rows("SELECT max(run) AS run FROM motcua.runs");
        (newest[0]["run"] == run).then_some(())
    });
}

fn from_postgres(server: &Server) -> Figures {
    figures(&server.administrator().rows("SELECT * FROM motcua.figure_latest"))
}

/// Logs in through the form.
fn log_in(browser: &Browser, serving: &Serving, token: &str) {
    browser.open(&format!("{}/figures", serving.url));
    assert!(browser.url().contains("/login"), "{}", browser.url());
    browser.write("input[name=token]", token);
    browser.click("form[action='/login'] button");
    browser.wait_for_url("/figures");
}

/// Asserts that the page of each indicator shows the true counts of the province and of every agency for the year.
fn assert_page(browser: &Browser, serving: &Serving, truth: &Figures) {
    let of_year = truth.iter().filter(|((_, _, period), _)| period == YEAR);
    let mut compared = 0;
    for indicator in ["par-3.4.1", "par-3.4.2", "par-3.4.3"] {
        browser.open(&format!("{}/figures/{indicator}?period={YEAR}", serving.url));
        let text = browser.text();
        for ((_, scope, _), [numerator, denominator, ..]) in of_year.clone().filter(|((id, ..), _)| id == indicator) {
            let counts = format!("{numerator} / {denominator}");
            assert!(text.contains(&counts), "{indicator} {scope:?}: `{counts}` is not on the page:\n{text}");
            compared += 1;
        }
    }
    assert!(compared > 10, "only {compared} figures were compared");
}
