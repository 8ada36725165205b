//! All of it at once: the schedule fires, and what the sources hold is what every reader reads; then the portal breaks, and
//! everybody who looks or is told learns of it with the reason.

use std::sync::{Arc, Mutex};

use jiff::civil::date;
use serde_json::Value;

use crate::office::browser::Browser;
use crate::office::serving::Serving;
use crate::office::{Answer, Figures, Office, Town, assert_same, door, figures, true_figures};
use crate::postgres::server::Server;
use crate::services::can_run;

/// The year that the page is asked for.
const YEAR: &str = "2026";

fn browser(test: &str) -> Option<Browser> {
    let missing = (!Browser::is_there()).then_some("there is no chromedriver");
    can_run(test, missing).then(Browser::start)
}

#[test]
fn a_night_by_itself_reaches_every_reader_and_a_broken_portal_is_told_everywhere() {
    let test = "a_night_by_itself_reaches_every_reader_and_a_broken_portal_is_told_everywhere";
    let (Some(server), Some(browser)) = (Server::start(test), browser(test)) else { return };
    let town = Town::new(150, 21, date(2026, 5, 20));
    let mut office = Office::of(&town).lean();
    let told = Arc::new(Mutex::new(Vec::<Value>::new()));
    let heard = Arc::clone(&told);
    let listener = door(move |request| {
        let body = request.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        heard.lock().expect("nobody panics with it").push(serde_json::from_str(body).expect("a webhook is JSON"));
        Answer::json("{}")
    });
    office.variables.insert("POSTGRES_URL", server.url());
    office.edit("config/motcua.toml", |text| {
        let told = text.replace("[alerts]\n", &format!("[alerts]\nwebhook_url = \"{listener}/hook\"\n"));
        format!("{told}\n[postgres]\nurl = \"{{secret:POSTGRES_URL}}\"\n")
    });
    let operator = office.token("operator", "operate");
    office.schedule_in(3);
    let mut serving = Serving::start(&office);
    let (night, complete) = serving.wait_for_night(&operator, 0);
    assert!(complete, "{}", serving.said().join("\n"));

    let truth = true_figures(&town.province.truth(town.day.get()));
    assert_same(&from_api(&serving, &operator), &truth, "the API");
    wait_for_postgres(&mut serving, &server, night);
    assert_same(&from_postgres(&server), &truth, "PostgreSQL");
    log_in(&browser, &serving, &operator);
    assert_page(&browser, &serving, &truth);

    // The portal breaks, and another night is run over it.
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
    let webhook = serving.wait_for("the webhook is told", |_| {
        let told = told.lock().expect("nobody panics with it");
        told.iter().find(|told| told["subject"] == "portal-igate" && told["to"] == "failing").cloned()
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
    // The portal is mended: everything is whole again.
    town.portal.set_fault(None);
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (third, complete) = serving.wait_for_night(&operator, second);
    assert!(complete);
    wait_for_postgres(&mut serving, &server, third);
    assert_same(&from_postgres(&server), &truth, "PostgreSQL, mended");
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

/// Publication follows the night; it never holds it up.
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

/// A person logs in with a token.
fn log_in(browser: &Browser, serving: &Serving, token: &str) {
    browser.open(&format!("{}/figures", serving.url));
    assert!(browser.url().contains("/login"), "{}", browser.url());
    browser.write("input[name=token]", token);
    browser.click("form[action='/login'] button");
    browser.wait_for_url("/figures");
}

/// The page of each indicator that the simulator counts shows its counts for the province and every agency in a year.
fn assert_page(browser: &Browser, serving: &Serving, truth: &Figures) {
    let of_year = truth.iter().filter(|((_, _, period), _)| period == YEAR);
    let mut looked_at = 0;
    for indicator in ["par-3.4.1", "par-3.4.2", "par-3.4.3"] {
        browser.open(&format!("{}/figures/{indicator}?period={YEAR}", serving.url));
        let text = browser.text();
        for ((_, scope, _), (numerator, denominator)) in of_year.clone().filter(|((id, ..), _)| id == indicator) {
            let counts = format!("{numerator} / {denominator}");
            assert!(text.contains(&counts), "{indicator} {scope:?}: `{counts}` is not on the page:\n{text}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 10, "there are figures to look at: {looked_at}");
}
