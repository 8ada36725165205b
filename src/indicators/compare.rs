//! Compares the counts of an indicator under several rule sets, and finds which settings make the difference.
//!
//! Each setting that differs is put alone into the indicator's own rule set, and the dossiers that then count
//! differently are counted. Settings affect each other, so these numbers need not add up to the difference of the whole
//! rule sets.

use std::collections::HashMap;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::scan::counted_dossiers;
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// Counts of an indicator under another rule set, or under its own with one setting of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDifference {
    pub rules: String,
    /// The setting that differs, as `key = value`; `None` for the whole rule set.
    pub setting: Option<String>,
    pub numerator: u64,
    pub denominator: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator.
    pub unknown: u64,
    /// Dossiers that count differently than under the indicator's own rule set.
    pub moved: u64,
}

/// The dossiers of the denominator by source and key, with whether each is in the numerator (`None`: unknown).
type CountedDossiers = HashMap<(String, String), Option<bool>>;

/// The counts of an indicator for the province in a period under every rule set; under the indicator's own one first.
///
/// # Errors
/// A predicate that Polars does not accept, or a table that cannot be scanned.
pub fn compare_rules(
    inputs: &FigureInputs<'_>,
    definition: &IndicatorDefinition,
    rules: &[RuleSet],
    period: Period,
) -> Result<Vec<RuleDifference>, IndicatorError> {
    let own = rules.iter().find(|set| set.id == definition.rules).expect("the configuration has checked it");
    let counted = |set: &RuleSet| counted(inputs, definition, set, period);
    let base = counted(own)?;
    let mut found = vec![difference(own, None, &base, &base)];
    for other in rules.iter().filter(|set| set.id != own.id) {
        found.push(difference(other, None, &counted(other)?, &base));
        for (setting, mixed) in with_single_settings(own, other) {
            found.push(difference(other, Some(setting), &counted(&mixed)?, &base));
        }
    }
    Ok(found)
}

fn difference(
    rules: &RuleSet,
    setting: Option<String>,
    counted: &CountedDossiers,
    base: &CountedDossiers,
) -> RuleDifference {
    let left = base.keys().filter(|key| !counted.contains_key(*key)).count();
    let different = counted.iter().filter(|(key, in_numerator)| base.get(*key) != Some(*in_numerator)).count();
    RuleDifference {
        rules: rules.id.clone(),
        setting,
        numerator: counted.values().filter(|in_numerator| **in_numerator == Some(true)).count() as u64,
        denominator: counted.len() as u64,
        unknown: counted.values().filter(|in_numerator| in_numerator.is_none()).count() as u64,
        moved: (left + different) as u64,
    }
}

/// For each setting in which two rule sets differ: the setting, and the first rule set with this setting of the second.
fn with_single_settings(own: &RuleSet, other: &RuleSet) -> Vec<(String, RuleSet)> {
    let (own, other) = (own.settings(), other.settings());
    let is_setting = |key: &str| !matches!(key, "id" | "title" | "legal");
    let differing = other.iter().filter(|(key, value)| is_setting(key) && own.get(*key) != Some(*value));
    differing
        .map(|(key, value)| {
            let mut mixed = own.clone();
            mixed.insert(key.clone(), value.clone());
            let mixed = serde_json::to_value(mixed).and_then(serde_json::from_value);
            (format!("{key} = {value}"), mixed.expect("each setting was taken from a rule set"))
        })
        .collect()
}

fn counted(
    inputs: &FigureInputs<'_>,
    definition: &IndicatorDefinition,
    rules: &RuleSet,
    period: Period,
) -> Result<CountedDossiers, IndicatorError> {
    let table = counted_dossiers(inputs, rules, definition, period)?
        .select([col("source"), col("source_key"), col("in_numerator")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (source, key) = (table.column("source")?.str()?, table.column("source_key")?.str()?);
    let in_numerator = table.column("in_numerator")?.bool()?;
    let rows = source.iter().zip(key.iter()).zip(in_numerator.iter());
    Ok(rows
        .map(|((source, key), in_numerator)| {
            ((source.unwrap_or_default().to_owned(), key.unwrap_or_default().to_owned()), in_numerator)
        })
        .collect())
}
