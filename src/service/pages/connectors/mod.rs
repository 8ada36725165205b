//! The pages of connectors: list, detail, rejected rows, and the operations of an operator.

pub(super) mod banner;
mod declared;
pub(super) mod detail;
pub(super) mod health_row;
pub(super) mod list;
pub(super) mod operations;
mod place;
pub(super) mod rejected;
pub(super) mod upload;
mod upload_words;
