//! Dossier-level reads by the command line: written down before they are printed, like those through the service.
#![expect(clippy::disallowed_methods, reason = "edge: who reads is asked of the environment")]

use std::path::Path;

use crate::cli::Failure;
use crate::run::{self, RunError};
use crate::service::Access;

/// Writes down that the user of this shell looks at something.
pub(super) async fn note_read(data: &Path, what: &str) -> Result<(), Failure> {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let access = Access::open(data).await.map_err(RunError::from)?;
    let reader = user.unwrap_or_else(|| "unknown".to_owned());
    access.note_read(&reader, "command", what, run::now()).await.map_err(RunError::from)?;
    access.close().await;
    Ok(())
}
