//! `verify`: checks the whole data folder against its digests and logs.

use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::language::text;
use crate::cli::output::{self, OutputFormat, hint_line, number, print, print_message};
use crate::cli::run::with_spinner;
use crate::cli::{Failure, GlobalOptions};
use crate::model::checked_file::FileState;
use crate::run::{self, VerifyLine};

/// Files without digest that the table names.
const MOST_NAMED: usize = 20;

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
            print_message(&format!("  {}", hint_line(hint)));
        }
    }
    let without: Vec<&str> =
        lines.iter().filter(|line| is_without_digest(line)).filter_map(|line| line.path.as_deref()).collect();
    if arguments.format == OutputFormat::Table && !without.is_empty() {
        let count = without.len();
        print_message(&text!(
            "{count} tệp không có mã băm, vì do một motcua cũ hơn ghi:",
            "{count} files have no digest, because an older motcua wrote them:"
        ));
        for path in without.iter().take(MOST_NAMED) {
            print_message(&format!("  `{path}`"));
        }
        if without.len() > MOST_NAMED {
            let more = without.len() - MOST_NAMED;
            print_message(&text!(
                "  và {more} tệp khác: `motcua verify --format csv` liệt kê tất cả",
                "  and {more} more: `motcua verify --format csv` lists all"
            ));
        }
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn is_without_digest(line: &VerifyLine) -> bool {
    line.state == FileState::NoDigest
}

/// Files without digest are counted, since there may be thousands of them.
fn table(lines: &[VerifyLine]) -> String {
    let mut rows: Vec<VerifyLine> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            Some(last) if is_without_digest(line) && is_without_digest(last) && last.kind == line.kind => {
                (last.files, last.bytes) = (last.files + line.files, last.bytes + line.bytes);
            }
            _ => rows.push(VerifyLine { path: line.path.clone().filter(|_| !is_without_digest(line)), ..line.clone() }),
        }
    }
    let cells = rows.into_iter().map(|line| {
        let [files, bytes] = [line.files, line.bytes].map(number);
        vec![line.kind.name().to_owned(), line.state.name().to_owned(), files, bytes, line.path.unwrap_or_default()]
    });
    output::worded_table(
        &[["Loại", "kind"], ["Tình trạng", "state"], ["Số tệp", "files"], ["Số byte", "bytes"], ["Tệp", "file"]],
        cells.collect(),
    )
}
