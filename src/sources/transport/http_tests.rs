//! The client against real sockets on loopback.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::*;
use crate::model::connector::Retry;
use crate::sources::{response, retry};

/// Answers each connection with the next text, and gives back the heads that came. An empty text keeps silent.
async fn serve(answers: Vec<String>) -> (Url, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    let task = tokio::spawn(async move {
        let mut heads = Vec::new();
        for answer in answers {
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
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
        heads
    });
    (Url::parse(&format!("http://127.0.0.1:{port}/search?key=s3cret")).expect("an address"), task)
}

fn transport() -> HttpTransport {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = Limits { read_timeout_secs: 1, max_body_bytes: 1_000, ..Limits::default() };
    HttpTransport::new(&limits, BTreeSet::from(["127.0.0.1".to_owned()])).expect("the client can be built")
}

fn request(url: Url) -> Request {
    let bearer = Some("t0ken".into());
    Request { bearer, ..Request::new(Method::Get, url, "GET /search".to_owned()) }
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body}")
}

async fn fails_with(answers: Vec<String>, kind: ErrorKind) {
    let (url, _server) = serve(answers).await;
    let error = transport().send(&request(url)).await.expect_err("the exchange fails");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.starts_with("GET /search: ") && !error.message.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_whole_answer() {
    let (url, server) =
        serve(vec![answer("200 OK\r\nContent-Type: application/json\r\nContent-Length: 2", "[]")]).await;
    let response = transport().send(&request(url)).await.expect("an answer");
    assert_eq!(response.content_type.as_deref(), Some("application/json"));
    assert_eq!((response.status, response.body.as_slice(), response.headers.len()), (200, b"[]".as_slice(), 0));
    let heads = server.await.expect("the server ends");
    assert!(heads[0].contains("authorization: bearer t0ken"), "{}", heads[0]);
    assert!(heads[0].contains(concat!("user-agent: motcua/", env!("CARGO_PKG_VERSION"))), "{}", heads[0]);
}

#[tokio::test]
async fn failures_have_their_names() {
    fails_with(vec![answer("200 OK\r\nContent-Length: 100", "[{\"id\":")], ErrorKind::BodyCutShort).await;
    fails_with(vec![answer("200 OK\r\nTransfer-Encoding: chunked", "5\r\n[{\"id")], ErrorKind::BodyCutShort).await;
    fails_with(vec![answer("200 OK\r\nContent-Length: 2000", &"x".repeat(2_000))], ErrorKind::BodyTooLarge).await;
    fails_with(vec![String::new()], ErrorKind::Timeout).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("a bound port");
    let url = Url::parse(&format!("http://{closed}/")).expect("an address");
    let error = transport().send(&request(url)).await.expect_err("nobody listens");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    let other = Url::parse("http://localhost:1/").expect("an address");
    let error = transport().send(&request(other)).await.expect_err("the host is not named");
    assert_eq!(error.kind, ErrorKind::WrongHost);
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed() {
    let (other, other_server) = serve(vec![answer("200 OK\r\nContent-Length: 2", "[]")]).await;
    let port = other.port().expect("a port");
    for (host, kind) in [("localhost", ErrorKind::WrongHost), ("127.0.0.1", ErrorKind::UnexpectedStatus)] {
        let head = format!("302 Found\r\nLocation: http://{host}:{port}/login\r\nContent-Length: 0");
        let (url, _server) = serve(vec![answer(&head, "")]).await;
        let request = request(url);
        let response = transport().send(&request).await.expect("the redirect itself");
        let error = response::successful_body(response, &request, &Retry::default()).expect_err("not followed");
        assert_eq!(error.kind, kind, "{error}");
    }
    assert!(!other_server.is_finished(), "nobody came to the other host");
    other_server.abort();
}

#[tokio::test]
async fn credentials_never_go_to_another_host_or_port() {
    let (other, other_server) = serve(vec![answer("200 OK\r\nContent-Length: 2", "[]"); 4]).await;
    let port = other.port().expect("a port");
    for host in ["localhost", "127.0.0.1"] {
        for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let head = format!("{status}\r\nLocation: http://{host}:{port}/search?key=s3cret\r\nContent-Length: 0");
            let (url, server) = serve(vec![answer(&head, "")]).await;
            let basic = Some(("motcua".to_owned(), "s3cret".into()));
            let request = Request { bearer: None, basic, ..request(url) };
            let response = transport().send(&request).await.expect("the redirect itself");
            assert_eq!(response.status / 100, 3);
            let heads = server.await.expect("the server ends");
            assert!(heads[0].contains("authorization: basic bw90y3vhonmzy3jlda=="), "{}", heads[0]);
        }
    }
    assert!(!other_server.is_finished(), "nobody came to the other host or port");
    other_server.abort();
    let (other, other_server) = serve(vec![answer("200 OK\r\nContent-Length: 0", "")]).await;
    drop(tokio::net::TcpStream::connect(("127.0.0.1", other.port().expect("a port"))).await);
    assert_eq!(other_server.await.expect("the server ends"), [""], "a server that is asked says so");
}

#[tokio::test]
async fn a_body_and_the_headers_that_are_read() {
    let head =
        "200 OK\r\nLink: </a>; rel=\"prev\"\r\nLink: </b>; rel=\"next\"\r\nSet-Cookie: s3cret\r\nContent-Length: 2";
    let (url, server) = serve(vec![answer(head, "[]")]).await;
    let kept_headers = vec!["link".to_owned()];
    let body = Some("{}".to_owned());
    let request = Request { method: Method::Post, body, kept_headers, ..request(url) };
    let response = transport().send(&request).await.expect("an answer");
    assert_eq!(response.header("link").as_deref(), Some("</a>; rel=\"prev\", </b>; rel=\"next\""));
    assert_eq!((response.header("set-cookie"), response.headers.len()), (None, 2));
    let heads = server.await.expect("the server ends");
    assert!(heads[0].starts_with("post /search?key=s3cret ") && heads[0].contains("content-length: 2"), "{}", heads[0]);
}

#[tokio::test]
async fn requests_keep_their_distance_however_many_ask() {
    let (url, _server) = serve(vec![answer("200 OK\r\nContent-Length: 0", ""); 3]).await;
    let limits = Limits { requests_per_second: 20.0, read_timeout_secs: 1, ..Limits::default() };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let transport = HttpTransport::new(&limits, BTreeSet::from(["127.0.0.1".to_owned()])).expect("a client");
    let request = request(url);
    let begun = Instant::now();
    let (one, two, three) = tokio::join!(transport.send(&request), transport.send(&request), transport.send(&request));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_redirect_inside_the_origin_is_followed() {
    let answers = vec![
        answer("302 Found\r\nLocation: /other\r\nContent-Length: 0", ""),
        answer("200 OK\r\nContent-Length: 2", "[]"),
    ];
    let (url, server) = serve(answers).await;
    let response = transport().send(&request(url)).await.expect("an answer");
    assert_eq!((response.status, response.body.as_slice()), (200, b"[]".as_slice()));
    let heads = server.await.expect("the server ends");
    assert!(heads[1].starts_with("get /other ") && heads[1].contains("authorization"), "{}", heads[1]);
}

#[tokio::test]
async fn retry_after_comes_through() {
    let (url, _server) = serve(vec![answer("429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0", "")]).await;
    let request = request(url);
    let response = transport().send(&request).await.expect("an answer");
    let error = response::successful_body(response, &request, &Retry::default()).expect_err("rate limited");
    let wait = retry::wait(&Retry::default(), 1, error.retry_after.as_deref(), 0);
    assert_eq!((error.kind, wait), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
}
