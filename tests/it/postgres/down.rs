//! A server that is down or refuses: the night is done, the health says so, and `publish` mends it.

use std::net::TcpListener;

use motcua::run::{self, Ledger, PublicationOutcome};
use serde_json::Value;

use super::server::{DATABASE, PASSWORD, Server, WRITER};
use super::{assert_no_secret, assert_same_rows, by_key, latest_night, list, office, reported};
use crate::desk;
use crate::office::serving::Serving;
use crate::office::{Office, said};

fn standing(office: &Office) -> Value {
    office.status("postgres")
}

#[test]
fn a_server_that_is_down_costs_no_night_and_is_made_up_for() {
    let Some(mut server) = Server::start("a_server_that_is_down_costs_no_night_and_is_made_up_for") else { return };
    let office = office(&server.url());
    list(&office, "1.csv", "H61.14", 0, 20);
    server.stop();
    let told = desk::expect(&office, &["run"], 4);
    assert!(told.contains("run 1: ") && told.contains(", complete; published in"), "{told}");
    assert!(told.contains("postgres: not published: cannot connect at"), "{told}");
    assert!(told.contains(&server.place()) && told.contains("refused") && told.contains("hint: "), "{told}");
    let (link, files) = latest_night(&office.data());
    assert_eq!((link.to_str(), files), (Some("nights/00000001"), 4), "the files are whole");

    let status = standing(&office);
    assert_eq!((&status["state"], &status["reason_code"]), (&"failing".into(), &"publication_failed".into()));
    assert!(status["since"].is_string() && status["hint"].is_string() && status["last_success"].is_null(), "{status}");
    assert!(status["reason"].as_str().is_some_and(|reason| reason.contains(&server.place())), "{status}");
    let again = desk::expect(&office, &["publish"], 4);
    assert_eq!(standing(&office)["since"], status["since"], "it fails since the first try");
    let listed = said(&office.act(&["status"]));
    for text in [told, status.to_string(), again, listed] {
        assert_no_secret(&text);
    }

    server.go();
    desk::expect(&office, &["publish"], 0);
    let status = standing(&office);
    assert_eq!((&status["state"], &status["reason"]), (&"healthy".into(), &Value::Null), "{status}");
    assert!(status["last_success"].is_string(), "{status}");
    let mut administrator = server.administrator();
    let latest = by_key(administrator.rows("SELECT * FROM motcua.figure_latest"));
    assert_same_rows(&latest, &reported(&office), "after the server came back");
    due(&office, &server);
    refusals(&office, &server);
}

/// What `serve` asks each minute: nothing while the night is held, nor before the next try is due.
fn due(office: &Office, server: &Server) {
    let mut config = motcua::config::load(&office.settings()).unwrap_or_else(|problems| panic!("{problems}"));
    config.values.set_secret("POSTGRES_URL", server.url());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build();
    let runtime = runtime.expect("a runtime starts");
    let ledger = runtime.block_on(Ledger::open(&office.data())).expect("the run left a ledger");
    let asked = |minutes: i64| {
        let at = run::now() + minutes * 60_000_000;
        runtime.block_on(run::publish_due(&config, &ledger, at)).expect("the ledger can be read")
    };
    assert_eq!(asked(60), None, "the night is held");
    let failed = office.command(&["publish"]).env("POSTGRES_URL", "no address").output().expect("the binary starts");
    assert_eq!(failed.status.code(), Some(4), "{}", said(&failed));
    assert_eq!(asked(0), None, "the first try again is due after a minute");
    assert_eq!(standing(office)["state"], "failing");
    let published = asked(1).expect("it is due");
    assert!(matches!(published, PublicationOutcome::Published { run: 1, .. }), "{published:?}");
    assert_eq!(standing(office)["state"], "healthy");
    runtime.block_on(ledger.close());
}

/// What a publication with another address, or to a schema of another program or folder, says.
fn refusals(office: &Office, server: &Server) {
    let refused = |url: &str, words: &str| {
        let output = office.command(&["publish"]).env("POSTGRES_URL", url).env("MOTCUA_LOG", "trace").output();
        let output = output.expect("the binary starts");
        let told = said(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains(words) && told.contains("hint: "), "{words}: {told}");
        // Whatever is asked of the log, the driver's own lines included.
        assert_no_secret(&told);
        assert_no_secret(&standing(office).to_string());
    };
    let url = server.url();
    let place = server.place();
    refused(&url.replace("planted%2F", "planted-no-"), "the server refused the login");
    refused(&url.replace(WRITER, "planted-nobody"), "the server refused the login");
    refused(&url.replace(DATABASE, "nowhere"), "there is no such database");
    // The password as it is: the address falls apart at its `/`.
    refused(&format!("postgresql://{WRITER}:{PASSWORD}@127.0.0.1/x"), "`postgres.url` is no address");
    refused(" ", "`{secret:POSTGRES_URL}` in `postgres.url` has no value");
    // A server that takes the connection and says nothing is not waited for long.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = silent.local_addr().expect("it is bound").port();
    refused(&url.replace(&format!(":{}/", server.port), &format!(":{port}/")), "it did not answer within 10 seconds");

    let mut administrator = server.administrator();
    administrator.act("INSERT INTO motcua.schema_version VALUES (99, now(), 'of tomorrow')");
    refused(&url, &format!("schema `motcua` at `{place}` is of version 99; this program knows version 1"));
    administrator.act("DELETE FROM motcua.schema_version WHERE version = 99");
    administrator.act("UPDATE motcua.runs SET run = 7");
    refused(&url, &format!("schema `motcua` at `{place}` holds run 7, which is newer than run 1"));
    administrator.act("UPDATE motcua.runs SET run = 1, as_of = as_of - interval '1 day'");
    refused(&url, &format!("schema `motcua` at `{place}` holds another night as run 1"));
    administrator
        .act(&format!("ALTER TABLE motcua.runs OWNER TO postgres; REVOKE ALL ON motcua.runs FROM \"{WRITER}\""));
    refused(&url, "permission denied");
}

#[test]
fn without_a_place_or_a_night_there_is_nothing_to_publish() {
    let office = desk::of_files("");
    let told = desk::expect(&office, &["publish"], 2);
    assert!(told.contains("`[postgres]`") && told.contains("hint: "), "{told}");
    let office = super::office("postgresql://x:y@127.0.0.1:1/z");
    let told = desk::expect(&office, &["publish"], 2);
    assert!(told.contains("no night is published") && told.contains("`motcua run` makes one"), "{told}");
}

#[test]
fn a_database_that_never_answers_holds_up_no_run() {
    // Connections are taken by the kernel, and nobody ever speaks.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let office = office(&format!("postgres://{WRITER}@{address}/{DATABASE}"));
    list(&office, "1.csv", "H61.14", 0, 5);
    office.edit("connectors/desk/connector.toml", |text| format!("{text}\n[schedule]\ncron = \"0 0 0 29 2 *\"\n"));
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    let told = |serving: &Serving| serving.said().iter().any(|line| line.contains("not published elsewhere"));
    let mut run = 0;
    for _ in 0..2 {
        assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
        (run, _) = serving.wait_for_night(&operator, run);
        assert!(!told(&serving), "the publication is still waited for: {:?}", serving.said());
    }
    serving.wait_for("the publication has failed", |serving| told(serving).then_some(()));
}
