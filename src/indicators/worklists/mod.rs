//! Worklists: on which dossiers an agency acts today so that its ratios do not fall.
//!
//! Facts decide, as they decide figures, but about the moment at which somebody asks. Dossiers of former agencies are those
//! of their successors, who do the work.

mod definition;
mod find;
mod ratios;
mod silent;

pub use self::definition::{SILENT, Worklist, silent_title, worklists};
pub use self::find::{FoundWorklist, WorklistLine, WorklistPage, find_worklist, worklist_counts};
pub use self::ratios::RatioStanding;
pub use self::silent::{SilentAgency, silent_agencies};
