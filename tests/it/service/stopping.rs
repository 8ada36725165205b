//! A run under way is stopped by an operator, on its page and on the command line; the next one reads on.

use jiff::civil::date;
use motcua::simulator::Fault;

use crate::office::serving::Serving;
use crate::office::{Office, Town, said};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Logs in; returns the cookie.
fn log_in(serving: &Serving, token: &str) -> String {
    let reply = serving.ask("POST", "/login", &[FORM], &format!("token={token}&next=%2Fruns"));
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

/// Begins a run whose portal does not answer, and waits until it reads.
fn begin(town: &Town, serving: &mut Serving, operator: &str) {
    let silence = Fault::from_name("silence");
    assert!(silence.is_some());
    town.portal.set_fault(silence);
    assert_eq!(serving.post("/api/v1/runs", operator, "{}").status, 202);
    serving.wait_for("the run reads", |serving| {
        let step = serving.get("/api/v1/runs", operator).json()["under_way"]["step"].clone();
        step.as_str().is_some_and(|step| !step.is_empty()).then_some(())
    });
}

#[test]
fn a_run_is_stopped_by_operators_only_and_the_next_one_publishes() {
    let town = Town::new(60, 11, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    let (operator, reader) = (office.token("binh", "operate"), office.token("an", "read"));
    let mut serving = Serving::start(&office);
    begin(&town, &mut serving, &operator);

    let reading = log_in(&serving, &reader);
    let page = serving.ask("GET", "/runs/1", &[("cookie", &reading)], "");
    assert!(page.status == 200 && !page.text().contains("/operations/stop"), "{}", page.text());
    let cookie = log_in(&serving, &operator);
    let page = serving.ask("GET", "/runs/1", &[("cookie", &cookie)], "");
    let (_, form) = page.text().split_once("action=\"/operations/stop\"").expect("the page has the button");
    let csrf = form.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    let csrf = csrf.expect("the form has the value of the session").to_owned();
    let stop = |cookie: &str, csrf: &str| {
        let headers = [FORM, ("cookie", cookie), ("sec-fetch-site", "same-origin")];
        serving.ask("POST", "/operations/stop", &headers, &format!("csrf={csrf}&run=1"))
    };
    assert_eq!(stop(&reading, &csrf).status, 403, "another session, which may only read");
    assert_eq!(stop(&cookie, "").status, 403, "no value");
    let stopped = stop(&cookie, &csrf);
    assert_eq!((stopped.status, stopped.header("location")), (303, "/runs/1?done=stop"));
    let ended = |serving: &Serving| {
        let runs = serving.get("/api/v1/runs", &operator).json();
        runs["under_way"].is_null().then(|| runs["runs"][0].clone())
    };
    let run = serving.wait_for("the run ends", ended);
    assert_eq!((&run["run"], &run["stopped_by"]), (&1.into(), &"binh".into()), "{run}");
    assert!(run["complete"].is_null() && run["finished_at"].is_string(), "{run}");
    let page = serving.ask("GET", "/runs/1", &[("cookie", &cookie)], "");
    assert!(page.text().contains("binh") && !page.text().contains("/operations/stop"), "{}", page.text());
    assert!(!office.data().join("published/latest").is_symlink(), "nothing is published");

    // The next one, which goes on with what was stopped, is stopped by another process.
    begin(&town, &mut serving, &operator);
    let by_command = office.act(&["run", "--stop"]);
    assert_eq!(by_command.status.code(), Some(0), "{}", said(&by_command));
    serving.wait_for("the run ends", ended);
    let undone = serving.get("/api/v1/runs", &operator).json()["undone"]["message"].clone();
    assert!(undone.as_str().is_some_and(|message| message.contains("was stopped by")), "{undone}");
    let nothing = office.act(&["run", "--stop"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    assert!(said(&nothing).contains("no run is under way"), "{}", said(&nothing));

    town.portal.set_fault(None);
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (run, complete) = serving.wait_for_night(&operator, 1);
    assert!(run > 1 && complete, "run {run}");
    assert_eq!(serving.stop(), Some(0));
}
