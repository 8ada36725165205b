//! Official forms, filled in from the tables as of a night.

use std::collections::BTreeMap;

use crate::config::Configuration;
use crate::indicators::{self, FigureInputs, FigureOf, FormScope};
use crate::lake::Lake;
use crate::model::agency::Tier;
use crate::model::figure::Night;
use crate::model::period::Period;
use crate::model::report_form::{FilledForm, FormCounts, FormTemplate};
use crate::model::table::RecordKind;
use crate::run::catalogue::Catalogue;
use crate::run::error::RunError;
use crate::run::figures::with_tables;

/// Name of the row of dossiers whose procedure has no sector.
const NO_SECTOR: &str = "(không rõ lĩnh vực)";

/// The agencies of a form, and the name that it has for them, in Vietnamese as all of the form. `None` for an agency that is
/// not in the registry.
#[must_use]
pub fn form_scope(config: &Configuration, of: &FigureOf) -> Option<(FormScope, String)> {
    let province = &config.settings.province.name;
    Some(match of {
        FigureOf::Province => (FormScope::Province, format!("UBND tỉnh {province}")),
        FigureOf::Tier(tier) => {
            let name = match tier {
                Tier::Province => "các cơ quan cấp tỉnh",
                Tier::District => "các đơn vị cấp huyện",
                Tier::Commune => "các đơn vị cấp xã",
            };
            (FormScope::Tier(*tier), format!("UBND tỉnh {province}: {name}"))
        }
        FigureOf::Agency(code) => {
            let agency = config.registries.agencies.iter().find(|agency| agency.code == *code)?;
            (FormScope::Agency(agency.code.clone()), agency.name.clone())
        }
    })
}

/// Fills in a form for a scope, named `whom`, and a period. With `as_if_today`, dossiers of former agencies are those of
/// their successors.
///
/// # Errors
/// A table that cannot be read.
pub async fn filled_form(
    config: &Configuration,
    night: &Night,
    template: &FormTemplate,
    (scope, whom): (FormScope, String),
    period: Period,
    as_if_today: bool,
) -> Result<FilledForm, RunError> {
    let counts = form_counts(config, night, &template.rules, period, scope, as_if_today).await?;
    let sectors = sector_names(config, night).await?;
    let name_of = |code: &str| match sectors.get(code) {
        Some(name) => name.clone(),
        None if code.is_empty() => NO_SECTOR.to_owned(),
        None => code.to_owned(),
    };
    // `form_counts` has refused a rule set that there is not.
    let rules_title = config.rules.get(&template.rules).map(|rules| rules.title.vi.clone()).unwrap_or_default();
    Ok(FilledForm {
        whom,
        rules_title,
        start: period.start(),
        end: period.end(),
        as_of: night.as_of,
        complete: night.complete,
        rows: counts.into_iter().map(|(sector, counts)| (name_of(&sector), counts)).collect(),
    })
}

/// Cells of a form by sector code, for a scope and a period.
async fn form_counts(
    config: &Configuration,
    night: &Night,
    rules: &str,
    period: Period,
    scope: FormScope,
    as_if_today: bool,
) -> Result<BTreeMap<String, FormCounts>, RunError> {
    let rules = config.rules[rules].clone();
    let successions = as_if_today.then(|| config.registries.successions.clone());
    with_tables(config, night, move |inputs| {
        let inputs = FigureInputs { successions: successions.as_deref(), ..inputs };
        indicators::form_counts(&inputs, &rules, period, &scope)
    })
    .await
}

/// Names of sectors by code: from the registry file, completed from the procedure catalogue as of a night.
async fn sector_names(config: &Configuration, night: &Night) -> Result<BTreeMap<String, String>, RunError> {
    let table = Lake::read_as_of(&config.settings.data.join("lake"), RecordKind::Procedures, night.run).await?;
    let read = tokio::task::spawn_blocking(move || Catalogue::read(table)).await?;
    Ok(read.map_err(indicators::IndicatorError::from)?.sectors_beside(&config.registries.sectors))
}
