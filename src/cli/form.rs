//! `form`: an official form, filled in.
#![expect(clippy::disallowed_methods, reason = "edge: writes the file that was asked for")]

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::narrate;
use crate::cli::report::{Definitions, night_of};
use crate::cli::{Base, Failure};
use crate::config::Configuration;
use crate::indicators::FormScope;
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::instant::local;
use crate::model::period::{PERIOD_FORMS, Period};
use crate::model::report_form::FilledForm;
use crate::{publish, run};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which form: `II.06a`.
    form: String,
    /// The period: `2026-03`, `2026-Q1`, `2026-Q1s` (15th to 14th) or any other.
    #[arg(long)]
    period: String,
    /// For this agency: its code or name.
    #[arg(long, conflicts_with = "tier")]
    agency: Option<String>,
    /// For all agencies of this tier; without agency and tier for the province.
    #[arg(long, value_parser = ["province", "district", "commune"])]
    tier: Option<String>,
    /// `today`: dossiers of old agencies in the form of their successor.
    #[arg(long, value_parser = ["today"])]
    as_if: Option<String>,
    /// As of the newest night on or before this day (yyyy-MM-dd).
    #[arg(long)]
    as_of: Option<String>,
    /// Whose template, rule sets, registries and calendar decide.
    #[arg(long, value_enum, default_value_t)]
    definitions: Definitions,
    /// The workbook to write (XLSX).
    #[arg(short, long)]
    output: PathBuf,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = base.load()?;
    let (record, _) = night_of(&config, arguments.as_of.as_deref()).await?;
    let config = arguments.definitions.of(config, &record)?;
    let template = config.forms.get(&arguments.form).ok_or_else(|| {
        let known: Vec<&str> = config.forms.keys().map(String::as_str).collect();
        Failure::usage(format!("there is no form `{}`; there are: {}", arguments.form, known.join(", ")))
    })?;
    let period = Period::parse(&arguments.period).ok_or_else(|| {
        Failure::usage(format!("`{}` is no period", arguments.period)).with_hint(format!("write {PERIOD_FORMS}"))
    })?;
    let today = local(record.night.as_of).date();
    if period.start() > today {
        let message = format!("`{period}` begins after the night of {today}: there is nothing to report yet");
        return Err(Failure::usage(message).with_hint("ask for a period that has begun"));
    }
    let (scope, whom) = scope(&config, arguments)?;
    let as_if_today = arguments.as_if.is_some();
    let counts = run::form_counts(&config, &record.night, &template.rules, period, scope, as_if_today).await?;
    let sectors = run::sector_names(&config, &record.night).await?;
    let name_of = |code: &str| match sectors.get(code) {
        Some(name) => name.clone(),
        None if code.is_empty() => "(không rõ lĩnh vực)".to_owned(),
        None => code.to_owned(),
    };
    let form = FilledForm {
        whom,
        start: period.start(),
        end: period.end(),
        as_of: record.night.as_of,
        complete: record.night.complete,
        rows: counts.into_iter().map(|(sector, counts)| (name_of(&sector), counts)).collect(),
    };
    let bytes = publish::write_form(template, &form).map_err(|error| Failure::internal(error.to_string()))?;
    std::fs::write(&arguments.output, bytes)
        .map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", arguments.output.display())))?;
    narrate(&format!("wrote form {} for {} ({period}) to `{}`", template.id, form.whom, arguments.output.display()));
    if form.is_running() {
        narrate("the period is not over: the form says that it is provisional");
    }
    if !form.complete {
        narrate("not every source was read whole: the form says that it is provisional");
    }
    Ok(ExitCode::SUCCESS)
}

fn scope(config: &Configuration, arguments: &Arguments) -> Result<(FormScope, String), Failure> {
    if let Some(asked) = &arguments.agency {
        let is_it = |name: &String| fold(name) == fold(asked);
        let found = config.registries.agencies.iter().find(|agency| is_it(&agency.code) || is_it(&agency.name));
        let agency = found.ok_or_else(|| Failure::usage(format!("there is no agency `{asked}` in the registry")))?;
        return Ok((FormScope::Agency(agency.code.clone()), agency.name.clone()));
    }
    let province = &config.settings.province.name;
    Ok(match arguments.tier.as_deref().and_then(Tier::from_name) {
        None => (FormScope::Province, format!("UBND tỉnh {province}")),
        Some(tier) => {
            let name = match tier {
                Tier::Province => "các cơ quan cấp tỉnh",
                Tier::District => "các đơn vị cấp huyện",
                Tier::Commune => "các đơn vị cấp xã",
            };
            (FormScope::Tier(tier), format!("UBND tỉnh {province}: {name}"))
        }
    })
}
