//! A server that is down or refuses: the night is complete without it, its health is `failing`, and a later `publish`
//! succeeds.

use std::net::TcpListener;

use motcua::run::{self, Ledger, PublicationOutcome};
use serde_json::Value;

use super::server::{DATABASE, PASSWORD, Server, WRITER};
use super::{assert_no_secret, assert_same_rows, by_key, latest_night, list, office, reported};
use crate::desk;
use crate::office::serving::Serving;
use crate::office::{Office, said};

fn health(office: &Office) -> Value {
    office.status("postgres")
}

#[test]
fn a_night_is_published_after_the_server_was_down() {
    let Some(mut server) = Server::start("a_night_is_published_after_the_server_was_down") else { return };
    let office = office(&server.url());
    list(&office, "1.csv", "H61.14", 0, 20);
    server.stop();
    let output = desk::expect(&office, &["run"], 4);
    assert!(output.contains("run 1: ") && output.contains(", complete; published in"), "{output}");
    assert!(output.contains("postgres: not published: cannot connect at"), "{output}");
    assert!(output.contains(&server.location()) && output.contains("refused") && output.contains("hint: "), "{output}");
    let (link, files) = latest_night(&office.data());
    assert_eq!((link.to_str(), files), (Some("nights/00000001"), 4), "the files are complete");

    let status = health(&office);
    assert_eq!((&status["state"], &status["reason_code"]), (&"failing".into(), &"publication_failed".into()));
    assert!(status["since"].is_string() && status["hint"].is_string() && status["last_success"].is_null(), "{status}");
    assert!(status["reason"].as_str().is_some_and(|reason| reason.contains(&server.location())), "{status}");
    let again = desk::expect(&office, &["publish"], 4);
    assert_eq!(health(&office)["since"], status["since"], "failing since the first attempt");
    let listed = said(&office.act(&["status"]));
    for text in [output, status.to_string(), again, listed] {
        assert_no_secret(&text);
    }

    server.restart();
    desk::expect(&office, &["publish"], 0);
    let status = health(&office);
    assert_eq!((&status["state"], &status["reason"]), (&"healthy".into(), &Value::Null), "{status}");
    assert!(status["last_success"].is_string(), "{status}");
    let mut administrator = server.administrator();
    let latest = by_key(administrator.rows("SELECT * FROM motcua.figure_latest"));
    assert_same_rows(&latest, &reported(&office), "after the server came back");
    due(&office, &server);
    refusals(&office, &server);
}

/// What `serve` does each minute: nothing if the night is published, and nothing before the next attempt is due.
fn due(office: &Office, server: &Server) {
    let mut config = motcua::config::load(&office.settings()).unwrap_or_else(|problems| panic!("{problems}"));
    config.values.set_secret("POSTGRES_URL", server.url());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build();
    let runtime = runtime.expect("a runtime starts");
    let ledger = runtime.block_on(Ledger::open(&office.data())).expect("the run left a ledger");
    let publish_after = |minutes: i64| {
        let at = run::now() + minutes * 60_000_000;
        runtime.block_on(run::publish_due(&config, &ledger, at)).expect("the ledger can be read")
    };
    assert_eq!(publish_after(60), None, "the night is published");
    let failed = office.command(&["publish"]).env("POSTGRES_URL", "no address").output().expect("the binary starts");
    assert_eq!(failed.status.code(), Some(4), "{}", said(&failed));
    assert_eq!(publish_after(0), None, "the next attempt is due after a minute");
    assert_eq!(health(office)["state"], "failing");
    let published = publish_after(1).expect("it is due");
    assert!(matches!(published, PublicationOutcome::Published { run: 1, .. }), "{published:?}");
    assert_eq!(health(office)["state"], "healthy");
    runtime.block_on(ledger.close());
}

/// Publications with a wrong address, or to a schema of a newer motcua or of another data folder, fail with a hint.
fn refusals(office: &Office, server: &Server) {
    let refused = |url: &str, words: &str| {
        let output = office.command(&["publish"]).env("POSTGRES_URL", url).env("MOTCUA_LOG", "trace").output();
        let output = output.expect("the binary starts");
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(4), "{printed}");
        assert!(printed.contains(words) && printed.contains("hint: "), "{words}: {printed}");
        // At every log level, the driver's own lines included.
        assert_no_secret(&printed);
        assert_no_secret(&health(office).to_string());
    };
    let url = server.url();
    let place = server.location();
    refused(&url.replace("planted%2F", "planted-no-"), "the server refused the login");
    refused(&url.replace(WRITER, "planted-nobody"), "the server refused the login");
    refused(&url.replace(DATABASE, "nowhere"), "there is no such database");
    // The password is not percent-encoded: its `/` ends the host too early.
    refused(&format!("postgresql://{WRITER}:{PASSWORD}@127.0.0.1/x"), "`postgres.url` is no address");
    refused(" ", "`{secret:POSTGRES_URL}` in `postgres.url` has no value");
    // A server that accepts the connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = silent.local_addr().expect("it is bound").port();
    refused(&url.replace(&format!(":{}/", server.port), &format!(":{port}/")), "it did not answer within 10 seconds");

    let mut administrator = server.administrator();
    administrator.act("INSERT INTO motcua.schema_version VALUES (99, now(), 'of tomorrow')");
    refused(&url, &format!("schema `motcua` at `{place}` is of version 99; this program knows version 4"));
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
fn without_a_database_or_a_night_there_is_nothing_to_publish() {
    let office = desk::of_files("");
    let output = desk::expect(&office, &["publish"], 2);
    assert!(output.contains("`[postgres]`") && output.contains("hint: "), "{output}");
    let office = super::office("postgresql://x:y@127.0.0.1:1/z");
    let output = desk::expect(&office, &["publish"], 2);
    assert!(output.contains("no night is published") && output.contains("`motcua run` publishes a night"), "{output}");
}

#[test]
fn a_database_that_never_answers_delays_no_run() {
    // The kernel accepts connections, and nothing ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let office = office(&format!("postgres://{WRITER}@{address}/{DATABASE}"));
    list(&office, "1.csv", "H61.14", 0, 5);
    office.edit("connectors/desk/connector.toml", |text| format!("{text}\n[schedule]\ncron = \"0 0 0 29 2 *\"\n"));
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    let has_failed = |serving: &Serving| serving.log().iter().any(|line| line.contains("not published elsewhere"));
    let mut run = 0;
    for _ in 0..2 {
        assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
        (run, _) = serving.wait_for_night(&operator, run);
        assert!(!has_failed(&serving), "the publication has not failed yet: {:?}", serving.log());
    }
    serving.wait_for("the publication has failed", |serving| has_failed(serving).then_some(()));
}
