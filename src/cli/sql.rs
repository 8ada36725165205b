//! `sql`: prints the figures of a night as one SQL script, for another engine over the same tables.

use std::process::ExitCode;

use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::print;
use crate::cli::report::report_unfit;
use crate::cli::{Failure, GlobalOptions};
use crate::indicators::SqlDialect;
use crate::run::{self, FigureRequest};

/// Shown by `motcua sql --help`.
const EXAMPLES: &str = "\
The script names the Delta tables in its first statements; its last statement gives the figures: indicator, \
rules, agency, tier, period, numerator, denominator, unknown, undecided. Facts, registries, calendar and the meaning of \
agencies' texts stand inside, as of the newest night: once a later run has changed a table, the script fails and is printed \
again.

Examples:
  motcua sql par-3.4.1 > on-time.sql && duckdb -c '.read on-time.sql'
  motcua sql --rules form-06a --tables s3://lake > figures.sql";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Identifiers of indicators. Default: all.
    indicators: Vec<String>,
    /// Compute with this rule set instead of each indicator's own.
    #[arg(long)]
    rules: Option<String>,
    /// Engine whose SQL is written.
    #[arg(long, value_enum, default_value_t)]
    dialect: Dialect,
    /// Folder or address where the engine finds the Delta tables. Default: that of the data folder.
    #[arg(long, value_name = "ROOT")]
    tables: Option<String>,
    /// Leave out the statements that name the tables: the session has views `motcua_dossiers`, … already.
    #[arg(long, conflicts_with = "tables")]
    no_views: bool,
}

/// Value of `--dialect`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Dialect {
    /// The engine of that name, with its extension `delta`.
    #[default]
    #[value(name = "duckdb")]
    DuckDb,
    /// Apache Spark, and engines that understand its SQL, such as Sail. The statements end with `;`.
    Spark,
}

impl From<Dialect> for SqlDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::DuckDb => Self::DuckDb,
            Dialect::Spark => Self::Spark,
        }
    }
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let (record, _) = night_of(&config, None).await?;
    let config = DefinitionSource::Night.of(config, &record)?;
    let known = |id: &String| config.indicators.iter().any(|indicator| indicator.definition.id == *id);
    if let Some(id) = arguments.indicators.iter().find(|id| !known(id)) {
        return Err(Failure::no_indicator(id, &config));
    }
    if let Some(rules) = arguments.rules.as_ref().filter(|rules| !config.rules.contains_key(*rules)) {
        return Err(Failure::no_rule_set(rules, &config));
    }
    let request = FigureRequest {
        indicators: arguments.indicators.clone(),
        rules: arguments.rules.clone(),
        ..FigureRequest::default()
    };
    report_unfit(&request, &config)?;
    let root = if arguments.no_views {
        None
    } else {
        let lake = || std::path::absolute(config.settings.data.join("lake")).map(|folder| folder.display().to_string());
        Some(arguments.tables.clone().map_or_else(lake, Ok)?)
    };
    let script = run::sql_script(&config, &record.night, &request, (arguments.dialect.into(), root)).await?;
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}
