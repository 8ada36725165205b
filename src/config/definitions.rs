//! Reads indicators and rule sets and checks what they say of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::config::Indicator;
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::config::settings::Settings;
use crate::config::texts::Texts;
use crate::config::written::{mistakes, of_article};
use crate::model::indicator::{Definition, IndicatorFile, IndicatorKind, Over, PeriodColumn};
use crate::model::predicate::speaks_of_state;
use crate::model::rules::{AsOf, RuleSet};

/// The rule sets that can be read.
#[derive(Debug, Default)]
pub(crate) struct RuleSets {
    pub(crate) by_id: BTreeMap<String, RuleSet>,
    /// The ids of all, of those that cannot be read too; unknown where some file does not say its own.
    pub(crate) ids: Option<BTreeSet<String>>,
}

pub(crate) fn load_rules(
    settings: &Settings,
    texts: &Texts<'_>,
    sources: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> RuleSets {
    let before = problems.as_slice().len();
    let files = texts.folder("rules", &settings.rules, problems);
    // A rule set of unknown id is one mistake, not one for each indicator that follows it.
    let ids = (problems.as_slice().len() == before).then(BTreeSet::new);
    let mut rules = RuleSets { by_id: BTreeMap::new(), ids };
    for (file, text) in files {
        let Some(document) = Document::parse(&file, &text, problems) else {
            rules.ids = None;
            continue;
        };
        let Some(id) = document.part::<String>("id") else {
            rules.ids = None;
            document.read::<RuleSet>(&file, problems);
            continue;
        };
        let mut add = |key: &str, message: String| {
            problems.add(&file, document.line(&format!("/{key}")), key.replace('/', "."), message);
        };
        if rules.ids.as_mut().is_some_and(|ids| !ids.insert(id.clone())) {
            add("id", format!("rule set `{id}` is defined twice"));
        }
        let (title, legal) = (document.part("title"), document.part("legal"));
        for (key, message) in of_article(&format!("rule set `{id}`"), title.as_ref(), legal.as_ref()) {
            add(&key, message);
        }
        let Some(set) = document.read::<RuleSet>(&file, problems) else { continue };
        sources.insert(source_name("rules", &file), text);
        rules.by_id.insert(id, set);
    }
    rules
}

pub(crate) fn load_indicators(
    settings: &Settings,
    texts: &Texts<'_>,
    rules: &RuleSets,
    sources: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<Indicator> {
    let mut indicators: Vec<Indicator> = Vec::new();
    let mut ids = BTreeSet::new();
    for (file, text) in texts.folder("indicators", &settings.indicators, problems) {
        let Some(document) = Document::parse(&file, &text, problems) else { continue };
        // Tells what the words and types of the file are; its entries are read one by one, so that none hides another.
        if document.read::<IndicatorFile>(&file, problems).is_some() {
            sources.insert(source_name("indicators", &file), text);
        }
        let entries: Vec<serde_json::Value> = document.part("indicator").unwrap_or_default();
        for (index, entry) in entries.into_iter().enumerate() {
            let mut add = |key: &str, message: String| {
                let line = document.line(&format!("/indicator/{index}/{key}"));
                problems.add(&file, line, format!("indicator.{index}.{}", key.replace('/', ".")), message);
            };
            for (key, message) in mistakes(&entry, &mut ids, rules.ids.as_ref()) {
                add(&key, message);
            }
            let Ok(definition) = serde_json::from_value::<Definition>(entry) else { continue };
            let set = rules.by_id.get(&definition.rules);
            for (key, message) in kind_problems(&definition).into_iter().chain(over_problems(&definition)) {
                add(key, message);
            }
            let by_state = conditions(&definition).any(speaks_of_state);
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
    match (definition.kind, &definition.denominator) {
        (IndicatorKind::Ratio, None) if definition.over.is_additive() => {
            found.push(("denominator", "a ratio needs one".to_owned()));
        }
        (IndicatorKind::Ratio, _) | (_, None) => {}
        (_, Some(_)) => found.push(("denominator", format!("a {kind} has none"))),
    }
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
    let has_registry = matches!(definition.over, Over::Procedures | Over::Agencies);
    if definition.registry_part.is_some() {
        if !has_registry || definition.kind != IndicatorKind::Ratio {
            found.push(("registry_part", "only a ratio over procedures or agencies has it".to_owned()));
        } else if definition.population != "TRUE" || definition.numerator != "TRUE" {
            let message = "the registry decides: `population` and `numerator` are `TRUE`";
            found.push(("registry_part", message.to_owned()));
        }
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
    if has_registry && definition.registry.is_none() {
        found.push(("registry", "missing: which procedures or agencies make the whole".to_owned()));
    }
    if !has_registry && definition.registry.is_some() {
        found.push(("registry", "only what is counted over procedures or agencies has it".to_owned()));
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

/// The conditions over dossiers or feedback.
fn conditions(definition: &Definition) -> impl Iterator<Item = &str> {
    let may_be = [&definition.denominator, &definition.having];
    [definition.population.as_str(), definition.numerator.as_str()]
        .into_iter()
        .chain(may_be.into_iter().filter_map(Option::as_deref))
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
