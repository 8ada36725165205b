//! An HTTP list of records that a test can change.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::office::{Answer, stub_server};

/// A list that is served two records a page. It remembers which pages were requested.
#[derive(Clone, Default)]
pub(crate) struct List {
    records: Arc<Mutex<Vec<Value>>>,
    /// Pages from this number on are answered with 503.
    broken_from: Arc<Mutex<Option<usize>>>,
    /// Pages from this number on are the first page again.
    repeated_from: Arc<Mutex<Option<usize>>>,
    requested: Arc<Mutex<Vec<usize>>>,
}

impl List {
    pub(crate) fn serve(&self) -> String {
        let list = self.clone();
        stub_server(move |request| {
            let page = request.split("page=").nth(1).and_then(|text| text.split(['&', ' ']).next()?.parse().ok());
            let page: usize = page.expect("the connector sends the page number");
            list.requested.lock().unwrap_or_else(PoisonError::into_inner).push(page);
            if list.broken_from.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|from| page >= from) {
                return Answer::of("503 Service Unavailable", "text/plain", "later");
            }
            let is_repeated = list.repeated_from.lock().unwrap_or_else(PoisonError::into_inner);
            let page = if is_repeated.is_some_and(|from| page >= from) { 0 } else { page };
            let since =
                request.split("from=").nth(1).and_then(|text| text.split(['&', ' ']).next()).unwrap_or_default();
            let records = list.records.lock().unwrap_or_else(PoisonError::into_inner);
            // A record that states when it was changed is listed only from that day on.
            let is_asked = |record: &&Value| record["changed"].as_str().is_none_or(|changed| changed >= since);
            let records: Vec<&Value> = records.iter().filter(is_asked).collect();
            let rows: Vec<&Value> = records.iter().copied().skip(page * 2).take(2).collect();
            Answer::json(&json!({"rows": rows, "last": page * 2 + 2 >= records.len()}).to_string())
        })
    }

    pub(crate) fn set(&self, records: Vec<Value>) {
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) = records;
    }

    pub(crate) fn break_from(&self, page: Option<usize>) {
        *self.broken_from.lock().unwrap_or_else(PoisonError::into_inner) = page;
    }

    pub(crate) fn repeat_from(&self, page: Option<usize>) {
        *self.repeated_from.lock().unwrap_or_else(PoisonError::into_inner) = page;
    }

    /// Pages requested since the last call.
    pub(crate) fn requested(&self) -> Vec<usize> {
        std::mem::take(&mut *self.requested.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn record(number: usize) -> Value {
    json!({"id": format!("K{number}"), "code": format!("H61.14-251001-{number:04}"), "agency": "H61.14",
        "received": "2025-10-01", "due": "2025-10-09", "status": "P"})
}

/// Starts a server that always answers with this body; returns its address.
pub(crate) fn answering(body: &str) -> String {
    let body = body.to_owned();
    stub_server(move |_| Answer::json(&body))
}
