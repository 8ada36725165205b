//! `groups`: lists dossiers that several sources hold, and which row counts; or those of one source that share a code.

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::language::text;
use crate::cli::output::{self, OutputFormat, print, yes_or_no};
use crate::cli::{Failure, GlobalOptions, audit};
use crate::lake::{GroupedRow, Lake, SharedCode};
use crate::run::RunError;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua groups --connector ministry-software --format csv")]
pub(super) struct Arguments {
    /// Only dossiers that this connector holds.
    #[arg(long, value_name = "CONNECTOR")]
    connector: Option<String>,
    /// Only dossiers that are not merged, because too many rows share their codes.
    #[arg(long)]
    not_merged: bool,
    /// Instead, dossiers whose code another dossier of the same connector has too: perhaps one under two keys.
    #[arg(long, conflicts_with = "not_merged")]
    shared: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, Serialize)]
struct Row {
    group: String,
    connector: String,
    dossier_code: Option<String>,
    source_key: String,
    counts: bool,
    not_merged: Option<String>,
}

/// A dossier whose code another one of its connector has.
#[derive(Debug, Serialize)]
struct SharedRow {
    connector: String,
    dossier_code: String,
    source_key: String,
}

impl From<SharedCode> for SharedRow {
    fn from(row: SharedCode) -> Self {
        let SharedCode { source, dossier_code, source_key } = row;
        Self { connector: source, dossier_code, source_key }
    }
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_with_data()?;
    let connector = arguments.connector.as_deref();
    let is_known = |name: &&str| config.connector(name).is_some() || config.mistaken(name).is_some();
    if let Some(name) = connector.filter(|name| !is_known(name)) {
        return Err(RunError::no_connector(&config, name).into());
    }
    let lake = config.settings.data.join("lake");
    if !lake.is_dir() {
        return Err(Failure::nothing_has_run(text!(
            "không có bảng nào trong `{}`",
            "there are no tables in `{}`",
            lake.display()
        )));
    }
    let suffix = connector.map(|name| format!(" of {name}")).unwrap_or_default();
    audit::log_read(&config.settings.data, &format!("groups{suffix}")).await?;
    let text = if arguments.shared {
        let rows = Lake::read_shared_codes(&lake).await.map_err(RunError::from)?.into_iter().map(SharedRow::from);
        let rows: Vec<SharedRow> = rows.filter(|row| connector.is_none_or(|name| row.connector == name)).collect();
        written(arguments.format, &rows, shared_table)?
    } else {
        let rows = Lake::read_groups(&lake).await.map_err(RunError::from)?;
        written(arguments.format, &chosen(&rows, connector, arguments.not_merged), table)?
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn written<R: Serialize>(format: OutputFormat, rows: &[R], table: fn(&[R]) -> String) -> Result<String, Failure> {
    Ok(match format {
        OutputFormat::Json => output::json(rows)?,
        OutputFormat::Csv => output::csv(rows)?,
        OutputFormat::Table => table(rows),
    })
}

/// The rows of whole groups: those with a row of `connector`, or all; with `not_merged` those that are not merged.
fn chosen(rows: &[(GroupedRow, Option<String>)], connector: Option<&str>, not_merged: bool) -> Vec<Row> {
    let of_group = |left: &(GroupedRow, _), right: &(GroupedRow, _)| left.0.group_key == right.0.group_key;
    let is_wanted = |group: &&[(GroupedRow, Option<String>)]| {
        let has_connector = connector.is_none_or(|name| group.iter().any(|(row, _)| row.source == name));
        has_connector && (!not_merged || group.iter().any(|(row, _)| row.not_merged.is_some()))
    };
    let groups = rows.chunk_by(of_group).filter(is_wanted);
    groups.flatten().map(|(grouped, code)| row(grouped.clone(), code.clone())).collect()
}

fn row(grouped: GroupedRow, dossier_code: Option<String>) -> Row {
    let GroupedRow { source, source_key, group_key, counts, not_merged } = grouped;
    Row { group: group_key, connector: source, dossier_code, source_key, counts, not_merged }
}

fn table(rows: &[Row]) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let cells = rows.iter().map(|row| {
        let code = or_none(&row.dossier_code);
        vec![
            row.group.get(..8).unwrap_or(&row.group).to_owned(),
            row.connector.clone(),
            code,
            yes_or_no(row.counts).to_owned(),
            or_none(&row.not_merged),
        ]
    });
    output::worded_table(
        &[
            ["Nhóm", "group"],
            ["Kết nối", "connector"],
            ["Hồ sơ", "dossier"],
            ["Được tính", "counts"],
            ["Không gộp vì", "not merged"],
        ],
        cells.collect(),
    )
}

fn shared_table(rows: &[SharedRow]) -> String {
    let cells = rows.iter().map(|row| vec![row.connector.clone(), row.dossier_code.clone(), row.source_key.clone()]);
    output::worded_table(&[["Kết nối", "connector"], ["Hồ sơ", "dossier"], ["Khóa", "key"]], cells.collect())
}
