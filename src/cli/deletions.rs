//! `deletions list|accept`: deletions that were refused because they are many, and those that an operator accepted.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, print, print_message};
use crate::cli::{Failure, GlobalOptions, audit};
use crate::model::instant;
use crate::run::{self, AcceptedDeletions, Ledger, RefusedDeletions, RunError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  motcua deletions list\n  motcua deletions accept bcci-export")]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the deletions that the last nights refused because they are many, and those that were accepted.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Accept the deletions that a connector's last night refused: the next night makes them. Rows that are gone by then
    /// besides need an acceptance of their own if they are many. Ask whoever runs the source first. The acceptance is written
    /// in the ledger, counts once, and lapses after a week.
    Accept {
        /// Name of the connector.
        connector: String,
    },
}

/// A refusal that is open, or an acceptance.
#[derive(Debug, Serialize)]
struct Row {
    connector: String,
    /// Run whose pull refused the deletions.
    run: i64,
    rows: u64,
    /// Code of the refusal; `None` for an acceptance.
    reason: Option<String>,
    /// Number of the acceptance.
    number: Option<i64>,
    accepted_by: Option<String>,
    accepted_at: Option<String>,
    /// Run that made the deletions.
    used_by: Option<i64>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_with_data()?;
    let data = &config.settings.data;
    match &arguments.verb {
        Verb::List { format } => {
            let Some(ledger) = Ledger::open_existing(data).await? else {
                return Err(Failure::no_ledger(data));
            };
            let refused = run::refused_deletions(&config, &ledger).await?;
            let accepted = ledger.accepted_deletions().await.map_err(RunError::from)?;
            let rows: Vec<Row> = refused.into_iter().map(refused_row).chain(accepted.into_iter().map(row)).collect();
            print(&match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(&rows),
            })?;
        }
        Verb::Accept { connector } => {
            let accepted = run::accept_deletions((&config, data), connector, audit::user(), run::now()).await?;
            let AcceptedDeletions { connector, refused_by: run, accepted_by: by, .. } = &accepted;
            let rows = output::number(accepted.rows);
            print_message(&text!(
                "đêm tới của `{connector}` được xóa {rows} dòng mà lượt {run} thấy đã mất; người chấp nhận: {by}",
                "the next night of `{connector}` may delete the {rows} rows that run {run} found gone; accepted by {by}"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn refused_row(refused: RefusedDeletions) -> Row {
    let RefusedDeletions { connector, run, rows, reason } = refused;
    let (number, accepted_by, accepted_at, used_by) = (None, None, None, None);
    Row { connector, run, rows, reason: Some(reason), number, accepted_by, accepted_at, used_by }
}

fn row(accepted: AcceptedDeletions) -> Row {
    let AcceptedDeletions { id, connector, refused_by: run, rows, accepted_by, accepted_at, used_by } = accepted;
    let (accepted_by, accepted_at) = (Some(accepted_by), Some(instant::display(accepted_at)));
    Row { connector, run, rows, reason: None, number: Some(id), accepted_by, accepted_at, used_by }
}

fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let number = |number: Option<i64>| number.map_or("–".to_owned(), |number| number.to_string());
        vec![
            row.connector.clone(),
            row.run.to_string(),
            output::number(row.rows),
            match &row.reason {
                Some(reason) => text!("từ chối: {reason}", "refused: {reason}"),
                None => language::of("đã chấp nhận", "accepted").to_owned(),
            },
            number(row.number),
            row.accepted_by.clone().unwrap_or_else(|| "–".to_owned()),
            row.accepted_at.as_deref().map_or_else(|| "–".to_owned(), output::minute),
            number(row.used_by),
        ]
    });
    let headings = [
        ["Kết nối", "connector"],
        ["Lượt từ chối", "refused by run"],
        ["Số dòng", "rows"],
        ["Tình trạng", "state"],
        ["Số", "number"],
        ["Người chấp nhận", "accepted by"],
        ["Lúc", "at"],
        ["Lượt đã xóa", "made by run"],
    ];
    output::worded_table(&headings, cells.collect())
}
