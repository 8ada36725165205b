//! Peak memory of the real binary against hostile answers: at most 300 MiB above a night that reads one record.
//!
//! Each answer is small on the wire, or as large as `limits.max_body_bytes` allows. The peak is the `VmHWM` of the
//! process, which never falls, so that reading it now and then misses nothing but the last milliseconds.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "edge: a test writes an office, runs the binary and reads /proc")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::office::{Answer, program, said, stub_server};

/// What a hostile answer may take above an idle night.
const BOUND_KIB: u64 = 300 << 10;

const TABLES: &str = r#"
[retry]
attempts = 1
DECODE
[map.source_key]
from = "id"
type = "code"
required = true
[map.dossier_code]
from = "code"
type = "dossier_code"
required = true
[map.competent_agency]
from = "agency"
type = "agency"
required = true
[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd"]
required = true
[contract]
least_of_usual = 0
"#;

const JSON: &str = "[decode]\ntype = \"json\"\nrecords = \"rows\"";
const XML: &str = "[decode]\ntype = \"xml\"\nrecords = \"list.row\"";

/// Name of the connector, its answer, and what the night must say about it.
type Hostile = (&'static str, fn() -> String, &'static str);

const ANSWERS: [Hostile; 6] = [
    ("many-records", || rows(&"{},".repeat(9_000_000)), "more than 100000 records"),
    ("most-records", || rows(&most_records()), "accepted 100,000 "),
    ("long-text", || rows(&format!("{{\"id\":\"1\",\"agency\":\"{}\"}},", "bC ".repeat(20_000_000))), "quarantined 1"),
    ("long-keys", || rows(&format!("{{{}\"id\":1}},", long_keys())), "quarantined 1"),
    ("nested", || format!("{{\"rows\":{}", "[".repeat(60_000_000)), "the body ends"),
    ("too-long", || rows(&" ".repeat(70 << 20)), "longer than"),
];

const XML_ANSWERS: [Hostile; 5] = [
    ("xml-most-records", || list(&xml_records()), "accepted 100,000 "),
    ("xml-many-records", || list(&"<row/>".repeat(3_000_000)), "more than 100000 records"),
    ("xml-around", || format!("{}{}", "<list>", "<other><a b='1'/></other>".repeat(1_000_000)), "the body ends"),
    ("xml-one-record", || list(&format!("<row>{}</row>", "<a/>".repeat(3_000_000))), "more than 500000 elements"),
    ("xml-wide-record", || list(&format!("<row>{}</row>", wide_elements())), "quarantined 1"),
];

fn list(rows: &str) -> String {
    format!("<list>{rows}</list>")
}

/// As [`most_records`], with elements beside those that are kept.
fn xml_records() -> String {
    let agency = "Sở Nội vụ ".repeat(12);
    (0..100_000).fold(String::new(), |mut list, number| {
        let _ = write!(
            list,
            "<row><id>a{number}</id><code>HS-{number}</code><agency>{agency}</agency><received>2026-03-02</received>\
             <note lang='vi'>{agency}</note></row>"
        );
        list
    })
}

/// As many elements of different names as a record may have.
fn wide_elements() -> String {
    (0..499_000).fold(String::new(), |mut elements, number| {
        let _ = write!(elements, "<a{number}/>");
        elements
    })
}

fn rows(list: &str) -> String {
    format!("{{\"rows\":[{}]}}", list.trim_end_matches(','))
}

/// As many records as one response may have, each with a long text that is kept.
fn most_records() -> String {
    let agency = "Sở Nội vụ ".repeat(12);
    (0..100_000).fold(String::new(), |mut list, number| {
        let _ = write!(
            list,
            "{{\"id\":\"a{number}\",\"code\":\"HS-{number}\",\"agency\":\"{agency}\",\"received\":\"2026-03-02\"}},"
        );
        list
    })
}

fn long_keys() -> String {
    (0..180).fold(String::new(), |mut keys, number| {
        let _ = write!(keys, "\"{number} {}\":1,", "x".repeat(300_000));
        keys
    })
}

/// The response with a body, as gzip.
fn packed(body: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let body = packer.write_all(body.as_bytes()).and_then(|()| packer.finish()).expect("memory takes everything");
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

/// Writes an office with one connector for each name. They are read one after another.
fn write_office(folder: &Path, url: &str, (names, decode): (&[&str], &str)) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log");
    for part in ["indicators", "rules"] {
        std::fs::create_dir_all(folder.join(part)).expect("the scratch folder is writable");
        for file in std::fs::read_dir(example.join(part)).expect("the example has it") {
            let file = file.expect("it can be listed").path();
            let name = file.file_name().expect("a file has a name");
            std::fs::copy(&file, folder.join(part).join(name)).expect("the scratch folder is writable");
        }
    }
    let settings = "[province]\nname = \"Bounds\"\n[folders]\ndata = \"data\"\nconnectors = \"connectors\"\n\
                    indicators = \"indicators\"\nrules = \"rules\"\n[night]\nconnectors_at_once = 1\n";
    std::fs::write(folder.join("motcua.toml"), settings).expect("the scratch folder is writable");
    for name in names {
        let connector = folder.join("connectors").join(name);
        std::fs::create_dir_all(&connector).expect("the scratch folder is writable");
        let tables = TABLES.replace("DECODE", decode);
        let text = format!(
            "[connector]\nversion = 1\ntitle = \"Bounds\"\nkind = \"dossiers\"\nsystem = \"none\"\ncontact = \"none\"\n\
             [access]\ntype = \"http\"\nbase_url = \"{url}\"\n[request]\npath = \"/{name}\"\n{tables}"
        );
        std::fs::write(connector.join("connector.toml"), text).expect("the scratch folder is writable");
    }
}

/// Runs a night and returns its peak in KiB.
fn peak_of_night(folder: &Path) -> (u64, Output) {
    let mut command = program();
    // CI sets it to save time; here the memory of a usual process is measured.
    command.env_remove("MIMALLOC_ALLOW_THP");
    command.arg("--config").arg(folder.join("motcua.toml")).arg("run");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let status = format!("/proc/{}/status", child.id());
    let watch = std::thread::spawn(move || {
        let mut peak = 0;
        // The process has no `VmHWM` any more when it has ended.
        while let Some(kib) = std::fs::read_to_string(&status).ok().and_then(|text| high_water_mark(&text)) {
            peak = peak.max(kib);
            std::thread::sleep(Duration::from_millis(2));
        }
        peak
    });
    let output = child.wait_with_output().expect("the binary ends");
    (watch.join().expect("the watch does not fail"), output)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn no_answer_takes_more_than_300_mib_above_an_idle_night() {
    let record = r#"{"id":"a1","code":"HS-1","agency":"Sở Nội vụ","received":"2026-03-02"},"#;
    check(&ANSWERS, rows(record), JSON);
}

#[test]
fn no_xml_takes_more_than_300_mib_above_an_idle_night() {
    let record = "<row><id>a1</id><code>HS-1</code><agency>Sở Nội vụ</agency><received>2026-03-02</received></row>";
    check(&XML_ANSWERS, list(record), XML);
}

/// Compares the peak of a night of hostile answers with that of a night that reads one record.
fn check(answers: &'static [Hostile], one_record: String, decode: &str) {
    let url = stub_server(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        match answers.iter().find(|(name, ..)| *name == path) {
            Some((_, body, _)) => Answer::Raw(packed(&body())),
            None => Answer::Raw(packed(&one_record)),
        }
    });
    let office = |names: &[&str]| {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        write_office(folder.path(), &url, (names, decode));
        let (peak, output) = peak_of_night(folder.path());
        (peak, said(&output))
    };
    let (idle, shown) = office(&["idle"]);
    assert!(shown.contains("accepted 1 "), "{shown}");
    assert!(idle > 10 << 10, "the peak was read: {idle} KiB");
    let names: Vec<&str> = answers.iter().map(|(name, ..)| *name).collect();
    let (peak, shown) = office(&names);
    for (name, _, expected) in answers {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name}: ")) && line.contains(*expected));
        assert!(line.is_some(), "{name}: {shown}");
    }
    assert!(peak <= idle + BOUND_KIB, "{} MiB above an idle night of {} MiB", (peak - idle) >> 10, idle >> 10);
}
