//! `run`: runs one night now. Also what the verbs share that work in the data folder.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::exit_codes::{INCOMPLETE, INTERNAL, SOURCE_FAILED};
use crate::cli::output::{number, print_message};
use crate::cli::{Failure, GlobalOptions, publish};
use crate::config::Configuration;
use crate::model::pull::Outcome;
use crate::run::{self, ClosedNight, DataFolder, Progress, PublicationOutcome, RunError, RunReport};
use crate::telemetry;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  motcua run\n  motcua run portal-igate bcci-export")]
pub(super) struct Arguments {
    /// Names of connectors. Default: all that are not disabled.
    connectors: Vec<String>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (options.load_for_nights()?, run::now());
    run_and_publish(&config, "run", now, async |folder, progress| {
        folder.run_once(&arguments.connectors, now, progress).await
    })
    .await
}

/// Runs one night, with a spinner on a terminal.
pub(super) async fn night(config: &Configuration, only: &[String], verb: &str, now: i64) -> Result<RunReport, Failure> {
    with_data_folder(config, verb, now, async |folder, progress| folder.run_once(only, now, progress).await).await
}

/// Runs an action that publishes a night, prints the result and returns the exit code.
pub(super) async fn run_and_publish(
    config: &Configuration,
    verb: &str,
    now: i64,
    action: impl AsyncFnOnce(&DataFolder<'_>, &Progress<'_>) -> Result<RunReport, RunError>,
) -> Result<ExitCode, Failure> {
    let (report, published_to) = with_data_folder(config, verb, now, async |folder, progress| {
        let report = action(folder, progress).await?;
        Ok((report, folder.publish_elsewhere(progress).await))
    })
    .await?;
    for line in narration(&report, true).into_iter().chain(published_to.iter().flat_map(publish::narration)) {
        print_message(&line);
    }
    let is_published = !published_to.as_ref().is_some_and(PublicationOutcome::has_failed);
    let code = exit_code(&report);
    Ok(if is_published || code != ExitCode::SUCCESS { code } else { ExitCode::from(INCOMPLETE) })
}

/// Opens the data folder, runs an action with a spinner on a terminal, and closes the data folder.
pub(super) async fn with_data_folder<T>(
    config: &Configuration,
    verb: &str,
    now: i64,
    action: impl AsyncFnOnce(&DataFolder<'_>, &Progress<'_>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let folder = DataFolder::open(config, &config.settings.data, verb, now).await?;
    // Boxed: the future of a night is too large for the stack of the functions around it.
    let done = with_spinner(async |progress| Box::pin(action(&folder, progress)).await).await;
    folder.ledger.close().await;
    done
}

/// Runs an action with a spinner on a terminal.
pub(super) async fn with_spinner<T>(
    action: impl AsyncFnOnce(&Progress<'_>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let bar = if telemetry::is_json() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is constant"));
    bar.enable_steady_tick(Duration::from_millis(200));
    let shown = bar.clone();
    let done = action(&move |step: &str| shown.set_message(step.to_owned())).await;
    bar.finish_and_clear();
    Ok(done?)
}

/// Lines that report a run: a pull each, and the published night. `is_kept`: the data folder stays, so the lines name it
/// and the commands that read it.
pub(super) fn narration(report: &RunReport, is_kept: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for pull in &report.pulls {
        let counts = pull.counts;
        match pull.outcome {
            Some(Outcome::Failed) => {
                let message = pull.message.as_deref().unwrap_or("no reason");
                let prefix = format!("connector `{}`: ", pull.connector);
                let message = message.strip_prefix(&prefix).unwrap_or(message);
                lines.push(format!("{}: failed: {message}", pull.connector));
                lines.extend(pull.hint.as_ref().map(|hint| format!("  hint: {hint}")));
            }
            outcome => lines.push(format!(
                "{}: {}received {} = accepted {} + unchanged {} + duplicate {} + superseded {} + quarantined {}",
                pull.connector,
                match outcome {
                    Some(Outcome::Complete) => String::new(),
                    Some(Outcome::Degraded) =>
                        format!("degraded: {}; ", pull.message.as_deref().unwrap_or("no reason")),
                    _ => format!("incomplete: {}; ", pull.message.as_deref().unwrap_or("no reason")),
                },
                number(counts.received),
                number(counts.accepted),
                number(counts.unchanged),
                number(counts.duplicate),
                number(counts.superseded),
                number(counts.quarantined),
            )),
        }
        lines.extend(run::remarks(pull).into_iter().map(|remark| format!("  {remark}")));
        if !matches!(pull.outcome, Some(Outcome::Complete | Outcome::Failed)) {
            lines.extend(pull.hint.as_ref().map(|hint| format!("  hint: {hint}")));
        }
    }
    for (connector, mistakes) in &report.mistaken {
        lines.push(format!("{connector}: not read, because its `connector.toml` has mistakes: {mistakes}"));
        lines.push("  hint: correct them: `motcua check --offline` lists all mistakes".to_owned());
    }
    let published = &report.published;
    lines.push(format!(
        "run {}: {} figures, {} changed, {}{}",
        report.run,
        number(published.figures as u64),
        number(published.changed as u64),
        completeness(published),
        if is_kept { format!("; published in `{}`", published.folder.display()) } else { String::new() },
    ));
    for (connector, dossiers) in &published.elsewhere {
        let dossiers = number(*dossiers);
        lines.push(format!("  {connector}: {dossiers} dossiers count once, with their row in another source"));
    }
    for (connector, dossiers) in &published.not_merged {
        let dossiers = number(*dossiers);
        lines.push(format!("  {connector}: {dossiers} dossiers share codes with too many others, and each counts"));
    }
    for (connector, rows) in &published.without_connector {
        let rows = number(*rows);
        lines.push(format!(
            "  {connector}: no connector has this name any more, and {rows} rows that it read still count"
        ));
        lines
            .push("  hint: if it was renamed, give its folder the old name again: its dossiers count twice".to_owned());
    }
    if is_kept && !(published.elsewhere.is_empty() && published.not_merged.is_empty()) {
        lines.push("  hint: `motcua groups` lists them".to_owned());
    }
    lines.extend(published.clock.as_ref().map(|doubt| format!("  hint: {doubt}")));
    lines
}

fn completeness(published: &ClosedNight) -> String {
    match (published.not_whole.as_slice(), &published.clock) {
        ([], None) => "complete".to_owned(),
        ([], Some(_)) => "not complete, because the clock of this machine cannot be right".to_owned(),
        (not_whole, _) => format!("not complete for `{}`", not_whole.join("`, `")),
    }
}

pub(super) fn exit_code(report: &RunReport) -> ExitCode {
    let is_whole = report.pulls.iter().all(|pull| pull.outcome == Some(Outcome::Complete));
    if report.any_own_error() {
        ExitCode::from(INTERNAL)
    } else if report.any_failed() {
        ExitCode::from(SOURCE_FAILED)
    } else if report.published.night.complete && is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INCOMPLETE)
    }
}
