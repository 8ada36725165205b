//! `quarantine list|show|retry`: lists rejected rows, shows one, processes them again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, print, print_message};
use crate::cli::run::run_and_publish;
use crate::cli::{Failure, GlobalOptions, audit, with_data};
use crate::landing::LandedPull;
use crate::run::{self, Ledger, QuarantinedRow, RunError};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua quarantine list --connector portal-igate\n  motcua quarantine show 12\n  motcua quarantine retry portal-igate"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List open rejected rows, newest run first.
    List {
        /// Only rows of this connector.
        #[arg(long)]
        connector: Option<String>,
        /// Only rows of this run.
        #[arg(long)]
        run: Option<i64>,
        /// Also closed rows: accepted later, rejected again, or replaced by a newer row.
        #[arg(long)]
        all: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Show one rejected row: its origin, the reason and the kept fields. The read is logged.
    Show {
        /// Number of the row, as `motcua quarantine list` shows it.
        id: i64,
    },
    /// Process rejected rows again, after the mapping or the source was corrected.
    Retry {
        /// Names of connectors. Default: all.
        connectors: Vec<String>,
    },
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Verb::Retry { connectors } = &arguments.verb {
        let (config, now) = (with_data(options.load()?)?, run::now());
        return run_and_publish(&config, "quarantine retry", now, async |folder, progress| {
            folder.retry(connectors, now, progress).await
        })
        .await;
    }
    let config = options.load_with_data()?;
    let data = &config.settings.data;
    let Some(ledger) = Ledger::open_existing(data).await? else {
        return Err(Failure::no_ledger(data));
    };
    match &arguments.verb {
        Verb::List { connector, run, all, format } => {
            let rows = ledger.quarantined(connector.as_deref(), *run, !all).await.map_err(RunError::from)?;
            let files = run::rejected_files(&config, &rows);
            let listed: Vec<ListedRow> = rows.iter().zip(files).map(|(row, file)| ListedRow::new(row, file)).collect();
            print(&match format {
                OutputFormat::Json => output::json(&listed)?,
                OutputFormat::Csv => output::csv(&listed)?,
                OutputFormat::Table => table(&listed),
            })?;
            if *format == OutputFormat::Table {
                for (what, count) in groups(&rows) {
                    print_message(&format!("{what}: {}", output::number(count)));
                }
                let count = output::number(rows.len() as u64);
                print_message(&text!("số dòng bị loại: {count}", "rejected rows: {count}"));
            }
        }
        Verb::Show { id } => {
            let Some(rejected) = ledger.quarantined_row(*id).await.map_err(RunError::from)? else {
                let message = text!("không có dòng bị loại số `{id}`", "there is no rejected row `{id}`");
                return Err(Failure::usage(message).with_hint(language::of(
                    "`motcua quarantine list --all` liệt kê số của mọi dòng",
                    "`motcua quarantine list --all` shows the numbers of all rows",
                )));
            };
            audit::log_read(data, &format!("quarantine row {id}")).await?;
            print(&details(data, &rejected)?)?;
        }
        Verb::Retry { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A rejected row as it is listed.
#[derive(Debug, Serialize)]
struct ListedRow {
    id: i64,
    run: i64,
    connector: String,
    page: u32,
    row: u32,
    field: Option<String>,
    reason: String,
    closed_by: Option<i64>,
    /// Number of pulls in a row that rejected the row, and the first run of them.
    times: i64,
    first_run: i64,
    /// Name of its file; null if it came over HTTP, or if its page is no longer in landing.
    file: Option<String>,
}

impl ListedRow {
    fn new(rejected: &QuarantinedRow, file: Option<String>) -> Self {
        let QuarantinedRow { id, run, connector, page, row, field, reason, closed_by, times, first_run } =
            rejected.clone();
        Self { id, run, connector, page, row, field, reason, closed_by, times, first_run, file }
    }
}

/// Number of rows by connector, field and reason.
fn groups(rows: &[QuarantinedRow]) -> BTreeMap<String, u64> {
    let mut groups = BTreeMap::new();
    for row in rows {
        let field = row.field.as_deref().unwrap_or("(the whole row)");
        *groups.entry(format!("{} {field} {}", row.connector, row.reason)).or_default() += 1;
    }
    groups
}

fn table(rows: &[ListedRow]) -> String {
    let headings = [
        ["Số", "id"],
        ["Lượt", "run"],
        ["Kết nối", "connector"],
        ["Từ", "from"],
        ["Dòng", "row"],
        ["Trường", "field"],
        ["Lý do", "reason"],
        ["Số lần", "times"],
        ["Đóng bởi lượt", "closed by run"],
    ];
    let cells = rows.iter().map(|row| {
        vec![
            row.id.to_string(),
            row.run.to_string(),
            row.connector.clone(),
            row.file.clone().unwrap_or_else(|| text!("trang {}", "page {}", row.page)),
            row.row.to_string(),
            row.field.clone().unwrap_or_else(|| language::of("(cả dòng)", "(the whole row)").to_owned()),
            row.reason.clone(),
            row.times.to_string(),
            row.closed_by.map_or_else(|| "–".to_owned(), |run| run.to_string()),
        ]
    });
    output::worded_table(&headings, cells.collect())
}

/// Origin and reason of a rejected row, and the fields that landing kept.
fn details(data: &std::path::Path, rejected: &QuarantinedRow) -> Result<String, Failure> {
    let mut text = format!(
        "connector  {}\nrun        {}\npage       {}\nrow        {}\nfield      {}\nreason     {}\n",
        rejected.connector,
        rejected.run,
        rejected.page,
        rejected.row,
        rejected.field.as_deref().unwrap_or("(the whole row)"),
        rejected.reason,
    );
    if let Some(run) = rejected.closed_by {
        let _ = writeln!(text, "closed by  run {run}");
    }
    let landed = LandedPull::new(data, &rejected.connector, rejected.run);
    let certificate = landed.certificate().map_err(RunError::from)?;
    let entry = certificate.as_ref().and_then(|found| found.pages.iter().find(|page| page.number == rejected.page));
    let Some(entry) = entry else {
        text.push_str("the page is no longer in landing\n");
        return Ok(text);
    };
    let page = landed.read(entry).map_err(RunError::from)?;
    let _ = writeln!(text, "from       {}", page.origin);
    if let Some(index) = (0..page.len()).find(|&index| page.row(index).0 == rejected.row) {
        text.push_str(
            "kept fields (`?`: shape of a value that failed its type; `~`: shape of a value that may be personal data):\n",
        );
        for (field, name) in page.fields.iter().enumerate() {
            if let Some(value) = page.cell(index, field) {
                let _ = writeln!(text, "  {name} = {value}");
            }
        }
    }
    Ok(text)
}
