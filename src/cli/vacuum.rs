//! `vacuum`: removes files that are no longer needed.

use std::process::ExitCode;

use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, number, print};
use crate::cli::run::with_data_folder;
use crate::cli::{Failure, GlobalOptions, with_data};
use crate::run::{self, Retention, VacuumAction, VacuumLine};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua vacuum --dry-run")]
pub(super) struct Arguments {
    /// Keep the figures of nights younger than this. The newest night, the newest complete night and the last night of
    /// each month always keep theirs. Figures of the other nights are rebuilt from the versions on request. Without it:
    /// `night_days` of `[retention]` in `motcua.toml`.
    #[arg(long, value_name = "DAYS")]
    keep_nights: Option<u32>,
    /// Keep the landed pages of pulls younger than this. Without it: `landing_days` of `[retention]`.
    #[arg(long, value_name = "DAYS")]
    keep_landing: Option<u32>,
    /// Keep replaced files of the tables for this long, for readers that still have a table open. Without it: `file_days` of
    /// `[retention]`.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=7))]
    keep_files: Option<u32>,
    /// Only show what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (with_data(options.load()?)?, run::now());
    let data = &config.settings.data;
    if !data.join("lake").exists() {
        return Err(Failure::nothing_has_run(text!(
            "thư mục dữ liệu `{}` không có bảng nào",
            "the data folder `{}` has no tables",
            data.display()
        )));
    }
    let Arguments { keep_nights, keep_landing, keep_files, dry_run, format } = *arguments;
    let set = Retention::from(&config.settings.retention);
    let keep = Retention {
        nights: keep_nights.unwrap_or(set.nights),
        landing: keep_landing.unwrap_or(set.landing),
        files: keep_files.unwrap_or(set.files),
    };
    let tallies = with_data_folder(&config, "vacuum", now, async |folder, progress| {
        folder.vacuum_by_order(keep, dry_run, now, progress).await
    })
    .await?;
    let text = match format {
        OutputFormat::Json => output::json(&tallies)?,
        OutputFormat::Csv => output::csv(&tallies)?,
        OutputFormat::Table => table(&tallies, dry_run),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(tallies: &[VacuumLine], dry_run: bool) -> String {
    let cells = tallies.iter().map(|tally| {
        let action = match tally.action {
            VacuumAction::Removed if dry_run => language::of("sẽ xóa", "would be removed"),
            VacuumAction::Removed => language::of("đã xóa", "removed"),
            VacuumAction::Kept => language::of("giữ lại", "kept"),
        };
        let numbers = [tally.count, tally.bytes].map(number);
        [vec![tally.kind.to_owned(), action.to_owned()], numbers.to_vec(), vec![tally.reason.clone()]].concat()
    });
    output::worded_table(
        &[
            ["Loại", "kind"],
            ["Xử lý", "action"],
            ["Số tệp hoặc dòng", "files or rows"],
            ["Số byte", "bytes"],
            ["Lý do", "why"],
        ],
        cells.collect(),
    )
}
