//! Conformance tests that every connector must pass: its cases, its files and headings, recordings without personal
//! data (`checks`); and pulls of the portal connector over recorded responses.
//!
//! A case is a folder `connectors/*/cases/*/`:
//!
//! | file | content |
//! |---|---|
//! | `*.json`, `*.xml`, `*.csv`, `*.csv.gz`, `*.xlsx` | recorded bodies, decoded and mapped in the order of their names |
//! | `expected.jsonl` | expected records, one per line: non-null columns, instants in RFC 3339 with +07:00 |
//! | `2025-09_1.json` | of a connector that maps `#period`: the body of a page of that period |
//! | `rejects.jsonl` | expected rejections, one per line: `page`, `row`, `field`, `reason` |
#![expect(clippy::disallowed_methods, reason = "edge: connector folders are read here")]

mod checks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use motcua::canonical::Mapper;
use motcua::fields::Readers;
use motcua::model::connector::{Connector, ConnectorFile};
use motcua::model::instant;
use motcua::model::record::{Record, Value};
use motcua::model::table::RecordKind;
use motcua::model::values::PlaceholderValues;
use motcua::sources::{
    ErrorKind, PullStart, RecordedTransport, Response, SourceError, SourceReader, decode_page, open_with,
};
use regex::Regex;
use serde_json::{Value as Json, json};
use strum::IntoEnumIterator as _;

/// Headings of each connector's README, in this order.
const HEADINGS: [&str; 6] =
    ["What it reads", "Access and login", "Windows and paging", "Fields", "Known faults", "Cases"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors")
}

/// Entries of a folder, sorted by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn connector(folder: &Path) -> Connector {
    let file = folder.join("connector.toml");
    motcua::config::connector_from_text(&name(folder), &file, &text(&file)).unwrap_or_else(|found| panic!("{found}"))
}

fn is_body(path: &Path) -> bool {
    let ends_in = |wanted: &str| path.extension().is_some_and(|ending| ending == wanted);
    ["csv", "gz", "xlsx", "json", "xml"].into_iter().any(ends_in)
}

/// Records and rejections that the recordings of a case give.
fn case_records(connector: &Connector, case: &Path) -> (Vec<Json>, Vec<Json>) {
    let readers = Readers::compile(&connector.file).expect("the map is checked");
    let mapper = Mapper::new(connector, &readers, i64::MAX);
    let bodies: Vec<PathBuf> = entries(case).into_iter().filter(|path| is_body(path)).collect();
    assert!(!bodies.is_empty(), "{}: no recorded body", case.display());
    let (mut records, mut rejects) = (Vec::new(), Vec::new());
    for (number, body) in (1..).zip(&bodies) {
        let bytes = std::fs::read(body).expect("readable");
        let (mut page, _) = decode_page(connector, &readers, &bytes, number, name(body))
            .unwrap_or_else(|error| panic!("{}: {error}", body.display()));
        if let Some(field) = page.fields.iter().position(|field| field == "#period") {
            let name = name(body);
            page.set_in_all_rows(field, name.split(['.', '_']).next().unwrap_or_default());
        }
        for row in mapper.map_page(&page) {
            match row {
                Ok(record) => records.push(as_json(mapper.kind(), &record)),
                Err(rejection) => rejects.push(json!({
                    "page": rejection.page,
                    "row": rejection.row,
                    "field": rejection.field,
                    "reason": rejection.reason.code(),
                })),
            }
        }
    }
    (records, rejects)
}

fn compare(file: &Path, found: &[Json]) {
    let text = text(file);
    let expected: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect();
    for (line, (expected, found)) in expected.iter().zip(found).enumerate() {
        assert_eq!(found, expected, "{}:{}", file.display(), line + 1);
    }
    assert_eq!(found.len(), expected.len(), "{}: {:?}", file.display(), found.get(expected.len()));
}

pub(crate) fn as_json(kind: RecordKind, record: &Record) -> Json {
    let mut columns = serde_json::Map::new();
    for (column, value) in kind.columns().iter().zip(&record.values) {
        let value = match value {
            Value::Null => continue,
            Value::Text(text) => json!(&**text),
            Value::Instant(micros) => {
                let (second, fraction) = (instant::display(*micros), micros.rem_euclid(1_000_000));
                let with_fraction = second.replace("+07:00", &format!(".{fraction:06}+07:00"));
                json!(if fraction == 0 { second } else { with_fraction })
            }
            Value::Flag(flag) => json!(flag),
            Value::Integer(number) => json!(number),
        };
        columns.insert(column.name.to_owned(), value);
    }
    Json::Object(columns)
}

fn headings(readme: &str) -> Vec<&str> {
    readme.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

#[test]
fn every_connector_has_the_same_files() {
    for folder in entries(&root()) {
        for path in entries(&folder) {
            let known = ["README.md", "connector.toml", "cases"].contains(&name(&path).as_str());
            assert!(known, "{}: a connector is connector.toml, README.md and cases", path.display());
        }
    }
}

/// Data that a recording must not contain: its name and a pattern.
fn forbidden() -> Vec<(&'static str, Regex)> {
    [
        ("a bearer token", r"(?i)bearer\s+[a-z0-9._-]{8,}|access_token|refresh_token|eyJ[A-Za-z0-9_-]{10,}\."),
        ("a secret", r"(?i)(client_secret|password|api[_-]?key|set-cookie)\W{1,4}\w"),
        ("an identity number", r"(?-u:\b)[0-9]{12}(?-u:\b)|(?-u:\b)[0-9]{9}(?-u:\b)"),
        ("a telephone number", r"(?-u:\b)0[1-9][0-9]{1,2}[ .-]?[0-9]{3}[ .-]?[0-9]{3,4}(?-u:\b)|\+84[0-9 .-]{9,}"),
    ]
    .into_iter()
    .map(|(name, pattern)| (name, Regex::new(pattern).expect("the pattern is valid")))
    .collect()
}

/// The name of forbidden data in a text.
fn forbidden_data(text: &str, forbidden: &[(&'static str, Regex)]) -> Option<String> {
    let address = Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}").expect("the pattern is valid");
    let mail = address.find_iter(text).find(|found| !found.as_str().ends_with("@example.invalid"));
    let other = || forbidden.iter().find(|(_, pattern)| pattern.is_match(text)).map(|(name, _)| (*name).to_owned());
    mail.map(|_| "an e-mail address".to_owned()).or_else(other)
}

#[test]
fn secrets_and_personal_data_are_found_in_recordings() {
    let forbidden = forbidden();
    for planted in [
        "Authorization: Bearer abcdef123456",
        "{\"access_token\":\"x\"}",
        "\"soGiayTo\":\"086123456789\"",
        "012345678",
        "0912345678",
        "0912 345 678",
        "+84 912 345 678",
        "nguoi.dan@example.vn",
    ] {
        assert!(forbidden_data(planted, &forbidden).is_some(), "the scan misses `{planted}`");
    }
    for harmless in ["someone@example.invalid", "5f0000000000000000000001", "000.00.14.H61-201012-0001", "+0700"] {
        assert_eq!(forbidden_data(harmless, &forbidden), None, "{harmless}");
    }
}

/// Opens the portal connector on 20 January 2020, so that each pass has one slice.
async fn pull(responses: Vec<Response>) -> (SourceReader, Arc<RecordedTransport>) {
    let connector = connector(&root().join("portal-igate"));
    let readers = Readers::compile(&connector.file).expect("the map is checked");
    let mut values = PlaceholderValues::default();
    values.set_variable("IGATE_URL", "https://portal.example/");
    values.set_variable("IGATE_TOKEN_URL", "https://login.example/token");
    values.set_variable("IGATE_CLIENT_ID", "motcua");
    values.set_secret("IGATE_CLIENT_SECRET", "not-a-secret");
    let now = instant::from_local(jiff::civil::datetime(2020, 1, 20, 1, 30, 0, 0));
    let start = PullStart { now, ..PullStart::default() };
    let transport = Arc::new(RecordedTransport::new(responses));
    let reader = open_with(Box::new(Arc::clone(&transport)), &connector, &readers, &values, start).await;
    (reader.expect("the connector opens"), transport)
}

fn ok_response(body: impl Into<Vec<u8>>) -> Response {
    Response::new(200, &[("content-type", "application/json")], body)
}

fn recorded(case: &str, page: &str) -> Response {
    ok_response(text(&root().join("portal-igate/cases").join(case).join(page)))
}

fn token() -> Response {
    ok_response(r#"{"access_token":"granted","token_type":"Bearer","expires_in":86400}"#)
}

fn empty() -> Response {
    ok_response(r#"{"content":[],"number":0,"size":1000,"numberOfElements":0,"first":true,"last":true,"empty":true}"#)
}

async fn read_all(reader: &mut SourceReader) -> Result<Vec<(u32, usize)>, SourceError> {
    let mut pages = Vec::new();
    while let Some(page) = reader.next().await? {
        pages.push((page.number, page.len()));
    }
    Ok(pages)
}

#[tokio::test]
async fn the_portal_is_read_page_by_page_up_to_its_last_flag() {
    let responses = vec![
        token(),
        // A thousand records are requested and three sent, then three more: the portal caps its pages.
        recorded("offsets-and-words", "page-1.json"),
        recorded("offsets-and-words", "page-2.json"),
        // The chain begins again with pages of three.
        recorded("offsets-and-words", "page-1.json"),
        recorded("offsets-and-words", "page-2.json"),
        // It has two pages and no declared total: `read_twice` requests them again.
        recorded("offsets-and-words", "page-1.json"),
        recorded("offsets-and-words", "page-2.json"),
        empty(),
        empty(),
    ];
    let (mut reader, transport) = pull(responses).await;
    assert_eq!(reader.cursor().read_until, None);
    let pages = read_all(&mut reader).await.expect("the pull is complete");
    assert_eq!(pages, [(1, 3), (2, 3), (3, 3), (4, 3), (5, 0), (6, 0)]);
    let now = instant::from_local(jiff::civil::datetime(2020, 1, 20, 1, 30, 0, 0));
    assert_eq!(reader.cursor().read_until, Some(now), "the cursor moves because the end is proved");
    assert_eq!(transport.unused_responses(), 0);

    let requests = transport.requests();
    assert_eq!(requests[0].url.as_str(), "https://login.example/token");
    let wanted = [
        ("accepted-from", "0", "1000"),
        ("accepted-from", "1", "1000"),
        ("accepted-from", "0", "3"),
        ("accepted-from", "1", "3"),
        ("accepted-from", "0", "3"),
        ("accepted-from", "1", "3"),
        ("applied-from", "0", "3"),
        ("result-returned-from", "0", "3"),
    ];
    assert_eq!(requests.len(), 1 + wanted.len());
    for (request, (since, page, size)) in requests[1..].iter().zip(wanted) {
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let of = |name: &str| query.get(name).map(String::as_str);
        assert_eq!(request.url.path(), "/pa/dossier/search");
        assert_eq!(of(since), Some("2020-01-01T00:00:00.000+0700"));
        assert_eq!((of("page"), of("size")), (Some(page), Some(size)));
        assert_eq!((of("spec"), of("remove-status")), (Some("page"), Some("0")));
        assert!(request.bearer.is_some());
    }
}

#[tokio::test]
async fn without_a_proved_end_the_cursor_of_the_portal_does_not_move() {
    // The second page has no flag `last`.
    let second = ok_response(r#"{"content":[],"number":1,"size":2}"#);
    for (second, kind) in
        [(second, ErrorKind::NoLastFlag), (recorded("two-shapes", "page-1.json"), ErrorKind::PageRepeated)]
    {
        let (mut reader, _) = pull(vec![token(), recorded("two-shapes", "page-1.json"), second]).await;
        assert_eq!(read_all(&mut reader).await.map_err(|error| error.kind), Err(kind));
        assert_eq!(reader.cursor().read_until, None);
    }
}

/// The TOML examples of a page.
fn examples(page: &str) -> Vec<toml::Table> {
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| block.parse().unwrap_or_else(|error| panic!("{error}:\n{block}"))).collect()
}

/// Every column of every kind, and every word, stands in the section of columns.
#[test]
fn the_reference_names_every_column_and_word() {
    let page = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONNECTORS.md"));
    let section = page.split("## Columns and words\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("the page has the section");
    for kind in RecordKind::iter() {
        let line = section.lines().find(|line| line.starts_with(&format!("| `{}` |", kind.image_name())));
        let line = line.unwrap_or_else(|| panic!("no line of `{}`", kind.image_name()));
        let names: Vec<&str> = line.split('`').skip(1).step_by(2).skip(1).collect();
        let columns: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
        assert_eq!(names, columns, "{}", kind.image_name());
        for column in kind.columns().iter().filter(|column| !column.words.is_empty()) {
            let is_of_column = |line: &&str| {
                let words: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
                line.starts_with("| `")
                    && words.contains(&column.name)
                    && column.words.iter().all(|word| words.contains(word))
            };
            assert!(section.lines().any(|line| is_of_column(&line)), "{}.{}", kind.image_name(), column.name);
        }
    }
}

#[test]
fn examples_of_the_reference_are_valid_tables() {
    let page = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONNECTORS.md"));
    let shipped: toml::Table = text(&root().join("portal-igate/connector.toml")).parse().expect("it is TOML");
    let examples = examples(&page);
    assert!(examples.len() > 20, "the examples were not found");
    for example in examples {
        let mut connector = shipped.clone();
        connector.extend(example.clone());
        let found: Result<ConnectorFile, _> = toml::Value::Table(connector).try_into();
        assert!(found.is_ok(), "{:?} in\n{example}", found.err());
    }
}
