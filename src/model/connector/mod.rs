//! The definition of a connector: the closed vocabulary of `connector.toml`.
//!
//! These types are the file: unknown keys and words are refused. What a type cannot say (a pattern that does
//! not compile, a field that its table lacks) `config` checks with the rest, so that all mistakes are reported at once.

mod auth;
mod contract;
mod pages;
mod records;
mod web;
mod window;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::auth::{Auth, KeyPlace, LoginRequest, ReplyValues, SecretPlace};
pub use self::contract::{Breach, Contract, Sweep};
pub use self::pages::{Complete, PageEnd, Pages, Trailer, TrailerHolds};
pub use self::records::{Decode, Encoding, FieldMap, FieldType, Merged, OneOrMany, ReplyFailure};
pub use self::web::{Limits, Method, RequestTemplate, Retry};
pub use self::window::{Pass, Start, Window};
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
    pub complete: Complete,
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
    pub contract: Contract,
    #[serde(default)]
    pub sweep: Option<Sweep>,
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
        /// A file that changed within these seconds may still be written: it is waited for and looked at again.
        #[serde(default = "two")]
        settle_secs: u64,
    },
}

fn two() -> u64 {
    2
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
    /// For how long after its moment a slot that was missed is made up; 0: never.
    pub catch_up_within_hours: u32,
    /// Age of the newest record after which its source is thought to stand still, although it answers; absent: not judged.
    pub silent_after_days: Option<u32>,
    /// Age of the last complete pull after which the connector is late.
    pub fresh_within_hours: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: "30 1 * * *".to_owned(),
            zone: "Asia/Ho_Chi_Minh".to_owned(),
            catch_up_within_hours: 12,
            silent_after_days: None,
            fresh_within_hours: 26,
        }
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
