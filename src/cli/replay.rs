//! `replay`: what a run landed, mapped again.

use std::process::ExitCode;

use crate::cli::run::acted;
use crate::cli::{Base, Failure};
use crate::run;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Number of the run (`motcua runs` lists them).
    run: i64,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (base.load()?, run::now());
    acted(&config, "replay", now, async |folder, progress| folder.replay(arguments.run, now, progress).await).await
}
