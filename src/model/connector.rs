//! The definition of a connector: the closed vocabulary of `connector.toml`.
//!
//! These types are the file: unknown keys and words are refused. What a type cannot say (a pattern that does
//! not compile, a field that its table lacks) `config` checks with the rest, so that all mistakes are reported at once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::table::Kind;

/// `connector.toml`, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorFile {
    pub connector: About,
    pub access: Access,
    #[serde(default)]
    pub auth: Auth,
    #[serde(default)]
    pub request: Option<RequestTemplate>,
    #[serde(default)]
    pub window: Window,
    #[serde(default)]
    pub pages: Pages,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub retry: Retry,
    pub decode: Decode,
    /// Canonical column → where its value comes from.
    pub map: BTreeMap<String, FieldMap>,
    #[serde(default)]
    pub identity: Identity,
    #[serde(default)]
    pub schedule: Schedule,
}

/// `[connector]`: what it is and whom to ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub version: u32,
    pub title: String,
    pub kind: Kind,
    /// The outside system, for example `VNPT iGate 2`.
    pub system: String,
    pub contact: String,
}

/// `[access]`: where the source is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Access {
    /// An HTTP service. Requests go to the host of `base_url` and those in `allowed_hosts`, nowhere else.
    Http {
        /// May hold `{env:NAME}`.
        base_url: String,
        #[serde(default)]
        allowed_hosts: Vec<String>,
    },
    /// Files of a local folder. A file is taken once by content: under another name it is not taken again.
    Files {
        /// Folder; may hold `{env:NAME}`.
        folder: String,
        /// Which files of the folder, for example `*.csv`.
        glob: String,
    },
}

/// `[auth]`: how a request proves who sends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    #[default]
    None,
    /// A bearer token from a token endpoint (RFC 6749 §4.4), renewed once on 401.
    Oauth2ClientCredentials {
        /// May hold `{env:NAME}`.
        token_url: String,
        /// May hold `{env:NAME}` or `{secret:NAME}`.
        client_id: String,
        /// `{secret:NAME}`.
        client_secret: String,
        #[serde(default)]
        scope: Option<String>,
    },
}

/// `[request]`: the request of one page. Placeholders: `{since} {until} {page} {env:NAME} {secret:NAME}`.
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
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// `[window]`: which stretch of time is read, in one or several passes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `[[window.passes]]`; none: everything is read every time.
    #[serde(default)]
    pub passes: Vec<Pass>,
}

/// One pass: the source filtered by one of its dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    pub name: String,
    /// Query parameter that takes the start.
    pub since_param: String,
    /// Query parameter that takes the end.
    pub until_param: String,
    /// How both are written: a date format (see `docs/CONNECTORS.md`).
    pub format: String,
    pub start: Start,
    /// For `start = "oldest_open"`: the instant column of the oldest dossier that is still open.
    #[serde(default)]
    pub open_column: Option<String>,
    /// Nothing lies before it, `yyyy-MM-dd`; the first pull starts here.
    pub first_date: String,
    /// Days read again before the start.
    #[serde(default = "one")]
    pub overlap_days: u32,
    /// Longest stretch of one page chain.
    #[serde(default = "month")]
    pub slice_days: u32,
}

fn one() -> u32 {
    1
}
fn month() -> u32 {
    31
}

/// Where a pass begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the end of the last window that was read whole.
    Cursor,
    /// At the oldest dossier of this connector that has not ended, or the cursor if that is earlier.
    OldestOpen,
}

/// `[pages]`: how a long answer goes on, and how its end is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pages {
    /// One answer holds everything.
    #[default]
    None,
    PageNumber {
        /// Query parameter of the page number.
        param: String,
        /// Number of the first page: 0 or 1.
        first: u32,
        /// Query parameter of the page size.
        size_param: String,
        size: u32,
        end: PageEnd,
    },
}

/// How the last page is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PageEnd {
    /// A boolean of the answer says so; an answer without it is an error.
    LastFlag { path: String },
}

/// `[limits]`: what one pull may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub requests_per_second: f64,
    pub connect_timeout_secs: u64,
    pub read_timeout_secs: u64,
    pub max_pages: u32,
    pub max_body_bytes: u64,
    pub max_records: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 20.0,
            connect_timeout_secs: 10,
            read_timeout_secs: 180,
            max_pages: 100_000,
            max_body_bytes: 64 << 20,
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
    /// Wait before the second try; doubled each time. `Retry-After` is honoured where it is longer.
    pub base_millis: u64,
    /// Longest wait; a longer `Retry-After` ends the pull.
    pub cap_secs: u64,
    pub statuses: Vec<u16>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, base_millis: 500, cap_secs: 60, statuses: vec![408, 425, 429, 500, 502, 503, 504] }
    }
}

/// `[decode]`: how bytes become records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decode {
    Json {
        /// Path of the list of records; empty: the answer is the list.
        #[serde(default)]
        records: String,
    },
    Csv {
        /// `;` or `,`; absent: whichever the header row has more of.
        #[serde(default)]
        delimiter: Option<char>,
        /// A column that the header row must have: rows above the first that has it are titles.
        header: String,
        /// A row whose first non-empty cell starts with one of these, and all that follows, is no record.
        #[serde(default)]
        footers: Vec<String>,
    },
}

/// `[map.COLUMN]`: where a canonical value comes from and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMap {
    /// A source field or several: the first that is not empty counts.
    pub from: OneOrMany,
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Date formats, tried in order; for `type = "instant"`.
    #[serde(default)]
    pub formats: Vec<String>,
    /// IANA zone of times without an offset; Asia/Ho_Chi_Minh where absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Source text → canonical word, compared without regard to case and spacing; for `type = "word"` and `"flag"`.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
    /// Regular expression that the whole text must match.
    #[serde(default)]
    pub pattern: Option<String>,
    /// The value of an absent or empty field. A column without one must stand in the header of every CSV file.
    #[serde(default)]
    pub default: Option<String>,
    /// A record without it is rejected.
    #[serde(default)]
    pub required: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// What a kept text may be. Each has an alphabet: a text outside it never reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// An identifier: letters A–Z, digits and `.-_/`, at most 64.
    Code,
    /// A dossier code; trimmed and in capitals, else as `code`.
    DossierCode,
    /// A procedure code `d.dddddd`; a suffix (`.000.00.00.H61`) is cut.
    ProcedureCode,
    /// A postal item code, UPU S10: two letters, nine digits with their check digit, two letters.
    ItemCode,
    /// An agency's code or name: letters, digits, spaces and `.,-/()`, at most 160.
    Agency,
    /// A date or a time.
    Instant,
    /// One of the words of `codes`.
    Word,
    /// true/false, 1/0, or the words of `codes` (`"true"` and `"false"`).
    Flag,
    /// A whole number; dots, commas and spaces between groups of three digits are passed over.
    Integer,
}

/// `[identity]`: which record is which, and which version is newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Canonical columns whose values, joined by `|`, are the key. Each must be `required`.
    pub key: Vec<String>,
    /// Instant column that orders versions; absent: the later pull, then the later page.
    pub ordered_by: Option<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self { key: vec!["source_key".to_owned()], ordered_by: None }
    }
}

/// `[schedule]`: when the connector is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Five or six fields, in `zone`.
    pub cron: String,
    pub zone: String,
    /// Age of the last complete pull after which the connector is late.
    pub fresh_within_hours: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { cron: "30 1 * * *".to_owned(), zone: "Asia/Ho_Chi_Minh".to_owned(), fresh_within_hours: 26 }
    }
}

/// A connector that was read and checked: its name is its folder's.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    pub name: String,
    pub file: ConnectorFile,
    /// SHA-256 of `connector.toml`, hexadecimal.
    pub digest: String,
}
