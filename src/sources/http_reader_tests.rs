//! Pulls over recorded responses: pages, errors, retries, token renewal, limits.

use std::sync::Arc;

use crate::fields::Readers;
use crate::model::connector::{Connector, ConnectorFile};
use crate::model::instant;
use crate::model::values::PlaceholderValues;
use crate::sources::error::ErrorClass;
use crate::sources::{ErrorKind, PullStart, RecordedTransport, Response, SourceError, SourceReader, open_with};

const CONNECTOR: &str = r#"
    [connector]
    version = 1
    title = "Portal"
    kind = "dossiers"
    system = "iGate"
    contact = "staff"
    [access]
    type = "http"
    base_url = "https://portal.example/"
    [auth]
    type = "oauth2_client_credentials"
    token_url = "https://login.example/token"
    client_id = "motcua"
    client_secret = "{secret:KEY}"
    [request]
    path = "/pa/dossier/search"
    query = { spec = "slice" }
    [pages]
    type = "page_number"
    param = "page"
    first = 0
    size_param = "size"
    size = 2
    end = { type = "last_flag", path = "last" }
    [retry]
    attempts = 3
    base_millis = 1
    cap_secs = 1
    [decode]
    type = "json"
    records = "content"
    [map.source_key]
    from = "id"
    type = "code"
    required = true
"#;

const PASS: &str = r#"
    [[window.passes]]
    name = "accepted"
    since_param = "accepted-from"
    until_param = "accepted-to"
    format = "yyyy-MM-dd"
    start = "cursor"
    first_date = "2026-01-01"
"#;

const TOKEN: &str = r#"{"access_token":"t0ken","expires_in":3600}"#;

fn now() -> i64 {
    instant::from_local(jiff::civil::datetime(2026, 2, 10, 1, 30, 0, 0))
}

async fn open(text: &str, responses: Vec<Response>) -> Result<(SourceReader, Arc<RecordedTransport>), SourceError> {
    let file: ConnectorFile = toml::from_str(text).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let connector = Connector {
        name: "portal".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: Arc::default(),
    };
    let mut values = PlaceholderValues::default();
    values.set_secret("KEY", "s3cret");
    let transport = Arc::new(RecordedTransport::new(responses));
    let start = PullStart { now: now(), ..PullStart::default() };
    let reader = open_with(Box::new(Arc::clone(&transport)), &connector, &readers, &values, start).await?;
    Ok((reader, transport))
}

fn json(body: &str) -> Response {
    Response::new(200, &[("Content-Type", "application/json")], body)
}

fn status(status: u16) -> Response {
    Response::new(status, &[], "s3cret body")
}

/// Opens the connector and reads to the end: origins of the pages, the error that ended the pull, the transport.
async fn read_all(text: &str, responses: Vec<Response>) -> (Vec<String>, Option<SourceError>, Arc<RecordedTransport>) {
    let (mut reader, transport) = open(text, responses).await.expect("the connector opens");
    let mut origins = Vec::new();
    let error = loop {
        match reader.next().await {
            Ok(Some(page)) => {
                assert_eq!(page.number as usize, origins.len() + 1);
                origins.push(page.origin);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let expected = error.is_none().then(now);
    assert_eq!(reader.cursor().read_until, expected, "the cursor moves only if the end is proved");
    if let Some(error) = &error {
        assert_eq!(reader.next().await.err().as_ref(), Some(error), "an error ends the pull");
        assert!(error.message.starts_with("connector `portal`: "), "{error}");
        assert!(!error.message.contains("s3cret") && !error.message.contains("t0ken"), "{error}");
    }
    (origins, error, transport)
}

#[tokio::test]
async fn every_page_of_every_slice_is_read() {
    let (origins, error, transport) = read_all(
        &format!("{CONNECTOR}{PASS}"),
        vec![
            json(TOKEN),
            json(r#"{"content":[{"id":"a"},{"id":"b"}],"last":false}"#),
            json(r#"{"content":[{"id":"c"}],"last":true}"#),
            json(r#"{"content":[],"last":true}"#),
        ],
    )
    .await;
    assert_eq!(error, None);
    assert_eq!(
        origins,
        [
            "GET /pa/dossier/search pass=accepted 2026-01-01..2026-01-31 page=0",
            "GET /pa/dossier/search pass=accepted 2026-01-01..2026-01-31 page=1",
            "GET /pa/dossier/search pass=accepted 2026-02-01..2026-02-10 page=0",
        ]
    );
    let urls: Vec<String> = transport.requests().iter().map(|request| request.url.to_string()).collect();
    let search = "https://portal.example/pa/dossier/search?spec=slice";
    assert_eq!(
        urls,
        [
            "https://login.example/token".to_owned(),
            format!("{search}&accepted-from=2026-01-01&accepted-to=2026-02-01&page=0&size=2"),
            format!("{search}&accepted-from=2026-01-01&accepted-to=2026-02-01&page=1&size=2"),
            format!("{search}&accepted-from=2026-02-01&accepted-to=2026-02-10&page=0&size=2"),
        ]
    );
    assert_eq!(transport.unused_responses(), 0);
}

#[tokio::test]
async fn a_pull_without_a_proved_end_fails_with_the_matching_error() {
    let more = r#"{"content":[{"id":"a"}],"last":false}"#;
    let html = Response::new(200, &[("content-type", "text/html; charset=utf-8")], "<html>s3cret");
    let login = Response::new(302, &[("location", "https://sso.example/login?x=s3cret")], "");
    for (responses, pages, kind, class) in [
        (vec![json(more), json(more)], 1, ErrorKind::PageRepeated, ErrorClass::Fatal),
        (vec![json(r#"{"content":[]}"#)], 0, ErrorKind::NoLastFlag, ErrorClass::Fatal),
        (vec![json(r#"{"error":"s3cret"}"#)], 0, ErrorKind::NoRecords, ErrorClass::Fatal),
        (vec![html], 0, ErrorKind::HtmlInsteadOfJson, ErrorClass::Fatal),
        (vec![login], 0, ErrorKind::WrongHost, ErrorClass::Fatal),
        (vec![status(404)], 0, ErrorKind::UnexpectedStatus, ErrorClass::Fatal),
        (vec![status(503), status(500), status(502)], 0, ErrorKind::Unavailable, ErrorClass::Transient),
        (vec![status(429), status(429), status(429)], 0, ErrorKind::RateLimited, ErrorClass::RateLimited),
        (vec![json("{\"content\":["); 3], 0, ErrorKind::BodyCutShort, ErrorClass::Transient),
    ] {
        let (origins, error, transport) = read_all(CONNECTOR, [vec![json(TOKEN)], responses].concat()).await;
        let error = error.expect("the end is not proved");
        assert_eq!((origins.len(), error.kind, error.class), (pages, kind, class), "{error}");
        assert_eq!(transport.unused_responses(), 0, "{error}");
        assert!(error.message.starts_with("connector `portal`: GET /pa/dossier/search page="), "{error}");
    }
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let last = json(r#"{"content":[{"id":"a"}],"last":true}"#);
    for responses in [
        vec![status(503), status(429), last.clone()],
        vec![json("{\"content\":[{\"id\""), last.clone()],
        vec![Response::new(503, &[("Retry-After", "0")], ""), last.clone()],
    ] {
        let (origins, error, _) = read_all(CONNECTOR, [vec![json(TOKEN)], responses].concat()).await;
        assert_eq!((origins.len(), error), (1, None));
    }
    let long = vec![json(TOKEN), Response::new(429, &[("Retry-After", "3600")], ""), last];
    let (_, error, _) = read_all(CONNECTOR, long).await;
    let error = error.expect("an hour is longer than the cap");
    assert!(error.message.contains("`Retry-After: 3600`"), "{error}");
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    let last = json(r#"{"content":[{"id":"a"}],"last":true}"#);
    let (origins, error, transport) = read_all(CONNECTOR, vec![json(TOKEN), status(401), json(TOKEN), last]).await;
    assert_eq!((origins.len(), error, transport.unused_responses()), (1, None, 0));
    let (_, error, transport) = read_all(CONNECTOR, vec![json(TOKEN), status(401), json(TOKEN), status(401)]).await;
    assert_eq!((error.map(|error| error.kind), transport.unused_responses()), (Some(ErrorKind::LoginRefused), 0));
    for refusal in [status(400), status(401), status(403), json(r#"{"error":"s3cret"}"#)] {
        let (_, error, transport) = read_all(CONNECTOR, vec![refusal]).await;
        assert_eq!((error.map(|error| error.kind), transport.unused_responses()), (Some(ErrorKind::LoginRefused), 0));
    }
}

#[tokio::test]
async fn a_page_or_record_limit_ends_a_pull_with_an_error() {
    let more = |id: u32| json(&format!(r#"{{"content":[{{"id":"{id}"}},{{"id":"x"}}],"last":false}}"#));
    for (limit, pages, kind) in
        [("max_pages = 2", 2, ErrorKind::PageLimit), ("max_records = 3", 1, ErrorKind::RecordLimit)]
    {
        let text = format!("{CONNECTOR}\n[limits]\n{limit}\n");
        let (origins, error, _) = read_all(&text, vec![json(TOKEN), more(1), more(2), more(3)]).await;
        assert_eq!((origins.len(), error.map(|error| error.kind)), (pages, Some(kind)));
    }
}

#[tokio::test]
async fn concurrent_renewals_fetch_one_token() {
    use crate::model::connector::{Auth, Retry};
    use crate::sources::auth::Login;
    let auth = Auth::Oauth2ClientCredentials {
        token_url: "https://login.example/token".to_owned(),
        client_id: "motcua".to_owned(),
        client_secret: "{secret:KEY}".to_owned(),
        secret_place: crate::model::connector::SecretPlace::Body,
        scope: Some("read".to_owned()),
    };
    let mut values = PlaceholderValues::default();
    values.set_secret("KEY", "s3cret");
    let base = url::Url::parse("https://portal.example/").expect("an address");
    let login = Login::new(&auth, &base, &values, &Retry::default()).expect("the secret is set");
    let transport = RecordedTransport::new([json(TOKEN), json(TOKEN)]);
    let first = login.token(&transport).await.expect("a token is issued").expect("the connector logs in");
    let (left, right) = tokio::join!(login.renew(&first, &transport), login.renew(&first, &transport));
    assert!(left.is_ok() && right.is_ok());
    assert_eq!(transport.requests().len(), 2, "the second renewal takes the token of the first");
    assert!(!format!("{login:?} {first:?} {:?}", transport.requests()).contains("s3cret"));
}

#[tokio::test]
async fn an_unset_secret_is_reported_before_any_request() {
    let text = CONNECTOR.replace("{secret:KEY}", "{secret:OTHER}");
    let error = open(&text, Vec::new()).await.expect_err("the secret is not set");
    assert_eq!(error.kind, ErrorKind::UnsetPlaceholder);
    assert_eq!(error.message, "connector `portal`: `{secret:OTHER}` has no value");
}
