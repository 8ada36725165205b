//! Who is told, of what, and how often.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::civil::date;
use serde_json::Value;

use crate::office::serving::Serving;
use crate::office::{Answer, Office, Town, door, said};

/// Whoever is told: what was sent, and whether it is taken.
#[derive(Clone, Default)]
struct Listener {
    heard: Arc<Mutex<Vec<(String, Value)>>>,
    deaf: Arc<Mutex<bool>>,
}

impl Listener {
    /// Opens the door; gives its address.
    fn open(&self) -> String {
        let listener = self.clone();
        door(move |request| {
            if *listener.deaf.lock().expect("nobody panics with it") {
                return Answer::of("503 Service Unavailable", "text/plain", "");
            }
            let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let body = request.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
            let body = serde_json::from_str(body).unwrap_or_default();
            listener.heard.lock().expect("nobody panics with it").push((path, body));
            Answer::json("{}")
        })
    }

    /// What came to a path.
    fn of(&self, path: &str) -> Vec<Value> {
        let heard = self.heard.lock().expect("nobody panics with it");
        heard.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

fn ring(serving: &Serving, operator: &str) {
    assert_eq!(serving.post("/api/v1/connectors/portal-igate/resume", operator, "").status, 200);
}

#[test]
fn a_change_is_told_once_and_a_deaf_listener_hears_it_later() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let mut office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    let listener = Listener::default();
    let url = listener.open();
    office.variables.insert("HOOK", format!("{url}/hook?key=geheim-123"));
    office.edit("config/motcua.toml", |text| {
        let alerts = format!("[alerts]\nheartbeat_url = \"{url}/beat\"\nwebhook_url = \"{{secret:HOOK}}\"\n");
        let told = text.replace("[alerts]\n", &alerts);
        assert_ne!(told, text);
        told
    });
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    // A good night: each connector is healthy, and the heart beats once.
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (first, _) = serving.wait_for_night(&operator, 0);
    serving.wait_for("the night is told", |_| (!listener.of("/beat").is_empty()).then_some(()));
    // Until the states of that night are written down.
    std::thread::sleep(Duration::from_secs(2));
    let first_states = listener.of("/hook?key=geheim-123");
    assert!(first_states.iter().all(|told| told["to"] == "healthy"), "{first_states:?}");
    assert_eq!(listener.of("/beat").len(), 1);
    assert_eq!((&listener.of("/beat")[0]["run"], &listener.of("/beat")[0]["complete"]), (&first.into(), &true.into()));
    listener.heard.lock().expect("nobody panics with it").clear();

    // The portal breaks while nobody listens.
    *listener.deaf.lock().expect("nobody panics with it") = true;
    town.portal.set_fault(motcua::simulator::Fault::from_name("unavailable"));
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (second, _) = serving.wait_for_night(&operator, first);
    serving.wait_for("somebody tried to tell", |serving| {
        serving.said().iter().any(|line| line.contains("the webhook was answered with status 503")).then_some(())
    });
    *listener.deaf.lock().expect("nobody panics with it") = false;
    ring(&serving, &operator);
    let told = serving.wait_for("the change is told", |_| {
        let told = listener.of("/hook?key=geheim-123");
        let changed = told.iter().find(|told| told["event"] == "state_changed").cloned();
        changed.filter(|_| !listener.of("/beat").is_empty())
    });
    assert_eq!(
        (&told["subject"], &told["from"], &told["to"]),
        (&"portal-igate".into(), &"healthy".into(), &"failing".into())
    );
    // Words of our own: what the source said may name files, and files may name anybody.
    assert_eq!(told["reason_code"], "unavailable");
    assert!(told["reason"].as_str().is_some_and(|reason| reason.contains("quá tải")), "{told}");
    assert!(told["hint"].is_string() && told["since"].is_string() && told["province"] == "Vĩnh Long", "{told}");
    assert_eq!(
        listener.of("/beat")[0],
        serde_json::json!({
            "run": second, "complete": false, "as_of": listener.of("/beat")[0]["as_of"],
        })
    );
    // Rung again and again: nothing is repeated.
    for _ in 0..3 {
        ring(&serving, &operator);
        std::thread::sleep(Duration::from_millis(300));
    }
    let changes = listener.of("/hook?key=geheim-123");
    assert_eq!(changes.iter().filter(|told| told["event"] == "state_changed").count(), 1, "{changes:?}");
    assert_eq!(listener.of("/beat").len(), 1);
    // No address with its key stands in what was said.
    assert!(!serving.said().iter().any(|line| line.contains("geheim")), "{}", serving.said().join("\n"));
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_listener_that_never_answers_holds_up_no_stop() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    let listener = door(|_| Answer::Silence);
    office.edit("config/motcua.toml", |text| {
        let alerts = format!("[alerts]\nheartbeat_url = \"{listener}\"\nwebhook_url = \"{listener}\"\n");
        let told = text.replace("[alerts]\n", &alerts);
        assert_ne!(told, text);
        told
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
fn check_names_what_an_address_lacks() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    let checked = office.act(&["check", "feedback"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    office.edit("config/motcua.toml", |text| format!("{text}\n[postgres]\nurl = \"{{secret:POSTGRES_URL}}\"\n"));
    let checked = office.act(&["check", "feedback"]);
    assert_eq!(checked.status.code(), Some(2), "{}", said(&checked));
    let told = "postgres.url: `{secret:POSTGRES_URL}` has no value";
    assert!(said(&checked).contains(told), "{}", said(&checked));
}
