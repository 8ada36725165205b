//! Logs: events to standard error, counts and ids only; `MOTCUA_LOG` chooses (`motcua=warn` if absent).
//!
//! Field names are a vocabulary: `run`, `connector`, `page`, `rows`, `reason`, and the counts of a pull; of the
//! registries also codes of procedures, which are public.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging; a second start changes nothing.
pub fn start() {
    let filter = EnvFilter::builder()
        .with_env_var("MOTCUA_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new("motcua=warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}
