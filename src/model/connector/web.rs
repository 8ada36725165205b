//! `[request]`, `[limits]` and `[retry]` of a connector.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[request]`: the request of one page. Placeholders:
/// `{since} {until} {period.year} {period.quarter} {period.month} {page} {offset} {cursor} {session} {env:NAME}
/// {secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTemplate {
    #[serde(default)]
    pub method: Method,
    /// Path below `base_url`.
    pub path: String,
    /// Parameter → value, or several values of one parameter.
    #[serde(default)]
    pub query: BTreeMap<String, QueryValue>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body for `POST`, JSON unless the header `content-type` says XML; placeholder values are escaped for it.
    #[serde(default)]
    pub body: Option<String>,
}

/// Value of a query parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum QueryValue {
    One(String),
    /// The parameter is repeated.
    Many(Vec<String>),
}

impl QueryValue {
    #[must_use]
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl RequestTemplate {
    /// Every text that may contain placeholders: path, query, headers, body.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let query = self.query.values().flat_map(QueryValue::texts);
        std::iter::once(&self.path).chain(query).chain(self.headers.values()).chain(&self.body)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// `[limits]`: rate, timeouts and sizes of one pull.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub requests_per_second: f64,
    /// Page chains read in parallel.
    pub concurrency: u32,
    pub connect_timeout_secs: u64,
    pub read_timeout_secs: u64,
    pub max_pages: u32,
    /// Bytes of one response, after decompression, or of one file.
    pub max_body_bytes: u64,
    /// Records of one response. Many tiny records take far more memory than their bytes.
    #[serde(skip_serializing_if = "is_usual_page")]
    pub max_page_records: u32,
    /// Records of one pull whose details are requested (`[detail]`).
    #[serde(skip_serializing_if = "is_usual_number_of_details")]
    pub max_details: u32,
    /// Decompressed size of one file: gzip, or all parts of a workbook that are read.
    pub max_expanded_bytes: u64,
    pub max_records: u64,
}

/// Default of [`Limits::max_page_records`].
const USUAL_PAGE_RECORDS: u32 = 100_000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_usual_page(records: &u32) -> bool {
    *records == USUAL_PAGE_RECORDS
}

/// Default of [`Limits::max_details`].
const USUAL_DETAILS: u32 = 100_000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_usual_number_of_details(details: &u32) -> bool {
    *details == USUAL_DETAILS
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 20.0,
            concurrency: 1,
            connect_timeout_secs: 10,
            read_timeout_secs: 180,
            max_pages: 100_000,
            max_body_bytes: 64 << 20,
            max_page_records: USUAL_PAGE_RECORDS,
            max_details: USUAL_DETAILS,
            max_expanded_bytes: 128 << 20,
            max_records: 10_000_000,
        }
    }
}

/// `[retry]`: which failed requests are repeated, how often and after which wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts per request, including the first.
    pub attempts: u32,
    /// Retries in one pull, over all its requests.
    pub budget: u32,
    /// Wait before the second attempt; doubled for each further one. A longer `Retry-After` is obeyed.
    pub base_millis: u64,
    /// Longest wait; a longer `Retry-After` ends the pull.
    pub cap_secs: u64,
    /// HTTP statuses that are retried.
    pub statuses: Vec<u16>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            budget: 200,
            base_millis: 500,
            cap_secs: 60,
            statuses: vec![408, 425, 429, 500, 502, 503, 504],
        }
    }
}
