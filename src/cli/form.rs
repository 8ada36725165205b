//! `form`: fills in an official form.
#![expect(clippy::disallowed_methods, reason = "edge: writes the form")]

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::language::{self, text};
use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::print_message;
use crate::cli::{Failure, GlobalOptions, typed};
use crate::config::Configuration;
use crate::indicators::{FigureOf, FormScope};
use crate::model::agency::Tier;
use crate::model::instant::local;
use crate::{publish, run};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua form II.06a --period 2026-Q1s --agency H61.02 -o form.xlsx")]
pub(super) struct Arguments {
    /// Number of the form, for example `II.06a`.
    form: String,
    /// The period, as in `report --period`: `2026-03`, `2026-Q1`, `2026-Q1s` (15th to 14th).
    #[arg(long)]
    period: String,
    /// For this agency, by code or name. Default: the whole province.
    #[arg(long, conflicts_with = "tier")]
    agency: Option<String>,
    /// For all agencies of this tier.
    #[arg(long, value_parser = typed::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// `today`: attribute dossiers of former agencies to their successors.
    #[arg(long, value_parser = ["today"])]
    as_if: Option<String>,
    /// Use the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00`). Default: the newest night.
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// Template, rule sets, registries and calendar to use.
    #[arg(long, value_enum, default_value_t)]
    definitions: DefinitionSource,
    /// Path of the workbook (XLSX).
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let (record, _) = night_of(&config, arguments.as_of.as_deref()).await?;
    let config = arguments.definitions.of(config, &record)?;
    let template = config.forms.get(&arguments.form).ok_or_else(|| {
        let known: Vec<&str> = config.forms.keys().map(String::as_str).collect();
        let (wanted, known) = (&arguments.form, known.join(", "));
        Failure::usage(text!(
            "không có biểu `{wanted}`; đang có: {known}",
            "there is no form `{wanted}`; there are: {known}"
        ))
        .with_near(wanted, config.forms.keys().map(String::as_str))
    })?;
    let period = typed::period(&arguments.period)?;
    let today = local(record.night.as_of).date();
    if period.start() > today {
        return Err(Failure::not_begun(period, today));
    }
    let (scope, whom) = scope(&config, arguments)?;
    let as_if_today = arguments.as_if.is_some();
    let form = run::filled_form(&config, &record.night, template, (scope, whom), period, as_if_today).await?;
    let bytes = publish::write_form(template, &form).map_err(|error| Failure::internal(error.to_string()))?;
    std::fs::write(&arguments.output, bytes).map_err(|error| Failure::not_written(&arguments.output, &error))?;
    let (id, whom, file) = (&template.id, &form.whom, arguments.output.display());
    print_message(&text!(
        "đã ghi biểu {id} của {whom} ({period}) vào `{file}`",
        "wrote form {id} for {whom} ({period}) to `{file}`"
    ));
    if form.is_running() {
        print_message(language::of(
            "chưa hết kỳ: biểu được ghi là tạm thời",
            "the period has not ended: the form is marked as provisional",
        ));
    }
    if !form.complete {
        print_message(language::of(
            "chưa đọc đủ mọi nguồn: biểu được ghi là tạm thời",
            "not every source was read completely: the form is marked as provisional",
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn scope(config: &Configuration, arguments: &Arguments) -> Result<(FormScope, String), Failure> {
    let of = match (&arguments.agency, arguments.tier) {
        (Some(wanted), _) => FigureOf::Agency(typed::agency(config, &[], wanted)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    };
    Ok(run::form_scope(config, &of).expect("without figures, every known agency is in the registry"))
}
