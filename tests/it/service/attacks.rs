//! Attacks on the service: idle, slow, greedy, malformed, forged, and guessing. Each must leave the others their pages.
#![expect(clippy::disallowed_methods, reason = "tests read the limits of the process and files of the data folder")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use jiff::civil::date;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::office::serving::{Reply, Serving};
use crate::office::{Office, Town, said};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Cron line without a slot during the tests.
const NEVER: &str = "0 0 0 29 2 *";
/// Longest answer beside an attack, for a debug build on a busy machine.
const BOUND: Duration = Duration::from_secs(5);

/// A service of an office without nights.
fn bare() -> (Office, Serving) {
    let office = Office::new("http://127.0.0.1:1").brief();
    office.schedule(NEVER);
    let serving = Serving::start(&office);
    (office, serving)
}

fn address(serving: &Serving) -> SocketAddr {
    serving.url.strip_prefix("http://").expect("it serves without TLS").parse().expect("an address")
}

/// Asks and asserts that the answer does not wait.
fn in_time(serving: &Serving, path: &str, token: &str) -> Reply {
    let begun = Instant::now();
    let reply = serving.get(path, token);
    assert!(begun.elapsed() < BOUND, "{path} took {:?}", begun.elapsed());
    reply
}

/// Soft limit of open files of this process.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}

/// A connection that an attacker holds.
type Held = tokio::net::TcpStream;

/// Opens connections from addresses of loopback, each of which sends `begun` and then nothing.
async fn hold(to: SocketAddr, number: usize, per_address: usize, begun: &str) -> Vec<Held> {
    let mut held = Vec::new();
    for at in 0..number {
        let socket = TcpSocket::new_v4().expect("a socket");
        let last = u8::try_from(2 + at / per_address).expect("few addresses");
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))).expect("loopback has many addresses");
        let mut stream = socket.connect(to).await.expect("the service accepts");
        stream.write_all(begun.as_bytes()).await.expect("the service reads");
        held.push(stream);
    }
    held
}

/// How many connections the service has not ended.
fn still_open(held: &[Held]) -> usize {
    let is_open = |stream: &&Held| {
        let read = stream.try_read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    held.iter().filter(is_open).count()
}

#[test]
fn idle_and_slow_connections_keep_out_neither_health_nor_pages_nor_a_night() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).brief();
    office.schedule(NEVER);
    office.run();
    let operator = office.token("operator", "operate");
    let mut serving = Serving::start(&office);
    // Where few files may be open, this process cannot hold as many.
    let limit = open_files();
    let (idle, slow) = if limit >= 3_000 { (1_000, 200) } else { (limit / 4, limit / 20) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let to = address(&serving);
    let held = runtime.block_on(async {
        let mut held = hold(to, idle, 60, "").await;
        held.extend(hold(to, slow, 60, "GET /figures HTTP/1.1\r\nhost: a\r\nx-slow: ").await);
        held
    });
    assert_eq!(in_time(&serving, "/health/live", "").status, 200);
    assert_eq!(in_time(&serving, "/api/v1/figures?limit=10", &operator).status, 200);
    assert_eq!(in_time(&serving, "/login", "").status, 200);
    assert_eq!(still_open(&held), held.len(), "they are within the limits");
    // A byte of each slow request now and then, while a night is run.
    assert_eq!(serving.post("/api/v1/runs", &operator, "{}").status, 202);
    let (mut dripping, mut worst) = (held, Duration::ZERO);
    let complete = serving.wait_for("the night is published", |serving| {
        let begun = Instant::now();
        assert_eq!(serving.get("/health/live", "").status, 200);
        worst = worst.max(begun.elapsed());
        runtime.block_on(async {
            for stream in dripping.iter_mut().skip(idle) {
                // Those that took too long are ended.
                let _ = stream.write_all(b"a").await;
            }
        });
        let page = serving.get("/api/v1/runs", &operator).json();
        let run = page["runs"].as_array()?.first()?.clone();
        (run["run"].as_i64()? == 2 && page["under_way"].is_null()).then(|| run["complete"] == true)
    });
    assert!(complete, "the night is complete");
    assert!(worst < BOUND, "health took {worst:?}");
    assert_eq!(in_time(&serving, "/login", "").status, 200);
    runtime.block_on(async move { drop(dripping) });
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn an_address_that_holds_all_its_connections_still_gets_health_and_no_more_connections() {
    let (_office, serving) = bare();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let to = address(&serving);
    runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..300 {
            held.push(Held::connect(to).await.expect("the service accepts"));
        }
        let begun = Instant::now();
        while still_open(&held) > 200 {
            assert!(begun.elapsed() < Duration::from_mins(1), "{} are open", still_open(&held));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(still_open(&held) > 150, "only those beyond the limit were closed");
        // From the same address, while it holds all that it may have.
        let mut next = Held::connect(to).await.expect("the service accepts");
        next.write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("it is open");
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
    let log = serving.log();
    let told = log.iter().filter(|line| line.contains("too many connections")).count();
    assert_eq!(told, 1, "logged once a minute, not once a connection:\n{}", log.join("\n"));
}

/// Sends bytes and returns what the service answers.
fn raw(serving: &Serving, request: &str) -> String {
    let mut stream = TcpStream::connect(address(serving)).expect("the service accepts");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a time limit can be set");
    // The service may end the connection before everything is sent.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn every_answer_has_the_security_headers_and_leads_to_no_other_host() {
    let (_office, serving) = bare();
    let long = "x".repeat(70_000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"), 431),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n".to_owned(), 400),
        ("GET /absent HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(), 404),
        ("GET /api/v1/absent HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(), 404),
        ("DELETE /login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(), 405),
        (
            format!(
                "POST /login HTTP/1.1\r\nhost: a\r\n{}: {}\r\ncontent-length: 70000\r\nconnection: close\r\n\r\n",
                FORM.0, FORM.1
            ),
            413,
        ),
        ("POST /api/v1/runs HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\nconnection: close\r\n\r\n".to_owned(), 413),
        ("GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(), 200),
    ] {
        let answer = raw(&serving, &request);
        let shown: String = answer.chars().take(2_000).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {shown}");
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert_eq!(answer.matches(header).count(), 1, "{status}: `{header}`: {shown}");
        }
    }
    // HTTP/2 in clear text is no protocol of this service.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = raw(&serving, preface);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "), "{answer:?}");
    // Whatever address a page is asked for, its links stay on this host.
    for path in ["//evil.example/x", "/\\evil.example/x", "///evil.example", "/figures?next=//evil.example"] {
        let answer = raw(&serving, &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
        for start in ["href=\"//", "href=\"/\\", "action=\"//", "location: //", "location: /\\"] {
            assert!(!answer.contains(start), "{path}: `{start}`: {answer}");
        }
    }
    let missing = raw(&serving, "GET //evil.example/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert!(missing.contains("href=\"/evil.example/x?lang=en\""), "{missing}");
}

#[test]
fn no_answer_that_caches_keep_carries_a_cookie() {
    let (_office, serving) = bare();
    let login = serving.ask("GET", "/login?lang=en", &[], "");
    assert!(login.header("set-cookie").starts_with("motcua_lang=en"), "{:?}", login.headers("set-cookie"));
    assert_eq!(login.header("cache-control"), "no-store");
    let redirected = serving.ask("GET", "/figures?lang=en", &[], "");
    assert_eq!((redirected.status, redirected.header("cache-control")), (303, "no-store"));
    assert!(redirected.header("set-cookie").starts_with("motcua_lang=en"), "the page after it is in English too");
    for path in ["/static/motcua.css?lang=en", "/static/motcua.css?v=1&lang=vi"] {
        let style = serving.ask("GET", path, &[("cookie", "motcua_lang=vi")], "");
        assert!(style.header("cache-control").contains("immutable"), "{path}");
        assert_eq!(style.headers("set-cookie"), [""; 0], "{path}");
    }
}

/// The status of a login with a token, by way of a proxy that saw `from`.
fn log_in(serving: &Serving, from: &str, token: &str) -> u16 {
    let headers = [FORM, ("x-forwarded-for", from)];
    serving.ask("POST", "/login", &headers, &format!("token={token}")).status
}

#[test]
fn guessing_locks_out_the_one_who_guesses_and_nobody_else() {
    let office = Office::new("http://127.0.0.1:1").brief();
    office.schedule(NEVER);
    office.edit("config/motcua.toml", |text| text.replace("behind_proxy = false", "behind_proxy = true"));
    let token = office.token("clerk", "read");
    let serving = Serving::start(&office);
    // At once: as many attempts as in a row.
    let body = "token=motcua_wrong";
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: a\r\n{}: {}\r\nx-forwarded-for: 10.1.0.1\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        FORM.0,
        FORM.1,
        body.len()
    );
    let answers: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..60).map(|_| scope.spawn(|| raw(&serving, &request))).collect();
        asking.into_iter().map(|asking| asking.join().expect("no thread panics")).collect()
    });
    let with = |status: u16| answers.iter().filter(|answer| answer.starts_with(&format!("HTTP/1.1 {status} "))).count();
    assert_eq!((with(401), with(429)), (10, 50), "{}", answers[0]);
    assert_eq!(log_in(&serving, "10.1.0.1", &token), 429, "even with a valid token");
    assert_eq!(log_in(&serving, "10.1.0.1:4711", &token), 429, "a port is no other address");
    // An IPv6 network is one address.
    for host in 1..=10 {
        assert_eq!(log_in(&serving, &format!("2001:db8:0:1::{host}"), "motcua_wrong"), 401);
    }
    assert_eq!(log_in(&serving, "2001:db8:0:1:5::1", &token), 429);
    assert_eq!(log_in(&serving, "2001:db8:0:2::1", &token), 303, "another network");
    // 200 failures of 20 addresses: others log in, more slowly.
    for guesser in 1..=18 {
        for _ in 0..10 {
            assert_eq!(log_in(&serving, &format!("10.2.0.{guesser}"), "motcua_wrong"), 401);
        }
    }
    let begun = Instant::now();
    assert_eq!(log_in(&serving, "10.3.0.1", &token), 303, "nobody else is locked out");
    assert!(begun.elapsed() >= Duration::from_secs(1), "logins are slowed down: {:?}", begun.elapsed());
    assert!(begun.elapsed() < BOUND * 2, "{:?}", begun.elapsed());
    // Requests with a token are no logins.
    assert_eq!(in_time(&serving, "/api/v1/connectors", &token).status, 200);
}

#[test]
fn the_operator_lists_the_logins_and_ends_them() {
    let (office, serving) = bare();
    let mut cookies = Vec::new();
    for name in ["an", "binh"] {
        let token = office.token(name, "read");
        for _ in 0..2 {
            let login = serving.ask("POST", "/login", &[FORM], &format!("token={token}&next=%2Fconnectors"));
            assert_eq!(login.status, 303, "{}", login.text());
            cookies.push(login.header("set-cookie").split(';').next().expect("a cookie").to_owned());
        }
    }
    let status = |cookie: &String| serving.ask("GET", "/connectors", &[("cookie", cookie)], "").status;
    assert_eq!(cookies.iter().map(status).collect::<Vec<_>>(), [200; 4]);
    let listed = || -> Vec<Value> {
        let output = office.act(&["token", "sessions", "--format", "json"]);
        for cookie in &cookies {
            let secret = cookie.split('=').next_back().expect("a value");
            assert!(!said(&output).contains(secret), "the list shows no secret");
        }
        serde_json::from_slice(&output.stdout).expect("sessions are JSON")
    };
    let sessions = listed();
    let tokens: Vec<&str> = sessions.iter().filter_map(|session| session["token"].as_str()).collect();
    assert_eq!(tokens, ["an", "an", "binh", "binh"]);
    assert!(sessions.iter().all(|session| session["opened_at"].is_string() && session["used_at"].is_string()));
    let table = office.act(&["token", "sessions"]);
    assert!(said(&table).contains("last used"), "{}", said(&table));
    let id = sessions[0]["id"].as_str().expect("an id");
    let end = |arguments: &[&str]| {
        let output = office.act(&[&["token", "end-sessions"][..], arguments].concat());
        (output.status.code(), said(&output))
    };
    assert_eq!(end(&[id]).0, Some(0));
    assert_eq!(cookies.iter().map(status).filter(|status| *status == 200).count(), 3, "at once");
    assert_eq!(end(&["--of", "binh"]).0, Some(0));
    assert_eq!([status(&cookies[2]), status(&cookies[3])], [303; 2], "they have to log in again");
    assert_eq!(listed().len(), 1);
    let (code, words) = end(&[id]);
    assert!(code == Some(2) && words.contains("there is no open login"), "{words}");
    assert_eq!(end(&[]).0, Some(2), "which?");
    assert_eq!(end(&["--all"]).0, Some(0));
    assert!(listed().is_empty());
}
