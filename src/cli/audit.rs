//! The access log for dossier-level reads of the command line. As in the service, a read is logged before the data is
//! shown.
#![expect(clippy::disallowed_methods, reason = "edge: the name of the user is in the environment")]

use std::path::Path;

use crate::cli::Failure;
use crate::run::{self, RunError};
use crate::service::AccessStore;

/// Adds an entry for the current user to the access log.
pub(super) async fn log_read(data: &Path, what: &str) -> Result<(), Failure> {
    let access = AccessStore::open(data).await.map_err(RunError::from)?;
    access.record_read(&user(), "command", what, run::now()).await.map_err(RunError::from)?;
    access.close().await;
    Ok(())
}

/// Name of the current user.
pub(super) fn user() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    user.unwrap_or_else(|| "unknown".to_owned())
}
