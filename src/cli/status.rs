//! `status`: prints the health of every connector and of the publication to PostgreSQL.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::explained::Explained;
use crate::cli::failure::first_connector;
use crate::cli::language::{self, language};
use crate::cli::output::{self, OutputFormat, hint_line, print, print_message};
use crate::cli::{Failure, GlobalOptions, remarks};
use crate::health::HealthState;
use crate::locale::Language;
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
        print_message(language::of("chưa có kết nối nào", "no connector is configured"));
        print_message(&hint_line(first_connector()));
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
    let headings = match language() {
        Language::Vietnamese => {
            ["Kết nối", "Tình trạng", "Từ", "Dữ liệu đến", "Nhận", "Ghi mới", "Bị loại", "Chưa xử lý", "Lần chạy tới"]
        }
        Language::English => {
            ["connector", "state", "since", "data until", "received", "accepted", "quarantined", "open", "next run"]
        }
    };
    let cells = rows.iter().map(|row| {
        let state = state(row.state).to_owned();
        let numbers = [row.received, row.accepted, row.quarantined, row.open].map(output::number);
        let mut cells = vec![
            row.connector.clone(),
            state,
            output::moment_or_dash(row.since),
            output::moment_or_dash(row.data_until),
        ];
        cells.extend(numbers);
        cells.push(output::moment_or_dash(row.next_run));
        cells
    });
    let mut text = output::table(&headings, cells.collect());
    for row in rows {
        if !row.state.is_fine() {
            text.push_str(&problem(row));
        }
        let remarks = remarks::of_health(row);
        if !remarks.is_empty() {
            let _ = writeln!(text, "{}: {remarks}", row.connector);
        }
    }
    text
}

/// The name of a state for programs, or its Vietnamese name.
fn state(state: HealthState) -> &'static str {
    match language() {
        Language::Vietnamese => Language::Vietnamese.state(state),
        Language::English => state.name(),
    }
}

/// Why a connector is not healthy, and what to do. In Vietnamese the recorded message follows: it has file, column and row.
fn problem(row: &ConnectorHealth) -> String {
    let recorded = row.reason.as_deref().unwrap_or(row.state.name());
    let code = row.reason_code.as_deref().unwrap_or(row.state.name());
    let hint = row.hint.as_deref();
    let lines = match Explained::of(code, &row.connector) {
        Some(explained) => [
            Some(format!("{}: {}", row.connector, explained.why)),
            Some(format!("  {}", hint_line(&explained.to_do))),
            row.reason.as_ref().map(|recorded| format!("  thông báo gốc: {recorded}")),
        ],
        None => {
            [Some(format!("{}: {recorded}", row.connector)), hint.map(|hint| format!("  {}", hint_line(hint))), None]
        }
    };
    lines.into_iter().flatten().map(|line| line + "\n").collect()
}
