//! Landing: the write-ahead copy of every page of a pull, before any record is mapped or stored.
//!
//! `<data>/landing/<connector>/<run>/` holds one pull. Its pages are `000001.ndjson.zst` and so on: a header line, then
//! one line for each row, `[row, reason or null, cell, …]`. `plan.json` is written before the first page,
//! `certificate.json` after the last.
//!
//! With a certificate, the pull can be settled without its source. Without one, it can be resumed after its last page,
//! from `plan.json` and the position in the page's header or beside it (`position_file`); otherwise its pages are
//! discarded. Only kept fields are
//! written, and texts that may be personal data are replaced by their shape (`scrub`).

mod check;
mod error;
mod landed_pull;
mod position_file;
pub mod retention;
mod rows;
mod scratch_file;
mod scrub;
mod stored_position;

pub use check::check;
pub use error::LandingError;
pub use landed_pull::{LandedPull, PullPlan, highest_run};
pub use scratch_file::ScratchFile;
pub use scrub::{failed_for, is_withheld};
