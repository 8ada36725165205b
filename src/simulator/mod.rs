//! A simulated province: a portal, the national portal's adapter and a post office on loopback, seeded, and the truth about them.
//!
//! `generate` draws dossiers and waybills with their whole histories; `serve` answers as an iGate portal would
//! on a given evening; `Province::write_exports` writes the post's lists; `Province::truth` counts the figures by
//! its own loops. Nothing here uses the pipeline's readers, calendar or stages, so that agreement
//! between the two means something. Persons in it are invented and say so.

mod catalogue;
mod choice;
mod doors;
mod dossier;
mod exports;
mod faults;
mod feedback;
mod generate;
mod life;
mod listing;
mod notes;
mod pack;
mod portal;
mod post;
mod registry;
mod render;
mod spoiled;
mod stated;
mod trouble;
mod truth;
mod working_days;

use jiff::civil::Date;
use thiserror::Error;

pub use self::catalogue::{CALL_PATH, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, LOGIN_PATH};
pub use self::doors::{CURSOR_PATH, KEYSET_PATH, TD_PATH};
pub use self::exports::write_again;
pub use self::faults::{Fault, Side};
pub use self::generate::{Settings, generate};
pub use self::portal::{CLIENT_ID, CLIENT_SECRET, Portal, SEARCH_PATH, SimulatedDay, TOKEN_PATH, serve};
pub use self::registry::Registries;
pub use self::truth::{INDICATORS as TRUE_INDICATORS, Scope, Truth, TruthFigure};

use self::dossier::Dossier;
use self::post::Waybill;
use self::registry::Registry;
use self::render::Fragments;
use self::working_days::{date_of, day_of};

/// What keeps a province from being simulated.
#[derive(Debug, Error)]
pub enum SimulatorError {
    #[error("reading `{file}` line {line}: {reason}")]
    Registry { file: &'static str, line: u64, reason: String },
    #[error("no day to receive dossiers on from `{first}` to `{today}`")]
    NoDays { first: Date, today: Date },
    #[error("no agency offers any procedure on `{day}`")]
    NothingOffered { day: Date },
    #[error("refused to listen on `{address}`: the simulated portal stays on loopback")]
    NotLoopback { address: std::net::SocketAddr },
    #[error("listening on `{address}`")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
}

/// A drawn province: every dossier and waybill with its history up to and past `today`.
#[derive(Debug)]
pub struct Province {
    registry: Registry,
    dossiers: Vec<Dossier>,
    /// In the order of acceptance.
    waybills: Vec<Waybill>,
    today: Date,
    fragments: Fragments,
}

impl Province {
    fn new(registry: Registry, dossiers: Vec<Dossier>, waybills: Vec<Waybill>, today: Date) -> Self {
        let fragments = Fragments::new(&registry);
        Self { registry, dossiers, waybills, today, fragments }
    }

    /// The last day that can be looked at.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today
    }

    /// The dossier's code: `<agency>-<yymmdd of hand-in>-<running number of the day>`.
    fn code(&self, dossier: &Dossier) -> String {
        self.code_numbered(dossier, dossier.sequence)
    }

    fn code_numbered(&self, dossier: &Dossier, number: u32) -> String {
        let agency = self.fragments.code_prefix(dossier.agency as usize);
        let day = date_of(day_of(dossier.applied));
        format!("{agency}-{:02}{:02}{:02}-{number:04}", day.year() % 100, day.month(), day.day())
    }
}

#[cfg(test)]
mod tests;
