//! `backfill`: a stretch of the past, read again.

use std::process::ExitCode;

use jiff::civil::Date;

use crate::cli::run::acted;
use crate::cli::{Base, Failure};
use crate::run;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    connector: String,
    /// First day, yyyy-MM-dd.
    #[arg(long)]
    from: Date,
    /// Last day, yyyy-MM-dd.
    #[arg(long)]
    to: Date,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (base.load()?, run::now());
    let days = (arguments.from, arguments.to);
    acted(&config, "backfill", now, async |office, watch| office.backfill(&arguments.connector, days, now, watch).await)
        .await
}
