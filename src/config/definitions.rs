//! Reads indicators and rule sets and checks what they say of each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sha2::{Digest, Sha256};

use crate::config::Indicator;
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::config::settings::Settings;
use crate::config::texts::Texts;
use crate::model::indicator::{AsOf, Definition, IndicatorFile, IndicatorKind, Over, PeriodColumn, RuleSet};
use crate::model::predicate::{
    AGENCY_COLUMNS, FACT_COLUMNS, FEEDBACK_COLUMNS, OFFER_COLUMNS, check_over, speaks_of_state,
};

pub(crate) fn load_rules(
    settings: &Settings,
    texts: &Texts<'_>,
    sources: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> BTreeMap<String, RuleSet> {
    let mut rules = BTreeMap::new();
    for (file, text) in texts.folder("rules", &settings.rules, problems) {
        let Some(document) = Document::parse(&file, &text, problems) else { continue };
        let Some(set) = document.read::<RuleSet>(&file, problems) else { continue };
        sources.insert(source_name("rules", &file), text);
        if let Some(previous) = rules.insert(set.id.clone(), set) {
            problems.add(&file, document.line("/id"), "id", format!("rule set `{}` is defined twice", previous.id));
        }
    }
    rules
}

pub(crate) fn load_indicators(
    settings: &Settings,
    texts: &Texts<'_>,
    rules: &BTreeMap<String, RuleSet>,
    sources: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<Indicator> {
    // A rule set that could not be read is one mistake, not one for each indicator that follows it.
    let rules_are_whole = texts.count("rules", &settings.rules) == rules.len();
    let mut indicators: Vec<Indicator> = Vec::new();
    for (file, text) in texts.folder("indicators", &settings.indicators, problems) {
        let Some(document) = Document::parse(&file, &text, problems) else { continue };
        let before = problems.as_slice().len();
        let read = document.read::<IndicatorFile>(&file, problems);
        if problems.as_slice().len() > before {
            // Entries with a mistake are left out of what was read: their predicates are still told.
            check_predicates_as_written(&document, &file, problems);
            continue;
        }
        let Some(read) = read else { continue };
        sources.insert(source_name("indicators", &file), text);
        for (index, definition) in read.indicator.into_iter().enumerate() {
            let pointer = format!("/indicator/{index}");
            let mut add = |key: &str, message: String| {
                let line = document.line(&format!("{pointer}/{key}"));
                problems.add(&file, line, format!("indicator.{index}.{key}"), message);
            };
            if indicators.iter().any(|known| known.definition.id == definition.id) {
                add("id", format!("`{}` is defined twice", definition.id));
            }
            let set = rules.get(&definition.rules);
            if set.is_none() && rules_are_whole {
                let known: Vec<&str> = rules.keys().map(String::as_str).collect();
                add("rules", format!("no rule set `{}`; there are: {}", definition.rules, known.join(", ")));
            }
            match (definition.kind, &definition.denominator) {
                (IndicatorKind::Ratio, None) if definition.over.is_additive() => {
                    add("denominator", "a ratio needs one".to_owned());
                }
                (IndicatorKind::Ratio, _) | (_, None) => {}
                (kind, Some(_)) => add("denominator", format!("a {} has none", kind.name())),
            }
            for (key, message) in kind_problems(&definition) {
                add(key, message);
            }
            if jiff::civil::Date::from_str(&definition.legal.from).is_err() {
                add("legal/from", format!("`{}` is no date (yyyy-MM-dd)", definition.legal.from));
            }
            if let Some(target) = definition.target
                && !(target.at_least >= 0.0 && target.at_least.is_finite())
            {
                add("target/at_least", "must be a number from 0".to_owned());
            }
            if definition.kind == IndicatorKind::Ratio && definition.target.is_some_and(|target| target.at_least > 1.0)
            {
                add("target/at_least", "a ratio's target is a share from 0 to 1".to_owned());
            }
            for (key, text) in predicates(&definition) {
                let checked = match definition.over {
                    Over::Feedback => check_over(text, FEEDBACK_COLUMNS),
                    _ => crate::model::predicate::check(text),
                };
                if let Err(message) = checked {
                    add(key, message);
                }
            }
            for (key, message) in over_problems(&definition) {
                add(key, message);
            }
            let by_state = predicates(&definition).iter().any(|(_, text)| speaks_of_state(text));
            let at_ends = set.is_some_and(|set| set.as_of == AsOf::PeriodEnd);
            if by_state && at_ends && (definition.having.is_some() || definition.over != Over::Dossiers) {
                add("rules", "states at a period's end are read for dossiers only".to_owned());
            }
            let digest = definition_digest(&definition, set);
            indicators.push(Indicator { definition, digest });
        }
    }
    if indicators.is_empty() && !problems.touch(&settings.indicators) {
        problems.add(
            &settings.indicators,
            0,
            "folders.indicators",
            "no file in it defines an indicator that can be read",
        );
    }
    indicators.sort_by(|left, right| left.definition.id.cmp(&right.definition.id));
    indicators
}

/// What does not fit the kind of the indicator.
fn kind_problems(definition: &Definition) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let kind = definition.kind.name();
    let has_amount = matches!(definition.kind, IndicatorKind::Mean | IndicatorKind::Median);
    if has_amount && definition.of.is_none() {
        found.push(("of", format!("a {kind} needs it: of what, `processing_hours` say")));
    }
    if !has_amount && definition.of.is_some() {
        found.push(("of", format!("a {kind} has none")));
    }
    let is_stock = definition.kind == IndicatorKind::Stock;
    if (has_amount || is_stock) && (definition.over != Over::Dossiers || definition.having.is_some()) {
        found.push(("kind", format!("a {kind} is one of dossiers, without `having`")));
    }
    if is_stock && definition.period != PeriodColumn::ReceivedAt {
        found.push(("period", "a stock is of what was received by the period's end: `received_at`".to_owned()));
    }
    if (has_amount || is_stock) && definition.target.is_some() {
        found.push(("target", format!("a {kind} has none")));
    }
    found
}

/// What does not fit what the indicator counts.
fn over_problems(definition: &Definition) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let columns = match definition.over {
        Over::Dossiers | Over::Feedback | Over::Measures => None,
        Over::Procedures => Some(OFFER_COLUMNS),
        Over::Agencies => Some(AGENCY_COLUMNS),
    };
    if definition.registry_part.is_some() {
        if columns.is_none() || definition.kind != IndicatorKind::Ratio {
            found.push(("registry_part", "only a ratio over procedures or agencies has it".to_owned()));
        } else if definition.population != "TRUE" || definition.numerator != "TRUE" {
            let message = "the registry decides: `population` and `numerator` are `TRUE`";
            found.push(("registry_part", message.to_owned()));
        }
    }
    if let (Some(columns), Some(text)) = (columns, &definition.registry_part) {
        found.extend(check_over(text, columns).err().map(|message| ("registry_part", message)));
    }
    let asks_for_days = definition.over == Over::Agencies && !definition.is_of_registry();
    match definition.within_working_days {
        None if asks_for_days => {
            found.push(("within_working_days", "missing: how recent an agency's latest dossier must be".to_owned()));
        }
        Some(_) if !asks_for_days => {
            found.push(("within_working_days", "only a ratio of agencies that have dossiers has it".to_owned()));
        }
        Some(0) => found.push(("within_working_days", "must be 1 or more".to_owned())),
        _ => {}
    }
    if asks_for_days && definition.period != PeriodColumn::ReceivedAt {
        found.push(("period", "agencies are asked for their latest reception: `received_at`".to_owned()));
    }
    match (columns, &definition.registry) {
        (None, Some(_)) => {
            found.push(("registry", "only what is counted over procedures or agencies has it".to_owned()));
        }
        (Some(_), None) => {
            found.push(("registry", "missing: which procedures or agencies make the whole".to_owned()));
        }
        (Some(columns), Some(text)) => {
            found.extend(check_over(text, columns).err().map(|message| ("registry", message)));
        }
        (None, None) => {}
    }
    if definition.over == Over::Feedback
        && (definition.having.is_some() || definition.period != PeriodColumn::ReceivedAt)
    {
        found.push(("period", "feedback is filed by `received_at`, without `having`".to_owned()));
    }
    let is_stated = definition.over == Over::Measures;
    if is_stated != (definition.period == PeriodColumn::Stated) {
        found.push(("period", "`stated` is for what is counted over measures, and is all that they have".to_owned()));
    }
    if is_stated && (definition.population != "TRUE" || definition.numerator != "TRUE") {
        found.push(("numerator", "a measure states its counts: `population` and `numerator` are `TRUE`".to_owned()));
    }
    if !definition.over.is_additive() && (definition.having.is_some() || definition.denominator.is_some()) {
        let message = "the registry or the measure makes the whole: neither `denominator` nor `having` may stand";
        found.push(("denominator", message.to_owned()));
    }
    found
}

/// The predicates of a file in which something else is wrong.
fn check_predicates_as_written(document: &Document, file: &Path, problems: &mut Problems) {
    let entries: Vec<serde_json::Map<String, serde_json::Value>> = document.part("indicator").unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        let registry = match entry.get("over").and_then(serde_json::Value::as_str) {
            Some("procedures") => OFFER_COLUMNS,
            _ => AGENCY_COLUMNS,
        };
        let keys = ["population", "numerator", "denominator", "having"].map(|key| (key, FACT_COLUMNS));
        for (key, columns) in keys.into_iter().chain([("registry", registry), ("registry_part", registry)]) {
            let Some(text) = entry.get(key).and_then(serde_json::Value::as_str) else { continue };
            if let Err(message) = check_over(text, columns) {
                let line = document.line(&format!("/indicator/{index}/{key}"));
                problems.add(file, line, format!("indicator.{index}.{key}"), message);
            }
        }
    }
}

fn predicates(definition: &Definition) -> Vec<(&'static str, &str)> {
    let mut found = vec![("population", definition.population.as_str()), ("numerator", definition.numerator.as_str())];
    found.extend(definition.denominator.as_deref().map(|text| ("denominator", text)));
    found.extend(definition.having.as_deref().map(|text| ("having", text)));
    found
}

/// Digest of all that defines a figure of an indicator under a rule set.
#[must_use]
pub fn definition_digest(definition: &Definition, rules: Option<&RuleSet>) -> String {
    let text = serde_json::to_string(&(definition, rules)).expect("definitions are plain data");
    format!("{:x}", Sha256::digest(text.as_bytes()))[..16].to_owned()
}

fn source_name(folder: &str, file: &PathBuf) -> String {
    format!("{folder}/{}", PathBuf::from(file).file_name().unwrap_or_default().to_string_lossy())
}
