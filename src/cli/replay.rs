//! `replay`: maps the landed pages of a run again.

use std::process::ExitCode;

use crate::cli::run::run_and_publish;
use crate::cli::{Failure, GlobalOptions, with_data};
use crate::run;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua replay 41")]
pub(super) struct Arguments {
    /// Number of the run, as `motcua runs list` shows it.
    run: i64,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (with_data(options.load()?)?, run::now());
    run_and_publish(&config, "replay", now, async |folder, progress| folder.replay(arguments.run, now, progress).await)
        .await
}
