//! Names under which commits carry transaction numbers (`txn` in the Delta log).
//!
//! By the numbers in its log, a table shows which runs it holds.

/// Commits of a figure table: the number is the run.
pub(super) const FIGURES: &str = "figures";

/// Commits of an image: the number is the version of its versions table that the image has caught up with.
pub(super) const VERSIONS: &str = "versions";

/// The commit of an image from which on its rows have the columns of [`DUE_HISTORY`](crate::model::table::DUE_HISTORY).
pub(super) const DUE_HISTORY: &str = "due-history";

/// Commits that hold the versions of one connector: the number is the run of the pull.
pub(super) fn pull(source: &str) -> String {
    format!("pull/{source}")
}
