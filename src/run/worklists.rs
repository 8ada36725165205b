//! Worklists of the newest night's dossiers, as they are at the moment of asking.

use std::collections::BTreeMap;

use crate::config::Configuration;
use crate::indicators::{
    self, FigureInputs, FigureOf, FoundWorklist, SilentAgency, Worklist, WorklistPage, find_worklist, worklists,
};
use crate::model::figure::Night;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::rules::RuleSet;
use crate::run::error::RunError;
use crate::run::figures::with_tables;

/// The worklist of a name.
#[must_use]
pub fn worklist_named(name: &str) -> Option<&'static Worklist> {
    worklists().iter().find(|list| list.name == name)
}

/// The ratios of on time of the decision, and the rule set by which they are counted: worklists are read by it. `None` if
/// none is configured.
fn ratios_of_on_time(config: &Configuration) -> Option<(RuleSet, Vec<IndicatorDefinition>)> {
    let is_of_on_time = |definition: &&IndicatorDefinition| {
        definition.over == CountedUnit::Dossiers
            && definition.kind == IndicatorKind::Ratio
            && definition.numerator == "is_on_time"
            && definition.having.is_none()
            && definition.target.is_some()
    };
    let mut ratios = config.indicators.iter().map(|known| &known.definition).filter(is_of_on_time);
    let first = ratios.next()?;
    let rules = config.rules.get(&first.rules)?.clone();
    let same_rules = ratios.filter(|definition| definition.rules == rules.id);
    let ratios = [first].into_iter().chain(same_rules).cloned().collect();
    Some((rules, ratios))
}

/// Why there are no worklists.
pub const NO_RATIO_OF_ON_TIME: &str =
    "no indicator is a ratio of `is_on_time` with a target: worklists are read by the rule set of such a ratio";

/// The dossiers of a worklist at `now` (microseconds UTC), from the tables of a night. `None`: see
/// [`NO_RATIO_OF_ON_TIME`]. `held` is dropped when the work ends.
///
/// # Errors
/// A table that cannot be read.
pub async fn worklist(
    config: &Configuration,
    (night, now): (&Night, i64),
    list: &'static Worklist,
    page: WorklistPage,
    held: impl Send + 'static,
) -> Result<Option<FoundWorklist>, RunError> {
    let Some((rules, ratios)) = ratios_of_on_time(config) else { return Ok(None) };
    let (settings, successions) = (config.settings.worklists, config.registries.successions.clone());
    with_tables(config, &Night { as_of: now, ..*night }, move |inputs| {
        let _held = held;
        let inputs = FigureInputs { successions: Some(&successions), ..inputs };
        let ratios: Vec<&IndicatorDefinition> = ratios.iter().collect();
        find_worklist(&inputs, &rules, list, (&settings, &ratios), &page)
    })
    .await
    .map(Some)
}

/// How many dossiers each worklist has, in their order. `None`: see [`NO_RATIO_OF_ON_TIME`].
///
/// # Errors
/// A table that cannot be read.
pub async fn worklist_counts(
    config: &Configuration,
    (night, now): (&Night, i64),
    of: FigureOf,
    held: impl Send + 'static,
) -> Result<Option<Vec<u64>>, RunError> {
    let Some((rules, _)) = ratios_of_on_time(config) else { return Ok(None) };
    let (settings, successions) = (config.settings.worklists, config.registries.successions.clone());
    with_tables(config, &Night { as_of: now, ..*night }, move |inputs| {
        let _held = held;
        let inputs = FigureInputs { successions: Some(&successions), ..inputs };
        indicators::worklist_counts(&inputs, &rules, &settings, &of)
    })
    .await
    .map(Some)
}

/// The agencies of a scope that have received nothing for the days of `[worklists]`. `None`: see [`NO_RATIO_OF_ON_TIME`].
///
/// # Errors
/// A table that cannot be read.
pub async fn silent_agencies(
    config: &Configuration,
    (night, now): (&Night, i64),
    of: FigureOf,
    held: impl Send + 'static,
) -> Result<Option<Vec<SilentAgency>>, RunError> {
    let Some((rules, _)) = ratios_of_on_time(config) else { return Ok(None) };
    let (days, successions) = (config.settings.worklists.silent_days, config.registries.successions.clone());
    with_tables(config, &Night { as_of: now, ..*night }, move |inputs| {
        let _held = held;
        let inputs = FigureInputs { successions: Some(&successions), ..inputs };
        indicators::silent_agencies(&inputs, &rules, days, &of)
    })
    .await
    .map(Some)
}

/// The dossiers of an agency, a tier or the province by connector, from the tables of a night. `None`: see
/// [`NO_RATIO_OF_ON_TIME`].
///
/// # Errors
/// A table that cannot be read.
pub async fn dossier_sources(
    config: &Configuration,
    night: &Night,
    of: FigureOf,
    held: impl Send + 'static,
) -> Result<Option<BTreeMap<String, u64>>, RunError> {
    let Some((rules, _)) = ratios_of_on_time(config) else { return Ok(None) };
    let successions = config.registries.successions.clone();
    with_tables(config, night, move |inputs| {
        let _held = held;
        let inputs = FigureInputs { successions: Some(&successions), ..inputs };
        indicators::dossier_sources(&inputs, &rules, &of)
    })
    .await
    .map(Some)
}
