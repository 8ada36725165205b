//! A headless Chromium (Debian's package), controlled over WebDriver (W3C) and ended with the test.
#![expect(clippy::disallowed_methods, reason = "tests start a browser and speak to it")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const DRIVER: &str = "/usr/bin/chromedriver";
const PATIENCE: Duration = Duration::from_mins(1);
/// JSON key of an element reference in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    client: reqwest::Client,
    runtime: Runtime,
    profile: TempDir,
}

impl Browser {
    /// Whether `chromedriver` is installed.
    pub(crate) fn is_there() -> bool {
        Path::new(DRIVER).exists()
    }

    pub(crate) fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.expect("loopback has a free port").port();
        let driver = Command::new(DRIVER)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build();
        let profile = tempfile::tempdir().expect("there is a scratch folder");
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            client: client.expect("a client is built"),
            runtime,
            profile,
        };
        let folder = format!("--user-data-dir={}", browser.profile.path().display());
        // Without the switches on networking, Chromium looks up hosts of its vendor at every start.
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &folder,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let begun = Instant::now();
        let made = loop {
            match browser.try_ask("POST", "", &wanted) {
                Ok(made) => break made,
                Err(error) => {
                    assert!(begun.elapsed() < PATIENCE, "the browser does not start: {error}");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        };
        let id = made["sessionId"].as_str().expect("a session has a name");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        self.ask("GET", "/url", &Value::Null).as_str().expect("a page has an address").to_owned()
    }

    /// Waits until the address of the page ends with `end`.
    pub(crate) fn wait_for_url(&self, end: &str) {
        let begun = Instant::now();
        while !self.url().ends_with(end) {
            assert!(begun.elapsed() < PATIENCE, "the page is still `{}`", self.url());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The visible text of the page.
    pub(crate) fn text(&self) -> String {
        self.text_of("body")
    }

    pub(crate) fn text_of(&self, selector: &str) -> String {
        let element = self.element(selector);
        self.ask("GET", &format!("/element/{element}/text"), &Value::Null).as_str().expect("a text").to_owned()
    }

    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// The number of pages that the page takes on paper: A4, landscape.
    pub(crate) fn printed_pages(&self) -> usize {
        let paper = json!({
            "orientation": "landscape",
            "page": {"width": 21.0, "height": 29.7},
            "margin": {"top": 1.2, "bottom": 1.2, "left": 1.2, "right": 1.2},
        });
        let printed = self.ask("POST", "/print", &paper);
        let document = BASE64_STANDARD.decode(printed.as_str().expect("a text")).expect("base64");
        let document = String::from_utf8_lossy(&document);
        // Pages, but not the tree of pages (`/Type /Pages`).
        let after = document.split("/Type /Page").skip(1);
        after.filter(|rest| !rest.starts_with('s')).count()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.ask("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("`{selector}`: {found}")).to_owned()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_ask(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let mut request = self.client.request(method.parse().expect("a method"), format!("{}{path}", self.session));
        if method == "POST" {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let (status, body) = (answer.status(), answer.json::<Value>().await.map_err(|error| error.to_string())?);
            if status.is_success() { Ok(body["value"].clone()) } else { Err(body.to_string()) }
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes the browser; the driver is killed below.
        let _ = self.try_ask("DELETE", "", &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
