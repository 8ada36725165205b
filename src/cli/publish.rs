//! `publish`: copies the newest night into PostgreSQL.

use std::process::ExitCode;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::language::{self, text};
use crate::cli::output::{hint_line, number, print_message};
use crate::cli::{Failure, GlobalOptions};
use crate::run::{self, Ledger, POSTGRES, PublicationOutcome};

pub(super) async fn act(options: &GlobalOptions) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    if config.settings.postgres.is_none() {
        return Err(Failure::usage(language::of(
            "tệp cài đặt không có `[postgres]`: không có cơ sở dữ liệu để công bố",
            "the settings have no `[postgres]`: there is no database to publish to",
        ))
        .with_hint(language::of(
            "`motcua run` công bố các tệp; `motcua.toml` có sẵn `[postgres]` trong chú giải để điền",
            "`motcua run` publishes the files; `motcua.toml` has a commented `[postgres]` to fill in",
        )));
    }
    let data = &config.settings.data;
    let no_night = || {
        let message = text!("chưa có đêm nào được công bố trong `{}`", "no night is published in `{}`", data.display());
        Failure::usage(message)
            .with_hint(language::of("`motcua run` chạy và công bố một đêm", "`motcua run` publishes a night"))
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
            let mut lines = vec![text!(
                "{POSTGRES}: đã công bố lượt {run}, {} số liệu",
                "{POSTGRES}: run {run} published, {} figures",
                number(*figures)
            )];
            lines.extend(remarks.iter().map(|remark| format!("  {remark}")));
            lines
        }
        PublicationOutcome::Failed { message, hint } => {
            vec![
                text!("{POSTGRES}: chưa công bố được: {message}", "{POSTGRES}: not published: {message}"),
                format!("  {}", hint_line(hint)),
            ]
        }
    }
}
