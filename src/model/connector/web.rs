//! What a connector says of requests: what they ask, how much is too much, and what is tried again.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[request]`: the request of one page. Placeholders:
/// `{since} {until} {page} {offset} {cursor} {session} {env:NAME} {secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTemplate {
    #[serde(default)]
    pub method: Method,
    /// Path below `base_url`.
    pub path: String,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON; values are escaped. For `POST`.
    #[serde(default)]
    pub body: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// `[limits]`: what one pull may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub requests_per_second: f64,
    /// Page chains that are read side by side.
    pub concurrency: u32,
    pub connect_timeout_secs: u64,
    pub read_timeout_secs: u64,
    pub max_pages: u32,
    pub max_body_bytes: u64,
    /// Of one file once inflated: gzip, and all parts of a workbook that are read.
    pub max_expanded_bytes: u64,
    pub max_records: u64,
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
            max_expanded_bytes: 128 << 20,
            max_records: 10_000_000,
        }
    }
}

/// `[retry]`: which failures are tried again, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Tries in all, the first included.
    pub attempts: u32,
    /// Further tries in one pull, over all its requests.
    pub budget: u32,
    /// Wait before the second try; doubled each time. `Retry-After` is honoured where it is longer.
    pub base_millis: u64,
    /// Longest wait; a longer `Retry-After` ends the pull.
    pub cap_secs: u64,
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
