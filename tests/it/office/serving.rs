//! `motcua serve` under test: on its own port, killed at the end of the test.
#![expect(clippy::disallowed_methods, reason = "tests start the service and send requests to it")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::office::{Office, said};

/// Time limit of every wait, for a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running service.
pub(crate) struct Serving {
    pub(crate) url: String,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    client: reqwest::Client,
    runtime: Runtime,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) version: reqwest::Version,
    pub(crate) body: Vec<u8>,
    headers: HeaderMap,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is UTF-8")
    }

    /// The values of a header, in order.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().expect("headers are plain ASCII")).collect()
    }

    /// The first value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }
}

impl Serving {
    /// Starts the service of an office and waits until it listens.
    pub(crate) fn start(office: &Office) -> Self {
        Self::start_with(office.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    pub(crate) fn start_with(command: Command) -> Self {
        Self::start_into(command, Stdio::null())
    }

    /// As [`Self::start_with`], with its standard output redirected.
    pub(crate) fn start_into(mut command: Command, out: Stdio) -> Self {
        command.env("MOTCUA_LOG", "motcua=info");
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                lines.lock().expect("no holder panics").push(line);
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            // The service may close idle connections.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .danger_accept_invalid_certs(true)
            .build()
            .expect("a client is built");
        let mut serving = Self { url: String::new(), child, log, client, runtime };
        serving.url = serving.wait_for("it listens", |serving| {
            let log = serving.log.lock().expect("no holder panics");
            log.iter().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        });
        serving
    }

    /// Lines that it has written to its standard error.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("no holder panics").clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Polls `look` until it returns something. Panics if the service ends or the time is over.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().expect("it is our child");
            assert!(
                ended.is_none() && start.elapsed() < PATIENCE,
                "{what}: {ended:?} after {:?}; its log:\n{}",
                start.elapsed(),
                self.log().join("\n")
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.body(body.to_owned());
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
            let (status, version, headers) = (answer.status().as_u16(), answer.version(), answer.headers().clone());
            Reply { status, version, headers, body: answer.bytes().await.expect("the answer is whole").to_vec() }
        })
    }

    /// GET with a token.
    pub(crate) fn get(&self, path: &str, token: &str) -> Reply {
        self.ask("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    /// POST of JSON with a token.
    pub(crate) fn post(&self, path: &str, token: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.ask("POST", path, &[("authorization", &bearer), ("content-type", "application/json")], body)
    }

    /// Waits until a run after `after` has published; returns its number and whether it is complete.
    pub(crate) fn wait_for_night(&mut self, token: &str, after: i64) -> (i64, bool) {
        self.wait_for("a night is published", |serving| {
            let page = serving.get("/api/v1/runs", token).json();
            let run = page["runs"].as_array()?.first()?.clone();
            let number = run["run"].as_i64()?;
            let complete = run["complete"].as_bool()?;
            (number > after && page["under_way"].is_null()).then_some((number, complete))
        })
    }

    /// Sends SIGTERM and waits for the end; returns the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it did not stop; its log:\n{}", self.log().join("\n"));
    }

    /// Kills it, as if the machine had died.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().expect("`kill` is there");
    assert!(sent.success());
}

impl Office {
    /// Creates a token.
    pub(crate) fn token(&self, name: &str, scope: &str) -> String {
        let made = self.act(&["token", "create", name, "--scope", scope]);
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned()
    }

    /// Gives every connector this cron line.
    pub(crate) fn schedule(&self, cron: &str) {
        for connector in super::CONNECTORS {
            self.edit(&format!("connectors/{connector}/connector.toml"), |text| {
                let lines = text.lines().map(|line| {
                    if line.starts_with("cron = ") { format!("cron = \"{cron}\"") } else { line.to_owned() }
                });
                lines.collect::<Vec<_>>().join("\n") + "\n"
            });
        }
    }

    /// Schedules every connector at a time of day, `secs` seconds from now. Returns that time in Unix seconds.
    pub(crate) fn schedule_in(&self, secs: i64) -> i64 {
        let at = jiff::Timestamp::now().as_second() + secs;
        let timestamp = jiff::Timestamp::from_second(at).expect("the time is in range");
        let local = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("the zone is known").to_datetime(timestamp);
        self.schedule(&format!("{} {} {} * * *", local.second(), local.minute(), local.hour()));
        at
    }
}
