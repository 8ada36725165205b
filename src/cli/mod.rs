//! The command line: parses, acts through `run`, prints. Standard output is data, standard error is narration.

mod audit;
mod backfill;
mod backup;
mod changes;
mod check;
mod connectors;
mod demo;
mod failure;
mod form;
mod indicators;
mod init;
mod output;
mod publish;
mod quarantine;
mod replay;
mod report;
mod run;
mod runs;
mod serve;
mod simulate;
mod status;
mod token;
mod vacuum;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

use crate::config::{self, Configuration};

/// Stack of a worker; only what is used is ever resident.
const WORKER_STACK_BYTES: usize = 64 << 20;

/// How long tasks that were abandoned may go on.
const LAST_TASKS: std::time::Duration = std::time::Duration::from_secs(1);

/// Nightly statistics of a province's one-stop shops.
#[derive(Debug, Parser)]
#[command(name = "motcua", version, about, propagate_version = true)]
struct Cli {
    /// Settings file.
    #[arg(long, global = true, env = "MOTCUA_CONFIG", default_value = "config/motcua.toml")]
    config: PathBuf,
    /// Data folder, in place of the settings' own.
    #[arg(long, global = true, env = "MOTCUA_DATA")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented configuration, the registries and the shipped connectors to edit.
    Init(init::Arguments),
    /// Parse everything and report every mistake; then log in, read one page and map it. Writes nothing.
    Check(check::Arguments),
    /// One night now: pull, compute, publish.
    Run(run::Arguments),
    /// Every night by itself, the API and the pages, until stopped.
    Serve(serve::Arguments),
    /// Who may ask the service.
    Token(token::Arguments),
    /// The newest night to PostgreSQL, at once.
    Publish,
    /// Health of every connector.
    Status(status::Arguments),
    /// Figures of a published night.
    Report(report::Arguments),
    /// An official form as a workbook.
    Form(form::Arguments),
    /// Runs and the certificates of their pulls.
    Runs(runs::Arguments),
    /// Rejected rows: list them, show one, take them again.
    Quarantine(quarantine::Arguments),
    /// Map again what a run landed, with today's connectors and without the source.
    Replay(replay::Arguments),
    /// Read a stretch of the past again, slice by slice; called again after a stop it goes on.
    Backfill(backfill::Arguments),
    /// What of a dossier was said otherwise later: due dates moved, ends set back, dossiers reopened.
    Changes(changes::Arguments),
    /// Remove what nothing rests on any more: replaced files, old landed pages, figures of old nights.
    Vacuum(vacuum::Arguments),
    /// Copy the data folder into another, with the digest of every file.
    Backup(backup::BackupArguments),
    /// Check a backup and restore it into an empty data folder.
    Restore(backup::RestoreArguments),
    /// Connectors that are configured.
    Connectors(connectors::Arguments),
    /// Indicators that are defined.
    Indicators(indicators::Arguments),
    /// A simulated portal and post office on loopback.
    Simulate(simulate::Arguments),
    /// A simulated province, one night, the figures, and the check against the simulator's own truth.
    Demo(demo::Arguments),
}

/// Runs the program; gives its exit code: 0 done, 1 internal failure, 2 usage or configuration, 3 a source failed,
/// 4 finished but incomplete or unhealthy.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if let Err(mistake) = crate::telemetry::start() {
        return output::report_failure(&Failure::usage(mistake));
    }
    // Polars plans a query by recursion: in the dev profile two megabytes are not enough.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(WORKER_STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => return output::report_failure(&Failure::internal(format!("cannot start: {error}"))),
    };
    let code = match runtime.block_on(act(cli)) {
        Ok(code) => code,
        Err(failure) => output::report_failure(&failure),
    };
    // A run that was abandoned may still compute: nothing waits for it.
    runtime.shutdown_timeout(LAST_TASKS);
    code
}

async fn act(cli: Cli) -> Result<ExitCode, Failure> {
    let base = Base { config: cli.config, data: cli.data };
    match cli.verb {
        Verb::Init(arguments) => init::act(&arguments),
        Verb::Check(arguments) => check::act(&base, &arguments).await,
        Verb::Run(arguments) => run::act(&base, &arguments).await,
        Verb::Serve(arguments) => serve::act(&base, &arguments).await,
        Verb::Token(arguments) => token::act(&base, &arguments).await,
        Verb::Publish => publish::act(&base).await,
        Verb::Status(arguments) => status::act(&base, &arguments).await,
        Verb::Report(arguments) => report::act(&base, &arguments).await,
        Verb::Form(arguments) => form::act(&base, &arguments).await,
        Verb::Runs(arguments) => runs::act(&base, &arguments).await,
        Verb::Quarantine(arguments) => quarantine::act(&base, &arguments).await,
        Verb::Replay(arguments) => replay::act(&base, &arguments).await,
        Verb::Backfill(arguments) => backfill::act(&base, &arguments).await,
        Verb::Changes(arguments) => changes::act(&base, &arguments).await,
        Verb::Vacuum(arguments) => vacuum::act(&base, &arguments).await,
        Verb::Backup(arguments) => backup::back_up(&base, &arguments).await,
        Verb::Restore(arguments) => backup::restore(&base, &arguments).await,
        Verb::Connectors(arguments) => connectors::act(&base, &arguments),
        Verb::Indicators(arguments) => indicators::act(&base, &arguments),
        Verb::Simulate(arguments) => simulate::act(&arguments).await,
        Verb::Demo(arguments) => demo::act(&base, &arguments).await,
    }
}

/// What every verb starts from.
#[derive(Debug)]
struct Base {
    config: PathBuf,
    data: Option<PathBuf>,
}

impl Base {
    /// Loads the configuration; the flag's data folder takes the place of the settings'.
    fn load(&self) -> Result<Configuration, Failure> {
        let mut config = config::load(&self.config)?;
        if let Some(data) = &self.data {
            config.settings.data.clone_from(data);
        }
        Ok(config)
    }

    /// The data folder; without the settings where the flag names it.
    fn data_folder(&self) -> Result<PathBuf, Failure> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.load()?.settings.data),
        }
    }
}
