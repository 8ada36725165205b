//! A slot runs once: after missed slots, kills, stops, and beside runs by hand.
#![expect(clippy::disallowed_methods, reason = "tests read the clock and files of the data folder")]

use std::time::Duration;

use jiff::civil::date;
use serde_json::Value;

use crate::office::serving::{Serving, signal};
use crate::office::{Office, Town, said};

/// Cron line without a slot during the tests.
const NEVER: &str = "0 0 0 29 2 *";

fn office() -> (Town, Office) {
    let town = Town::new(60, 11, date(2026, 5, 20));
    let office = Office::of(&town).brief();
    office.schedule(NEVER);
    (town, office)
}

/// With so many indicators that a test sees how a night computes its figures.
fn office_of_long_nights() -> (Town, Office) {
    let town = Town::new(60, 11, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule(NEVER);
    (town, office)
}

/// Runs of the ledger, newest first: number, and whether the figures are complete.
fn runs(office: &Office) -> Vec<(i64, Option<bool>)> {
    let output = office.act(&["runs", "list", "--format", "json"]);
    if output.stdout.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("runs are JSON");
    rows.iter().map(|row| (row["run"].as_i64().expect("a number"), row["complete"].as_bool())).collect()
}

/// Slots of `portal-igate`, newest first: state, and whether it was made up.
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
    // A first slot must be in the ledger; otherwise the next one cannot be missed.
    office.schedule_in(3);
    let mut serving = Serving::start(&office);
    let (first, complete) = serving.wait_for_night(&token, 0);
    assert!(complete);
    assert_eq!(slots(&serving, &token)[0].0, "done");
    let moment = office.schedule_in(2);
    assert_eq!(serving.stop(), Some(0));
    // The service is down at the time of the slot.
    wait_until(moment + 11);
    assert_eq!(runs(&office).len(), 1);
    let mut serving = Serving::start(&office);
    let (second, _) = serving.wait_for_night(&token, first);
    assert_eq!(slots(&serving, &token)[0], ("done".to_owned(), true), "it is made up, and marked as made up");
    // After another start the slot is not run again.
    assert_eq!(serving.stop(), Some(0));
    let serving = Serving::start(&office);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(serving.get("/api/v1/runs", &token).json()["runs"][0]["run"], second);
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(runs(&office), [(second, Some(true)), (first, Some(true))]);
}

#[test]
fn a_second_service_is_refused_and_other_verbs_work_beside_the_first() {
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
    assert_eq!(newest["run"], 1, "the service reads what another process published");
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_slot_is_run_again_if_the_service_was_killed_during_its_run() {
    let (_town, office) = office_of_long_nights();
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
    assert_eq!(run, 2, "the next start finishes the interrupted run under its number, and the next run publishes");
    assert_eq!(slots(&serving, &token), [("done".to_owned(), true)]);
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_run_by_hand_that_published_nothing_does_not_count_for_the_slot() {
    let (_town, office) = office();
    let token = office.token("reader", "read");
    let names = office.path().join("steps");
    let undisturbed = office.path().join("undisturbed");
    let whole = office.command_on(&undisturbed, &["run"]).env("MOTCUA_STEPS", &names).output();
    assert!(whole.expect("the binary starts").status.success());
    let names = std::fs::read_to_string(&names).expect("crash points were written");
    let die_at = names.lines().position(|name| name == "before publish a night's folder").expect("it published") + 1;
    // A run by hand after the slot's time reads every source, and is killed before it publishes.
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
fn a_stopped_service_abandons_its_run_after_the_configured_time() {
    let (_town, office) = office_of_long_nights();
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
    assert_eq!(complete, Some((2, Some(true))), "the next run finishes the abandoned one");
}

#[test]
fn a_due_slot_waits_for_a_run_by_hand() {
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
    // Any wake-up starts the slot; this one spares the test up to a minute.
    assert_eq!(serving.post("/api/v1/connectors/portal-igate/resume", &operator, "").status, 200);
    serving.wait_for_night(&token, 0);
    assert_eq!(slots(&serving, &token)[0].0, "done");
}
