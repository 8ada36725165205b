//! Changes of dossiers that make a ratio look better, from the tables and the changes of a night.

use crate::config::Configuration;
use crate::indicators::{self, FigureOf, IntegrityDossiers, IntegrityKind, IntegrityRow};
use crate::lake::{Change, ChangeSelection, Lake};
use crate::model::figure::Night;
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::rules::RuleSet;
use crate::run::error::RunError;
use crate::run::figures::with_tables;

/// An indicator that the caller has checked, its rule set, and the changes up to a night that are
/// judged.
async fn judged(
    config: &Configuration,
    night: &Night,
    indicator: &str,
) -> Result<(IndicatorDefinition, RuleSet, Vec<Change>), RunError> {
    let definition = config.indicators.iter().find(|known| known.definition.id == indicator);
    let definition = definition.expect("the caller has checked the indicator").definition.clone();
    let rules = config.rules[&definition.rules].clone();
    let only =
        ChangeSelection { until: Some(night.run), codes: &indicators::JUDGED_CHANGES, ..ChangeSelection::default() };
    let changes = Lake::read_changes(&config.settings.data.join("lake"), only).await?;
    Ok((definition, rules, changes))
}

/// The agencies that have dossiers in a ratio's denominator whose later changes make it look better, as of a night. `held` is
/// dropped when the work ends.
///
/// # Errors
/// A table that cannot be read.
pub async fn integrity(
    config: &Configuration,
    night: &Night,
    indicator: &str,
    period: Period,
    held: impl Send + 'static,
) -> Result<Vec<IntegrityRow>, RunError> {
    let (definition, rules, changes) = judged(config, night, indicator).await?;
    with_tables(config, night, move |inputs| {
        let _held = held;
        indicators::integrity(&inputs, &rules, &definition, period, &changes)
    })
    .await
}

/// The dossiers of one kind of change in a ratio's denominator, as of a night. `page`: dossiers to pass over, and most to
/// list. `held` is dropped when the work ends.
///
/// # Errors
/// A table that cannot be read.
pub async fn integrity_dossiers(
    config: &Configuration,
    night: &Night,
    (indicator, period): (&str, Period),
    (kind, of): (IntegrityKind, FigureOf),
    page: (u32, u32),
    held: impl Send + 'static,
) -> Result<IntegrityDossiers, RunError> {
    let (definition, rules, changes) = judged(config, night, indicator).await?;
    with_tables(config, night, move |inputs| {
        let _held = held;
        indicators::integrity_dossiers(&inputs, &rules, (&definition, period), &changes, (kind, &of), page)
    })
    .await
}
