//! The listener as clients meet it, with time limits of fractions of a second.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;

/// Certificates of the tests; the authority has signed that of the server.
const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sources/transport/tls_tests");
/// Time limit of each step.
const STEP: Duration = Duration::from_millis(300);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl Served {
    /// A small service with at most `most` connections, `per_address` of one address.
    async fn start(most: usize, per_address: usize, tls: bool) -> Self {
        let app = Router::new()
            .route("/", get(async || "Chào"))
            .route("/large", get(async || vec![b'x'; 32 << 20]))
            .route("/echo", post(async |body: Bytes| body))
            .route("/slow", get(async || tokio::time::sleep(4 * STEP).await));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        let file = |name: &str| std::path::Path::new(CERTIFICATES).join(name);
        let acceptor = || tls::acceptor(&file("valid.pem"), &file("server.key")).expect("they belong together");
        let settings = ConnectionSettings {
            app,
            tls: tls.then(acceptor),
            encrypted: tls,
            limits: TimeLimits { handshake: STEP, head: STEP, body: STEP, write: STEP },
        };
        let listener = Listener {
            socket,
            settings: Arc::new(settings),
            connections: Arc::new(Connections::new(most, per_address)),
            url: String::new(),
        };
        let stop = CancellationToken::new();
        Self { address, serving: tokio::spawn(listener.serve(stop.clone())), stop }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }
}

/// What the service sends until it closes the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection that is reset has ended, too.
    let _ = read.expect("the service ends the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("it is open");
    rest(stream).await
}

const CLOSING: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn idle_connections_end_in_silence_and_slow_heads_with_408() {
    let served = Served::start(10, 10, false).await;
    let (mut idle, mut slow) = (served.connect().await, served.connect().await);
    slow.write_all(b"GET / HTTP/1.1\r\nho").await.expect("it is open");
    assert_eq!(rest(&mut idle).await, "");
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("x-content-type-options: nosniff") && answer.contains("Timed out"), "{answer}");
    // Between two requests a connection may be idle as long as before the first.
    let mut kept = served.connect().await;
    kept.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("it is open");
    tokio::time::sleep(STEP / 3).await;
    let answers = ask(&mut kept, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_answered_with_security_headers() {
    let served = Served::start(10, 10, false).await;
    let long = "x".repeat(70_000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nx: {long}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)), 431),
        ("GET / HTTP/1.1\r\n: no name\r\n\r\n".to_owned(), 400),
        ("nonsense\r\n\r\n".to_owned(), 400),
    ] {
        let mut stream = served.connect().await;
        // The service may close the connection before everything is sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        for header in
            ["content-security-policy: default-src 'none'", "cache-control: no-store", "x-frame-options: DENY"]
        {
            assert!(answer.contains(header), "{status}: {answer}");
        }
    }
    assert!(ask(&mut served.connect().await, CLOSING).await.contains("Chào"), "the service goes on");
}

#[tokio::test]
async fn a_body_that_stops_coming_and_an_answer_that_nobody_takes_end_the_connection() {
    let served = Served::start(10, 10, false).await;
    let mut body = served.connect().await;
    body.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nbegun").await.expect("it is open");
    let answer = rest(&mut body).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let mut starved = served.connect().await;
    starved.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("it is open");
    tokio::time::sleep(5 * STEP).await;
    let taken = rest(&mut starved).await.len();
    assert!(taken < 32 << 20, "{taken} bytes were in flight for a client that took none");
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let served = Served::start(10, 10, false).await;
    let answer = ask(&mut served.connect().await, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:?}");
    let tls = Served::start(10, 10, true).await;
    for (offered, spoken) in [(&["h2", "http/1.1"][..], Some(&b"http/1.1"[..])), (&["h2"][..], None), (&[][..], None)] {
        let connected = TlsConnector::from(client(offered)).connect(localhost(), tls.connect().await).await;
        if offered == ["h2"] {
            assert!(connected.is_err(), "there is no protocol in common");
            continue;
        }
        let mut stream = connected.expect("the certificate is that of the tests");
        assert_eq!(stream.get_ref().1.alpn_protocol(), spoken, "{offered:?}");
        assert!(ask(&mut stream, CLOSING).await.contains("Chào"));
    }
}

#[tokio::test]
async fn time_limits_hold_with_tls_too() {
    let served = Served::start(10, 10, true).await;
    let mut silent = served.connect().await;
    assert_eq!(rest(&mut silent).await, "", "no handshake was begun");
    let mut slow =
        TlsConnector::from(client(&[])).connect(localhost(), served.connect().await).await.expect("a handshake");
    let answer = ask(&mut slow, "GET / HTTP/1.1\r\nho").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
}

#[tokio::test]
async fn waiting_connections_give_way_and_those_with_a_request_do_not() {
    let served = Served::start(20, 4, false).await;
    let mut busy = served.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("it is open");
    tokio::time::sleep(STEP / 6).await;
    let mut waiting = Vec::new();
    for _ in 0..12 {
        waiting.push(served.connect().await);
    }
    let begun = Instant::now();
    assert!(ask(&mut served.connect().await, CLOSING).await.contains("Chào"), "the newest is answered");
    assert!(begun.elapsed() < PATIENCE / 2);
    assert_eq!(rest(&mut waiting[0]).await, "", "the oldest was closed");
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 200"), "its request goes on");
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_answers_open_requests() {
    let served = Served::start(10, 10, false).await;
    let (mut idle, mut busy) = (served.connect().await, served.connect().await);
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("it is open");
    tokio::time::sleep(STEP / 3).await;
    served.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 200"), "the request that was open is answered");
    timeout(PATIENCE, served.serving).await.expect("it ends").expect("no task panics");
    assert!(TcpStream::connect(served.address).await.is_err(), "nothing listens any more");
}

#[test]
fn pauses_after_failures_to_accept_grow_and_are_bounded() {
    let mut failures = AcceptFailures::default();
    let lacking = std::io::Error::from_raw_os_error(libc::EMFILE);
    let pauses: Vec<u128> = (0..7).map(|_| failures.pause_after(&lacking, false).as_millis()).collect();
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
    assert!(!is_of_the_client(lacking.kind()) && is_of_the_client(ErrorKind::ConnectionAborted));
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

/// A client that offers protocols (ALPN) and trusts the authority of the tests.
fn client(protocols: &[&str]) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let mut authorities = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(format!("{CERTIFICATES}/authority.pem")).expect("a certificate");
    authorities.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("the provider has the usual versions");
    let mut config = builder.with_root_certificates(authorities).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}
