//! `[decode]` and `[map]` of a connector: how bytes become records, and fields become canonical values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::condition::Condition;
use crate::model::connector::contract::Breach;
use crate::model::connector::explode::Explode;
use crate::model::connector::is_default;
use crate::model::connector::source_field::{OneOrMany, SourceField};

/// `[decode]`: how bytes become records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decode {
    Json {
        /// Path of the records; empty if the reply itself holds nothing else.
        #[serde(default)]
        records: String,
        #[serde(default, skip_serializing_if = "is_default")]
        layout: RecordLayout,
        /// For `layout = "rows"`: path of the list of column names; with `[].KEY` at its end, of objects whose `KEY` has the
        /// name. If absent, the first row has the names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<String>,
        /// A list or map in a record of which every element is a row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explode: Option<Explode>,
        #[serde(default, skip_serializing_if = "is_default")]
        encoding: Encoding,
        /// Reply code that means failure although the HTTP status is 200.
        #[serde(default)]
        failure: Option<ReplyFailure>,
        /// Texts that mean that there is no value, in every field; as `null_values` of a field.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        null_values: Vec<String>,
    },
    /// XML, SOAP messages among them.
    Xml {
        /// Path of the records: the names of the elements from the root to a record, without prefixes unless `namespaces` has
        /// them.
        records: String,
        /// Prefix in paths → namespace: elements and attributes of it have the prefix, whatever the document writes. Names of
        /// other namespaces are written without prefix.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        namespaces: BTreeMap<String, String>,
        /// As for `json`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explode: Option<Explode>,
        /// As for `json`.
        #[serde(default)]
        failure: Option<ReplyFailure>,
        /// Texts that mean that there is no value, as for `json`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        null_values: Vec<String>,
    },
    Csv {
        /// `;` or `,`; if absent, the one that is more frequent in the header row.
        #[serde(default)]
        delimiter: Option<char>,
        #[serde(default)]
        encoding: Encoding,
        /// Column that the header row must have. Rows above the first row with it are titles.
        header: String,
        /// Rows of headings: 1, or 2 if an upper heading stands over several columns. The row with `header` is the first; a
        /// column is then called `upper / lower`.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        header_rows: u32,
        /// Beginnings of footer rows. A row whose first non-empty cell begins with one of them ends the records.
        #[serde(default)]
        footers: Vec<String>,
        /// Texts that mean that there is no value, as for `json`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        null_values: Vec<String>,
    },
    Xlsx {
        /// As for `csv`; each sheet has its own header row.
        header: String,
        /// As for `csv`.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        header_rows: u32,
        /// As for `csv`.
        #[serde(default)]
        footers: Vec<String>,
        /// Pattern of the names of sheets to read; if absent, every visible sheet.
        #[serde(default)]
        sheets: Option<String>,
        #[serde(default)]
        merged: Merged,
        /// Texts that mean that there is no value, as for `json`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        null_values: Vec<String>,
    },
    /// CSV files and workbooks in one folder; the first bytes of a file decide which it is.
    Spreadsheet {
        #[serde(default)]
        delimiter: Option<char>,
        #[serde(default)]
        encoding: Encoding,
        header: String,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        header_rows: u32,
        #[serde(default)]
        footers: Vec<String>,
        #[serde(default)]
        sheets: Option<String>,
        #[serde(default)]
        merged: Merged,
        /// Texts that mean that there is no value, as for `json`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        null_values: Vec<String>,
    },
}

impl Decode {
    /// Whether cells may be dates. Instants are then also read in the format in which the decoder writes date cells.
    #[must_use]
    pub fn has_date_cells(&self) -> bool {
        matches!(self, Self::Xlsx { .. } | Self::Spreadsheet { .. })
    }

    /// The list or map in a record of which every element is a row.
    #[must_use]
    pub fn explode(&self) -> Option<&Explode> {
        match self {
            Self::Json { explode, .. } | Self::Xml { explode, .. } => explode.as_ref(),
            Self::Csv { .. } | Self::Xlsx { .. } | Self::Spreadsheet { .. } => None,
        }
    }

    /// Texts that mean in every field that there is no value.
    #[must_use]
    pub fn null_values(&self) -> &[String] {
        match self {
            Self::Json { null_values, .. }
            | Self::Xml { null_values, .. }
            | Self::Csv { null_values, .. }
            | Self::Xlsx { null_values, .. }
            | Self::Spreadsheet { null_values, .. } => null_values,
        }
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(rows: &u32) -> bool {
    *rows == 1
}

/// How records lie in a JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordLayout {
    /// A list of objects; one object alone is a list of one.
    #[default]
    List,
    /// An object whose values are the records; the path `#key` of a record is its key.
    Map,
    /// A list of lists, whose values belong to named columns.
    Rows,
    /// One object per line (NDJSON, JSON Lines).
    Lines,
}

/// Character encoding of a CSV or JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 or UTF-16 by the byte order mark; UTF-8 without one.
    #[default]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Western European letters, without those of Vietnamese.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Vietnamese letters followed by their tone marks; composed (NFC) when read.
    #[serde(rename = "windows-1258")]
    Windows1258,
    /// TCVN3 (ABC), of fonts such as `.VnTime`.
    Tcvn3,
}

/// What a row of a workbook has in mapped columns that a merged cell spans, but for its first cell, which has the value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// Not declared: the row is rejected.
    #[default]
    Leave,
    /// No value.
    Empty,
    /// The value of the merged cell.
    Repeat,
}

/// `failure` of `[decode]`: the reply is a failure unless its code is in `ok`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyFailure {
    /// Path of the code.
    pub path: String,
    /// Compared as text: `"0"` also matches the number 0. An absent code counts as the empty text.
    pub ok: Vec<String>,
}

/// `[map.COLUMN]`: source fields and type of a canonical column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMap {
    /// One or several source fields; the first that is not empty counts, for `type = "word"` and `"flag"` the first that is
    /// one of the words. A field is a path, a heading, or a heading
    /// that a table has several times with its place: `{ column = "Ngày trả", nth = 2 }`, or the place of a column in a
    /// table: `{ position = 3 }`.
    #[serde(default, skip_serializing_if = "OneOrMany::is_empty")]
    pub from: OneOrMany,
    /// Value of every record, instead of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Source field with the time of day, where the source has date and time apart; for `type = "instant"`. Its text is
    /// appended to the date after a space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<SourceField>,
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Date formats, tried in order; for `type = "instant"`.
    #[serde(default)]
    pub formats: Vec<String>,
    /// IANA time zone of texts without an offset; that of the office (`province.zone`) if absent.
    #[serde(default)]
    pub zone: Option<String>,
    /// Whether years are of the Buddhist Era, 543 ahead: 2569 is 2026. For `type = "instant"`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub buddhist_years: bool,
    /// Whether a text with an offset (also `Z`), or a number since the epoch, at midnight there is a date without a time of
    /// day: it is read as midnight in `zone`. For `type = "instant"`, from programs that write dates as midnight UTC.
    #[serde(default, skip_serializing_if = "is_default")]
    pub midnight_is_date: bool,
    /// Source text → canonical word, ignoring case and spacing; for `type = "word"` and `"flag"`.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
    /// Registry that gives the code of a text that is none; for `type = "procedure_code"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Lookup>,
    /// Regular expression that the whole text must match.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Value of an absent or empty field; `""` means null. With a default, the source need not have the field. Without
    /// one, the field must be in the header of every CSV file, or in at least one record of every pull.
    #[serde(default)]
    pub default: Option<String>,
    /// A record without it is rejected.
    #[serde(default)]
    pub required: bool,
    /// Texts that mean that there is no value, ignoring case and spacing. For `type = "instant"` also days
    /// (`yyyy-MM-dd`, or in one of `formats`), at any time of day. Every instant has these besides: year 0000 without
    /// month and day, `0001-01-01`, `1900-01-01`, `00/01/1900`, `1970-01-01`, `9999-12-31`, and the serial numbers 0 and
    /// 1 of a spreadsheet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub null_values: Vec<String>,
    /// Least allowed value: a day (`yyyy-MM-dd`) for `type = "instant"`, by default 1990-01-01; a whole number for
    /// `type = "integer"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Bound>,
    /// Greatest allowed value: a day for `type = "instant"`, by default 2200-12-31; a whole number for
    /// `type = "integer"`. A due date without a `most` of its own is at most ten years after the reception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Bound>,
    /// Separator between groups of three digits, for `type = "integer"`. If absent: dot, comma or space, but one of them
    /// throughout the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Number of decimals, for `type = "integer"`: the value counts the last of them, so that with 2 `92,35` is 9235.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
    /// For a text that does not fit the type; `ill_typed` of `[contract]` if absent. If the field is required, the row is
    /// always rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ill_typed: Option<Breach>,
    /// The column has a value only if another mapped column has one of some words, and is empty otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

impl FieldMap {
    /// A map of a type, without a source field.
    #[must_use]
    pub fn of(field_type: FieldType) -> Self {
        Self {
            from: OneOrMany::default(),
            value: None,
            time: None,
            field_type,
            formats: Vec::new(),
            zone: None,
            buddhist_years: false,
            midnight_is_date: false,
            codes: BTreeMap::new(),
            lookup: None,
            pattern: None,
            default: None,
            required: false,
            null_values: Vec::new(),
            least: None,
            most: None,
            grouping: None,
            decimals: None,
            ill_typed: None,
            when: None,
        }
    }
}

/// How a text leads to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// By the whole name of a procedure in the registry (`procedures.csv`), without regard to case and spacing; only if one
    /// procedure has it.
    ProcedureName,
}

/// `least` or `most` of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bound {
    Number(i64),
    /// `yyyy-MM-dd`; the whole day is inside.
    Day(String),
}

/// Separator between groups of three digits in a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// `1.234.567`, as in Vietnam.
    Dot,
    /// `1,234,567`.
    Comma,
    /// `1 234 567`; a no-break space as well.
    Space,
    /// Digits are not grouped.
    #[serde(rename = "none")]
    Ungrouped,
}

/// Type of a field. Each type has an alphabet; a text outside it is never written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// An identifier: letters A–Z, digits and `.-_/`, at most 64.
    Code,
    /// A dossier code: as `code`, trimmed and in capital letters.
    DossierCode,
    /// A procedure code `d.dddddd`; a suffix such as `.000.00.00.H61` is removed.
    ProcedureCode,
    /// A postal item code (UPU S10): two letters, nine digits with check digit, two letters.
    ItemCode,
    /// An agency's code or name: letters, digits, spaces and `.,-/()`, at most 160.
    Agency,
    /// A published title, such as a procedure's name: letters, digits and usual punctuation, at most 500 characters;
    /// not a person's name.
    Title,
    /// A date or a date and time.
    Instant,
    /// One of the words of `codes`.
    Word,
    /// true/false, 1/0, or the words of `codes` (`"true"` and `"false"`).
    Flag,
    /// A period as `--period` takes it: `2026`, `2026-Q1`, `2026-03`, `2026-Q3s` …
    Period,
    /// The number of a document: digits, `/`, then letters, digits and `.-&`, no spaces, at most 64.
    Document,
    /// A whole number; dots, commas and spaces between groups of three digits are ignored.
    Integer,
}
