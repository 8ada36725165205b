//! Words that cross a stage boundary.
//!
//! Charter: a type stands here only if two stages exchange it. Nothing here reads a file, a clock, the
//! environment or a network, and nothing here knows a stage.

pub mod agency;
pub mod connector;
pub mod day;
pub mod field;
pub mod figure;
pub(crate) mod forms;
pub mod indicator;
pub mod instant;
pub mod page;
pub mod period;
pub mod person;
pub(crate) mod position;
pub mod predicate;
pub mod procedure;
pub mod pull;
pub mod record;
pub mod report_form;
pub mod rules;
pub mod table;
pub mod values;
