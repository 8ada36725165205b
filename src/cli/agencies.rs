//! `agencies unknown|approve`: agencies that no registry has, and which of them are published under their own names.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, hint_line, print, print_message};
use crate::cli::{Failure, GlobalOptions, audit};
use crate::model::instant;
use crate::run::{self, Approval, UnknownAgency};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua agencies unknown\n  motcua agencies approve 3 5\n  motcua agencies approve 3 --withdraw"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the agencies that figures name by a number only, with the texts that sources write. The read is logged.
    Unknown {
        /// Also those that are approved.
        #[arg(long)]
        all: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Publish such agencies under their own names, from the next run on.
    Approve {
        /// Numbers, as `motcua agencies unknown` lists them.
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<u64>,
        /// Withdraw an approval: the agencies are named by their numbers again, from the next run on.
        #[arg(long)]
        withdraw: bool,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    number: u64,
    /// The text as a source writes it; `None` if the tables no longer have it.
    text: Option<String>,
    connectors: String,
    records: u64,
    since_run: i64,
    approved_by: Option<String>,
    approved_at: Option<String>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let data = options.data_folder()?;
    match &arguments.verb {
        Verb::Unknown { all, format } => {
            if !data.is_dir() {
                return Err(Failure::no_data_folder(&data));
            }
            if !data.join("lake").is_dir() {
                return Err(Failure::nothing_has_run(text!(
                    "không có bảng nào trong `{}`",
                    "there are no tables in `{}`",
                    data.display()
                )));
            }
            audit::log_read(&data, "agencies that no registry has").await?;
            let agencies = run::unknown_agencies(&data).await?;
            let shown = agencies.into_iter().filter(|agency| *all || agency.approved.is_none());
            let rows: Vec<Row> = shown.map(row).collect();
            print(&match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(&rows),
            })?;
            if *format == OutputFormat::Table && !rows.is_empty() {
                print_message(&hint_line(language::of(
                    "thêm cơ quan vào `agencies.csv`, hoặc sửa ở nguồn; `motcua agencies approve SỐ` công bố đúng tên như nguồn ghi",
                    "add an agency to `agencies.csv`, or correct it in its source; `motcua agencies approve NUMBER` publishes the text as \
                     it is",
                )));
            }
        }
        Verb::Approve { numbers, withdraw } => {
            let now = run::now();
            let approval = (!withdraw).then(|| Approval { by: audit::user(), at: now });
            run::approve_agencies(&data, numbers, approval, now).await?;
            let named = if *withdraw {
                language::of("bằng số", "by their numbers")
            } else {
                language::of("bằng tên của chúng", "by their own texts")
            };
            let count = numbers.len();
            print_message(&text!(
                "từ lượt chạy sau, {count} cơ quan được nêu {named}",
                "from the next run on, {count} agencies are named {named}"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(agency: UnknownAgency) -> Row {
    Row {
        number: agency.number,
        text: agency.text,
        connectors: agency.connectors.into_iter().collect::<Vec<_>>().join(";"),
        records: agency.records,
        since_run: agency.since_run,
        approved_by: agency.approved.as_ref().map(|approval| approval.by.clone()),
        approved_at: agency.approved.map(|approval| instant::display(approval.at)),
    }
}

fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            format!("#{}", row.number),
            row.text
                .clone()
                .unwrap_or_else(|| language::of("(không còn trong bảng)", "(no longer in the tables)").to_owned()),
            row.connectors.clone(),
            output::number(row.records),
            row.since_run.to_string(),
            row.approved_by.clone().unwrap_or_else(|| "–".to_owned()),
        ]
    });
    output::worded_table(
        &[
            ["Số", "number"],
            ["Tên được ghi", "text"],
            ["Kết nối", "connectors"],
            ["Số bản ghi", "records"],
            ["Từ lượt", "since run"],
            ["Người duyệt", "approved by"],
        ],
        cells.collect(),
    )
}
