//! The HTTP transport against sockets on loopback.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::*;
use crate::model::connector::Retry;
use crate::sources::{response, retry};

/// A server that sends the next text to each connection; an empty text sends nothing. The task returns the request
/// heads, in lowercase.
async fn serve(responses: Vec<String>) -> (Url, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    let task = tokio::spawn(async move {
        let mut heads = Vec::new();
        for response in responses {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if socket.read(&mut byte).await.unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            heads.push(String::from_utf8_lossy(&head).to_lowercase());
            if response.is_empty() {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            let _ = socket.write_all(response.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
        heads
    });
    (Url::parse(&format!("http://127.0.0.1:{port}/search?key=s3cret")).expect("an address"), task)
}

fn transport() -> HttpTransport {
    // Fails if another test has installed it: both install the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = Limits { read_timeout_secs: 1, max_body_bytes: 1_000, ..Limits::default() };
    HttpTransport::new(&limits, BTreeSet::from(["127.0.0.1".to_owned()]), Route::default())
        .expect("the client can be built")
}

fn request(url: Url) -> Request {
    let bearer = Some("t0ken".into());
    Request { bearer, ..Request::new(Method::Get, url, "GET /search".to_owned()) }
}

fn response_text(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body}")
}

#[tokio::test]
async fn requests_go_through_the_proxy_and_only_to_known_hosts() {
    let (proxy, heads) = serve(vec![response_text("200 OK", "[]")]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = format!(
        "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='http'\n\
         base_url='http://portal.example'\nproxy='http://127.0.0.1:{}'\n[decode]\ntype='json'\n[map]\n",
        proxy.port().expect("a port")
    );
    let file = toml::from_str(&file).expect("the connector is valid");
    let route = Route::of(&file, &crate::model::values::PlaceholderValues::default()).expect("an address");
    let hosts = BTreeSet::from(["portal.example".to_owned()]);
    let transport = HttpTransport::new(&Limits::default(), hosts, route).expect("a client");
    let request = |url: &str| Request::new(Method::Get, Url::parse(url).expect("an address"), "GET /".to_owned());
    let answer = transport.send(&request("http://portal.example/search?q=1")).await.expect("the proxy answers");
    assert_eq!(answer.body, b"[]");
    let refused = transport.send(&request("http://other.example/")).await.expect_err("another host");
    assert_eq!(refused.kind, ErrorKind::WrongHost);
    let heads = heads.await.expect("the server ends");
    assert!(heads[0].starts_with("get http://portal.example/search?q=1 "), "{heads:?}");
}

async fn fails_with(responses: Vec<String>, kind: ErrorKind) {
    let (url, _server) = serve(responses).await;
    let error = transport().send(&request(url)).await.expect_err("the exchange fails");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.starts_with("GET /search: ") && !error.message.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_response_is_read_whole_and_the_request_carries_the_bearer_token() {
    let (url, server) =
        serve(vec![response_text("200 OK\r\nContent-Type: application/json\r\nContent-Length: 2", "[]")]).await;
    let response = transport().send(&request(url)).await.expect("a response");
    assert_eq!(response.content_type.as_deref(), Some("application/json"));
    assert_eq!((response.status, response.body.as_slice(), response.headers.len()), (200, b"[]".as_slice(), 0));
    let heads = server.await.expect("the server ends");
    assert!(heads[0].contains("authorization: bearer t0ken"), "{}", heads[0]);
    assert!(heads[0].contains("accept-encoding: gzip\r\n"), "{}", heads[0]);
    assert!(heads[0].contains(concat!("user-agent: motcua/", env!("CARGO_PKG_VERSION"))), "{}", heads[0]);
}

#[tokio::test]
async fn each_failure_has_its_error_kind() {
    fails_with(vec![response_text("200 OK\r\nContent-Length: 100", "[{\"id\":")], ErrorKind::BodyCutShort).await;
    fails_with(vec![response_text("200 OK\r\nTransfer-Encoding: chunked", "5\r\n[{\"id")], ErrorKind::BodyCutShort)
        .await;
    fails_with(vec![response_text("200 OK\r\nContent-Length: 2000", &"x".repeat(2_000))], ErrorKind::BodyTooLarge)
        .await;
    fails_with(
        vec![response_text("200 OK\r\nContent-Encoding: br\r\nContent-Length: 2", "[]")],
        ErrorKind::ContentCoding,
    )
    .await;
    let not_gzip = response_text("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20", &"x".repeat(20));
    fails_with(vec![not_gzip], ErrorKind::ContentCoding).await;
    fails_with(vec![String::new()], ErrorKind::Timeout).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("a bound port");
    let url = Url::parse(&format!("http://{closed}/")).expect("an address");
    let error = transport().send(&request(url)).await.expect_err("nobody listens");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    let other = Url::parse("http://localhost:1/").expect("an address");
    let error = transport().send(&request(other)).await.expect_err("the host is not allowed");
    assert_eq!(error.kind, ErrorKind::WrongHost);
}

#[tokio::test]
async fn a_redirect_to_another_host_or_port_is_not_followed() {
    let (other, other_server) = serve(vec![response_text("200 OK\r\nContent-Length: 2", "[]")]).await;
    let port = other.port().expect("a port");
    for (host, kind) in [("localhost", ErrorKind::WrongHost), ("127.0.0.1", ErrorKind::UnexpectedStatus)] {
        let head = format!("302 Found\r\nLocation: http://{host}:{port}/login\r\nContent-Length: 0");
        let (url, _server) = serve(vec![response_text(&head, "")]).await;
        let request = request(url);
        let response = transport().send(&request).await.expect("the redirect itself");
        let error = response::successful_body(response, &request, &Retry::default()).expect_err("not followed");
        assert_eq!(error.kind, kind, "{error}");
    }
    assert!(!other_server.is_finished(), "no request reached the other host");
    other_server.abort();
}

#[tokio::test]
async fn credentials_never_go_to_another_host_or_port() {
    let (other, other_server) = serve(vec![response_text("200 OK\r\nContent-Length: 2", "[]"); 4]).await;
    let port = other.port().expect("a port");
    for host in ["localhost", "127.0.0.1"] {
        for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let head = format!("{status}\r\nLocation: http://{host}:{port}/search?key=s3cret\r\nContent-Length: 0");
            let (url, server) = serve(vec![response_text(&head, "")]).await;
            let basic = Some(("motcua".to_owned(), "s3cret".into()));
            let request = Request { bearer: None, basic, ..request(url) };
            let response = transport().send(&request).await.expect("the redirect itself");
            assert_eq!(response.status / 100, 3);
            let heads = server.await.expect("the server ends");
            assert!(heads[0].contains("authorization: basic bw90y3vhonmzy3jlda=="), "{}", heads[0]);
        }
    }
    assert!(!other_server.is_finished(), "no request reached the other host or port");
    other_server.abort();
    let (other, other_server) = serve(vec![response_text("200 OK\r\nContent-Length: 0", "")]).await;
    drop(tokio::net::TcpStream::connect(("127.0.0.1", other.port().expect("a port"))).await);
    assert_eq!(other_server.await.expect("the server ends"), [""], "`is_finished` notices a connection");
}

#[tokio::test]
async fn a_body_is_sent_and_only_the_named_headers_are_kept() {
    let head =
        "200 OK\r\nLink: </a>; rel=\"prev\"\r\nLink: </b>; rel=\"next\"\r\nSet-Cookie: s3cret\r\nContent-Length: 2";
    let (url, server) = serve(vec![response_text(head, "[]")]).await;
    let kept_headers = vec!["link".to_owned()];
    let body = Some("{}".to_owned());
    let request = Request { method: Method::Post, body, kept_headers, ..request(url) };
    let response = transport().send(&request).await.expect("a response");
    assert_eq!(response.header("link").as_deref(), Some("</a>; rel=\"prev\", </b>; rel=\"next\""));
    assert_eq!((response.header("set-cookie"), response.headers.len()), (None, 2));
    let heads = server.await.expect("the server ends");
    assert!(heads[0].starts_with("post /search?key=s3cret ") && heads[0].contains("content-length: 2"), "{}", heads[0]);
}

#[tokio::test]
async fn concurrent_requests_keep_the_request_rate() {
    let (url, _server) = serve(vec![response_text("200 OK\r\nContent-Length: 0", ""); 3]).await;
    let limits = Limits { requests_per_second: 20.0, read_timeout_secs: 1, ..Limits::default() };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let transport =
        HttpTransport::new(&limits, BTreeSet::from(["127.0.0.1".to_owned()]), Route::default()).expect("a client");
    let request = request(url);
    let begun = Instant::now();
    let (one, two, three) = tokio::join!(transport.send(&request), transport.send(&request), transport.send(&request));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed() {
    let responses = vec![
        response_text("302 Found\r\nLocation: /other\r\nContent-Length: 0", ""),
        response_text("200 OK\r\nContent-Length: 2", "[]"),
    ];
    let (url, server) = serve(responses).await;
    let response = transport().send(&request(url)).await.expect("a response");
    assert_eq!((response.status, response.body.as_slice()), (200, b"[]".as_slice()));
    let heads = server.await.expect("the server ends");
    assert!(heads[1].starts_with("get /other ") && heads[1].contains("authorization"), "{}", heads[1]);
}

#[tokio::test]
async fn retry_after_is_kept_for_the_retry() {
    let (url, _server) =
        serve(vec![response_text("429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0", "")]).await;
    let request = request(url);
    let response = transport().send(&request).await.expect("a response");
    let error = response::successful_body(response, &request, &Retry::default()).expect_err("rate limited");
    let wait = retry::wait(&Retry::default(), 1, error.retry_after.as_deref(), 0);
    assert_eq!((error.kind, wait), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
}
