//! `status`: prints the health of every connector and of the publication to PostgreSQL.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::failure::FIRST_CONNECTOR;
use crate::cli::output::{self, OutputFormat, print, print_message};
use crate::cli::{Failure, GlobalOptions};
use crate::model::instant;
use crate::run::{self, ConnectorHealth, Ledger, assess_connectors};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    if config.has_no_connector() {
        print_message(&format!("no connector is configured\nhint: {FIRST_CONNECTOR}"));
    } else if !config.settings.data.is_dir() {
        return Err(Failure::no_data_folder(&config.settings.data));
    }
    let ledger = Ledger::open_existing(&config.settings.data).await?;
    let rows = assess_connectors(&config, ledger.as_ref(), run::now()).await?;
    let text = match arguments.format {
        OutputFormat::Json => output::json(&rows)?,
        OutputFormat::Csv => output::csv(&rows)?,
        OutputFormat::Table => table(&rows),
    };
    print(&text)?;
    let is_healthy = rows.iter().all(|row| row.state.is_fine());
    Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn table(rows: &[ConnectorHealth]) -> String {
    let headings =
        ["connector", "state", "since", "data until", "received", "accepted", "quarantined", "open", "next run"];
    let moment = |at: Option<i64>| at.map_or("–".to_owned(), |at| instant::display(at)[..16].replace('T', " "));
    let cells = rows.iter().map(|row| {
        let state = row.state.name().to_owned();
        let numbers = [row.received, row.accepted, row.quarantined, row.open].map(output::number);
        let mut cells = vec![row.connector.clone(), state, moment(row.since), moment(row.data_until)];
        cells.extend(numbers);
        cells.push(moment(row.next_run));
        cells
    });
    let mut text = output::table(&headings, cells.collect());
    for row in rows {
        if !row.state.is_fine() {
            let reason = row.reason.as_deref().unwrap_or(row.state.name());
            let hint = row.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            let _ = writeln!(text, "{}: {reason}{hint}", row.connector);
        }
        if !row.remarks.is_empty() {
            let _ = writeln!(text, "{}: {}", row.connector, row.remarks);
        }
    }
    text
}
