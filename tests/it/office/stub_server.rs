//! A stub HTTP server on loopback, whose answers a test defines.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What the server does with a request.
pub(crate) enum Answer {
    /// Sends these bytes and closes the connection.
    Raw(Vec<u8>),
    /// Sends nothing and keeps the connection open.
    Silence,
}

impl Answer {
    pub(crate) fn of(status: &str, kind: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        Self::Raw([head.as_bytes(), body.as_bytes()].concat())
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::of("200 OK", "application/json", body)
    }

    pub(crate) fn token(token: &str) -> Self {
        Self::json(&format!("{{\"access_token\":\"{token}\",\"expires_in\":3600,\"token_type\":\"Bearer\"}}"))
    }
}

/// Starts a server that runs until the test ends; returns its URL. `answer` gets the text of a request.
pub(crate) fn stub_server(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || serve_one(stream, answer.as_ref()));
        }
    });
    url
}

/// Reads one request and answers it. A client that disconnects ends its own connection only.
fn serve_one(mut stream: TcpStream, answer: &dyn Fn(&str) -> Answer) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        body.len() >= length.unwrap_or(0)
    };
    while !whole(&request) {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    match answer(&String::from_utf8_lossy(&request)) {
        Answer::Raw(bytes) => drop(stream.write_all(&bytes)),
        Answer::Silence => std::thread::sleep(Duration::from_mins(10)),
    }
}
