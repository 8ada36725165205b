//! A slot runs once, whatever happens.
#![expect(clippy::disallowed_methods, reason = "tests read the clock and the files of an office")]

use std::time::Duration;

use jiff::civil::date;
use serde_json::Value;

use crate::office::serving::{Serving, signal};
use crate::office::{Office, Town, said};

const NEVER: &str = "0 0 0 29 2 *";

fn office() -> (Town, Office) {
    let town = Town::new(60, 11, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule(NEVER);
    (town, office)
}

/// Runs of the ledger: number, and whether its figures are complete.
fn runs(office: &Office) -> Vec<(i64, Option<bool>)> {
    let output = office.act(&["runs", "list", "--format", "json"]);
    if output.stdout.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("runs are JSON");
    rows.iter().map(|row| (row["run"].as_i64().expect("a number"), row["complete"].as_bool())).collect()
}

fn slots(serving: &Serving, token: &str) -> Vec<(String, bool)> {
    let detail = serving.get("/api/v1/connectors/portal-igate", token).json();
    let slots = detail["slots"].as_array().expect("a list").iter();
    slots.map(|slot| (slot["state"].as_str().expect("a word").to_owned(), slot["made_up"] == true)).collect()
}

fn wait_until(moment: i64) {
    while jiff::Timestamp::now().as_second() < moment {
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_slot_missed_while_the_service_is_down_is_made_up_once() {
    let (_town, office) = office();
    let token = office.token("reader", "read");
    // An earlier slot is known, so that this one can be missed.
    office.schedule_in(3);
    let mut serving = Serving::start(&office);
    let (first, complete) = serving.wait_for_night(&token, 0);
    assert!(complete);
    assert_eq!(slots(&serving, &token)[0].0, "done");
    let moment = office.schedule_in(2);
    assert_eq!(serving.stop(), Some(0));
    // Down across the slot.
    wait_until(moment + 11);
    assert_eq!(runs(&office).len(), 1);
    let mut serving = Serving::start(&office);
    let (second, _) = serving.wait_for_night(&token, first);
    assert_eq!(slots(&serving, &token)[0], ("done".to_owned(), true), "it is made up, and says so");
    // Started again, and rung: the slot is done.
    assert_eq!(serving.stop(), Some(0));
    let serving = Serving::start(&office);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(serving.get("/api/v1/runs", &token).json()["runs"][0]["run"], second);
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(runs(&office), [(second, Some(true)), (first, Some(true))]);
}

#[test]
fn a_second_service_refuses_and_the_verbs_work_beside_the_first() {
    let (_town, office) = office();
    let token = office.token("reader", "read");
    let serving = Serving::start(&office);
    let second = office.act(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    assert!(
        said(&second).contains(&format!("is held by process {} (`motcua serve`)", serving.id())),
        "{}",
        said(&second)
    );
    office.run();
    let newest = serving.get("/api/v1/figures?limit=1", &token).json();
    assert_eq!(newest["run"], 1, "what another process published is read");
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_service_that_is_killed_in_its_run_does_the_slot_again() {
    let (_town, office) = office();
    let token = office.token("reader", "read");
    office.schedule_in(2);
    let mut serving = Serving::start(&office);
    serving.wait_for("the run computes", |serving| {
        let step = serving.get("/api/v1/runs", &token).json()["under_way"]["step"].clone();
        (step == "computing figures").then_some(())
    });
    assert_eq!(serving.get("/api/v1/figures", &token).status, 503, "nothing is published yet");
    serving.kill();
    let mut serving = Serving::start(&office);
    let (run, complete) = serving.wait_for_night(&token, 1);
    assert!(complete);
    assert_eq!(run, 2, "the run that was cut is finished under its number, and the night is published by the next");
    assert_eq!(slots(&serving, &token), [("done".to_owned(), true)]);
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_run_by_hand_that_published_nothing_serves_no_slot() {
    let (_town, office) = office();
    let token = office.token("reader", "read");
    let names = office.path().join("steps");
    let undisturbed = office.path().join("undisturbed");
    let whole = office.command_on(&undisturbed, &["run"]).env("MOTCUA_STEPS", &names).output();
    assert!(whole.expect("the binary starts").status.success());
    let names = std::fs::read_to_string(&names).expect("steps were named");
    let die_at = names.lines().position(|name| name == "before publish a night's folder").expect("it published") + 1;
    // Its slot is of a second ago; every source is read, and then it dies.
    let moment = office.schedule_in(1);
    wait_until(moment + 1);
    let killed = office.command(&["run"]).env("MOTCUA_DIE_AT", die_at.to_string()).output();
    assert!(!killed.expect("the binary starts").status.success());
    assert!(!office.data().join("published/latest").exists());
    let mut serving = Serving::start(&office);
    let (run, complete) = serving.wait_for_night(&token, 1);
    assert!(complete && run == 2, "run {run}");
    let slots = slots(&serving, &token);
    assert!(slots.len() == 1 && slots[0].0 == "done", "{slots:?}");
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_service_that_is_told_to_stop_abandons_its_run_after_its_time() {
    let (_town, office) = office();
    let token = office.token("operator", "operate");
    office.edit("config/motcua.toml", |text| text.replace("stop_within_secs = 60", "stop_within_secs = 0"));
    let mut serving = Serving::start(&office);
    assert_eq!(serving.post("/api/v1/runs", &token, "{}").status, 202);
    serving.wait_for("the run computes", |serving| {
        let step = serving.get("/api/v1/runs", &token).json()["under_way"]["step"].clone();
        (step == "computing figures").then_some(())
    });
    let again = serving.post("/api/v1/runs", &token, "{}");
    assert_eq!(again.status, 409, "{}", again.text());
    assert_eq!(serving.stop(), Some(0));
    assert!(!office.data().join("published/latest").exists());
    office.run();
    let complete = runs(&office).first().copied();
    assert_eq!(complete, Some((2, Some(true))), "the next run finishes what was left");
}

#[test]
fn a_run_by_hand_is_waited_for() {
    let (town, office) = office();
    let token = office.token("reader", "read");
    let operator = office.token("operator", "operate");
    let silence = motcua::simulator::Fault::from_name("silence");
    assert!(silence.is_some());
    town.portal.set_fault(silence);
    let mut by_hand = office.start_on(&office.data());
    let moment = office.schedule_in(2);
    let mut serving = Serving::start(&office);
    wait_until(moment + 1);
    signal(by_hand.id(), "KILL");
    let _ = by_hand.wait();
    town.portal.set_fault(None);
    // Whatever rings does: the bell of the minute would, too.
    assert_eq!(serving.post("/api/v1/connectors/portal-igate/resume", &operator, "").status, 200);
    serving.wait_for_night(&token, 0);
    assert_eq!(slots(&serving, &token)[0].0, "done");
}
