//! Indicators: from the tables to counts, and from counts to figures.
//!
//! `agencies`, `registers` and `lookups` make the registries readable from a scan; `facts` says one thing a column of each
//! dossier; `states` applies a rule set; `measures` makes columns of an indicator's predicates, `groups` says what they are
//! summed by, and `compute` scans once. `figures`, `registered` and `medians` make `periods`, tiers and the province out of
//! the groups; `ranking` orders agencies, `compare` holds rule sets against each other.

mod agencies;
mod changes;
mod compare;
mod compute;
mod facts;
mod feedback;
mod figures;
mod form;
mod groups;
mod lookups;
mod measures;
mod medians;
mod periods;
mod ranking;
mod registered;
mod registers;
mod stated;
mod states;
mod table;

pub use changes::changes;
pub use compare::{RuleDifference, compare_rules};
pub use compute::{Inputs, ROWS_AT_ONCE, compute, put_in_order};
pub use form::{FormScope, form_counts};
pub use ranking::{Contest, LEAST_RANKED, Rank, rank};
pub use table::{FIGURE_COLUMNS, FigureKey, from_frame, key_of, to_frame};

/// Why figures could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
    #[error("cannot compute figures: {0}")]
    Polars(#[from] polars::error::PolarsError),
    #[error("indicator `{indicator}`, predicate `{predicate}`: {message}")]
    Predicate { indicator: String, predicate: String, message: String },
}
