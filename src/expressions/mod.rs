//! The language of predicates and facts: a small part of SQL, as a tree that any engine can be given.
//!
//! An [`Expression`] is a condition or a value over the columns of one row, with SQL's three values. [`parse`] reads it
//! from text, [`type_of`] finds its type, [`fold`] puts the settings of a rule set and of a night into it. [`FactTable`]
//! has the facts of a table: one expression for each. `indicators` renders expressions to Polars.
//!
//! The language has columns, settings (`rules.x`, `night.x`), literals, `+ - *`, comparisons, `AND`, `OR`, `NOT`, `IN`,
//! `IS NULL`, `IS TRUE`, `IS FALSE`, `CASE`, `COALESCE` and the functions of [`Function`]. There is nothing else: no
//! loops, no subqueries, no types of its own.

mod check;
mod fact_file;
mod fact_table;
mod fold;
mod parse;
mod shipped;
mod tree;

pub use check::{check_condition, type_of};
pub use fact_file::{FactProblem, GroupedTable, JoinedRows, read_facts, read_grouped};
pub use fact_table::{Fact, FactTable, LookupTypes, Phase, Stage, stored_column};
pub use fold::{SettingValue, Settings, fold};
pub use parse::{Macros, parse, parse_with};
pub use shipped::{
    can_be_unknown, depends_on, dossier_facts, feedback_facts, names_state, notes_by_dossier, post_by_dossier,
};
pub use tree::{Comparison, Expression, Function, Operation};
