//! The pages of connectors: list, detail, rejected rows, and the operations of an operator.

mod banner;
mod declared;
pub(super) mod detail;
mod health_row;
pub(super) mod list;
pub(super) mod operations;
pub(super) mod rejected;
