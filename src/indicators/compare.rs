//! One ratio under several rule sets: what each says, and how many dossiers each of their differences moves.
//!
//! A difference is one word of a rule set. Each is put into the indicator's own rule set alone, and the dossiers that then
//! count otherwise are counted; together the differences need not add up to the whole, since they act on each other.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use crate::indicators::compute::Inputs;
use crate::indicators::{IndicatorError, compute};
use crate::model::indicator::Definition;
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// An indicator under one rule set, or under its own with one word of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDifference {
    pub rules: String,
    /// The word that differs, `key = value`; `None` for the whole rule set.
    pub word: Option<String>,
    pub numerator: u64,
    pub denominator: u64,
    /// Dossiers that count otherwise than under the indicator's own rule set.
    pub moved: u64,
}

/// Key of a dossier → whether it counts in the numerator. Dossiers outside the denominator are not there.
type Counted = HashMap<(String, String), bool>;

/// What every rule set says of an indicator in a period, for the province; the indicator's own first.
///
/// # Errors
/// A predicate that Polars does not take, or a table that cannot be scanned.
pub fn compare_rules(
    inputs: &Inputs<'_>,
    definition: &Definition,
    rules: &[RuleSet],
    period: Period,
) -> Result<Vec<RuleDifference>, IndicatorError> {
    let own = rules.iter().find(|set| set.id == definition.rules).expect("the configuration has checked it");
    let counted = |set: &RuleSet| counted(inputs, definition, set, period);
    let base = counted(own)?;
    let mut found = vec![difference(own, None, &base, &base)];
    for other in rules.iter().filter(|set| set.id != own.id) {
        found.push(difference(other, None, &counted(other)?, &base));
        for (word, mixed) in single_words(own, other) {
            found.push(difference(other, Some(word), &counted(&mixed)?, &base));
        }
    }
    Ok(found)
}

fn difference(rules: &RuleSet, word: Option<String>, counted: &Counted, base: &Counted) -> RuleDifference {
    let left = base.keys().filter(|key| !counted.contains_key(*key)).count();
    let otherwise = counted.iter().filter(|(key, part)| base.get(*key) != Some(*part)).count();
    RuleDifference {
        rules: rules.id.clone(),
        word,
        numerator: counted.values().filter(|part| **part).count() as u64,
        denominator: counted.len() as u64,
        moved: (left + otherwise) as u64,
    }
}

/// The rule set with one word of another at a time.
fn single_words(own: &RuleSet, other: &RuleSet) -> Vec<(String, RuleSet)> {
    let words = |set: &RuleSet| -> BTreeMap<String, serde_json::Value> {
        let json = serde_json::to_value(set).expect("a rule set is plain data");
        serde_json::from_value(json).expect("a rule set is a table")
    };
    let (mine, theirs) = (words(own), words(other));
    let is_choice = |key: &str| !matches!(key, "id" | "title" | "legal");
    let differing = theirs.into_iter().filter(|(key, value)| is_choice(key) && mine.get(key) != Some(value));
    differing
        .map(|(key, value)| {
            let word = format!("{key} = {value}");
            let mut mixed = mine.clone();
            mixed.insert(key, value);
            let mixed = serde_json::to_value(mixed).and_then(serde_json::from_value);
            (word, mixed.expect("each word was taken from a rule set"))
        })
        .collect()
}

fn counted(
    inputs: &Inputs<'_>,
    definition: &Definition,
    rules: &RuleSet,
    period: Period,
) -> Result<Counted, IndicatorError> {
    let table = compute::counted(inputs, rules, definition, period)?
        .select([col("source"), col("source_key"), col("part")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (source, key) = (table.column("source")?.str()?, table.column("source_key")?.str()?);
    let part = table.column("part")?.bool()?;
    let rows = source.iter().zip(key.iter()).zip(part.iter());
    Ok(rows
        .map(|((source, key), part)| {
            ((source.unwrap_or_default().to_owned(), key.unwrap_or_default().to_owned()), part == Some(true))
        })
        .collect())
}
