//! `run`: runs one night now. Also what the verbs share that work in the data folder.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::exit_codes::{INCOMPLETE, INTERNAL, SOURCE_FAILED};
use crate::cli::language::{self, text};
use crate::cli::narration::narration;
use crate::cli::output::print_message;
use crate::cli::{Failure, GlobalOptions, audit, publish};
use crate::config::Configuration;
use crate::model::pull::Outcome;
use crate::run::{self, DataFolder, Ledger, Progress, PublicationOutcome, RunError, RunReport};
use crate::telemetry;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  motcua run\n  motcua run portal-igate bcci-export\n  motcua run --stop")]
pub(super) struct Arguments {
    /// Names of connectors. Default: all that are not disabled.
    connectors: Vec<String>,
    /// Stop the run that another process is doing on this data folder. It publishes nothing; a night that begins within 12 hours reads on where it was.
    #[arg(long, conflicts_with = "connectors")]
    stop: bool,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.stop {
        return stop(options).await;
    }
    let (config, now) = (options.load_for_nights()?, run::now());
    run_and_publish(&config, "run", now, async |folder, progress| {
        folder.run_once(&arguments.connectors, now, progress).await
    })
    .await
}

/// Asks that the run under way be stopped, whichever process does it. A verb that holds the lock and does no run goes on.
async fn stop(options: &GlobalOptions) -> Result<ExitCode, Failure> {
    let config = options.load_with_data()?;
    let data = &config.settings.data;
    let nothing = || {
        let message = text!("không có lượt nào đang chạy trên `{}`", "no run is under way on `{}`", data.display());
        Failure::usage(message)
            .with_hint(language::of("`motcua runs list` liệt kê các lượt", "`motcua runs list` shows the runs"))
    };
    let ledger = Ledger::open_existing(data).await?.ok_or_else(nothing)?;
    let under_way = run::run_under_way(&ledger, data).await?.ok_or_else(nothing)?;
    ledger.ask_to_stop(under_way, &audit::user(), run::now()).await.map_err(RunError::from)?;
    ledger.close().await;
    print_message(&text!(
        "lượt đang chạy sẽ dừng trong vài giây; nếu đang tính số liệu thì vẫn chạy đến hết",
        "the run under way stops within seconds, unless it is computing figures already"
    ));
    Ok(ExitCode::SUCCESS)
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
    note_new_folder(&config.settings.data);
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

/// Prints that a data folder will be made if it is not there: its name may be mistyped.
pub(super) fn note_new_folder(data: &Path) {
    if !data.is_dir() {
        let data = data.display();
        print_message(&text!(
            "chưa có thư mục dữ liệu `{data}`: tạo mới; nếu gõ nhầm `--data` thì dừng lại và xóa thư mục này",
            "there is no data folder `{data}` yet: it is made; if `--data` is mistyped, stop and remove that folder"
        ));
    }
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
