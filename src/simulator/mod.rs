//! A simulated province, drawn from a seed: a portal, the national portal's adapter and a post office on loopback,
//! and the true figures of its dossiers.
//!
//! `generate` draws dossiers and waybills with their whole histories. `serve` answers like an iGate portal on a given
//! evening, and at other paths like the portals of other vendors with the same dossiers.
//! `Province::write_messages` writes the messages that such a portal sends to the national one. `Province::write_exports` writes the post's lists. `Province::truth` counts the figures with loops of its
//! own. Nothing here uses the pipeline's readers, calendar or stages: the two must be able to disagree. All persons are
//! invented, and their names show it.

mod apologies;
mod dossier;
mod dossier_notes;
mod due_moves;
mod exports;
mod faults;
mod faulty_answers;
mod faulty_exports;
mod feedback;
mod file_encodings;
mod generate;
mod life_cycle;
mod list_cells;
mod listing;
mod measure_sheet;
mod ministry_list;
mod ministry_services;
mod national_evaluation;
mod national_message;
mod national_portal;
mod opencps;
mod paging_styles;
mod petitions;
mod portal;
mod post;
mod registry;
mod render;
mod simulated_day;
mod stated;
mod tan_dan;
mod true_due;
mod truth;
mod truth_counts;
mod truth_periods;
mod vnpost;
mod working_days;
mod workload;
mod wrong_clock;

use jiff::civil::Date;
use thiserror::Error;

pub use self::exports::{save_in_other_order, write_again};
pub use self::faults::{Fault, FaultSide};
pub use self::generate::{ProvinceSettings, generate};
pub use self::ministry_list::MINISTRY_CONNECTOR;
pub use self::ministry_services::{DVCSYNC_PATH, SLD_KEY, SLD_PATH};
pub use self::national_evaluation::{EVALUATION_PATH, EVALUATION_ROOT};
pub use self::national_message::MessageFormat;
pub use self::national_portal::{
    CALL_PATH, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, LOGIN_PATH,
};
pub use self::opencps::{OPENCPS_GROUP, OPENCPS_PATH};
pub use self::paging_styles::{CURSOR_PATH, KEYSET_PATH, TD_PATH};
pub use self::petitions::{PETITION_TAGS, PETITIONS_PATH};
pub use self::portal::{CLIENT_ID, CLIENT_SECRET, Portal, SEARCH_PATH, TOKEN_PATH, serve};
pub use self::registry::RegistryTexts;
pub use self::simulated_day::SimulatedDay;
pub use self::tan_dan::{TAN_DAN_LOGIN_PATH, TAN_DAN_SEARCH_PATH};
pub use self::truth::Truth;
pub use self::truth_counts::{INDICATORS as TRUE_INDICATORS, TruthFigure, TruthScope};
pub use self::vnpost::TRACKING_PATH;

use self::dossier::Dossier;
use self::post::{Target, Waybill};
use self::registry::Registry;
use self::render::JsonFragments;
use self::working_days::{date_of, day_of};

/// Why a province cannot be simulated or served.
#[derive(Debug, Error)]
pub enum SimulatorError {
    #[error("reading `{file}` line {line}: {reason}")]
    Registry { file: &'static str, line: u64, reason: String },
    #[error("no day on which dossiers can be received from `{first}` to `{today}`")]
    NoDays { first: Date, today: Date },
    #[error("no agency offers any procedure on `{day}`")]
    NothingOffered { day: Date },
    #[error("refused to listen on `{address}`: the simulated portal stays on loopback")]
    NotLoopback { address: std::net::SocketAddr },
    #[error("listening on `{address}`")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
}

/// A drawn province: every dossier and waybill with its whole history, also after `today`.
#[derive(Debug)]
pub struct Province {
    registry: Registry,
    dossiers: Vec<Dossier>,
    /// In the order of acceptance.
    waybills: Vec<Waybill>,
    today: Date,
    fragments: JsonFragments,
    /// Whether a ministry's software holds some of the dossiers: see `ministry_list`.
    has_ministry: bool,
}

impl Province {
    fn new(registry: Registry, dossiers: Vec<Dossier>, waybills: Vec<Waybill>, today: Date) -> Self {
        let fragments = JsonFragments::new(&registry);
        Self { registry, dossiers, waybills, today, fragments, has_ministry: false }
    }

    /// The same province, of whose dossiers a ministry's software holds some, and some of them alone.
    #[must_use]
    pub fn with_ministry(mut self) -> Self {
        self.has_ministry = true;
        self
    }

    /// The last simulated day.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today
    }

    /// The dossier's code: `<agency>-<yymmdd of the hand-in>-<running number within the day>`.
    fn code(&self, dossier: &Dossier) -> String {
        self.code_numbered(dossier, dossier.sequence)
    }

    /// The dossier code that the post knows an item by; empty in bad rows.
    fn order_number(&self, item: &Waybill) -> String {
        let dossier = &self.dossiers[item.target.dossier_index()];
        match item.target {
            Target::Dossier(_) => self.code(dossier),
            Target::NoCode(_) => String::new(),
            // No agency has ten thousand dossiers a day.
            Target::Unknown(_) => self.code_numbered(dossier, dossier.sequence + 10_000),
        }
    }

    fn code_numbered(&self, dossier: &Dossier, number: u32) -> String {
        let agency = self.fragments.code_prefix(dossier.agency as usize);
        let day = date_of(day_of(dossier.applied));
        format!("{agency}-{:02}{:02}{:02}-{number:04}", day.year() % 100, day.month(), day.day())
    }
}

#[cfg(test)]
mod tests;
