//! `changes`: lists later changes of dossiers.

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::language::text;
use crate::cli::output::{self, OutputFormat, print};
use crate::cli::{Failure, GlobalOptions, audit};
use crate::lake::{Change, ChangeSelection, Lake};
use crate::run::RunError;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua changes --run 41 --format csv")]
pub(super) struct Arguments {
    /// Only changes found by this run.
    #[arg(long)]
    run: Option<i64>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, Serialize)]
struct Row {
    run: i64,
    connector: String,
    dossier_code: Option<String>,
    change: String,
    before: Option<String>,
    after: Option<String>,
    run_before: i64,
    /// Of a due date that was moved later: whether a supplement or a suspension explains it.
    explained: Option<bool>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_with_data()?;
    let lake = config.settings.data.join("lake");
    if !lake.join("changes").exists() {
        return Err(Failure::nothing_has_run(text!(
            "không có bảng thay đổi trong `{}`",
            "there is no table of changes in `{}`",
            lake.display()
        )));
    }
    let suffix = arguments.run.map(|run| format!(" of run {run}")).unwrap_or_default();
    audit::log_read(&config.settings.data, &format!("changes{suffix}")).await?;
    let only = ChangeSelection { run: arguments.run, ..ChangeSelection::default() };
    let changes = Lake::read_changes(&lake, only).await.map_err(RunError::from)?;
    let rows: Vec<Row> = changes.into_iter().map(row).collect();
    let text = match arguments.format {
        OutputFormat::Json => output::json(&rows)?,
        OutputFormat::Csv => output::csv(&rows)?,
        OutputFormat::Table => table(&rows),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(change: Change) -> Row {
    let Change { source, dossier_code, change, before, after, run_before, run, explained, .. } = change;
    Row { run, connector: source, dossier_code, change, before, after, run_before, explained }
}

fn table(rows: &[Row]) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let cells = rows.iter().map(|row| {
        let code = or_none(&row.dossier_code);
        vec![
            row.run.to_string(),
            row.connector.clone(),
            code,
            row.change.clone(),
            or_none(&row.before),
            or_none(&row.after),
        ]
    });
    output::worded_table(
        &[
            ["Lượt", "run"],
            ["Kết nối", "connector"],
            ["Hồ sơ", "dossier"],
            ["Thay đổi", "change"],
            ["Trước", "before"],
            ["Sau", "after"],
        ],
        cells.collect(),
    )
}
