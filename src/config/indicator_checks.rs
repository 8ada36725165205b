//! Checks of an indicator's table before it is read as a `IndicatorDefinition`, so that a mistake of one kind does not
//! hide those of another.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use serde_json::Value;

use crate::config::predicate_check::check_over;
use crate::expressions::{dossier_facts, feedback_facts};
use crate::model::indicator::{CountedUnit, IndicatorKind};
use crate::model::predicate::{AGENCY_COLUMNS, Columns, OFFER_COLUMNS};

/// A mistake: its key (`target/at_least`) and the message.
pub(super) type Mistake = (String, String);

/// Mistakes in one `[[indicator]]`. Adds its id to `ids`, those of the indicators before it. `rule_sets`: ids of all
/// rule sets, if they are known.
pub(super) fn check_entry(
    entry: &Value,
    ids: &mut BTreeSet<String>,
    rule_sets: Option<&BTreeSet<String>>,
) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut add = |key: &str, message: String| found.push((key.to_owned(), message));
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let id = text("id");
    if let Some(id) = id
        && !ids.insert(id.to_owned())
    {
        add("id", format!("`{id}` is defined twice"));
    }
    if let (Some(rules), Some(known)) = (text("rules"), rule_sets)
        && !known.contains(rules)
    {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        add("rules", format!("no rule set `{rules}`; there are: {}", known.join(", ")));
    }
    if let Some(target) = entry.pointer("/target/at_least").and_then(Value::as_f64) {
        let is_ratio = text("kind") == Some(IndicatorKind::Ratio.name());
        if target < 0.0 {
            add("target/at_least", "must not be negative".to_owned());
        } else if is_ratio && target > 1.0 {
            add("target/at_least", "the target of a ratio must be a share from 0 to 1".to_owned());
        }
    }
    for (key, columns) in predicates(entry) {
        let text = entry.pointer(&format!("/{key}")).and_then(Value::as_str);
        if let Some(Err(message)) = text.map(|text| check_over(text, columns)) {
            add(key, message);
        }
    }
    let what = format!("indicator `{}`", id.unwrap_or_default());
    found.extend(check_legal(&what, entry.get("title"), entry.get("legal")));
    found
}

/// Mistakes in the title and the legal source of an indicator or a rule set.
pub(super) fn check_legal(what: &str, title: Option<&Value>, legal: Option<&Value>) -> Vec<Mistake> {
    let text = |table: Option<&Value>, key: &str| table?.get(key)?.as_str().map(str::to_owned);
    let mut found = Vec::new();
    for (table, name, key, missing) in [
        (title, "title", "vi", "its Vietnamese title is missing"),
        (title, "title", "en", "its English title is missing"),
        (legal, "legal", "document", "the legal document is missing"),
        (legal, "legal", "place", "the place in the document is missing: article, annex or row"),
    ] {
        if text(table, key).is_some_and(|text| text.trim().is_empty()) {
            found.push((format!("{name}/{key}"), format!("empty; {what}: {missing}")));
        }
    }
    if let Some(from) = text(legal, "from").filter(|from| jiff::civil::Date::from_str(from).is_err()) {
        found.push(("legal/from".to_owned(), format!("`{from}` is not a date (yyyy-MM-dd)")));
    }
    found
}

/// The keys with a predicate, each with the columns that it may use. Empty if `over` is invalid.
fn predicates(entry: &Value) -> Vec<(&'static str, Columns)> {
    let over = entry.get("over").map_or(Ok(CountedUnit::default()), |over| serde_json::from_value(over.clone()));
    let (facts, registry) = match over {
        Err(_) => return Vec::new(),
        Ok(CountedUnit::Feedback) => (feedback_facts().columns(), None),
        Ok(CountedUnit::Procedures) => (dossier_facts().columns(), Some(OFFER_COLUMNS)),
        Ok(CountedUnit::Agencies) => (dossier_facts().columns(), Some(AGENCY_COLUMNS)),
        Ok(CountedUnit::Dossiers | CountedUnit::Measures) => (dossier_facts().columns(), None),
    };
    let of_registry = registry.into_iter().flat_map(|columns| ["registry", "registry_part"].map(|key| (key, columns)));
    ["population", "numerator", "denominator", "having", "also/numerator"]
        .map(|key| (key, facts))
        .into_iter()
        .chain(of_registry)
        .collect()
}
