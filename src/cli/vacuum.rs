//! `vacuum`: what nothing rests on any more.

use std::process::ExitCode;

use crate::cli::output::{self, Format, number, print};
use crate::cli::run::with_data_folder;
use crate::cli::{Base, Failure};
use crate::run::{self, Retention, VacuumAction, VacuumLine};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Figures of nights younger than this many days stay in their folders. The last night of each month and the newest
    /// stay for good; the others are rebuilt from the versions when they are asked for.
    #[arg(long, value_name = "DAYS", default_value_t = 400)]
    keep_nights: u32,
    /// Their CSV and JSON stay this many days; their Parquet says the same.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    keep_texts: u32,
    /// Landed pages of pulls younger than this many days stay.
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    keep_landing: u32,
    /// Replaced files of the tables stay this many days, for readers that opened a table before.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(0..=7))]
    keep_files: u32,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (base.load()?, run::now());
    let data = &config.settings.data;
    if !data.join("lake").exists() {
        return Err(Failure::usage(format!("there is nothing in data folder `{}`", data.display()))
            .with_hint("nothing has run yet: `motcua run`"));
    }
    let Arguments { keep_nights, keep_texts, keep_landing, keep_files, dry_run, format } = *arguments;
    let keep = Retention { nights: keep_nights, texts: keep_texts, landing: keep_landing, files: keep_files };
    let tallies = with_data_folder(&config, "vacuum", now, async |folder, progress| {
        folder.vacuum(keep, dry_run, now, progress).await
    })
    .await?;
    let text = match format {
        Format::Json => output::json(&tallies)?,
        Format::Csv => output::csv(&tallies)?,
        Format::Table => table(&tallies, dry_run),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(tallies: &[VacuumLine], dry_run: bool) -> String {
    let cells = tallies.iter().map(|tally| {
        let action = match tally.action {
            VacuumAction::Removed if dry_run => "would be removed",
            VacuumAction::Removed => "removed",
            VacuumAction::Kept => "kept",
        };
        let numbers = [tally.count, tally.bytes].map(number);
        [vec![tally.kind.to_owned(), action.to_owned()], numbers.to_vec(), vec![tally.reason.clone()]].concat()
    });
    output::table(&["kind", "action", "files or rows", "bytes", "why"], cells.collect())
}
