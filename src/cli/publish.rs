//! `publish`: copies the newest night into PostgreSQL.

use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::output::{number, print_message};
use crate::cli::{Failure, GlobalOptions};
use crate::run::{self, Ledger, POSTGRES, PublicationOutcome};

pub(super) async fn act(options: &GlobalOptions) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    if config.settings.postgres.is_none() {
        return Err(Failure::usage("the settings have no `[postgres]`: there is no database to publish to")
            .with_hint("`motcua run` publishes the files; `motcua.toml` has a commented `[postgres]` to fill in"));
    }
    let data = &config.settings.data;
    let no_night = || {
        Failure::usage(format!("no night is published in `{}`", data.display()))
            .with_hint("`motcua run` publishes a night")
    };
    let ledger = Ledger::open_existing(data).await?.ok_or_else(no_night)?;
    let outcome = run::publish_newest(&config, data, &ledger).await;
    ledger.close().await;
    let outcome = outcome?.ok_or_else(no_night)?;
    for line in narration(&outcome) {
        print_message(&line);
    }
    Ok(if outcome.has_failed() { ExitCode::from(INCOMPLETE) } else { ExitCode::SUCCESS })
}

/// Lines that report the result of a publication.
pub(super) fn narration(outcome: &PublicationOutcome) -> Vec<String> {
    match outcome {
        PublicationOutcome::Published { run, figures, remarks } => {
            let mut lines = vec![format!("{POSTGRES}: run {run} published, {} figures", number(*figures))];
            lines.extend(remarks.iter().map(|remark| format!("  {remark}")));
            lines
        }
        PublicationOutcome::Failed { message, hint } => {
            vec![format!("{POSTGRES}: not published: {message}"), format!("  hint: {hint}")]
        }
    }
}
