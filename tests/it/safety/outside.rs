//! Persons in texts that no connector keeps: cursors, keys, addresses of pages, hosts, waits, names of files and sheets.
//! And in a column of agencies, where the text rests in the tables, and is published nowhere.
#![expect(clippy::disallowed_methods, reason = "tests create the files and connectors that they need")]

use std::fmt::Write as _;

use rust_xlsxwriter::Workbook;
use serde_json::json;

use super::{look, look_in_files};
use crate::office::serving::Serving;
use crate::office::{Answer, Office, files, said, stub_server};

const TELEPHONE: &str = "0912345678";
const PERSON: &str = "Trần Thị Chimyen 0912345678";
/// An agency that no registry has, and a part of it that no other text has.
const AGENCY: &str = "Cao Bá Zephyrin (ZB)";
const AGENCY_MARK: &str = "zephyrin";
/// Not to be found anywhere, besides what [`look`] searches.
const MARKS: [&str; 3] = ["\u{1b}[31m", "\u{202e}", "kimyen"];

const ABOUT: &str =
    "[connector]\nversion = 1\ntitle = \"Thử\"\nkind = \"dossiers\"\nsystem = \"thử\"\ncontact = \"thử\"\n";
const MAP: &str = r#"
[map.source_key]
from = "id"
type = "code"
required = true

[map.competent_agency]
from = "agency"
type = "agency"

[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd"]

[contract]
known = ["note"]
least_of_usual = 0.0
most_of_usual = 1000000.0

# Never: the service reads nothing while its pages are searched, so no pull is open that keeps a cursor.
[schedule]
cron = "0 0 0 29 2 *"
"#;

fn http(office: &Office, name: &str, pages: &str) {
    let access = "[access]\ntype = \"http\"\nbase_url = \"{env:IGATE_URL}\"\n";
    let request = format!("[request]\npath = \"/{name}\"\n[retry]\nattempts = 2\nbase_millis = 10\n");
    let decode = "[decode]\ntype = \"json\"\nrecords = \"rows\"\n";
    office.write(
        &format!("connectors/{name}/connector.toml"),
        &format!("{ABOUT}{access}{request}[pages]\n{pages}\n{decode}{MAP}"),
    );
}

fn page(first: u32, agency: &str, more: &serde_json::Value) -> Answer {
    let rows: Vec<_> = (first..first + 2)
        .map(|id| json!({"id": format!("K{id}"), "agency": agency, "received": "2026-03-02"}))
        .collect();
    let mut body = json!({ "rows": rows });
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    Answer::json(&body.to_string())
}

fn with_header(status: &str, header: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes())
}

/// The sources, by the path of the request.
fn answer(request: &str) -> Answer {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_first = !query.contains("912345678");
    match path {
        "/by-cursor" if is_first => page(1, AGENCY, &json!({ "next": PERSON })),
        "/by-cursor" if query.ends_with('x') => page(5, "Sở Nội vụ", &json!({ "next": null })),
        "/by-cursor" => page(3, "Sở Nội vụ", &json!({ "next": format!("{PERSON} x") })),
        "/by-key" if is_first => page(1, PERSON, &json!({})),
        "/by-key" => Answer::json(r#"{"rows":[]}"#),
        "/by-address" if is_first => page(1, "Sở Nội vụ", &json!({ "next": "/by-address?after=Chimyen-0912345678" })),
        "/by-address" => Answer::of("500 Internal Server Error", "application/json", "{}"),
        "/keys" => Answer::json(
            r#"{"rows":[{"id":"K1","agency":"Sở Nội vụ","received":"2026-03-02","kimyen.chimyen@example.vn":1,"Trần Thị Chimyen":2,"0912.345.678":{"kimyen_thi_chimyen":3}}]}"#,
        ),
        "/redirect" => {
            with_header("302 Found", "location: https://tran-thi-chimyen-0912345678.kimyen.example.org/login")
        }
        "/wait" => with_header("429 Too Many Requests", &format!("retry-after: {TELEPHONE}")),
        "/link" => page(1, "Sở Nội vụ", &json!({ "next": "https://tran-thi-chimyen.kimyen.example.org/link?page=2" })),
        _ => Answer::of("404 Not Found", "text/plain", ""),
    }
}

fn folder(office: &Office) {
    let access =
        "[access]\ntype = \"files\"\nfolder = \"{env:BCCI_EXPORTS}\"\nglob = \"*.{csv,xlsx}\"\nsettle_secs = 0\n";
    let decode = "[decode]\ntype = \"spreadsheet\"\ndelimiter = \",\"\nheader = \"id\"\n";
    office.write("connectors/files/connector.toml", &format!("{ABOUT}{access}{decode}{MAP}"));
    let list = "id,agency,received,Trần Thị Chimyen\nK1,Sở Nội vụ,2026-03-02,x\n";
    office.write("exports/Nguyễn Văn Chimyen.csv", list);
    for name in ["bà Chimyen", "hồ sơ ông Chimyen", "chị Chimyen", "HoSo cua Chimyen Tran", "DS Hồ Xuân Chimyen"]
    {
        office.write(&format!("exports/{name}.csv"), "nothing\n");
    }
    office.write("exports/0912.345.678.csv", "nothing\n");
    office.write("exports/b\u{1b}[31mRED\u{1b}[0m.csv", "nothing\n");
    office.write("exports/a\u{202e}vsc.csv", "nothing\n");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Trần Thị Chimyen").expect("a name of a sheet");
    for (column, texts) in [["id", "K9"], ["agency", "Sở Nội vụ"], ["received", "2026-03-02"]].into_iter().enumerate()
    {
        let column = u16::try_from(column).expect("three columns");
        sheet.write_string(0, column, texts[0]).expect("a cell");
        sheet.write_string(1, column, texts[1]).expect("a cell");
    }
    workbook.save(office.exports().join("list.xlsx")).expect("the folder is writable");
}

fn search(text: &str, place: &str, found: &mut Vec<String>) {
    look(text, place, found);
    let lower = text.to_lowercase();
    found.extend(MARKS.iter().filter(|mark| lower.contains(**mark)).map(|mark| format!("{mark:?} in {place}")));
}

/// As [`search`], for texts that are shown or published.
fn search_shown(text: &str, place: &str, found: &mut Vec<String>) {
    search(text, place, found);
    let text = text.to_lowercase();
    if let Some(line) = text.lines().find(|line| line.contains(AGENCY_MARK)) {
        found.push(format!("the text of an unknown agency in {place}: {}", line.chars().take(300).collect::<String>()));
    }
}

/// The answers of the API, the metrics and the pages.
fn search_service(office: &Office, found: &mut Vec<String>) {
    let token = office.token("clerk", "operate");
    let service = Serving::start(office);
    let mut paths: Vec<String> = [
        "/api/v1/connectors",
        "/api/v1/runs",
        "/api/v1/runs/1",
        "/api/v1/figures?period=2026",
        "/api/v1/agencies",
        "/metrics",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(["/figures?period=2026", "/figures.csv?period=2026", "/connectors", "/runs/1"].map(str::to_owned));
    for connector in ["by-cursor", "by-key", "by-address", "keys", "redirect", "wait", "link", "files"] {
        paths.push(format!("/connectors/{connector}"));
        paths.push(format!("/api/v1/connectors/{connector}"));
    }
    let login = service.ask(
        "POST",
        "/login",
        &[("content-type", "application/x-www-form-urlencoded")],
        &format!("token={token}&next=%2Fconnectors"),
    );
    let cookie = login.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    for path in paths {
        let bearer = format!("Bearer {token}");
        let header = if path.starts_with("/api") || path == "/metrics" {
            ("authorization", bearer.as_str())
        } else {
            ("cookie", cookie.as_str())
        };
        let reply = service.ask("GET", &path, &[header], "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        search_shown(reply.text(), &path, found);
    }
    search_shown(&service.log().join("\n"), "the log of the service", found);
}

#[test]
fn persons_in_texts_that_no_connector_keeps_are_found_nowhere() {
    let mut office = Office::new(&stub_server(answer)).lean();
    office.variables.insert("MOTCUA_LOG", "trace".to_owned());
    std::fs::remove_dir_all(office.path().join("connectors")).expect("the scratch folder is writable");
    http(&office, "by-cursor", "type = \"cursor\"\nparam = \"cursor\"\npath = \"next\"");
    http(
        &office,
        "by-key",
        "type = \"keyset\"\nparam = \"after\"\npath = \"agency\"\nsize = 2\nend = { type = \"empty_page\" }",
    );
    for name in ["by-address", "link"] {
        http(&office, name, "type = \"next_url\"\npath = \"next\"");
    }
    for name in ["keys", "redirect", "wait"] {
        http(&office, name, "type = \"none\"");
    }
    folder(&office);
    let mut output = String::new();
    for arguments in [
        &["run"][..],
        &["check"],
        &["run"],
        &["status"],
        &["status", "--format", "json"],
        &["runs", "show", "1"],
        &["runs", "show", "1", "--pages"],
        &["runs", "show", "2", "--pages"],
        &["quarantine", "list"],
        &["report"],
        &["report", "--format", "csv"],
    ] {
        let _ = write!(output, "{}", said(&office.act(arguments)));
    }
    // Proves that the sources were read as far as planned.
    assert_eq!(office.count("by-cursor", "received"), 6);
    for word in
        ["wrong_host", "rate_limited", "unavailable", "rename it", "(a name withheld)", "\\u001b[31m", "\\u202e"]
    {
        assert!(output.contains(word), "{word}");
    }
    let mut found = Vec::new();
    search_shown(&output, "the output", &mut found);
    search_service(&office, &mut found);
    assert!(look_in_files(&office.data(), &mut found) > 20, "a night leaves many files");
    for file in files(&office.data()) {
        let bytes = std::fs::read(office.data().join(&file)).unwrap_or_default();
        let (text, place) = (String::from_utf8_lossy(&bytes).into_owned(), file.display().to_string());
        // The tables and landing hold the agency as the source wrote it.
        if place.starts_with("lake") || place.starts_with("landing") {
            search(&text, &place, &mut found);
        } else {
            search_shown(&text, &place, &mut found);
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} finds:\n{}", found.len(), found[..found.len().min(30)].join("\n"));
}
