//! Words that several stages share: types, their names and simple accessors.
//!
//! Charter:
//! * A type belongs here only if it crosses a stage boundary, or if it is the serialized form of a file that several
//!   stages use (connectors, indicators, rule sets, certificates).
//! * No parsing engines and no policy. Texts become values in `fields`, files are checked in `config`, and `landing`
//!   decides which texts may be written.
//! * Nothing here reads a file, the clock, the environment or the network, and nothing here imports a stage.
//! * Serialized names are stored formats. Digests of definitions are made from the serialized [`rules::RuleSet`] and
//!   [`indicator::IndicatorDefinition`]: the order of their fields and their serde names must not change.

pub mod agency;
pub mod checked_file;
pub mod connector;
pub mod day;
pub mod escape;
pub mod figure;
pub mod folder;
pub mod indicator;
pub mod instant;
pub mod list;
pub mod near_names;
pub mod page;
pub mod period;
pub(crate) mod position;
pub mod predicate;
pub mod procedure;
pub mod procedure_names;
pub mod pull;
pub mod record;
pub mod report_form;
pub mod reporting_zone;
pub mod rules;
pub mod source_order;
pub mod table;
pub mod table_remarks;
pub mod text;
pub mod typed_moment;
pub mod values;
pub mod vietnamese_order;
pub mod worklist;
