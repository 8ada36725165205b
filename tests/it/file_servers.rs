//! Folders on servers, night after night through the real binary: the same files from every server give the same figures, and
//! what a server or a line does wrong is named.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the lists and runs the binary")]

mod server;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use self::server::{Cutter, PASSWORD, PythonServer, SshServer, USER};
use crate::office::{copy, program};
use crate::services::{can_run, python_can_run};

const HEADER: &str = "channel,concept:name,deadline,department,enddate,startdate\n";
/// Of October in composed letters, of November in decomposed ones.
const NAMES: [&str; 2] = ["Danh sách  tháng 10; (1).csv", "Danh sa\u{301}ch tha\u{301}ng 11.csv"];

/// Rows of cases, in time except every `late`th.
fn rows(first: usize, count: usize, late: usize) -> String {
    let mut text = HEADER.to_owned();
    for number in first..first + count {
        let end = if number % late == 0 { "12-24" } else { "11-29" };
        let row = format!(
            "Internet,case-{number},2010-11-30 10:00:00+01:00,General,2010-{end} 10:00:00+01:00,2010-11-02 09:00:00+01:00"
        );
        writeln!(text, "{row}").expect("a string takes all");
    }
    text
}

/// The example's office, and a folder of lists that a server serves.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log");
        copy(&example, &folder.path().join("office"));
        let desk = Self { folder };
        std::fs::create_dir(desk.lists()).expect("the folder can be written");
        std::fs::create_dir(desk.lists().join("a folder.csv")).expect("the folder can be written");
        desk.put("notes.txt", 0, "of another kind");
        desk.put(NAMES[0], 9, &rows(0, 40, 4));
        desk.put(NAMES[1], 5, &rows(40, 30, 7));
        desk
    }

    fn lists(&self) -> PathBuf {
        self.folder.path().join("lists")
    }

    fn put(&self, name: &str, days_ago: u64, text: &str) {
        let path = self.lists().join(name);
        std::fs::write(&path, text).expect("the list can be written");
        let file = std::fs::File::options().write(true).open(&path).expect("the list is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(days_ago * 86_400)).expect("its time can be set");
    }

    /// Declares where the lists are, with one second to settle and retries without a long wait.
    fn declare(&self, access: &str) {
        let file = self.folder.path().join("office/connector.toml");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log/connector.toml");
        let text = std::fs::read_to_string(example).expect("the example has a connector");
        let plain = "folder = \"{env:RECEIPT_LOG}\"\nglob = \"receipt_cases.csv\"\n";
        assert!(text.contains(plain), "{text}");
        let text = text.replace(plain, &format!("glob = \"*.csv\"\nsettle_secs = 1\n{access}"));
        std::fs::write(&file, text).expect("it can be written");
    }

    fn command(&self, data: &str, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["--config", "office/motcua.toml", "--data", data]).args(arguments);
        command.current_dir(self.folder.path()).env("LISTS_PASSWORD", PASSWORD).env("MOTCUA_LOG", "trace");
        command
    }

    fn act(&self, data: &str, arguments: &[&str]) -> Output {
        self.command(data, arguments).output().expect("the binary runs")
    }

    /// A night in a data folder of this name: exit code, reason, and the report by agency and month.
    fn night(&self, data: &str) -> Night {
        let run = self.act(data, &["run"]);
        let shown = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        let secret = std::fs::read_to_string(self.folder.path().join("secret")).unwrap_or_else(|_| PASSWORD.to_owned());
        for canary in [PASSWORD, secret.trim()] {
            assert!(!shown.contains(canary), "the log has the password");
            let found = Command::new("grep")
                .args(["-r", "-l", "-a", "--", canary, data])
                .current_dir(self.folder.path())
                .output();
            assert!(found.is_ok_and(|found| found.stdout.is_empty()), "the data folder has the password");
        }
        let status = self.act(data, &["runs", "list", "--format", "json"]);
        let figures = self.figures(data);
        Night { code: run.status.code(), said: shown + &String::from_utf8_lossy(&status.stdout), figures }
    }

    /// The report of the last night in a data folder.
    fn figures(&self, data: &str) -> Vec<Json> {
        let report = self.act(data, &["report", "receipt-on-time", "--by", "month", "--format", "json"]);
        let mut figures: Vec<Json> = serde_json::from_slice(&report.stdout).unwrap_or_default();
        for figure in &mut figures {
            if let Some(figure) = figure.as_object_mut() {
                figure.retain(|key, _| {
                    ["agency", "period", "numerator", "denominator", "unknown"].contains(&key.as_str())
                });
            }
        }
        figures
    }

    fn sftp(&self, server: &SshServer, port: u16, key: &str, known: &str) -> String {
        let whoami = Command::new("id").arg("-un").output().expect("the test has a user");
        format!(
            "folder = '{}'\n[access.server]\ntype = 'sftp'\nhost = '127.0.0.1'\nport = {port}\nuser = '{}'\nkey_file = '{}'\n\
             known_hosts = '{}'\n",
            self.lists().display(),
            String::from_utf8_lossy(&whoami.stdout).trim(),
            server.at(key).display(),
            server.at(known).display()
        )
    }
}

#[derive(Debug)]
struct Night {
    code: Option<i32>,
    /// Standard output, log, and the runs.
    said: String,
    figures: Vec<Json>,
}

impl Night {
    #[track_caller]
    fn is_named(&self, reason: &str) {
        assert!(
            self.code != Some(0) && self.said.contains(reason),
            "no `{reason}`, code {:?}: {}",
            self.code,
            self.said
        );
    }
}

const RETRY: &str = "[retry]\nattempts = 3\nbase_millis = 50\n";

fn local(desk: &Desk) -> String {
    format!("folder = '{}'\n", desk.lists().display())
}

fn webdav(port: u16) -> String {
    format!(
        "folder = '/dav'\n[access.server]\ntype = 'webdav'\nurl = 'http://127.0.0.1:{port}'\nuser = '{USER}'\n\
         password = '{{secret:LISTS_PASSWORD}}'\n{RETRY}"
    )
}

fn ftp(port: u16) -> String {
    format!(
        "folder = ''\n[access.server]\ntype = 'ftp'\nhost = '127.0.0.1'\nport = {port}\nuser = '{USER}'\n\
         password = '{{secret:LISTS_PASSWORD}}'\ntls = false\n{RETRY}"
    )
}

fn s3(port: u16, key: &str) -> String {
    format!(
        "folder = 'in'\n[access.server]\ntype = 's3'\nendpoint = 'http://127.0.0.1:{port}'\nbucket = 'lists'\n\
         region = 'us-east-1'\naccess_key = '{key}'\nsecret_key = '{{secret:LISTS_PASSWORD}}'\n{RETRY}"
    )
}

/// The first night by a way, and the second after a list was changed, against those of the local folder.
fn compare_with_local(desk: &Desk, way: &str, access: &str, changed: impl FnOnce()) {
    desk.declare(&local(desk));
    let local_data = format!("local-{way}");
    let first = desk.night(&local_data);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.figures.iter().any(|figure| figure["denominator"] == 70), "{first:?}");
    desk.declare(access);
    let by_road = desk.night(way);
    assert_eq!((by_road.code, &by_road.figures), (Some(0), &first.figures), "{by_road:?}");
    desk.put(NAMES[1], 2, &rows(40, 20, 2));
    changed();
    let by_road = desk.night(way);
    desk.declare(&local(desk));
    let second = desk.night(&local_data);
    assert_ne!(second.figures, first.figures);
    assert_eq!((by_road.code, &by_road.figures), (Some(0), &second.figures), "{by_road:?}");
}

#[test]
fn a_folder_of_webdav_is_read_like_a_local_one() {
    if !python_can_run("a_folder_of_webdav_is_read_like_a_local_one") {
        return;
    }
    let desk = Desk::new();
    let server = PythonServer::start("webdav", &desk.lists(), &[USER, PASSWORD]);
    compare_with_local(&desk, "webdav", &webdav(server.port), || {});
    // Cut in the middle of a list of 300 KB: asked for again, and named if it stays.
    desk.put(NAMES[0], 1, &rows(0, 3000, 4));
    let once = Cutter::start(server.port, 100_000, 1);
    desk.declare(&webdav(once.port));
    assert_eq!((desk.night("webdav").code, once.cuts_left()), (Some(0), 0));
    desk.put(NAMES[0], 0, &rows(0, 3001, 4));
    let always = Cutter::start(server.port, 100_000, usize::MAX);
    desk.declare(&webdav(always.port));
    desk.night("webdav").is_named("body_cut_short");
    desk.declare(&webdav(server.port).replace("/dav'", "/dav/gone'"));
    desk.night("webdav").is_named("folder_missing");
    desk.declare(&webdav(server.port).replace(&format!("user = '{USER}'"), "user = 'other'"));
    desk.night("webdav").is_named("login_refused");
    drop(server);
    desk.declare(&webdav(server::free_port()));
    desk.night("webdav").is_named("unreachable");
}

#[test]
fn a_folder_of_ftp_is_read_like_a_local_one() {
    if !python_can_run("a_folder_of_ftp_is_read_like_a_local_one") {
        return;
    }
    for (way, options) in [("ftp", &[USER, PASSWORD][..]), ("ftp-list", &[USER, PASSWORD, "plain-list"])] {
        let desk = Desk::new();
        let server = PythonServer::start("ftp", &desk.lists(), options);
        compare_with_local(&desk, way, &ftp(server.port), || {});
        desk.declare(&ftp(server.port).replace("folder = ''", "folder = '/gone'"));
        desk.night(way).is_named("folder_missing");
        desk.declare(&ftp(server.port).replace(&format!("user = '{USER}'"), "user = 'other'"));
        desk.night(way).is_named("login_refused");
        // A server without TLS never gets the password if TLS is asked for.
        desk.declare(&ftp(server.port).replace("tls = false\n", ""));
        desk.night(way).is_named("misconfigured");
    }
    let desk = Desk::new();
    desk.put(NAMES[0], 1, &rows(0, 3000, 4));
    let server = PythonServer::start("ftp", &desk.lists(), &[USER, PASSWORD, "cut=65536", "cuts=1"]);
    desk.declare(&ftp(server.port));
    let night = desk.night("cut-once");
    assert!(night.code == Some(0) && night.said.contains("body_cut_short"), "the cut was not seen: {night:?}");
    let server = PythonServer::start("ftp", &desk.lists(), &[USER, PASSWORD, "cut=65536", "cuts=1000"]);
    desk.declare(&ftp(server.port));
    desk.night("cut-always").is_named("body_cut_short");
}

#[test]
fn keys_of_s3_are_read_like_a_local_folder() {
    if !python_can_run("keys_of_s3_are_read_like_a_local_folder") {
        return;
    }
    let desk = Desk::new();
    let mut server = PythonServer::start("s3", &desk.lists(), &[]);
    let (key, secret) =
        server.said[0].split_once(' ').map(|(key, secret)| (key.to_owned(), secret.to_owned())).expect("two words");
    std::fs::write(desk.folder.path().join("secret"), &secret).expect("the folder can be written");
    let access = s3(server.port, &key).replace("LISTS_PASSWORD", "LISTS_KEY");
    let file = desk.folder.path().join("secret");
    let night = |desk: &Desk| {
        // As a service has it: a file that a variable names.
        desk.declare(&access);
        let run = desk.command("s3", &["run"]).env("LISTS_KEY_FILE", &file).output().expect("the binary runs");
        (run.status.code(), String::from_utf8_lossy(&run.stderr).contains(secret.as_str()), desk.figures("s3"))
    };
    // Nothing is there yet: that may be a wrong beginning of the keys.
    let (code, _, _) = night(&desk);
    assert_ne!(code, Some(0));
    for name in ["notes.txt", NAMES[0], NAMES[1]] {
        server.tell(&format!("put {name}"));
    }
    desk.declare(&local(&desk));
    let of_local = desk.night("local");
    assert_eq!(night(&desk), (Some(0), false, of_local.figures));
    // A list that the store shows a night late is read then, and none that was there is lost.
    desk.put("late.csv", 7, &rows(70, 5, 2));
    server.tell("put late.csv");
    desk.declare(&local(&desk));
    let of_local = desk.night("local");
    assert!(of_local.figures.iter().any(|figure| figure["denominator"] == 75), "{of_local:?}");
    assert_eq!(night(&desk), (Some(0), false, of_local.figures));
    for (wrong, reason) in [
        (access.replace("'lists'", "'other-lists'"), "folder_missing"),
        (access.replace("'in'", "'gone'"), "folder_missing"),
        (access.replace("LISTS_KEY", "LISTS_PASSWORD"), "login_refused"),
    ] {
        desk.declare(&wrong);
        let run = desk.command("wrong", &["run"]).env("LISTS_KEY_FILE", &file).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert!(run.status.code() != Some(0) && said.contains(reason), "no `{reason}`: {said}");
    }
}

#[test]
fn a_folder_of_sftp_is_read_like_a_local_one() {
    let name = "a_folder_of_sftp_is_read_like_a_local_one";
    if !can_run(name, (!SshServer::is_there()).then_some("there is no OpenSSH server and client")) {
        return;
    }
    let (desk, server) = (Desk::new(), SshServer::start());
    let access = |port: u16, known: &str| desk.sftp(&server, port, "client", known) + RETRY;
    compare_with_local(&desk, "sftp", &access(server.port, "known"), || {});
    for (key, known, reason) in [
        ("client", "empty-known", "host_key"),
        ("client", "other-known", "host_key"),
        ("other-client", "known", "login_refused"),
        ("client.pub", "known", "misconfigured"),
        ("no-such-key", "known", "misconfigured"),
    ] {
        desk.declare(&(desk.sftp(&server, server.port, key, known) + RETRY));
        desk.night("sftp").is_named(reason);
    }
    let lists = desk.lists().display().to_string();
    desk.declare(&access(server.port, "known").replace(&lists, &format!("{lists}/gone")));
    desk.night("sftp").is_named("folder_missing");
    desk.put(NAMES[0], 1, &rows(0, 3000, 4));
    let once = Cutter::start(server.port, 100_000, 1);
    server.know("known-by-cutter", "host", once.port);
    desk.declare(&access(once.port, "known-by-cutter"));
    assert_eq!((desk.night("sftp").code, once.cuts_left()), (Some(0), 0));
    desk.put(NAMES[0], 0, &rows(0, 3001, 4));
    let always = Cutter::start(server.port, 100_000, usize::MAX);
    server.know("known-by-cutter", "host", always.port);
    desk.declare(&access(always.port, "known-by-cutter"));
    desk.night("sftp").is_named("body_cut_short");
    // A list that is replaced again and again is never read half.
    desk.declare(&access(server.port, "known"));
    let mut run = desk.command("moving", &["run"]).spawn().expect("the binary starts");
    let mut count = 10;
    while run.try_wait().expect("it is a child").is_none() {
        count += 1;
        desk.put(NAMES[0], 0, &rows(0, count, 4));
        std::thread::sleep(Duration::from_millis(100));
    }
    desk.put(NAMES[0], 3, &rows(0, 40, 4));
    let said = desk.act("moving", &["runs", "show", "1"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("file_growing"), "{said:?}");
    // What is no file is named, and a link is followed.
    std::os::unix::fs::symlink(NAMES[0], desk.lists().join("link.csv")).expect("it can be linked");
    assert_eq!(desk.night("moving").code, Some(0));
    std::os::unix::fs::symlink("/dev/null", desk.lists().join("null.csv")).expect("it can be linked");
    desk.night("moving").is_named("file_unreadable");
}
