//! Computes the figures of indicators from the canonical tables.
//!
//! The data passes through five forms: tables → facts → states → groups → figures.
//!
//! 1. **Tables.** `inputs` has the canonical tables, registries and definitions. `agencies` finds the agency that a
//!    text means, `agency_names` what it is published as. `registry_lookups` prepares agencies, procedures, offers and days for the scan with the look-ups of
//!    `lookups`.
//! 2. **Facts.** `copies` leaves out rows of which another source has the dossier too. One column per property of a dossier that predicates use, and per step to one: what each is stands in
//!    `facts/*.toml`, and `polars_expressions` turns it into a plan. `grouped_rows` has the notes and postal items of each
//!    dossier, `parts` knows which parts of interlinked dossiers have their whole; `local_time` has the days of instants.
//! 3. **States.** The facts that depend on a rule set: when a dossier becomes overdue and ends, whether it is on time.
//!    `facts` gives them the settings, `scan` combines all facts in one lazy plan.
//! 4. **Groups.** `sums` turns an indicator's predicates into columns to be summed.
//!    `groups` decides by what they are grouped. `group_scan` reads the table once for all of them, with the columns that
//!    `shared_columns` computes once for all rule sets, and `rows` adds them up.
//! 5. **Figures.** `figures` adds up rows to figures of `periods`, agencies, tiers and the province. `medians` makes
//!    those of medians. `registry_counts` counts procedures on offer and agencies, the rows of `registry_rows`, in a
//!    `number_set`.
//!
//! `compute` runs all of this in one scan for every rule set; `compute_each` does it so that an indicator that fails
//! costs its own figures only. `feedback` and `measure_figures` compute the figures that
//! do not come from dossiers.
//!
//! `script` renders facts, sums and figures to SQL for other engines.
//!
//! The remaining files use the result: `figure_columns` declares the columns of a figure, `figure_frames` stores
//! figures and reads them back, `ranking` ranks agencies, `period_changes` compares periods, `compare` compares rule
//! sets, `explain` lists the dossiers behind a figure, and `form` fills form II.06a.

mod agencies;
mod agency_names;
mod compare;
mod competence;
mod compute;
mod compute_each;
mod copies;
mod dossier_sources;
mod explain;
mod facts;
mod feedback;
mod figure_columns;
mod figure_frames;
mod figures;
mod form;
mod group_scan;
mod grouped_rows;
mod groups;
mod inputs;
mod integrity;
mod local_time;
mod lookups;
mod measure_figures;
mod medians;
mod number_set;
mod offer_list;
mod parts;
mod period_changes;
mod periods;
mod polars_expressions;
mod ranking;
mod reconcile;
mod registry_counts;
mod registry_lookups;
mod registry_rows;
mod rows;
mod scan;
mod script;
mod shared_columns;
mod sums;
mod worklists;

pub use agency_names::{AgencyNames, NumberedAgency, withheld_name, withheld_number};
pub use compare::{RuleDifference, compare_rules};
pub use compute::{compute, sort_figures};
pub use compute_each::{ComputedFigures, compute_each};
pub use dossier_sources::dossier_sources;
pub use explain::{
    AGENCY_COLUMNS, DOSSIER_COLUMNS, DossierPage, Exclusion, ExplainedDossier, ExplainedFact, ExplainedFigure,
    ExplainedUnits, Explanation, FEEDBACK_COLUMNS, FigureOf, MEASURE_COLUMNS, Move, PROCEDURE_COLUMNS, Side, Standing,
    Standings, conditions_in_words, dossier_json, explain_units, reads_lookup, unexplained,
};
pub use figure_columns::{
    FIGURE_COLUMNS, FigureCell, FigureColumn, FigureColumnForms, FigureColumnRole, FigureColumnType, FigureOfNight,
    key_columns, met_word, row_columns, stored_columns,
};
pub use figure_frames::{FigureKey, figure_frame, figure_key, figures_from_frame, published_frame, stored_frame};
pub use form::{FormScope, form_counts};
pub use inputs::FigureInputs;
pub use integrity::{
    INTEGRITY_COLUMNS, IntegrityDossiers, IntegrityKind, IntegrityRow, JUDGED_CHANGES, integrity, integrity_dossiers,
    integrity_problem,
};
pub use offer_list::{ListedOffer, list_offers};
pub use period_changes::period_changes;
pub use ranking::{MIN_RANKED_DOSSIERS, Rank, RankingRule, rank};
pub use reconcile::{
    ClassCount, ItemProblem, NationalClass, NationalPair, NationalReconciliation, NationalRow, PostDirection,
    ReconcileClass, ReconcilePage, ReconciledDossier, Reconciliation, SideCounts, UnmatchedItem, UnmatchedItems,
    compare_national, count_unmatched_items, reconcile, unmatched_items,
};
pub use script::{SqlDialect, StoredTables, sql_script};
pub use worklists::{
    FoundWorklist, RatioStanding, SILENT, SilentAgency, Worklist, WorklistLine, WorklistPage, find_worklist,
    silent_agencies, silent_title, worklist_counts, worklists,
};

/// Why figures could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
    #[error("cannot compute figures: {0}")]
    Polars(#[from] polars::error::PolarsError),
    #[error("cannot compute indicator `{indicator}`: predicate `{predicate}`: {message}")]
    Predicate { indicator: String, predicate: String, message: String },
    #[error("an unexpected error in motcua itself (a panic); the log has its place")]
    Panicked,
}
