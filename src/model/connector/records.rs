//! What a connector says of records: how bytes become records, and records canonical values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[decode]`: how bytes become records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decode {
    Json {
        /// Path of the list of records; empty: the answer is the list.
        #[serde(default)]
        records: String,
        /// A reply code that means failure inside a success.
        #[serde(default)]
        failure: Option<ReplyFailure>,
    },
    Csv {
        /// `;` or `,`; absent: whichever the header row has more of.
        #[serde(default)]
        delimiter: Option<char>,
        #[serde(default)]
        encoding: Encoding,
        /// A column that the header row must have: rows above the first that has it are titles.
        header: String,
        /// A row whose first non-empty cell starts with one of these, and all that follows, is no record.
        #[serde(default)]
        footers: Vec<String>,
    },
    Xlsx {
        /// As of `csv`; each sheet has its own.
        header: String,
        /// As of `csv`.
        #[serde(default)]
        footers: Vec<String>,
        /// Pattern of the sheets' names; absent: every visible sheet.
        #[serde(default)]
        sheets: Option<String>,
        #[serde(default)]
        merged: Merged,
    },
    /// CSV files and workbooks in one folder: each is read as what its first bytes say.
    Spreadsheet {
        #[serde(default)]
        delimiter: Option<char>,
        #[serde(default)]
        encoding: Encoding,
        header: String,
        #[serde(default)]
        footers: Vec<String>,
        #[serde(default)]
        sheets: Option<String>,
        #[serde(default)]
        merged: Merged,
    },
}

impl Decode {
    /// Whether cells may hold dates as numbers: then its instants are read in [`crate::model::instant::CELL_FORMAT`] too.
    #[must_use]
    pub fn has_date_cells(&self) -> bool {
        matches!(self, Self::Xlsx { .. } | Self::Spreadsheet { .. })
    }
}

/// How the text of a CSV file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// The byte order mark says which UTF; without one UTF-8.
    #[default]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Vietnamese letters with their tones as marks of their own; composed (NFC) once read.
    #[serde(rename = "windows-1258")]
    Windows1258,
}

/// What merged cells of a workbook mean. The value of merged cells stands in the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// The others are empty.
    #[default]
    Leave,
    /// The value holds for every row that the cell spans.
    Repeat,
}

/// `failure` of `[decode]`: the reply is a failure unless its code is one of `ok`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyFailure {
    /// Path of the code.
    pub path: String,
    /// As text: `"0"` is also the number 0. An absent code counts as the empty text.
    pub ok: Vec<String>,
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
    /// The value of an absent or empty field; `""`: none, and the source need not have the field. A column without a default must
    /// stand in the header of every CSV file, and in at least one record of every pull.
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
    /// A published title, such as a procedure's name: letters, digits and usual punctuation, at most 500; no person's name.
    Title,
    /// A date or a time.
    Instant,
    /// One of the words of `codes`.
    Word,
    /// true/false, 1/0, or the words of `codes` (`"true"` and `"false"`).
    Flag,
    /// A period as `--period` takes it: `2026`, `2026-Q1`, `2026-03`, `2026-Q3s` …
    Period,
    /// The number of a document: digits, `/`, then letters, digits and `.-&`, no spaces, at most 64.
    Document,
    /// A whole number; dots, commas and spaces between groups of three digits are passed over.
    Integer,
}
