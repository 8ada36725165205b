//! `indicators list|show`: the defined indicators.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::output::{self, OutputFormat, percent, print};
use crate::cli::{Failure, GlobalOptions};
use crate::config::DefinedIndicator;
use crate::model::indicator::{IndicatorFile, Target};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua indicators show par-3.4.1")]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the indicators, one line each.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Print the complete definition of one indicator and its rule set as TOML.
    Show {
        /// Identifier, for example `par-3.4.1`.
        id: String,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    indicator: String,
    definition: String,
    kind: &'static str,
    document: String,
    place: String,
    rules: String,
    target: Option<f64>,
    target_period: Option<&'static str>,
    title_vi: String,
    title_en: String,
}

pub(super) fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load()?;
    let text = match &arguments.verb {
        Verb::List { format } => {
            let rows: Vec<Row> = config.indicators.iter().map(row).collect();
            match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(rows),
            }
        }
        Verb::Show { id } => {
            let found = config.indicators.iter().find(|indicator| indicator.definition.id == *id);
            let indicator = found.ok_or_else(|| {
                Failure::usage(format!("there is no indicator `{id}`"))
                    .with_hint("`motcua indicators list` shows the defined indicators")
            })?;
            let file = IndicatorFile { indicator: vec![indicator.definition.clone()] };
            let failed = |error: toml::ser::Error| Failure::internal(error.to_string());
            let rules = &config.rules[&indicator.definition.rules];
            format!(
                "# definition {}\n{}\n# rule set\n{}",
                indicator.digest,
                toml::to_string_pretty(&file).map_err(failed)?,
                toml::to_string_pretty(rules).map_err(failed)?
            )
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(indicator: &DefinedIndicator) -> Row {
    let definition = &indicator.definition;
    Row {
        indicator: definition.id.clone(),
        definition: indicator.digest.clone(),
        kind: definition.kind.name(),
        document: definition.legal.document.clone(),
        place: definition.legal.place.clone(),
        rules: definition.rules.clone(),
        target: definition.target.map(|target| target.at_least),
        target_period: definition.target.and_then(Target::annual_name),
        title_vi: definition.title.vi.clone(),
        title_en: definition.title.en.clone(),
    }
}

fn table(rows: Vec<Row>) -> String {
    let headings = ["Mã", "Chỉ số", "Căn cứ", "Bộ quy tắc", "Chỉ tiêu"];
    let cells = rows.into_iter().map(|row| {
        let mut target = match (row.target, row.kind) {
            (None, _) => String::new(),
            (Some(target), "ratio") => format!("≥ {}", percent(target)),
            (Some(target), _) => format!("≥ {target}"),
        };
        if row.target_period.is_some() {
            target.push_str(" (chỉ tiêu năm)");
        }
        vec![row.indicator, row.title_vi, format!("{}, {}", row.document, row.place), row.rules, target]
    });
    output::table(&headings, cells.collect())
}
