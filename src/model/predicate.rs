//! Columns of registries that the predicates of indicators may name, and the types of all columns that they may name.
//!
//! A predicate is an SQL condition (`expressions` reads it, `config` checks it, `indicators` computes it). The facts of a
//! dossier and of feedback are in `facts/*.toml`.

use strum::VariantNames as _;

use crate::model::agency::AgencyKind;
use crate::model::table::{INTERLINKS, ROLES, SERVICE_LEVELS, TIERS};

/// Type of a fact column or of a part of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactType {
    Flag,
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    Number,
    /// Microseconds since 1970-01-01T00:00:00Z. Only facts have it: no predicate names one.
    Instant,
    /// Days since 1970-01-01. Only facts have it.
    Day,
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
pub const APOLOGIES: &[&str] = &["absent", "timely", "late", "repeated"];

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

/// Columns of a kind of row: name, type, meaning.
pub type Columns = &'static [(&'static str, FactType, &'static str)];
