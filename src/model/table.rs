//! Canonical tables: their columns in stored order, and the words that columns may hold.
//!
//! Every table has the same frame. `source` (the connector) and `source_key` are the key. `source_updated_at` orders
//! the versions of a key if the source has a change time. `deleted` marks a record that its source withdrew. The
//! columns of [`PROVENANCE`] record where a row was read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, IntoStaticStr, VariantNames as _};

use crate::model::agency::Tier;
use crate::model::procedure::TimeUnit;
use crate::model::rules::DossierStatus;

/// The source's change time, a column of every table: it orders the versions of a key. Of a record that comes without
/// one, it is that of the version before.
pub const CHANGE_TIME: &str = "source_updated_at";

/// Kind of records that a connector delivers. Each kind has a pair of tables: versions and image.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumCount, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RecordKind {
    /// Dossiers (hồ sơ thủ tục hành chính).
    Dossiers,
    /// Postal items of the public postal service (bưu gửi BCCI).
    PostalItems,
    /// Feedback (phản ánh, kiến nghị, PAKN).
    Feedback,
    /// Measures: counts that an office states itself because they are not in any dossier.
    Measures,
    /// Notes on dossiers that their source does not hold: apologies, causes of lateness.
    DossierNotes,
    /// Procedures as a catalogue lists them (danh mục thủ tục hành chính).
    Procedures,
}

impl RecordKind {
    /// Name of the image table.
    #[must_use]
    pub fn image_name(self) -> &'static str {
        self.into()
    }

    /// Name of the append-only table of versions.
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

    /// Position of a column in [`RecordKind::columns`].
    #[must_use]
    pub fn column_index(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }

    /// The columns that motcua derives from the versions of a key and adds to the image.
    #[must_use]
    pub fn derived_columns(self) -> &'static [(&'static str, ColumnType)] {
        match self {
            Self::Dossiers => DUE_HISTORY,
            _ => &[],
        }
    }

    /// Date columns that decide the part (month) of a new key: the first that has a value. Without any, it is the run's
    /// month.
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
    /// UTF-8: a code, a word of a closed list, an agency's name, or a published title.
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
    /// Words that the column may hold; empty if any text of its type is allowed.
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
pub const STATUSES: &[&str] = DossierStatus::VARIANTS;
/// Statuses of a dossier that has ended without a result. It is not read again, whether or not it has an end date.
pub const UNRESOLVED_STATUSES: [&str; 3] = ["refused", "withdrawn", "stopped"];
/// Statuses of a dossier that has ended.
pub const CLOSED_STATUSES: [&str; 5] = ["completed", "returned", "refused", "withdrawn", "stopped"];
/// Channels of submission (kênh thực hiện), of the requested return and of the return.
pub const CHANNELS: &[&str] = &["counter", "online", "postal"];
/// Service level: information (mức 2), partial (một phần, mức 3), full (toàn trình, mức 4).
pub const SERVICE_LEVELS: &[&str] = &["information", "partial", "full"];
/// Direction of a postal item: towards the agency, or back to the applicant.
pub const DIRECTIONS: &[&str] = &["submission", "return"];
/// Statuses of a postal item.
pub const ITEM_STATUSES: &[&str] = &["accepted", "in_transit", "delivered", "failed", "withdrawn"];
/// Who caused a late dossier. Only the code is stored, never the text.
pub const LATE_CAUSES: &[&str] = &["agency", "cooperating", "applicant", "system", "other"];

/// Who received feedback first: the province, or a ministry that passed it on.
pub const FEEDBACK_ORIGINS: &[&str] = &["direct", "from_ministry"];
/// Subject of feedback: a regulation (quy định hành chính) or the conduct of an official (hành vi hành chính).
pub const FEEDBACK_SUBJECTS: &[&str] = &["regulation", "conduct"];
/// Outcome of feedback: handled (xử lý), or forwarded with a proposal (kiến nghị xử lý).
pub const FEEDBACK_OUTCOMES: &[&str] = &["handled", "forwarded"];

/// Tiers of agencies, and tiers at which procedures are resolved.
pub const TIERS: &[&str] = Tier::VARIANTS;
/// Role of an agency in a procedure.
pub const ROLES: &[&str] = &["lead", "cooperating"];
/// How a procedure is interlinked (liên thông): not at all, among agencies of a tier, or between tiers.
pub const INTERLINKS: &[&str] = &["none", "same_level", "between_levels"];
/// Unit of a statutory time.
pub const TIME_UNITS: &[&str] = TimeUnit::VARIANTS;

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

/// `indicator` is the id of an indicator over measures, `period` is written as for `--period`, and `document` is the
/// number of the document that states the counts.
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

/// `agency` is the publisher of the procedure. `name` and `sector_name` are published titles, checked to be no person's
/// name.
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

/// Columns that motcua adds to every row, stored after the table's own.
///
/// `source` is the connector. `run`, `page` and `row` number the landed record. `digest` covers the table's own columns
/// (32 hexadecimal digits). `part` is the month under which the key is stored (`yyyy-MM`).
pub const PROVENANCE: &[(&str, ColumnType)] = &[
    ("source", ColumnType::Text),
    ("run", ColumnType::Integer),
    ("page", ColumnType::Integer),
    ("row", ColumnType::Integer),
    ("digest", ColumnType::Text),
    ("part", ColumnType::Text),
];

/// Columns that motcua adds to the image of dossiers, stored after [`PROVENANCE`]: the history of the due date. They are
/// a function of the versions of a key and no part of `digest`.
///
/// * `known_first_due_at`: the source's own first due date (`first_due_at`), else the first due date that any version
///   stated. A due date before the reception is no due date.
/// * `explained_due_at`: the latest due date that counts: the first one, or a later one that a supplement or a suspension
///   explains. The due date that a dossier is held to is the earlier of this one and `due_at`.
/// * `due_pause_seen`: a version since `due_at` was first stated shows a supplement or a suspension, so that the next move
///   is explained.
pub const DUE_HISTORY: &[(&str, ColumnType)] = &[
    ("known_first_due_at", ColumnType::Instant),
    ("explained_due_at", ColumnType::Instant),
    ("due_pause_seen", ColumnType::Flag),
];
