//! `connectors list|show`: what is configured.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::output::{self, Format, print};
use crate::cli::{Base, Failure};
use crate::model::connector::{Access, Connector};
use crate::run::RunError;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A line each.
    List {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// One connector, whole.
    Show { name: String },
}

#[derive(Debug, Serialize)]
struct Row {
    connector: String,
    version: u32,
    kind: &'static str,
    access: &'static str,
    system: String,
    schedule: String,
    enabled: bool,
    title: String,
}

pub(super) fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = base.load()?;
    let text = match &arguments.what {
        What::List { format } => {
            let disabled = &config.settings.disabled_connectors;
            let rows: Vec<Row> =
                config.connectors.iter().map(|connector| row(connector, !disabled.contains(&connector.name))).collect();
            match format {
                Format::Json => output::json(&rows)?,
                Format::Csv => output::csv(&rows)?,
                Format::Table => table(rows),
            }
        }
        What::Show { name } => {
            let connector = config.connector(name).ok_or_else(|| RunError::UnknownConnector { name: name.clone() })?;
            toml::to_string_pretty(&connector.file).map_err(|error| Failure::internal(error.to_string()))?
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(connector: &Connector, enabled: bool) -> Row {
    let file = &connector.file;
    Row {
        connector: connector.name.clone(),
        version: file.connector.version,
        kind: file.connector.kind.image_name(),
        access: match file.access {
            Access::Http { .. } => "http",
            Access::Files { .. } => "files",
        },
        system: file.connector.system.clone(),
        schedule: format!("{} {}", file.schedule.cron, file.schedule.zone),
        enabled,
        title: file.connector.title.clone(),
    }
}

fn table(rows: Vec<Row>) -> String {
    let headings = ["connector", "version", "kind", "access", "system", "schedule", "enabled"];
    let cells = rows.into_iter().map(|row| {
        let enabled = if row.enabled { "yes" } else { "no" };
        let version = row.version.to_string();
        vec![
            row.connector,
            version,
            row.kind.to_owned(),
            row.access.to_owned(),
            row.system,
            row.schedule,
            enabled.to_owned(),
        ]
    });
    output::table(&headings, cells.collect())
}
