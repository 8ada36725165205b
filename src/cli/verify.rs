//! `verify`: checks the whole data folder against its digests and logs.

use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::output::{self, OutputFormat, number, print, print_message};
use crate::cli::run::with_spinner;
use crate::cli::{Failure, GlobalOptions};
use crate::run::{self, VerifyLine};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  motcua verify\n  motcua --data /var/lib/motcua/data verify --format json")]
pub(super) struct Arguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (data, now) = (options.data_folder()?, run::now());
    if !data.is_dir() {
        return Err(Failure::no_data_folder(&data));
    }
    let lines = with_spinner(async |progress| run::verify(&data, now, progress).await).await?;
    let text = match arguments.format {
        OutputFormat::Json => output::json(&lines)?,
        OutputFormat::Csv => output::csv(&lines)?,
        OutputFormat::Table => table(&lines),
    };
    print(&text)?;
    let wrong: Vec<&VerifyLine> = lines.iter().filter(|line| !line.state.is_fine()).collect();
    for line in wrong.iter().filter(|_| arguments.format == OutputFormat::Table) {
        let (path, what) = (line.path.as_deref().unwrap_or_default(), line.what.as_deref().unwrap_or_default());
        print_message(&format!("`{path}` {what}"));
        if let Some(hint) = line.hint {
            print_message(&format!("  hint: {hint}"));
        }
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn table(lines: &[VerifyLine]) -> String {
    let cells = lines.iter().map(|line| {
        let [files, bytes] = [line.files, line.bytes].map(number);
        let path = line.path.clone().unwrap_or_default();
        vec![line.kind.name().to_owned(), line.state.name().to_owned(), files, bytes, path]
    });
    output::table(&["kind", "state", "files", "bytes", "file"], cells.collect())
}
