//! Definition of a connector: the vocabulary of `connector.toml`.
//!
//! The types mirror the file: unknown keys and words are refused. `config` checks what types cannot express, such as a
//! pattern that does not compile or a column that the table lacks, and reports all mistakes at once.

mod auth;
mod condition;
mod contract;
mod detail;
mod explode;
mod files;
mod pages;
mod partial_rows;
mod records;
mod server;
mod source_field;
mod web;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::auth::{
    Auth, KeyPlace, LoginRequest, ReplyValues, SecretPlace, SignatureAlgorithm, SignatureEncoding, SignatureTime,
};
pub use self::condition::Condition;
pub use self::contract::{Breach, Contract, Sweep};
pub use self::detail::{Detail, MissingDetail, path_in_detail};
pub use self::explode::Explode;
pub use self::files::{Content, FileOrder};
pub use self::pages::{Complete, PageEnd, Pages, Trailer, TrailerHolds};
pub use self::partial_rows::PartialRows;
pub use self::records::{
    Bound, Decode, Encoding, FieldMap, FieldType, Grouping, Lookup, Merged, RecordLayout, ReplyFailure,
};
pub use self::server::FileServer;
pub use self::source_field::{ColumnPlace, OneOrMany, RepeatedHeading, SourceField};
pub use self::web::{Limits, Method, QueryValue, RequestTemplate, Retry};
pub use self::window::{Pass, SliceUnit, Start, Window};
use crate::model::procedure_names::ProcedureNames;
use crate::model::reporting_zone::zone_name;
use crate::model::table::{CHANGE_TIME, RecordKind};

/// The whole of `connector.toml`.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// Canonical column → source fields and type.
    pub map: BTreeMap<String, FieldMap>,
    /// Rows that state a part of their record, beside rows that state all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<PartialRows>,
    #[serde(default)]
    pub identity: Identity,
    #[serde(default)]
    pub contract: Contract,
    #[serde(default)]
    pub sweep: Option<Sweep>,
    #[serde(default)]
    pub schedule: Schedule,
}

/// `[connector]`: what it reads, and whom to ask about the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub version: u32,
    pub title: String,
    pub kind: RecordKind,
    /// Name of the source system, such as `VNPT iGate 2`.
    pub system: String,
    pub contact: String,
}

/// `[access]`: how the source is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Access {
    /// An HTTP service. Requests go only to the host of `base_url` and to `allowed_hosts`.
    Http {
        /// May contain `{env:NAME}`.
        base_url: String,
        #[serde(default)]
        allowed_hosts: Vec<String>,
        /// Path of a PEM file with authorities that the connector trusts besides those of the machine; may contain
        /// `{env:NAME}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_certificates: Option<String>,
        /// Path of a PEM file with the certificate and the private key by which the connector identifies itself; may contain
        /// `{env:NAME}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_certificate: Option<String>,
        /// Address of the proxy through which requests go, or `environment` for that of the variables `HTTPS_PROXY`,
        /// `HTTP_PROXY` and `NO_PROXY`; absent: none. May contain `{env:NAME}` and `{secret:NAME}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proxy: Option<String>,
    },
    /// Files of a folder, on this machine or on a server. A content is read once: the same file under another name is not
    /// read again.
    Files {
        /// Path of the folder; may contain `{env:NAME}`.
        folder: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<FileServer>,
        /// Names of the files to read, such as `*.csv`.
        glob: String,
        /// Seconds that a file must be unchanged before it is read, because it may still be written.
        #[serde(default = "two")]
        settle_secs: u64,
        /// What the files mean together.
        #[serde(default, skip_serializing_if = "is_default")]
        content: Content,
        /// Which of two files is newer.
        #[serde(default, skip_serializing_if = "is_default")]
        order: FileOrder,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn two() -> u64 {
    2
}

/// `[identity]`: the key of a record, and which of two versions is newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Canonical columns whose values, joined by `|`, make the key. Each must be `required`, or listed in
    /// `may_be_empty`.
    pub key: Vec<String>,
    /// Columns of `key` that a record may lack, but not all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_be_empty: Vec<String>,
    /// `source_updated_at`, the source's change time. It orders the versions if it is mapped, whether or not this key
    /// says so; otherwise the version of the later pull, page and row is newer.
    pub ordered_by: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub record: RecordForm,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            key: vec!["source_key".to_owned()],
            may_be_empty: Vec::new(),
            ordered_by: None,
            record: RecordForm::default(),
        }
    }
}

/// What a row says about its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordForm {
    /// The whole record: a column that the row leaves empty is empty.
    #[default]
    Whole,
    /// A part of the record, such as one event: a column that the row leaves empty keeps the value of the stored version.
    Partial,
}

/// `[schedule]`: when the connector is read, and how fresh its data must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Cron expression of five or six fields, in `zone`.
    pub cron: String,
    pub zone: String,
    /// Hours after a missed slot within which it is still run; 0: never.
    pub catch_up_within_hours: u32,
    /// Days since the newest record after which the source counts as silent although it answers; absent: not checked.
    pub silent_after_days: Option<u32>,
    /// Hours since the last complete pull after which the connector is late.
    pub fresh_within_hours: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: "30 1 * * *".to_owned(),
            zone: zone_name().to_owned(),
            catch_up_within_hours: 12,
            silent_after_days: None,
            fresh_within_hours: 26,
        }
    }
}

impl ConnectorFile {
    /// Whether the source has a change time, which orders the versions of a record.
    #[must_use]
    pub fn has_change_time(&self) -> bool {
        self.map.contains_key(CHANGE_TIME)
    }

    /// Whether a row may fill only what it states, and leave the rest of the stored version as it is.
    #[must_use]
    pub fn has_partial_records(&self) -> bool {
        self.has_only_partial_records() || self.partial.is_some()
    }

    /// Whether every row fills only what it states.
    #[must_use]
    pub fn has_only_partial_records(&self) -> bool {
        self.identity.record == RecordForm::Partial
    }

    /// The maps of rows, each with its place in the file: `[map]`, and `[partial.map]` if there is one.
    pub fn maps(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<String, FieldMap>)> {
        let partial = self.partial.iter().map(|partial| ("/partial/map", &partial.map));
        std::iter::once(("/map", &self.map)).chain(partial)
    }

    /// Whether a column is looked up by the names of procedures.
    #[must_use]
    pub fn looks_up_procedures(&self) -> bool {
        self.mapped_columns().any(|(_, map)| map.lookup == Some(Lookup::ProcedureName))
    }

    /// Every column that is mapped, with its map, as [`maps`](Self::maps).
    pub fn mapped_columns(&self) -> impl Iterator<Item = (&String, &FieldMap)> {
        self.maps().flat_map(|(_, map)| map)
    }

    /// Whether no two records may have one dossier code: those of dossiers, unless the contract accepts it.
    #[must_use]
    pub fn has_unique_codes(&self) -> bool {
        self.connector.kind == RecordKind::Dossiers && self.contract.shared_code != Breach::Accept
    }

    /// Whether a record is deleted if the source has no details of it.
    #[must_use]
    pub fn deletes_without_details(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.missing == MissingDetail::Delete)
    }

    /// Whether the type of the key's fields writes them in capitals, so that no two keys differ in letter case only.
    #[must_use]
    pub fn has_key_in_capitals(&self) -> bool {
        let is_in_capitals =
            |column: &String| self.map.get(column).is_some_and(|map| map.field_type == FieldType::DossierCode);
        self.identity.key.iter().all(is_in_capitals)
    }
}

/// A connector whose file was read and checked. Its name is the name of its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    pub name: String,
    pub file: ConnectorFile,
    /// SHA-256 of the declarations that decide which records it reads, hexadecimal. If it has changed since a pull,
    /// records that the pull left out or rejected may be read now, so everything is read again.
    pub digest: String,
    /// SHA-256 of every value of `connector.toml`, hexadecimal.
    pub file_digest: String,
    /// Names of the registry's procedures, if a column is looked up by them; otherwise empty.
    pub procedure_names: Arc<ProcedureNames>,
}

impl Connector {
    /// Whether a pull with this digest read what the connector reads now. Pulls of motcua 0.1.0 have the digest of the
    /// whole file.
    #[must_use]
    pub fn was_read_with(&self, digest: &str) -> bool {
        digest == self.digest || digest == self.file_digest
    }
}
