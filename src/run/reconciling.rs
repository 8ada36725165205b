//! Portal against post, from the tables of a night.

use crate::config::Configuration;
use crate::indicators::{self, PostDirection, ReconcilePage, Reconciliation, UnmatchedItems};
use crate::model::figure::Night;
use crate::model::period::Period;
use crate::model::rules::RuleSet;
use crate::run::error::RunError;
use crate::run::figures::with_tables;

/// The rule set of the postal ratios; `None` if no indicator counts what the post carried.
fn postal_rules(config: &Configuration) -> Option<RuleSet> {
    let mut definitions = config.indicators.iter().map(|known| &known.definition);
    let postal = definitions.find(|definition| definition.numerator.contains("is_postal_"))?;
    config.rules.get(&postal.rules).cloned()
}

/// Why nothing can be reconciled.
pub const NO_POSTAL_INDICATOR: &str = "no indicator counts what the post carried: there is no rule set to compare by";

/// Compares portal and post about the dossiers of a period. `None`: see [`NO_POSTAL_INDICATOR`]. `held` is dropped when the
/// work ends.
///
/// # Errors
/// A table that cannot be read.
pub async fn reconcile(
    config: &Configuration,
    night: &Night,
    (direction, period): (PostDirection, Period),
    page: ReconcilePage,
    held: impl Send + 'static,
) -> Result<Option<Reconciliation>, RunError> {
    let Some(rules) = postal_rules(config) else { return Ok(None) };
    with_tables(config, night, move |inputs| {
        let _held = held;
        indicators::reconcile(&inputs, &rules, (direction, period), &page)
    })
    .await
    .map(Some)
}

/// The items that the post accepted in a period and that belong to no dossier, at most `limit` behind the first `offset`.
///
/// # Errors
/// A table that cannot be read.
pub async fn unmatched_items(
    config: &Configuration,
    night: &Night,
    period: Period,
    (offset, limit): (u32, u32),
    held: impl Send + 'static,
) -> Result<UnmatchedItems, RunError> {
    with_tables(config, night, move |inputs| {
        let _held = held;
        indicators::unmatched_items(&inputs, period, (offset, limit))
    })
    .await
}

/// How many there are, without a look at near codes.
///
/// # Errors
/// A table that cannot be read.
pub async fn count_unmatched_items(
    config: &Configuration,
    night: &Night,
    period: Period,
    held: impl Send + 'static,
) -> Result<u64, RunError> {
    with_tables(config, night, move |inputs| {
        let _held = held;
        indicators::count_unmatched_items(&inputs, period)
    })
    .await
}
