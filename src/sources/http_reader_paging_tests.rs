//! Every kind of login and of paging over recorded responses, as provincial systems use them.

use std::sync::Arc;

use crate::fields::Readers;
use crate::model::connector::{Connector, ConnectorFile};
use crate::model::pull::ChainFacts;
use crate::model::values::PlaceholderValues;
use crate::sources::request::Request;
use crate::sources::{ErrorKind, PullStart, RecordedTransport, Response, SourceError, open_with};

const BASE: &str = r#"
    [connector]
    version = 1
    title = "Portal"
    kind = "dossiers"
    system = "any"
    contact = "staff"
    [access]
    type = "http"
    base_url = "https://portal.example/api"
    [retry]
    attempts = 3
    base_millis = 1
    cap_secs = 1
    budget = 2
    [map.source_key]
    from = "_id.$oid"
    type = "code"
    required = true
"#;
pub(super) const GET: &str = "[request]\npath = '/search'\nquery = { q = 'a' }\n";
pub(super) const ROWS: &str = "[decode]\ntype = 'json'\nrecords = 'rows'\n";
const LOGIN: &str = r#"
    [auth]
    type = "login"
    request = { url = "/login?x=1", headers = { dstcode = "VN:GOV" }, body = '{"username":"motcua","password":"{secret:KEY}"}' }
    token = "session"
    ok = { path = "error_code", values = ["0"] }
    expired = { path = "error_code", values = ["-1", "3"] }
    [request]
    method = "POST"
    path = "/call"
    body = '{"session":"{session}","service":"TraCuu"}'
"#;

/// Result of a pull.
pub(super) struct Pull {
    /// First cell of each record, by page.
    pub(super) pages: Vec<Vec<String>>,
    pub(super) error: Option<SourceError>,
    chains: Vec<ChainFacts>,
    pub(super) requests: Vec<Request>,
    pub(super) unused: usize,
}

impl Pull {
    pub(super) fn kind(&self) -> Option<ErrorKind> {
        self.error.as_ref().map(|error| error.kind)
    }
    pub(super) fn urls(&self) -> Vec<String> {
        self.requests.iter().map(|request| request.url.to_string().replace("https://portal.example/api", "")).collect()
    }
    pub(super) fn rows(&self) -> Vec<usize> {
        self.pages.iter().map(Vec::len).collect()
    }
}

pub(super) async fn pull(parts: &[&str], responses: Vec<Response>) -> Pull {
    let file: ConnectorFile = toml::from_str(&format!("{BASE}{}", parts.concat())).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "portal".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: Arc::default(),
    };
    let mut values = PlaceholderValues::default();
    values.set_secret("KEY", "s3c\"ret");
    let transport = Arc::new(RecordedTransport::new(responses));
    let start = PullStart { now: 1_700_000_000_000_000, ..PullStart::default() };
    let opened = open_with(Box::new(Arc::clone(&transport)), &connector, &readers, &values, start).await;
    let mut reader = opened.expect("the connector opens");
    let mut pages = Vec::new();
    let error = loop {
        match reader.next().await {
            Ok(Some(page)) => {
                pages.push((0..page.len()).map(|row| page.cell(row, 0).unwrap_or_default().to_owned()).collect());
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert_eq!(reader.cursor().read_until.is_some(), error.is_none(), "the cursor moves only if the end is proved");
    let shown = format!("{reader:?} {error:?} {:?}", transport.requests());
    for secret in ["s3c", "t0ken", "sess10n"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let (chains, requests, unused) = (reader.chains(), transport.requests(), transport.unused_responses());
    Pull { pages, error, chains, requests, unused }
}

/// A response with one record per key; `more` is further JSON of the envelope.
pub(super) fn page(keys: &[&str], more: &str) -> Response {
    page_with_headers(&[], keys, more)
}

pub(super) fn page_with_headers(headers: &[(&str, &str)], keys: &[&str], more: &str) -> Response {
    let rows: Vec<String> = keys.iter().map(|key| format!(r#"{{"_id":{{"$oid":"{key}"}}}}"#)).collect();
    Response::new(200, headers, format!(r#"{{"rows":[{}]{more}}}"#, rows.join(",")))
}

pub(super) fn json(body: &str) -> Response {
    Response::new(200, &[("content-type", "application/json")], body)
}

#[tokio::test]
async fn fixed_credentials_are_added_to_every_request() {
    for (auth, shown) in [
        ("type='basic'\nusername='motcua'\npassword='{secret:KEY}'", "basic"),
        ("type='bearer'\ntoken='{secret:KEY}'", "bearer"),
        ("type='api_key'\nname='x-key'\nvalue='{secret:KEY}'", "header"),
        ("type='api_key'\nname='key'\nvalue='{secret:KEY}'\nplace='query'", "query"),
    ] {
        let auth = format!("[auth]\n{auth}\n");
        let read = pull(&[&auth, GET, ROWS], vec![Response::new(503, &[], ""), page(&["a"], "")]).await;
        assert_eq!((read.kind(), read.rows()), (None, vec![1]), "{shown}");
        for request in &read.requests {
            let found = [
                ("basic", request.basic.as_ref().is_some_and(|(name, _)| name == "motcua")),
                ("bearer", request.bearer.is_some()),
                ("header", request.headers.contains(&("x-key".to_owned(), "s3c\"ret".to_owned()))),
                ("query", request.url.query() == Some("q=a&key=s3c%22ret")),
            ];
            assert_eq!(found.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect::<Vec<_>>(), [shown]);
        }
        let refused = pull(&[&auth, GET, ROWS], vec![Response::new(401, &[], "")]).await;
        assert_eq!((refused.kind(), refused.unused), (Some(ErrorKind::LoginRefused), 0), "{shown}");
    }
}

#[tokio::test]
async fn the_client_secret_is_sent_in_the_form_or_in_the_header() {
    for place in ["body", "header"] {
        let auth = format!(
            "[auth]\ntype='oauth2_client_credentials'\ntoken_url='https://login.example/token'\nclient_id='motcua'\n\
             client_secret='{{secret:KEY}}'\nsecret_place='{place}'\n"
        );
        let token = || json(r#"{"access_token":"t0ken"}"#);
        // The first token is revoked early: the request of the second page is rejected.
        let pages = "[pages]\ntype='page_number'\nparam='p'\nfirst=0\nsize=1\nend={type='empty_page'}\n";
        let responses = vec![token(), page(&["a"], ""), Response::new(401, &[], ""), token(), page(&[], "")];
        let read = pull(&[&auth, GET, ROWS, pages], responses).await;
        assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![1, 0], 0));
        let names: Vec<&str> = read.requests[0].form.iter().map(|(name, _)| name.as_str()).collect();
        let (form, basic): (&[&str], bool) = match place {
            "body" => (&["grant_type", "client_id", "client_secret"], false),
            _ => (&["grant_type"], true),
        };
        assert_eq!((names.as_slice(), read.requests[0].basic.is_some()), (form, basic));
        assert!(read.requests[1].basic.is_none() && read.requests[1].bearer.is_some());
    }
}

#[tokio::test]
async fn a_session_is_sent_in_the_body_and_renewed_once() {
    let session = |name: &str| json(&format!(r#"{{"session":"{name}","error_code":0}}"#));
    let over = json(r#"{"error_code":"-1","message":"het phien"}"#);
    let end = page(&["a"], r#","error_code":0"#);
    let failure = "failure = { path = 'error_code', ok = ['0'] }\n";
    let body = |request: &Request| request.body.clone().unwrap_or_default();

    let responses = vec![session("sess10n-1"), over.clone(), session("sess10n\\\"2"), end.clone()];
    let read = pull(&[LOGIN, ROWS, failure], responses).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![1], 0));
    assert_eq!(read.urls(), ["/login?x=1", "/call", "/login?x=1", "/call"]);
    assert_eq!(body(&read.requests[0]), r#"{"username":"motcua","password":"s3c\"ret"}"#);
    assert_eq!(body(&read.requests[1]), r#"{"session":"sess10n-1","service":"TraCuu"}"#);
    assert_eq!(body(&read.requests[3]), r#"{"session":"sess10n\"2","service":"TraCuu"}"#);
    assert!(read.requests[0].headers.contains(&("dstcode".to_owned(), "VN:GOV".to_owned())));

    for (responses, kind) in [
        (vec![session("a"), over.clone(), session("b"), over.clone()], ErrorKind::LoginRefused),
        (vec![session("a"), Response::new(401, &[], ""), session("b"), over.clone()], ErrorKind::LoginRefused),
        (vec![json(r#"{"error_code":-3,"session":"sess10n"}"#)], ErrorKind::LoginRefused),
        (vec![json(r#"{"error_code":0}"#)], ErrorKind::LoginRefused),
        (vec![Response::new(403, &[], "")], ErrorKind::LoginRefused),
        (vec![json("welcome sess10n")], ErrorKind::LoginRefused),
        (vec![session("a"), json(r#"{"error_code":"7"}"#)], ErrorKind::SourceSaysFailure),
    ] {
        let read = pull(&[LOGIN, ROWS, failure], responses).await;
        assert_eq!((read.kind(), read.unused), (Some(kind), 0), "{:?}", read.error);
    }
}

#[tokio::test]
async fn an_offset_moves_by_the_rows_received_up_to_the_declared_total() {
    let pages =
        "[pages]\ntype='offset'\nparam='skip'\nsize_param='top'\nsize=2\nend={type='total',header='X-Total-Count'}\n";
    let total = [("X-Total-Count", "3")];
    let read = pull(
        &[GET, ROWS, pages],
        vec![page_with_headers(&total, &["a", "b"], ""), page_with_headers(&total, &["c"], "")],
    )
    .await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![2, 1], 0));
    assert_eq!(read.urls(), ["/search?q=a&skip=0&top=2", "/search?q=a&skip=2&top=2"]);
    assert_eq!((read.chains[0].pages, read.chains[0].rows, read.chains[0].declared_total), (2, 3, Some(3)));
    let changed =
        vec![page_with_headers(&total, &["a", "b"], ""), page_with_headers(&[("x-total-count", "4")], &["c"], "")];
    let read = pull(&[GET, ROWS, pages], changed).await;
    let error = read.error.as_ref().expect("the total changed");
    assert_eq!((error.kind, error.is_incomplete(), read.rows()), (ErrorKind::TotalDisagrees, true, vec![2, 1]));
    assert!(error.message.starts_with("connector `portal`: GET /search offset=2: "), "{error}");
    assert!(read.chains.is_empty(), "a chain is listed only after its proved end");
}

#[tokio::test]
async fn a_page_with_another_number_is_kept_and_ends_the_pull() {
    let pages = "[pages]\ntype='page_number'\nparam='pageNumber'\nfirst=1\nsize=2\necho='currentPage'\nend={type='next_flag',path='hasNextPage'}\n";
    let responses = vec![
        page(&["a", "b"], r#","currentPage":1,"hasNextPage":true"#),
        page(&["e"], r#","currentPage":3,"hasNextPage":false"#),
    ];
    let read = pull(&[GET, ROWS, pages], responses).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::PageMissing), vec![2, 1]));
    assert_eq!(read.urls(), ["/search?q=a&pageNumber=1", "/search?q=a&pageNumber=2"]);
}

#[tokio::test]
async fn a_cursor_is_read_from_the_body_or_from_a_header() {
    let by_path = "[pages]\ntype='cursor'\npath='meta.next'\n";
    let post = "[request]\nmethod='POST'\npath='/search'\nbody='{\"after\":\"{cursor}\"}'\n";
    let responses = vec![page(&["a"], r#","meta":{"next":"x\"1"}"#), page(&["b"], r#","meta":{"next":null}"#)];
    let read = pull(&[post, ROWS, by_path], responses).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1, 1]));
    let bodies: Vec<_> = read.requests.iter().filter_map(|request| request.body.as_deref()).collect();
    assert_eq!(bodies, [r#"{"after":""}"#, r#"{"after":"x\"1"}"#]);
    assert_eq!(read.chains[0].last_cursor.as_deref(), Some("#b109"));

    let by_header = "[pages]\ntype='cursor'\nparam='after'\nheader='X-Next'\n";
    let responses = vec![
        page_with_headers(&[("X-Next", "1")], &["a"], ""),
        page_with_headers(&[("x-next", "2")], &["b"], ""),
        page(&["c"], ""),
    ];
    let read = pull(&[GET, ROWS, by_header], responses).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1, 1, 1]));
    assert_eq!(read.urls(), ["/search?q=a", "/search?q=a&after=1", "/search?q=a&after=2"]);
    let stuck =
        vec![page_with_headers(&[("X-Next", "1")], &["a"], ""), page_with_headers(&[("x-next", "1")], &["b"], "")];
    let read = pull(&[GET, ROWS, by_header], stuck).await;
    assert_eq!(
        (read.kind(), read.rows()),
        (Some(ErrorKind::CursorStuck), vec![1, 1]),
        "the second page's records are kept"
    );
}

#[tokio::test]
async fn a_next_address_is_followed_on_the_same_host_only() {
    let pages = "[pages]\ntype='next_url'\npath='next'\n";
    let key = "[auth]\ntype='api_key'\nname='key'\nvalue='{secret:KEY}'\nplace='query'\n";
    let responses = vec![
        page(&["a"], r#","next":"https://portal.example/api/search?page=2&key=s3c%22ret""#),
        page(&["b"], r#","next":"?page=3""#),
        page(&["c"], r#","next":"page=4""#),
        page(&["d"], r#","next":"/api/other?page=5""#),
        page(&["e"], r#","next":"""#),
    ];
    let read = pull(&[key, GET, ROWS, pages], responses).await;
    assert_eq!((read.kind(), read.pages.len()), (None, 5));
    let signed = "key=s3c%22ret";
    assert_eq!(
        read.urls(),
        [
            format!("/search?q=a&{signed}"),
            format!("/search?page=2&{signed}"),
            format!("/search?page=3&{signed}"),
            format!("/search?page=4&{signed}"),
            format!("/other?page=5&{signed}"),
        ]
    );
    let elsewhere = vec![page(&["a"], r#","next":"https://other.example/api?page=2""#)];
    let read = pull(&[key, GET, ROWS, pages], elsewhere).await;
    assert_eq!((read.kind(), read.requests.len()), (Some(ErrorKind::WrongHost), 1));
}

#[tokio::test]
async fn a_link_header_is_followed() {
    let pages = "[pages]\ntype='link_header'\n";
    let csv = "[decode]\ntype='csv'\nheader='_id.$oid'\n";
    let responses = vec![
        Response::new(
            200,
            &[("Link", "</api/search?page=2>; rel=\"next\", </api/search?page=9>; rel=\"last\"")],
            "_id.$oid\na\nb\n",
        ),
        Response::new(200, &[("Link", "</api/search>; rel=\"first\"")], "_id.$oid\nc\n"),
    ];
    let read = pull(&[GET, csv, pages], responses).await;
    assert_eq!(
        (read.kind(), read.rows(), read.urls()),
        (None, vec![2, 1], vec!["/search?q=a".to_owned(), "/search?page=2".to_owned()])
    );
}

#[tokio::test]
async fn a_keyset_goes_on_after_the_last_key() {
    let pages = "[pages]\ntype='keyset'\nparam='lastId'\npath='_id.$oid'\nfirst='000'\nend={type='empty_page'}\n";
    let read = pull(&[GET, ROWS, pages], vec![page(&["5f1", "5f2"], ""), page(&["5f3"], ""), page(&[], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1, 0]));
    assert_eq!(read.urls(), ["/search?q=a&lastId=000", "/search?q=a&lastId=5f2", "/search?q=a&lastId=5f3"]);
    let read = pull(&[GET, ROWS, pages], vec![json(r#"{"rows":[{"_id":{"$oid":"5f1"}},{"_id":null}]}"#)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::NoCursor));
}

#[tokio::test]
async fn a_pass_that_begins_after_a_key_goes_on_after_that_of_its_last_record() {
    let pages = "[pages]\ntype='keyset'\nparam='lastId'\npath='_id.$oid'\nend={type='empty_page'}\n[[window.passes]]\nname='stored'\n\
                 since_param='lastId'\nformat='object_id'\nstart='cursor'\nfirst_date='2020-01-01'\nslice_days=36500\n";
    let read = pull(&[GET, ROWS, pages], vec![page(&["5f1", "5f2"], ""), page(&[], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 0]));
    // 1 January 2020, 00:00 in Vietnam, is 0x5e0b7e90 seconds after 1970.
    assert_eq!(read.urls(), ["/search?q=a&lastId=5e0b7e900000000000000000", "/search?q=a&lastId=5f2"]);
}

#[tokio::test]
async fn rereading_finds_records_that_moved_or_reports_them() {
    let pages = "[pages]\ntype='page_number'\nparam='p'\nfirst=0\nsize=2\nend={type='short_page'}\n[complete]\nread_twice=true\n";
    // "b" leaves the list between the two requests: "c" moves to the first page and was not received.
    let (before, after) = (page(&["a", "b"], ""), page(&["a", "c"], ""));
    let last = || [page(&["d"], ""), page(&[], "")];
    let reading = |first: &Response| [vec![first.clone()], last().to_vec()].concat();
    let responses = [reading(&before), reading(&after), reading(&after)].concat();
    let read = pull(&[GET, ROWS, pages], responses).await;
    assert_eq!((read.kind(), read.unused), (None, 0));
    let returned = [vec!["a", "b"], vec!["d"], vec![], vec!["a", "c"]];
    assert_eq!(read.pages, returned, "unchanged pages are not returned again");
    assert_eq!((read.chains[0].pages, read.chains[0].rows), (3, 3));
    let moving = ["e", "f", "g"].iter().flat_map(|key| reading(&page(&["a", key], "")));
    let read = pull(&[GET, ROWS, pages], reading(&before).into_iter().chain(moving).collect()).await;
    let error = read.error.expect("the first page changes each time");
    assert_eq!(
        (error.kind, error.is_incomplete(), read.pages.len(), read.unused),
        (ErrorKind::RecordsMoved, true, 6, 0)
    );
}

#[tokio::test]
async fn the_retry_budget_counts_over_the_whole_pull() {
    let pages = "[pages]\ntype='page_number'\nparam='p'\nfirst=0\nsize=1\nend={type='empty_page'}\n";
    let busy = || Response::new(503, &[], "");
    let responses = vec![busy(), page(&["a"], ""), busy(), page(&["b"], ""), busy(), page(&[], "")];
    let read = pull(&[GET, ROWS, pages], responses).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (Some(ErrorKind::RetryBudget), vec![1, 1], 1));
}
