//! Notifications: which events are sent, that each is sent once, and again if the receiver was down.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::civil::date;
use serde_json::Value;

use crate::office::serving::Serving;
use crate::office::{Answer, Office, Town, said, stub_server};

/// A receiver of notifications: what it received (path, body), and whether it is down.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<(String, Value)>>>,
    is_down: Arc<Mutex<bool>>,
}

impl Receiver {
    /// Starts it; returns its URL.
    fn start(&self) -> String {
        let receiver = self.clone();
        stub_server(move |request| {
            if *receiver.is_down.lock().expect("no holder panics") {
                return Answer::of("503 Service Unavailable", "text/plain", "");
            }
            let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let body = request.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
            let body = serde_json::from_str(body).unwrap_or_default();
            receiver.received.lock().expect("no holder panics").push((path, body));
            Answer::json("{}")
        })
    }

    /// Bodies received on a path.
    fn of(&self, path: &str) -> Vec<Value> {
        let received = self.received.lock().expect("no holder panics");
        received.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

/// Makes the service check for news.
fn wake(serving: &Serving, operator: &str) {
    assert_eq!(serving.post("/api/v1/connectors/portal-igate/resume", operator, "").status, 200);
}

#[test]
fn a_change_is_sent_once_and_again_to_a_receiver_that_was_down() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let mut office = Office::of(&town).brief();
    office.schedule("0 0 0 29 2 *");
    let receiver = Receiver::default();
    let url = receiver.start();
    office.variables.insert("HOOK", format!("{url}/hook?key=geheim-123"));
    office.edit("config/motcua.toml", |text| {
        let alerts = format!("[alerts]\nheartbeat_url = \"{url}/beat\"\nwebhook_url = \"{{secret:HOOK}}\"\n");
        let edited = text.replace("[alerts]\n", &alerts);
        assert_ne!(edited, text);
        edited
    });
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    // A good night: every connector is healthy, and one heartbeat is sent.
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (first, _) = serving.wait_for_night(&operator, 0);
    serving.wait_for("the heartbeat of the night", |_| (!receiver.of("/beat").is_empty()).then_some(()));
    // Wait until the states of that night are in the ledger.
    std::thread::sleep(Duration::from_secs(2));
    let first_states = receiver.of("/hook?key=geheim-123");
    assert!(first_states.iter().all(|event| event["to"] == "healthy"), "{first_states:?}");
    assert_eq!(receiver.of("/beat").len(), 1);
    assert_eq!((&receiver.of("/beat")[0]["run"], &receiver.of("/beat")[0]["complete"]), (&first.into(), &true.into()));
    receiver.received.lock().expect("no holder panics").clear();

    // The portal fails while the receiver is down.
    *receiver.is_down.lock().expect("no holder panics") = true;
    town.portal.set_fault(motcua::simulator::Fault::from_name("unavailable"));
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (second, _) = serving.wait_for_night(&operator, first);
    serving.wait_for("an attempt to send", |serving| {
        serving.log().iter().any(|line| line.contains("the webhook was answered with status 503")).then_some(())
    });
    *receiver.is_down.lock().expect("no holder panics") = false;
    wake(&serving, &operator);
    let event = serving.wait_for("the change is sent", |_| {
        let events = receiver.of("/hook?key=geheim-123");
        let changed = events.iter().find(|event| event["event"] == "state_changed").cloned();
        changed.filter(|_| !receiver.of("/beat").is_empty())
    });
    assert_eq!(
        (&event["subject"], &event["from"], &event["to"]),
        (&"portal-igate".into(), &"healthy".into(), &"failing".into())
    );
    // Only texts of motcua: the message of the source may contain file names, and these may contain personal names.
    assert_eq!(event["reason_code"], "unavailable");
    assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("quá tải")), "{event}");
    assert!(event["hint"].is_string() && event["since"].is_string() && event["province"] == "Vĩnh Long", "{event}");
    assert_eq!(
        receiver.of("/beat")[0],
        serde_json::json!({
            "run": second, "complete": false, "as_of": receiver.of("/beat")[0]["as_of"],
        })
    );
    // Further checks repeat nothing.
    for _ in 0..3 {
        wake(&serving, &operator);
        std::thread::sleep(Duration::from_millis(300));
    }
    let changes = receiver.of("/hook?key=geheim-123");
    assert_eq!(changes.iter().filter(|event| event["event"] == "state_changed").count(), 1, "{changes:?}");
    assert_eq!(receiver.of("/beat").len(), 1);
    // The log contains no URL with its key.
    assert!(!serving.log().iter().any(|line| line.contains("geheim")), "{}", serving.log().join("\n"));
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_receiver_that_never_answers_does_not_delay_the_stop() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).brief();
    office.schedule("0 0 0 29 2 *");
    let url = stub_server(|_| Answer::Silence);
    office.edit("config/motcua.toml", |text| {
        let alerts = format!("[alerts]\nheartbeat_url = \"{url}\"\nwebhook_url = \"{url}\"\n");
        let edited = text.replace("[alerts]\n", &alerts);
        assert_ne!(edited, text);
        edited
    });
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    serving.wait_for_night(&operator, 0);
    let begun = Instant::now();
    assert_eq!(serving.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "it took {:?}", begun.elapsed());
}

#[test]
fn check_names_a_placeholder_without_a_value() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).brief();
    let checked = office.act(&["check", "feedback"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    office.edit("config/motcua.toml", |text| format!("{text}\n[postgres]\nurl = \"{{secret:POSTGRES_URL}}\"\n"));
    let checked = office.act(&["check", "feedback"]);
    assert_eq!(checked.status.code(), Some(2), "{}", said(&checked));
    let expected = "postgres.url: `{secret:POSTGRES_URL}` has no value";
    assert!(said(&checked).contains(expected), "{}", said(&checked));
}
