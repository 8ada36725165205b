//! Concurrent chains, resumed pulls and pulls of chosen slices, against a portal in memory.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::fields::Readers;
use crate::model::connector::{Connector, ConnectorFile, Window};
use crate::model::instant;
use crate::model::page::Page;
use crate::model::pull::{Position, SliceRef};
use crate::model::values::PlaceholderValues;
use crate::sources::request::Request;
use crate::sources::{ErrorKind, PullStart, Response, SourceError, SourceReader, Transport, open_with};

const CONNECTOR: &str = r#"
    [connector]
    version = 1
    title = "Portal"
    kind = "dossiers"
    system = "any"
    contact = "staff"
    [access]
    type = "http"
    base_url = "https://portal.example/"
    [request]
    path = "/search"
    [[window.passes]]
    name = "received"
    since_param = "since"
    until_param = "until"
    format = "yyyy-MM-dd"
    start = "cursor"
    first_date = "2026-01-01"
    slice_days = 10
    [decode]
    type = "json"
    records = "rows"
    [map.source_key]
    from = "id"
    type = "code"
    required = true
"#;
const NUMBERED: &str =
    "[pages]\ntype='page_number'\nparam='page'\nfirst=0\nsize=2\nend={type='last_flag',path='last'}\n";
const BY_CURSOR: &str = "[pages]\ntype='cursor'\nparam='page'\npath='next'\n";
const TWICE: &str = "[complete]\nread_twice=true\n";

/// A portal with three pages per slice; requests for the first slice take longest.
#[derive(Debug, Default)]
struct Portal {
    requests: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Transport for Portal {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        Box::pin(async move {
            self.requests.fetch_add(1, Ordering::SeqCst);
            let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
            let of = |name: &str| {
                request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            };
            let since = of("since").unwrap_or_default();
            let page: u32 = of("page").and_then(|page| page.parse().ok()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(if since == "2026-01-01" { 12 } else { 3 })).await;
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            let next = if page < 2 { format!("\"{}\"", page + 1) } else { "null".to_owned() };
            let body = format!(r#"{{"rows":[{{"id":"{since}-{page}"}}],"last":{},"next":{next}}}"#, page == 2);
            Ok(Response::new(200, &[], body))
        })
    }
}

fn now() -> i64 {
    instant::from_local(jiff::civil::datetime(2026, 1, 25, 1, 30, 0, 0))
}

async fn open(parts: &[&str], start: PullStart, portal: &Arc<Portal>) -> Result<SourceReader, SourceError> {
    let file: ConnectorFile = toml::from_str(&format!("{CONNECTOR}{}", parts.concat())).expect("valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "portal".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: std::sync::Arc::default(),
    };
    let start = PullStart { now: now(), ..start };
    open_with(Box::new(Arc::clone(portal)), &connector, &readers, &PlaceholderValues::default(), start).await
}

async fn next(reader: &mut SourceReader) -> Option<Page> {
    reader.next().await.expect("the portal responds")
}

fn key(page: &Page) -> String {
    page.cell(0, 0).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn chains_are_read_concurrently() {
    let portal = Arc::default();
    let mut reader =
        open(&[NUMBERED, "[limits]\nconcurrency=2\n"], PullStart::default(), &portal).await.expect("opens");
    let (mut keys, mut numbers) = (Vec::new(), Vec::new());
    while let Some(page) = next(&mut reader).await {
        numbers.push(page.number);
        let slice = page.slice.as_ref().expect("a slice");
        let since = instant::local(slice.since_micros).date().to_string();
        assert_eq!((slice.pass.as_str(), key(&page).starts_with(&since)), ("received", true));
        keys.push((page.chain, key(&page)));
    }
    assert_eq!(numbers, (1..=9).collect::<Vec<u32>>(), "numbered by arrival");
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 9);
    assert_eq!(keys[0].0, 1, "the faster chain comes first: {keys:?}");
    assert_eq!(portal.most_in_flight.load(Ordering::SeqCst), 2);
    let chains = reader.chains();
    assert_eq!(
        chains.iter().map(|facts| (facts.chain, facts.pages, facts.rows)).collect::<Vec<_>>(),
        [(0, 3, 3), (1, 3, 3), (2, 3, 3)]
    );
    assert_eq!(chains[0].label, "received 2026-01-01..2026-01-10");
    assert_eq!(reader.cursor().read_until, Some(now()));
}

#[tokio::test]
async fn an_interrupted_pull_resumes_at_its_position() {
    for (parts, requests) in [
        (vec![NUMBERED], 9),
        (vec![BY_CURSOR], 9),
        (vec![NUMBERED, TWICE], 18),
        (vec![BY_CURSOR, TWICE, "[limits]\nconcurrency=3\n"], 18),
    ] {
        for cut in 0..=9_u32 {
            let portal = Arc::default();
            let mut reader = open(&parts, PullStart::default(), &portal).await.expect("opens");
            let mut keys = Vec::new();
            for _ in 0..cut {
                keys.push(key(&next(&mut reader).await.expect("nine pages")));
            }
            let position = reader.position().expect("a position");
            assert_eq!((position.pages, position.records), (cut, u64::from(cut)));
            let text = serde_json::to_string(&position).expect("plain data");
            let position: Position = serde_json::from_str(&text).expect("serialized above");
            drop(reader);

            let start = PullStart { resume: Some(position), ..PullStart::default() };
            let mut reader = open(&parts, start, &portal).await.expect("the plan is the same");
            while let Some(page) = next(&mut reader).await {
                keys.push(key(&page));
                assert_eq!(page.number as usize, keys.len());
            }
            assert_eq!(keys.len(), 9, "cut at {cut}: {keys:?}");
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 9);
            assert_eq!(reader.chains().iter().map(|facts| facts.rows).collect::<Vec<_>>(), [3, 3, 3]);
            assert_eq!(reader.cursor().read_until, Some(now()));
            let again = portal.requests.load(Ordering::SeqCst) - requests;
            // Pages by number are read again before a chain that was cut ends.
            let is_read_again = parts == [NUMBERED] || parts.len() == 3;
            assert!(again <= if is_read_again { 3 } else { 0 }, "cut at {cut}: {again} requests again");
        }
    }
}

#[tokio::test]
async fn a_position_of_another_plan_is_rejected() {
    let portal = Arc::default();
    let mut reader = open(&[NUMBERED], PullStart::default(), &portal).await.expect("opens");
    next(&mut reader).await.expect("a page");
    let position = reader.position().expect("a position");
    let mut moved = position.clone();
    moved.open[0].slice.as_mut().expect("a slice").until_micros += 1;
    let mut beyond = position;
    beyond.open[0].chain = 7;
    for position in [moved, beyond] {
        let start = PullStart { resume: Some(position), ..PullStart::default() };
        let error = open(&[NUMBERED], start, &portal).await.expect_err("another plan");
        assert_eq!(error.kind, ErrorKind::PlanChanged);
    }
}

#[tokio::test]
async fn chosen_slices_are_read_and_the_cursor_does_not_move() {
    let portal = Arc::default();
    let day = |day| instant::from_local(jiff::civil::date(2025, 3, day).into());
    let slice = SliceRef { pass: "received".to_owned(), since_micros: day(1), until_micros: day(3) };
    let start = PullStart { only_slices: Some(vec![slice.clone()]), ..PullStart::default() };
    let mut reader = open(&[NUMBERED], start, &portal).await.expect("opens");
    let mut keys = Vec::new();
    while let Some(page) = next(&mut reader).await {
        assert_eq!(page.slice.as_ref(), Some(&slice));
        keys.push(key(&page));
    }
    assert_eq!(keys, ["2025-03-01-0", "2025-03-01-1", "2025-03-01-2"]);
    assert_eq!((reader.chains().len(), reader.cursor().read_until), (1, None));
}

#[tokio::test]
async fn the_page_limit_counts_the_pages_of_all_chains() {
    for concurrency in [1, 2, 3] {
        let portal = Arc::default();
        let limits = format!("[limits]\nmax_pages=4\nconcurrency={concurrency}\n");
        let mut reader = open(&[NUMBERED, &limits], PullStart::default(), &portal).await.expect("opens");
        let mut pages = 0;
        let error = loop {
            match reader.next().await {
                Ok(page) => pages += u32::from(page.is_some()),
                Err(error) => break error,
            }
        };
        assert_eq!((pages, error.kind, error.is_incomplete()), (4, ErrorKind::PageLimit, true));
        assert_eq!(portal.requests.load(Ordering::SeqCst), 4, "no page beyond the limit is requested");
        // A resumed pull with a higher limit goes on there.
        let position = reader.position().expect("a position");
        let cut = position.open.iter().filter(|chain| !chain.pages.is_empty()).count();
        let start = PullStart { resume: Some(position), ..PullStart::default() };
        let mut reader = open(&[NUMBERED], start, &portal).await.expect("the plan is the same");
        while next(&mut reader).await.is_some() {
            pages += 1;
        }
        assert_eq!((pages, portal.requests.load(Ordering::SeqCst)), (9, 9 + 3 * cut));
    }
}

/// A portal with a list of records, two on a page.
#[derive(Debug)]
struct List(Mutex<Vec<char>>);

impl Transport for List {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SourceError>> {
        Box::pin(async move {
            let page = request.url.query_pairs().find(|(key, _)| key == "page").expect("a page is asked for").1;
            let page: usize = page.parse().expect("a number");
            let list = self.0.lock().expect("no test panics with it");
            let rows: Vec<String> =
                list.iter().skip(2 * page).take(2).map(|key| format!(r#"{{"id":"{key}"}}"#)).collect();
            let is_last = list.len() <= 2 * page + 2;
            Ok(Response::new(200, &[], format!(r#"{{"rows":[{}],"last":{is_last}}}"#, rows.join(","))))
        })
    }
}

#[tokio::test]
async fn a_record_that_moved_to_an_earlier_page_while_a_pull_was_cut_is_found() {
    let list = Arc::new(List(Mutex::new(('a'..='f').collect())));
    let file: ConnectorFile = toml::from_str(&format!("{CONNECTOR}{NUMBERED}")).expect("valid");
    let file = ConnectorFile { window: Window::default(), ..file };
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "portal".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: std::sync::Arc::default(),
    };
    let values = PlaceholderValues::default();
    let open = |resume| {
        let start = PullStart { now: now(), resume, ..PullStart::default() };
        open_with(Box::new(Arc::clone(&list)), &connector, &readers, &values, start)
    };
    let mut reader = open(None).await.expect("opens");
    let mut keys = BTreeSet::new();
    let mut keep = |page: &Page| keys.extend((0..page.len()).filter_map(|row| page.cell(row, 0).map(str::to_owned)));
    for _ in 0..2 {
        keep(&next(&mut reader).await.expect("three pages"));
    }
    let position = reader.position();
    // "e" moves to the second page, which was read.
    list.0.lock().expect("no test panics with it").remove(0);
    let mut reader = open(position).await.expect("the plan is the same");
    while let Some(page) = next(&mut reader).await {
        keep(&page);
    }
    assert_eq!(keys.into_iter().collect::<String>(), "abcdef");
}
