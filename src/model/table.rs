//! The canonical tables: their columns, in the order in which they are stored.
//!
//! Every table has the same frame round its own columns: `source` (the connector) and `source_key` are the
//! key; `source_updated_at` orders versions where the source has a change time; `deleted` marks a record
//! that its source withdrew; [`PROVENANCE`] says where a row came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connector delivers: the table that its records go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Hồ sơ thủ tục hành chính.
    Dossiers,
    /// Bưu gửi BCCI.
    PostalItems,
    /// Phản ánh, kiến nghị (PAKN).
    Feedback,
    /// Counts that come from no dossier, as somebody stated them.
    Measures,
    /// What is known of dossiers beside their source: apologies, causes of lateness.
    DossierNotes,
    /// Danh mục thủ tục hành chính: what a catalogue states of each procedure.
    Procedures,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Dossiers, Self::PostalItems, Self::Feedback, Self::Measures, Self::DossierNotes, Self::Procedures];

    /// Name of the image table.
    #[must_use]
    pub fn image_name(self) -> &'static str {
        match self {
            Self::Dossiers => "dossiers",
            Self::PostalItems => "postal_items",
            Self::Feedback => "feedback",
            Self::Measures => "measures",
            Self::DossierNotes => "dossier_notes",
            Self::Procedures => "procedures",
        }
    }

    /// Name of the append-only table.
    #[must_use]
    pub fn versions_name(self) -> &'static str {
        match self {
            Self::Dossiers => "dossier_versions",
            Self::PostalItems => "postal_item_versions",
            Self::Feedback => "feedback_versions",
            Self::Measures => "measure_versions",
            Self::DossierNotes => "dossier_note_versions",
            Self::Procedures => "procedure_versions",
        }
    }

    /// The columns that a connector may map, in stored order.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Dossiers => DOSSIER_COLUMNS,
            Self::PostalItems => POSTAL_ITEM_COLUMNS,
            Self::Feedback => FEEDBACK_COLUMNS,
            Self::Measures => MEASURE_COLUMNS,
            Self::DossierNotes => DOSSIER_NOTE_COLUMNS,
            Self::Procedures => PROCEDURE_COLUMNS,
        }
    }

    /// Position of a column in [`Kind::columns`].
    #[must_use]
    pub fn column_index(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }

    /// Columns whose month files a new key under its part: the first that has a value counts; without any, the run's month.
    #[must_use]
    pub fn part_columns(self) -> &'static [&'static str] {
        match self {
            Self::Dossiers => &["received_at", "submitted_at"],
            Self::PostalItems => &["accepted_at", "delivered_at"],
            Self::Feedback => &["received_at"],
            Self::Measures => &["entered_at"],
            Self::DossierNotes => &["apology_at"],
            Self::Procedures => &[],
        }
    }
}

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text: a code, a word of a closed list, an agency's name, or a published title.
    Text,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant,
    Flag,
    Integer,
}

/// One column that a connector may map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub column_type: ColumnType,
    /// The words that the column may hold; empty where it is open.
    pub words: &'static [&'static str],
}

const fn text(name: &'static str) -> Column {
    Column { name, column_type: ColumnType::Text, words: &[] }
}
const fn word(name: &'static str, words: &'static [&'static str]) -> Column {
    Column { name, column_type: ColumnType::Text, words }
}
const fn instant(name: &'static str) -> Column {
    Column { name, column_type: ColumnType::Instant, words: &[] }
}
const fn flag(name: &'static str) -> Column {
    Column { name, column_type: ColumnType::Flag, words: &[] }
}
const fn integer(name: &'static str) -> Column {
    Column { name, column_type: ColumnType::Integer, words: &[] }
}

/// Statuses of a dossier, in the order of the national codes 1–10 (domain: `TrangThaiHoSo`).
pub const STATUSES: &[&str] = &[
    "registered",
    "received",
    "refused",
    "processing",
    "supplement",
    "finance",
    "withdrawn",
    "stopped",
    "completed",
    "returned",
];
/// Submission channel (kênh thực hiện), return request and return.
pub const CHANNELS: &[&str] = &["counter", "online", "postal"];
/// Service level: information (mức 2), partial (một phần, mức 3), full (toàn trình, mức 4).
pub const SERVICE_LEVELS: &[&str] = &["information", "partial", "full"];
/// Direction of a postal item: towards the agency, or back to the applicant.
pub const DIRECTIONS: &[&str] = &["submission", "return"];
/// Statuses of a postal item.
pub const ITEM_STATUSES: &[&str] = &["accepted", "in_transit", "delivered", "failed", "withdrawn"];
/// Whose fault a late dossier is: a code, never text.
pub const LATE_CAUSES: &[&str] = &["agency", "cooperating", "applicant", "system", "other"];

/// Who received a feedback: the province itself, or a ministry that passed it on.
pub const FEEDBACK_ORIGINS: &[&str] = &["direct", "from_ministry"];
/// What a feedback is about: a regulation (quy định hành chính) or the conduct of an official (hành vi hành chính).
pub const FEEDBACK_SUBJECTS: &[&str] = &["regulation", "conduct"];
/// What was done with a feedback: handled (xử lý), or forwarded with a proposal (kiến nghị xử lý).
pub const FEEDBACK_OUTCOMES: &[&str] = &["handled", "forwarded"];

/// Tiers: of an agency, and at which a procedure is resolved.
pub const TIERS: &[&str] = &["province", "district", "commune"];
/// Part of an agency in what a procedure asks for.
pub const ROLES: &[&str] = &["lead", "cooperating"];
/// How a procedure is interlinked (liên thông): not at all, among agencies of a tier, or between tiers.
pub const INTERLINKS: &[&str] = &["none", "same_level", "between_levels"];
/// Unit of a statutory time.
pub const TIME_UNITS: &[&str] = &["working_days", "hours", "calendar_days"];

const DOSSIER_COLUMNS: &[Column] = &[
    text("source_key"),
    text("dossier_code"),
    text("other_codes"),
    text("national_code"),
    instant("synced_at"),
    text("parent_code"),
    text("lead_agency"),
    text("procedure_code"),
    text("sector_code"),
    text("competent_agency"),
    text("receiving_agency"),
    text("handling_agency"),
    flag("non_territorial"),
    word("service_level", SERVICE_LEVELS),
    word("submission_channel", CHANNELS),
    word("return_requested", CHANNELS),
    word("returned_by", CHANNELS),
    flag("result_electronic"),
    word("status", STATUSES),
    instant("submitted_at"),
    instant("accept_due_at"),
    instant("received_at"),
    instant("due_at"),
    instant("first_due_at"),
    instant("completed_at"),
    instant("returned_at"),
    instant("refused_at"),
    instant("withdrawn_at"),
    instant("stopped_at"),
    integer("supplement_requests"),
    instant("supplement_requested_at"),
    instant("supplement_received_at"),
    word("late_cause", LATE_CAUSES),
    text("apology_number"),
    instant("apology_at"),
    instant("apology_new_due_at"),
    flag("certification"),
    flag("deleted"),
    instant("source_updated_at"),
];

const POSTAL_ITEM_COLUMNS: &[Column] = &[
    text("source_key"),
    text("item_code"),
    text("dossier_code"),
    text("procedure_code"),
    text("agency"),
    word("direction", DIRECTIONS),
    instant("accepted_at"),
    instant("delivered_at"),
    instant("withdrawn_at"),
    word("status", ITEM_STATUSES),
    text("post_office"),
    integer("fee"),
    flag("deleted"),
    instant("source_updated_at"),
];

const FEEDBACK_COLUMNS: &[Column] = &[
    text("source_key"),
    text("feedback_code"),
    word("origin", FEEDBACK_ORIGINS),
    word("subject", FEEDBACK_SUBJECTS),
    text("procedure_code"),
    text("agency"),
    instant("received_at"),
    instant("due_at"),
    instant("handled_at"),
    word("outcome", FEEDBACK_OUTCOMES),
    instant("answered_at"),
    instant("published_at"),
    flag("deleted"),
    instant("source_updated_at"),
];

/// `indicator`: an id of an indicator over measures; `period`: as `--period` takes it; `document`: the number of the document
/// that the counts stand in.
const MEASURE_COLUMNS: &[Column] = &[
    text("source_key"),
    text("indicator"),
    text("agency"),
    text("period"),
    integer("numerator"),
    integer("denominator"),
    text("document"),
    instant("entered_at"),
    flag("deleted"),
    instant("source_updated_at"),
];

const DOSSIER_NOTE_COLUMNS: &[Column] = &[
    text("source_key"),
    text("dossier_code"),
    word("late_cause", LATE_CAUSES),
    text("apology_number"),
    instant("apology_at"),
    instant("apology_new_due_at"),
    flag("deleted"),
    instant("source_updated_at"),
];

/// `agency`: who publishes the procedure. `name` and `sector_name` are public titles of a bounded form, about no person.
const PROCEDURE_COLUMNS: &[Column] = &[
    text("source_key"),
    text("procedure_code"),
    text("name"),
    text("sector_code"),
    text("sector_name"),
    text("agency"),
    word("tier", TIERS),
    integer("statutory_time"),
    word("unit", TIME_UNITS),
    flag("deleted"),
    instant("source_updated_at"),
];

/// Columns that motcua adds to every row, stored after the table's own: the connector; the run, page and
/// row that the record came from (landing holds its kept fields under these numbers); the digest of its own
/// columns (32 hexadecimal digits); the part that its key is filed under (`yyyy-MM`).
pub const PROVENANCE: &[(&str, ColumnType)] = &[
    ("source", ColumnType::Text),
    ("run", ColumnType::Integer),
    ("page", ColumnType::Integer),
    ("row", ColumnType::Integer),
    ("digest", ColumnType::Text),
    ("part", ColumnType::Text),
];
