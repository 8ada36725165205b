//! The command line: parses arguments, calls `run` or `service`, prints. Data goes to standard output, narration and
//! errors to standard error.

mod agencies;
mod argument_mistakes;
mod audit;
mod backfill;
mod backup;
mod changes;
mod check;
mod connectors;
mod deletions;
mod demo;
mod exit_codes;
mod explain;
mod explained;
mod failure;
mod form;
mod groups;
mod help;
mod indicators;
mod init;
mod language;
mod list_output;
mod narration;
mod new_connector;
mod nights;
mod output;
mod publish;
mod quarantine;
mod read_fields;
mod reconcile;
mod remarks;
mod replay;
mod report;
mod run;
mod run_failure;
mod runs;
mod serve;
mod simulate;
mod sql;
mod status;
mod token;
mod typed;
mod vacuum;
mod verify;
mod worklist;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use exit_codes::{EXIT_CODES, FURTHER_EXIT_CODES};
pub use failure::Failure;

use crate::config::{self, Configuration};
use crate::locale::Language;

/// Stack of a worker thread. Only the used part takes memory.
const WORKER_STACK_BYTES: usize = 64 << 20;

/// How long abandoned tasks may continue before the process exits.
const SHUTDOWN_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);

/// Nightly statistics of a province's one-stop shops.
#[derive(Debug, Parser)]
#[command(name = "motcua", version, about, propagate_version = true, after_help = exit_codes::help())]
struct Cli {
    /// Settings file.
    #[arg(long, value_name = "FILE", global = true, env = "MOTCUA_CONFIG", default_value = language::USUAL_SETTINGS)]
    config: PathBuf,
    /// Data folder. Overrides `data` in the settings file.
    #[arg(long, value_name = "DIR", global = true, env = "MOTCUA_DATA")]
    data: Option<PathBuf>,
    /// Language of help, messages and tables. Default: `language` of the settings, else that of the system (LC_ALL,
    /// LC_MESSAGES, LANG).
    #[arg(long, value_name = "LANG", global = true, env = "MOTCUA_LANG", value_parser = ["vi", "en"])]
    lang: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented configuration, the registries and the usual connectors into a folder.
    Init(init::Arguments),
    /// Report every mistake in the configuration; then log in to each source, read one page and map it. Writes nothing.
    Check(check::Arguments),
    /// Run one night now: read the sources, compute the figures, publish them.
    Run(run::Arguments),
    /// Run every night on schedule and serve the API and the pages, until stopped.
    Serve(serve::Arguments),
    /// Create, list and revoke access tokens of the service; list and end logins; list who read dossiers.
    Token(token::Arguments),
    /// Copy the newest night into PostgreSQL now.
    Publish,
    /// Show the health of every connector.
    Status(status::Arguments),
    /// Print figures of a published night.
    Report(report::Arguments),
    /// Show which dossiers make up a figure, and why the others do not count.
    Explain(explain::Arguments),
    /// List the dossiers on which an agency acts today so that its ratios do not fall.
    Worklist(worklist::Arguments),
    /// Compare portal and post: what matches, what only one of them has, what contradicts.
    Reconcile(reconcile::Arguments),
    /// Print the figures of the newest night as an SQL script, for another engine over the same tables.
    Sql(sql::Arguments),
    /// Fill in an official form and write it as a workbook.
    Form(form::Arguments),
    /// List runs, or show the certificates of one run's pulls.
    Runs(runs::Arguments),
    /// List rejected rows, show one, or process them again.
    Quarantine(quarantine::Arguments),
    /// Map the landed pages of a run again with today's connectors, without the source.
    Replay(replay::Arguments),
    /// Read past days again from a source, in slices. Repeat the command after an interruption: it continues.
    Backfill(backfill::Arguments),
    /// List later changes of dossiers: moved due dates, moved ends, reopened dossiers.
    Changes(changes::Arguments),
    /// List deletions that were refused because they are many, or accept them.
    Deletions(deletions::Arguments),
    /// List dossiers that several sources hold, and which row counts in figures.
    Groups(groups::Arguments),
    /// List agencies that no registry has, or approve that they are published under their own names.
    Agencies(agencies::Arguments),
    /// Remove files that are no longer needed: replaced table files, old landed pages, figures of old nights.
    Vacuum(vacuum::Arguments),
    /// Check every stored file against its digest and the tables' logs. Changes nothing.
    Verify(verify::Arguments),
    /// Copy the data folder into another folder, with the digest of every file.
    Backup(backup::BackupArguments),
    /// Check a backup and restore it into an empty data folder.
    Restore(backup::RestoreArguments),
    /// List or show the configured connectors, add shipped ones, or draft a new one.
    #[command(alias = "connector")]
    Connectors(connectors::Arguments),
    /// List or show the defined indicators.
    Indicators(indicators::Arguments),
    /// Simulate the portals and the post office on loopback.
    Simulate(simulate::Arguments),
    /// Run two nights over a simulated province and compare its figures with the simulator's own.
    Demo(demo::Arguments),
}

/// The command line's definition, from which its reference is generated.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program and returns one of [`EXIT_CODES`].
#[must_use]
pub fn main() -> ExitCode {
    language::choose();
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(error) => return output::report_usage(&error),
    };
    debug_assert!(
        language::is_logged() || cli.lang.as_deref().is_none_or(|code| code == language::language().code()),
        "the language was chosen by the same arguments"
    );
    if let Err(message) = crate::telemetry::start() {
        return output::report_failure(&Failure::usage(message));
    }
    // Polars plans queries recursively: in the dev profile the default of 2 MB is not enough.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(WORKER_STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => return output::report_failure(&Failure::internal(format!("cannot start the runtime: {error}"))),
    };
    let code = match runtime.block_on(act(cli)) {
        Ok(code) => code,
        Err(failure) => output::report_failure(&failure),
    };
    // An abandoned run may still compute; do not wait for it.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    code
}

/// Parses the arguments; `--help` is an error whose text is the help.
fn parsed() -> Result<Cli, clap::Error> {
    let command = language::without_blank_variables(command());
    let mut command = match language::language() {
        Language::Vietnamese => help::in_vietnamese(command),
        Language::English => command,
    };
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

async fn act(cli: Cli) -> Result<ExitCode, Failure> {
    let options = GlobalOptions { config: cli.config, data: cli.data };
    match cli.verb {
        Verb::Init(arguments) => init::act(&arguments),
        Verb::Check(arguments) => check::act(&options, &arguments).await,
        Verb::Run(arguments) => run::act(&options, &arguments).await,
        Verb::Serve(arguments) => serve::act(&options, &arguments).await,
        Verb::Token(arguments) => token::act(&options, &arguments).await,
        Verb::Publish => publish::act(&options).await,
        Verb::Status(arguments) => status::act(&options, &arguments).await,
        Verb::Report(arguments) => report::act(&options, &arguments).await,
        Verb::Explain(arguments) => explain::act(&options, &arguments).await,
        Verb::Worklist(arguments) => worklist::act(&options, &arguments).await,
        Verb::Reconcile(arguments) => reconcile::act(&options, &arguments).await,
        Verb::Form(arguments) => form::act(&options, &arguments).await,
        Verb::Sql(arguments) => sql::act(&options, &arguments).await,
        Verb::Runs(arguments) => runs::act(&options, &arguments).await,
        Verb::Quarantine(arguments) => quarantine::act(&options, &arguments).await,
        Verb::Replay(arguments) => replay::act(&options, &arguments).await,
        Verb::Backfill(arguments) => backfill::act(&options, &arguments).await,
        Verb::Changes(arguments) => changes::act(&options, &arguments).await,
        Verb::Deletions(arguments) => deletions::act(&options, &arguments).await,
        Verb::Groups(arguments) => groups::act(&options, &arguments).await,
        Verb::Agencies(arguments) => agencies::act(&options, &arguments).await,
        Verb::Vacuum(arguments) => vacuum::act(&options, &arguments).await,
        Verb::Verify(arguments) => verify::act(&options, &arguments).await,
        Verb::Backup(arguments) => backup::back_up(&options, &arguments).await,
        Verb::Restore(arguments) => backup::restore(&options, &arguments).await,
        Verb::Connectors(arguments) => connectors::act(&options, &arguments).await,
        Verb::Indicators(arguments) => indicators::act(&options, &arguments),
        Verb::Simulate(arguments) => simulate::act(&arguments).await,
        Verb::Demo(arguments) => demo::act(&options, &arguments).await,
    }
}

/// Global options of all verbs.
#[derive(Debug)]
struct GlobalOptions {
    config: PathBuf,
    data: Option<PathBuf>,
}

impl GlobalOptions {
    /// Loads the configuration for a verb that needs every connector. `--data` overrides its data folder.
    fn load(&self) -> Result<Configuration, Failure> {
        let config = self.load_readable()?;
        if config.has_no_connector() {
            return Err(Failure::no_connector(&config));
        }
        let problems = config.all_problems();
        if problems.as_slice().is_empty() { Ok(config) } else { Err(problems.into()) }
    }

    /// Loads the configuration for a verb that can do without connectors that have mistakes, and without any.
    fn load_readable(&self) -> Result<Configuration, Failure> {
        let mut config = config::load_readable(&self.config)?;
        if let Some(data) = &self.data {
            config.settings.data.clone_from(data);
        }
        Ok(config)
    }

    /// Loads the configuration for nights: at least one connector must be sound.
    fn load_for_nights(&self) -> Result<Configuration, Failure> {
        let config = self.load_readable()?;
        if config.has_no_connector() {
            Err(Failure::no_connector(&config))
        } else if config.connectors.is_empty() {
            Err(config.all_problems().into())
        } else {
            Ok(config)
        }
    }

    /// Loads the configuration for a verb that reads what was stored: the data folder must be there.
    fn load_with_data(&self) -> Result<Configuration, Failure> {
        with_data(self.load_readable()?)
    }

    /// The data folder. If `--data` names it, the settings are not read.
    fn data_folder(&self) -> Result<PathBuf, Failure> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.load_readable()?.settings.data),
        }
    }
}

/// The configuration, if its data folder is there.
fn with_data(config: Configuration) -> Result<Configuration, Failure> {
    let data = &config.settings.data;
    if data.is_dir() { Ok(config) } else { Err(Failure::no_data_folder(data)) }
}
