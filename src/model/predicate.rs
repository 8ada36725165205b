//! Columns that the predicates of indicators may name: the facts of a dossier or feedback, and the columns of
//! registries.
//!
//! A predicate is an SQL condition over these columns (`config` checks it, `indicators` computes it).

use strum::VariantNames as _;

use crate::model::agency::AgencyKind;
use crate::model::table::{
    CHANNELS, FEEDBACK_ORIGINS, FEEDBACK_SUBJECTS, INTERLINKS, LATE_CAUSES, ROLES, SERVICE_LEVELS, STATUSES, TIERS,
};

/// Type of a fact column or of a part of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactType {
    Flag,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    Number,
}

impl FactType {
    /// Whether values of both types can be compared.
    #[must_use]
    pub fn fits(self, other: Self) -> bool {
        let is_text = |one| matches!(one, Self::Text | Self::Word(_));
        self == other || (is_text(self) && is_text(other))
    }
}

/// Values of the fact `apology`.
const APOLOGIES: &[&str] = &["absent", "timely", "late", "repeated"];

/// Facts of a dossier. The values of [`STATE_COLUMNS`] are those at the rule set's moment.
pub const FACT_COLUMNS: &[(&str, FactType, &str)] = &[
    (
        "is_received",
        FactType::Flag,
        "received by the agency, not deleted, no part of an interlinked dossier that some source has",
    ),
    ("is_ended", FactType::Flag, "state: resolved, withdrawn, refused or stopped"),
    ("is_on_time", FactType::Flag, "state: ended on time, or open in time where the rule set counts that"),
    ("is_late", FactType::Flag, "state: ended after its due date, or before its reception"),
    ("is_overdue", FactType::Flag, "state: open after its due date"),
    ("is_pending", FactType::Flag, "state: open and not overdue"),
    ("ends_early", FactType::Flag, "ended on a day before its due day; only for ended dossiers"),
    ("ends_before_reception", FactType::Flag, "its end is dated before its reception, which is impossible"),
    ("has_due_date", FactType::Flag, "the source gives a due date"),
    (
        "due_moved_unexplained",
        FactType::Flag,
        "the source moved the due date to a later one that no supplement and no suspension explains; unknown if it states neither",
    ),
    ("agency_kind", FactType::Word(AgencyKind::VARIANTS), "kind of agency"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
    ("agency_known", FactType::Flag, "the agency is in the registry"),
    ("procedure_code", FactType::Text, "national code d.dddddd"),
    ("procedure_vertical", FactType::Flag, "the procedure is resolved by a vertical agency"),
    ("procedure_known", FactType::Flag, "the procedure is in the registry"),
    ("sector_code", FactType::Text, "sector (lĩnh vực)"),
    ("certification", FactType::Flag, "certification (chứng thực), by the source, else by the registry of procedures"),
    ("status", FactType::Word(STATUSES), "status as the source gives it"),
    ("submission_channel", FactType::Word(CHANNELS), "how it was submitted, as the source gives it"),
    ("is_online", FactType::Flag, "submitted online"),
    ("is_postal_submission", FactType::Flag, "received by post, by the rule set's evidence"),
    ("is_returned", FactType::Flag, "the result was returned, by portal or post"),
    ("is_postal_return", FactType::Flag, "the result was returned by post, by the rule set's evidence"),
    ("offered_level", FactType::Word(SERVICE_LEVELS), "level offered on the day of reception"),
    ("offers_postal_submission", FactType::Flag, "deployed for reception by post on the day of reception"),
    ("offers_postal_return", FactType::Flag, "deployed for return by post on the day of reception"),
    ("service_level", FactType::Word(SERVICE_LEVELS), "level as the source gives it"),
    ("result_electronic", FactType::Flag, "the result is electronic"),
    ("supplement_requests", FactType::Number, "how often the applicant was asked to supplement"),
    ("was_supplemented", FactType::Flag, "the applicant was asked to supplement at least once"),
    ("has_apology", FactType::Flag, "an apology is stated: its number, its date or the new due date"),
    (
        "apology",
        FactType::Word(APOLOGIES),
        "the apology by NĐ 61/2018 art. 19(9): absent; timely: sent on a day before that of the limit; late; repeated: more \
         than one extension; null if its day or the limit is unknown",
    ),
    ("late_cause", FactType::Word(LATE_CAUSES), "who caused a late dossier"),
    ("non_territorial", FactType::Flag, "received elsewhere than where it is resolved (phi địa giới)"),
    ("source", FactType::Text, "connector"),
];

/// Columns of an offer of a procedure (`procedure_offers.csv`).
pub const OFFER_COLUMNS: &[(&str, FactType, &str)] = &[
    ("role", FactType::Word(ROLES), "role of the agency that offers it"),
    ("at_one_stop", FactType::Flag, "received and returned at a one-stop shop"),
    ("one_stop_exempt", FactType::Flag, "lawfully not received at a one-stop shop"),
    ("list_1291", FactType::Flag, "in the list of vertical agencies' procedures of QĐ 1291/QĐ-TTg"),
    ("online_level", FactType::Word(SERVICE_LEVELS), "level at which it is offered online"),
    ("postal_submission", FactType::Flag, "deployed for reception by post"),
    ("postal_return", FactType::Flag, "deployed for return by post"),
    ("interlinked", FactType::Word(INTERLINKS), "how it is interlinked (liên thông)"),
    ("procedure_vertical", FactType::Flag, "the procedure is resolved by a vertical agency"),
    ("agency_vertical", FactType::Flag, "the agency that offers it is a central body's branch"),
];

/// Columns of an agency (`agencies.csv`).
pub const AGENCY_COLUMNS: &[(&str, FactType, &str)] = &[
    ("agency_kind", FactType::Word(AgencyKind::VARIANTS), "kind of agency"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
    (
        "agency_has_procedures",
        FactType::Flag,
        "the registry of offers has a procedure that the agency, or its tier, is competent to resolve on that day",
    ),
];

/// Facts of feedback (phản ánh, kiến nghị), at the night's moment.
pub const FEEDBACK_COLUMNS: &[(&str, FactType, &str)] = &[
    ("is_received", FactType::Flag, "received and not deleted"),
    ("is_handled", FactType::Flag, "handled, or forwarded with a proposal to the competent body"),
    ("is_handled_in_time", FactType::Flag, "handled not later than its due date; false without a due date"),
    ("has_due_date", FactType::Flag, "the source gives a due date"),
    ("is_answered", FactType::Flag, "the person was answered"),
    ("is_published", FactType::Flag, "the answer was published"),
    ("origin", FactType::Word(FEEDBACK_ORIGINS), "received first by the province, or by a ministry that passed it on"),
    ("subject", FactType::Word(FEEDBACK_SUBJECTS), "a regulation, or the conduct of an official"),
    ("agency_kind", FactType::Word(AgencyKind::VARIANTS), "kind of agency"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
    ("agency_known", FactType::Flag, "the agency is in the registry"),
];

/// Facts of dossiers and feedback that always have a value. Every other fact is null for a dossier of which it is not
/// known, and a predicate that it leaves undecided is null, as in SQL.
pub const NEVER_NULL: &[&str] = &[
    "is_received",
    "is_ended",
    "has_due_date",
    "agency_vertical",
    "agency_known",
    "procedure_vertical",
    "procedure_known",
    "is_returned",
    "offers_postal_submission",
    "offers_postal_return",
    "has_apology",
    "source",
    "is_handled",
    "is_answered",
    "is_published",
];

/// Whether a predicate names a fact that is null where it is not known.
#[must_use]
pub fn can_be_unknown(text: &str) -> bool {
    let facts = || FACT_COLUMNS.iter().chain(FEEDBACK_COLUMNS);
    words(&text.to_ascii_lowercase()).any(|word| facts().any(|(fact, ..)| *fact == word) && !NEVER_NULL.contains(&word))
}

/// Columns of a kind of row: name, type, meaning.
pub type Columns = &'static [(&'static str, FactType, &'static str)];

/// Facts whose value depends on the state of a dossier at a moment.
pub const STATE_COLUMNS: &[&str] = &["is_ended", "is_on_time", "is_late", "is_overdue", "is_pending"];

/// Whether a predicate names one of [`STATE_COLUMNS`].
#[must_use]
pub fn names_state_column(text: &str) -> bool {
    words(&text.to_ascii_lowercase()).any(|word| STATE_COLUMNS.contains(&word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_')
}
