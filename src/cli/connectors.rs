//! `connectors list|show|add|new|schema`: the configured connectors, those that are shipped besides them, and the first
//! draft of a new one.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::failure::first_connector;
use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, hint_line, print, print_message, yes_or_no};
use crate::cli::{Failure, GlobalOptions, init, new_connector};
use crate::model::connector::{Access, Connector, ConnectorFile};
use crate::run::RunError;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua connectors show portal-igate\n  motcua connectors add portal-tandan\n  motcua connectors new my-list --from list.csv"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the connectors, one line each.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Print the complete definition of one connector as TOML.
    Show {
        /// Name of the connector.
        name: String,
    },
    /// Write shipped connectors into the folder of connectors.
    Add {
        /// Names, such as `portal-tandan`. Each must be shipped and not exist yet.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Write a first draft of a connector, guessed from a file or response of its source.
    New(new_connector::Arguments),
    /// Print the JSON Schema of `connector.toml`, for editors.
    Schema,
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

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Verb::Schema = &arguments.verb {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(ConnectorFile));
        print(&schema.map_err(|error| Failure::internal(error.to_string()))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Verb::New(arguments) = &arguments.verb {
        return new_connector::act(arguments).await;
    }
    let config = options.load_readable()?;
    let text = match &arguments.verb {
        Verb::New(_) | Verb::Schema => String::new(),
        Verb::Add { names } => return add(&config.settings.connectors, names),
        Verb::List { format } => {
            let disabled = &config.settings.disabled_connectors;
            let rows: Vec<Row> =
                config.connectors.iter().map(|connector| row(connector, !disabled.contains(&connector.name))).collect();
            for mistaken in &config.mistaken {
                print_message(&Failure::from(RunError::no_connector(&config, &mistaken.name)).message);
            }
            if config.has_no_connector() {
                print_message(language::of("chưa có kết nối nào", "no connector is configured"));
                print_message(&hint_line(first_connector()));
            }
            match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(rows),
            }
        }
        Verb::Show { name } => {
            let connector = config.connector(name).ok_or_else(|| RunError::no_connector(&config, name))?;
            toml::to_string_pretty(&connector.file).map_err(|error| Failure::internal(error.to_string()))?
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes shipped connectors into the folder of connectors.
fn add(folder: &Path, names: &[String]) -> Result<ExitCode, Failure> {
    if folder.join("connector.toml").exists() {
        let message = text!(
            "`{}` là một kết nối, không phải thư mục các kết nối",
            "`{}` is one connector, not a folder of connectors",
            folder.display()
        );
        return Err(Failure::usage(message).with_hint(language::of(
            "ghi thư mục bên trên vào `folders.connectors`",
            "name the folder above it in `folders.connectors`",
        )));
    }
    let written = init::write_connectors(folder, names)?;
    print_message(&text!("đã ghi {written} tệp vào `{}`", "wrote {written} files into `{}`", folder.display()));
    print_message(language::of(
        "tiếp theo: đặt các biến nêu trong README.md của kết nối, rồi chạy `motcua check TÊN`",
        "next: set the variables that their README.md lists, then run `motcua check NAME`",
    ));
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
    let headings = [
        ["Kết nối", "connector"],
        ["Phiên bản", "version"],
        ["Loại", "kind"],
        ["Truy cập", "access"],
        ["Hệ thống", "system"],
        ["Lịch", "schedule"],
        ["Đang dùng", "enabled"],
    ];
    let cells = rows.into_iter().map(|row| {
        let version = row.version.to_string();
        vec![
            row.connector,
            version,
            row.kind.to_owned(),
            row.access.to_owned(),
            row.system,
            row.schedule,
            yes_or_no(row.enabled).to_owned(),
        ]
    });
    output::worded_table(&headings, cells.collect())
}
