//! Large answers: many at once, clients that stop half-way, and answers that are kept for the next who asks.
#![expect(clippy::disallowed_methods, reason = "a test reads the memory of the process")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use jiff::civil::date;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::office::serving::Serving;
use crate::office::{Office, Town, said};

/// Longest small answer beside large ones, for a debug build on a busy machine.
const BOUND: Duration = Duration::from_secs(5);
/// What large answers may take above what the service had before, in KiB.
const MEMORY_KIB: u64 = 300 << 10;
/// Large answers that are asked for at once.
const PARALLEL: usize = 60;
/// More clients than large answers are made at once.
const STOPPING: usize = 6;

#[test]
fn large_answers_are_bounded_whole_and_kept() {
    let town = Town::new(60, 5, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    office.run();
    let token = office.token("dashboard", "read");
    let serving = Serving::start(&office);
    many_at_once(&serving, &token);
    clients_that_stop_hold_no_permit(&serving, &token);
    kept_answers_are_those_of_their_question(&serving, &token);
    a_kept_answer_needs_a_token(&office, &serving, &token);
    assert_eq!(serving.stop(), Some(0));
}

fn address(serving: &Serving) -> SocketAddr {
    serving.url.strip_prefix("http://").expect("it serves without TLS").parse().expect("an address")
}

fn request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n")
}

/// Status, head and body of an answer.
fn download(to: SocketAddr, path: &str, token: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(to).expect("the service accepts");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a time limit can be set");
    stream.write_all(request(path, token).as_bytes()).expect("the service reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer is whole");
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head") + 4;
    let head = String::from_utf8(answer[..end].to_vec()).expect("a head is ASCII").to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head, answer.split_off(end))
}

/// The most memory that the service has had so far, in KiB; 0 where the system does not say.
fn peak_kib(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn many_at_once(serving: &Serving, token: &str) {
    let to = address(serving);
    // Reads the night.
    assert_eq!(serving.get("/api/v1/figures?limit=1", token).status, 200);
    let before = peak_kib(serving);
    let periods = ["2026", "2026-Q1", "2026-04"];
    let paths: Vec<String> = periods.iter().map(|period| format!("/figures.xlsx?period={period}&scope=all")).collect();
    let mut whole: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..PARALLEL)
            .map(|at| {
                let path = paths[at % paths.len()].as_str();
                (path, scope.spawn(move || download(to, path, token)))
            })
            .collect();
        while asking.iter().any(|(_, asking)| !asking.is_finished()) {
            let begun = Instant::now();
            assert_eq!(serving.get("/health/live", "").status, 200);
            assert!(begun.elapsed() < BOUND, "health took {:?}", begun.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        for (path, asking) in asking {
            let (status, head, body) = asking.join().expect("no thread panics");
            if status == 503 {
                assert!(head.contains("\r\nretry-after: 10\r\n") && head.contains("text/html"), "{head}");
                continue;
            }
            assert_eq!(status, 200, "{head}");
            assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
            let same = whole.entry(path).or_insert_with(|| body.clone());
            assert!(*same == body, "{path}: the same file for everybody");
        }
    });
    assert_eq!(whole.len(), periods.len(), "each is made for somebody");
    for (path, body) in whole {
        let mut book = zip::ZipArchive::new(Cursor::new(body)).expect("a workbook is an archive");
        let mut sheet = String::new();
        let mut part = book.by_name("xl/worksheets/sheet1.xml").expect("its sheet");
        part.read_to_string(&mut sheet).expect("XML is UTF-8");
        let rows = sheet.matches("<row ").count();
        assert!(rows > 20 && sheet.trim_end().ends_with("</worksheet>"), "{path}: {rows} rows, {} bytes", sheet.len());
    }
    let after = peak_kib(serving);
    assert!(after - before <= MEMORY_KIB, "{before} KiB before, {after} KiB after");
}

fn clients_that_stop_hold_no_permit(serving: &Serving, token: &str) {
    let to = address(serving);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let stopped = runtime.block_on(async {
        let mut stopped = Vec::new();
        for day in 1..=STOPPING {
            let socket = TcpSocket::new_v4().expect("a socket");
            // So that most of the answer stays with the service.
            socket.set_recv_buffer_size(4 << 10).expect("a buffer can be small");
            let mut stream = socket.connect(to).await.expect("the service accepts");
            // Each is another question, so that each is made.
            let path = format!("/api/v1/figures?limit=10000&to=2027-12-{day:02}");
            stream.write_all(request(&path, token).as_bytes()).await.expect("the service reads");
            stopped.push(stream);
        }
        for stream in &mut stopped {
            let mut begun = [0; 15];
            stream.read_exact(&mut begun).await.expect("an answer begins");
            assert_eq!(&begun, b"HTTP/1.1 200 OK");
        }
        stopped
    });
    for path in ["/api/v1/figures?format=parquet&limit=10", "/api/v1/figures?format=csv&limit=500"] {
        let begun = Instant::now();
        assert_eq!(serving.get(path, token).status, 200, "{path}");
        assert!(begun.elapsed() < BOUND, "{path} took {:?}", begun.elapsed());
    }
    // One of them goes on: it gets the whole answer.
    let mut stopped = stopped.into_iter();
    let slow = stopped.next().expect("there are some");
    let rest = runtime.block_on(async move {
        let (mut slow, mut rest) = (slow, Vec::new());
        slow.read_to_end(&mut rest).await.expect("the answer is whole");
        rest
    });
    let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head") + 4;
    let whole = serving.get("/api/v1/figures?limit=10000&to=2027-12-01", token).body;
    assert!(whole.len() > 2 << 20, "it is more than buffers hold: {}", whole.len());
    assert!(rest[end..] == whole, "{} bytes of {}", rest.len() - end, whole.len());
    runtime.block_on(async move { drop(stopped) });
}

fn kept_answers_are_those_of_their_question(serving: &Serving, token: &str) {
    let bearer = format!("Bearer {token}");
    let ask = |path: &str, encoding: &str| {
        serving.ask("GET", path, &[("authorization", &bearer), ("accept-encoding", encoding)], "")
    };
    for path in ["/api/v1/figures?limit=50", "/api/v1/figures?limit=400", "/api/v1/figures?format=csv&limit=400"] {
        let plain = ask(path, "identity");
        let packed = ask(path, "gzip");
        assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"), "{path}");
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).expect("it is gzip");
        assert!(unpacked == plain.body, "{path}");
        for reply in [&plain, &packed] {
            assert!(reply.header("vary").contains("accept-encoding"), "{path}: {:?}", reply.headers("vary"));
            assert!(reply.header("vary").contains("authorization"), "{path}: {:?}", reply.headers("vary"));
            assert!(reply.header("etag").starts_with("W/\"1-"), "{path}");
            assert!(reply.header("x-total-count").parse::<usize>().is_ok_and(|total| total > 400), "{path}");
        }
        for (encoding, first) in [("identity", &plain), ("gzip", &packed)] {
            let again = ask(path, encoding);
            assert!(again.body == first.body, "{path}: kept");
            for name in ["content-type", "etag", "vary", "x-total-count", "x-next-cursor", "content-length"] {
                assert_eq!(again.header(name), first.header(name), "{path}");
            }
        }
    }
    // Parquet is packed by itself.
    for encoding in ["identity", "gzip"] {
        let parquet = ask("/api/v1/figures?format=parquet&limit=400", encoding);
        assert_eq!((parquet.header("content-encoding"), &parquet.body[..4]), ("", &b"PAR1"[..]));
    }
    // Other pages of the same figures are other answers.
    let first = serving.get("/api/v1/figures?limit=50", token).json();
    let next = first["next"].as_str().expect("there are more").to_owned();
    let second = serving.get(&format!("/api/v1/figures?limit=50&cursor={next}"), token).json();
    let both = serving.get("/api/v1/figures?limit=100", token).json();
    let rows = |page: &serde_json::Value| page["figures"].as_array().expect("rows").clone();
    assert_eq!([rows(&first), rows(&second)].concat(), rows(&both));
}

fn a_kept_answer_needs_a_token(office: &Office, serving: &Serving, token: &str) {
    let paths = ["/api/v1/figures?limit=400", "/figures.xlsx?period=2026&scope=all"];
    let kept: Vec<Vec<u8>> = paths.iter().map(|path| serving.get(path, token).body).collect();
    let revoked = office.token("left", "read");
    assert_eq!(office.act(&["token", "revoke", "left"]).status.code(), Some(0));
    let agency = serving.get("/api/v1/agencies", token).json()[0]["code"].as_str().expect("a code").to_owned();
    let made = office.act(&["token", "create", "own", "--agency", &agency]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let bound = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    for (path, kept) in paths.iter().zip(kept) {
        // The API refuses; a page leads to the login.
        let refused = if path.starts_with("/api/") { 401 } else { 303 };
        for without in ["", revoked.as_str(), "motcua_0000"] {
            let reply = serving.get(path, without);
            assert_eq!(reply.status, refused, "{path}");
            assert!(!reply.body.starts_with(&kept[..20]), "{path}");
        }
        // Figures of every agency are published.
        let reply = serving.get(path, &bound);
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.body == kept, "{path}");
    }
}
