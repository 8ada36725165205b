//! `backfill`: reads past days again from a source.

use std::process::ExitCode;

use jiff::civil::Date;

use crate::cli::run::run_and_publish;
use crate::cli::{Failure, GlobalOptions};
use crate::model::period::typed_day;
use crate::run;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua backfill portal-igate --from 2026-01-01 --to 2026-03-31")]
pub(super) struct Arguments {
    /// Name of the connector.
    connector: String,
    /// First day, yyyy-MM-dd.
    #[arg(long, value_name = "DAY", value_parser = typed_day)]
    from: Date,
    /// Last day, yyyy-MM-dd.
    #[arg(long, value_name = "DAY", value_parser = typed_day)]
    to: Date,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (options.load()?, run::now());
    let days = (arguments.from, arguments.to);
    run_and_publish(&config, "backfill", now, async |folder, progress| {
        folder.backfill(&arguments.connector, days, now, progress).await
    })
    .await
}
