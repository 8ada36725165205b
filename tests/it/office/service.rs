//! `motcua serve` on loopback, and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use super::Office;

/// A service that answers as long as it lives.
pub(crate) struct Service {
    address: String,
    child: Child,
}

/// What it answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The values of a header, in order.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is UTF-8")
    }
}

impl Service {
    pub(crate) fn start(office: &Office) -> Self {
        let mut command = office.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut told = BufReader::new(child.stderr.take().expect("its words are piped"));
        let address = loop {
            let mut line = String::new();
            let read = told.read_line(&mut line).expect("the service says text");
            assert!(read > 0, "the service ended before it listened");
            if let Some((_, address)) = line.trim().split_once("listening on http://") {
                break address.to_owned();
            }
        };
        // A pipe that nobody reads stops who writes into it.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Self { address, child }
    }

    /// One request by HTTP/1.0: the answer ends with the connection.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        let lines: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        let (host, length) = (&self.address, body.len());
        let request =
            format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\n{lines}content-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).expect("the service reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the service answers");
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        Reply { status, head, body: answer.split_off(end + 4) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
