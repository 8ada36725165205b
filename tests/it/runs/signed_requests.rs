//! A source that demands a signature of each request, and states the charset of its answers beside them.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::{self, expect, image, record};
use crate::office::{Answer, frames, stub_server};

/// HMAC-SHA-256 (RFC 2104) of a text with a key of at most 64 bytes.
fn hmac(key: &str, text: &str) -> String {
    let padded = |pad: u8| {
        let mut key = key.as_bytes().to_vec();
        key.resize(64, 0);
        key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>()
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    format!("{outer:x}")
}

fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

#[test]
fn each_request_is_signed_and_a_charset_beside_the_body_counts() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&seen);
    let url = stub_server(move |request| {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let time = header(request, "x-time");
        let nonce = header(request, "x-nonce");
        let text = format!("GET\n{path}\n{query}\n{time}\n{nonce}\nclient-7");
        if header(request, "x-sign") != hmac("the secret", &text) || header(request, "x-client") != "client-7" {
            return Answer::of("401 Unauthorized", "application/json", "{}");
        }
        times.lock().unwrap_or_else(PoisonError::into_inner).push((time.to_owned(), nonce.to_owned()));
        let is_last = query.contains("page=1");
        let numbers = if is_last { 2..3 } else { 0..2 };
        let rows = numbers.map(|number| {
            let mut row = record(number);
            row["agency"] = "PHONG".into();
            row
        });
        let rows: Vec<Value> = rows.collect();
        let body = json!({"rows": rows, "last": is_last}).to_string().replace("PHONG", "Phòng Tài chính");
        // Every letter of it is one byte of Windows-1252.
        let bytes: Vec<u8> =
            body.chars().map(|letter| u8::try_from(u32::from(letter)).expect("a letter of it")).collect();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=windows-1252\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            bytes.len()
        );
        Answer::Raw([head.as_bytes(), &bytes].concat())
    });
    let auth = "[auth]\ntype = \"signature\"\nsecret = \"{secret:SIGN_KEY}\"\n\
                text = \"{method}\\n{path}\\n{query}\\n{timestamp}\\n{nonce}\\n{env:SIGN_CLIENT}\"\ntime = \"unix_millis\"\n\
                headers = { x-client = \"{env:SIGN_CLIENT}\", x-time = \"{timestamp}\", x-nonce = \"{nonce}\", \
                x-sign = \"{signature}\" }\n";
    let mut office = desk::of_list(&url, auth);
    office.variables.insert("SIGN_KEY", "the secret".to_owned());
    office.variables.insert("SIGN_CLIENT", "client-7".to_owned());
    let said = expect(&office, &["run"], 0);
    assert!(!said.contains("the secret"), "{said}");
    for frame in frames(&office.data(), "dossiers") {
        let agencies = frame.column("competent_agency").and_then(|column| column.str()).expect("a text column");
        assert!(agencies.iter().all(|agency| agency == Some("Phòng Tài chính")), "{agencies:?}");
    }
    assert_eq!(image(&office).len(), 3);
    let pages = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    assert_eq!(pages.len(), 2);
    assert_ne!(pages[0].1, pages[1].1, "each request has a nonce of its own");
    let now = jiff::Timestamp::now().as_millisecond();
    assert!(
        pages.iter().all(|(time, _)| time.parse::<i64>().is_ok_and(|time| (now - time).abs() < 600_000)),
        "{pages:?}"
    );
    // Another secret is refused, and named.
    office.variables.insert("SIGN_KEY", "another".to_owned());
    let said = expect(&office, &["run"], 3);
    assert!(said.contains("rejected the credentials") && !said.contains("another secret"), "{said}");
}
