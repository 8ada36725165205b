//! Errors of the numbers of withheld agencies.

use std::path::PathBuf;

/// Why the numbers of withheld agencies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AgencyNumbersError {
    #[error("the numbers of agencies in `{path}` are damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("there is no withheld agency with the number {number}")]
    UnknownNumber { number: u64 },
}
