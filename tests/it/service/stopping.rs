//! A run under way is stopped by an operator, on its page and on the command line, whichever process does it; the next one reads on.

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
    let stop = |serving: &Serving, cookie: &str, csrf: &str, run: i64| {
        let headers = [FORM, ("cookie", cookie), ("sec-fetch-site", "same-origin")];
        serving.ask("POST", "/operations/stop", &headers, &format!("csrf={csrf}&run={run}"))
    };
    assert_eq!(stop(&serving, &reading, &csrf, 1).status, 403, "another session, which may only read");
    assert_eq!(stop(&serving, &cookie, "", 1).status, 403, "no value");
    // The list names the run under way; the button of a page that was made in another run stops nothing.
    let list = serving.ask("GET", "/runs", &[("cookie", &cookie)], "");
    assert!(list.text().contains("name=\"run\" value=\"1\""), "{}", list.text());
    assert_eq!(stop(&serving, &cookie, &csrf, 7).header("location"), "/runs/7?done=ended");
    let under_way = serving.get("/api/v1/runs/1", &operator).json();
    assert!(under_way["finished_at"].is_null(), "{under_way}");
    let stopped = stop(&serving, &cookie, &csrf, 1);
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
    for (arguments, expected) in [
        (&["runs", "list"][..], "stopped by `binh`"),
        (&["runs", "list", "--format", "json"], "\"stopped_by\":\"binh\""),
        (&["runs", "list", "--format", "csv"], ",binh\n"),
        (&["runs", "show", "1"], "stopped by `binh`"),
        (&["runs", "show", "1", "--pages"], "\"stopped_by\":\"binh\""),
    ] {
        let shown = said(&office.act(arguments));
        assert!(shown.contains(expected), "{arguments:?}: {shown}");
    }

    // The next one, which goes on with what was stopped, is begun by another process: its page has the button too.
    let mut child = office.start_on(&office.data());
    let shown = |serving: &Serving| {
        let page = serving.ask("GET", "/runs/2", &[("cookie", &cookie)], "");
        page.text().contains("/operations/stop").then_some(())
    };
    serving.wait_for("the run has a button", shown);
    assert_eq!(stop(&serving, &cookie, &csrf, 2).header("location"), "/runs/2?done=stop");
    assert_eq!(child.wait().expect("it is our child").code(), Some(4), "stopped");
    // And one of the service is stopped by another process. A stop is no fault: nothing is reported as undone.
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let third = |serving: &Serving| (serving.get("/api/v1/runs/3", &operator).status == 200).then_some(());
    serving.wait_for("the run begins", third);
    let by_command = office.act(&["run", "--stop"]);
    assert_eq!(by_command.status.code(), Some(0), "{}", said(&by_command));
    let run = serving.wait_for("the run ends", ended);
    assert!(run["run"] == 3 && run["stopped_by"].is_string(), "{run}");
    let page = serving.get("/api/v1/runs", &operator).json();
    assert!(page["undone"].is_null(), "{page}");
    let nothing = office.act(&["run", "--stop"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    assert!(said(&nothing).contains("no run is under way"), "{}", said(&nothing));

    town.portal.set_fault(None);
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (run, complete) = serving.wait_for_night(&operator, 1);
    assert!(run > 1 && complete, "run {run}");
    assert_eq!(serving.stop(), Some(0));
}
